//! An application as a server sees it, on actix-web.

use std::{future::Future, net::TcpListener, sync::Arc};

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use ofp_evidence::CertificateFacts;

use crate::{NetError, Trouble};

/// What is known of a caller's connection.
#[derive(Debug, Default)]
pub struct Peer {
    /// Its client certificate, verified against the CA, if the listener asks for one.
    pub certificate: Option<Arc<CertificateFacts>>,
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: String,
}

/// A request, as an application sees it.
#[derive(Debug)]
pub struct Inbound {
    /// HTTP method.
    pub method: String,
    /// The path, still encoded.
    pub path: String,
    /// The query, still encoded.
    pub query: String,
    /// The value of the route's `{parameter}`, decoded; empty without one.
    pub parameter: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The caller.
    pub peer: Arc<Peer>,
}

impl Inbound {
    /// The first value of a header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// An answer, as an application gives it.
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether to close the connection in the middle of the body: a deliberate fault.
    pub cut_short: bool,
    /// Whether it is never sent: the caller waits until it gives up.
    pub withheld: bool,
    /// What to do once the answer has been written to the connection.
    pub after: After,
}

/// Something to be done later, at the latest when nobody holds it any more: a client that goes away
/// prevents nothing.
#[derive(Default)]
pub struct After(Option<Box<dyn FnOnce() + Send>>);

impl After {
    /// Does `what` later.
    #[must_use]
    pub fn new(what: impl FnOnce() + Send + 'static) -> Self {
        Self(Some(Box::new(what)))
    }
}

impl Drop for After {
    fn drop(&mut self) {
        if let Some(what) = self.0.take() {
            what();
        }
    }
}

impl Answer {
    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            cut_short: false,
            withheld: false,
            after: After::default(),
        }
    }

    /// An answer with a body.
    #[must_use]
    pub fn new(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", media_type.to_owned())];
        Self { headers, body: body.into(), ..Self::empty(status) }
    }

    /// An answer with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// An answer with one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A path, perhaps with one `{parameter}`, and what its verbs mean.
pub struct Route<E: 'static> {
    /// In actix-web's form.
    pub path: &'static str,
    /// Method and endpoint.
    pub verbs: &'static [(&'static str, E)],
}

/// What the router made of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matched<E> {
    /// An endpoint.
    Endpoint(E),
    /// A known path with another verb; these are allowed, as `Allow` has them (RFC 9110 §10.2.1).
    WrongVerb(String),
    /// An unknown path.
    Unknown,
    /// A body that could not be read to its end, with the status that says why.
    Unreadable(u16),
}

/// An application.
pub trait App: Send + Sync + 'static {
    /// Its endpoints.
    type Endpoint: Copy + Send + Sync + 'static;

    /// Its paths.
    fn routes(&self) -> &'static [Route<Self::Endpoint>];

    /// Answers one request. Refusals are answers too.
    fn answer(
        self: Arc<Self>,
        matched: Matched<Self::Endpoint>,
        inbound: Inbound,
    ) -> impl Future<Output = Answer> + 'static;

    /// Hears of a connection that brought no request.
    fn trouble(&self, _: Trouble) {}
}

/// Binds a listener; port 0 picks a free one.
///
/// # Errors
/// [`NetError::Bind`], for instance when the port is in use.
pub fn bind(host: &str, port: u16) -> Result<TcpListener, NetError> {
    TcpListener::bind((host, port))
        .map_err(|source| NetError::Bind { address: format!("{host}:{port}"), source })
}

/// The port that a listener got.
///
/// # Errors
/// [`NetError::Start`] when the system does not tell.
pub fn local_port(listener: &TcpListener) -> Result<u16, NetError> {
    listener.local_addr().map(|a| a.port()).map_err(|source| NetError::Start { source })
}

pub(crate) fn configure<A: App>(app: &Arc<A>, config: &mut web::ServiceConfig) {
    for route in app.routes() {
        let app = Arc::clone(app);
        config.service(web::resource(route.path).to(move |request: HttpRequest, body| {
            let verb = request.method().as_str();
            let found = route.verbs.iter().find(|(method, _)| *method == verb);
            let matched = match found {
                Some((_, endpoint)) => Matched::Endpoint(*endpoint),
                None => Matched::WrongVerb(allowed(route.verbs)),
            };
            respond(Arc::clone(&app), matched, request, body)
        }));
    }
    let app = Arc::clone(app);
    config.default_service(web::to(move |request: HttpRequest, body| {
        respond(Arc::clone(&app), Matched::Unknown, request, body)
    }));
}

/// The `Allow` header of a path.
fn allowed<E>(verbs: &[(&'static str, E)]) -> String {
    verbs.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

async fn respond<A: App>(
    app: Arc<A>,
    matched: Matched<A::Endpoint>,
    request: HttpRequest,
    body: Result<web::Bytes, actix_web::Error>,
) -> HttpResponse {
    let (matched, body) = match body {
        Ok(body) => (matched, body),
        Err(error) => {
            let status = error.as_response_error().status_code().as_u16();
            (Matched::Unreadable(status), web::Bytes::new())
        }
    };
    let inbound = inbound(&request, &body);
    // a task of its own: it goes on where the client does not wait for the answer
    let answering = actix_web::rt::spawn(app.answer(matched, inbound));
    let Ok(mut answer) = answering.await else {
        return HttpResponse::InternalServerError().finish();
    };
    let after = std::mem::take(&mut answer.after);
    // a task of this thread: it cannot run before the connection's task, which goes on to write the
    // answer, has let go
    actix_web::rt::spawn(async move { drop(after) });
    if answer.withheld {
        // dropped with the connection, when the caller closes it
        std::future::pending::<()>().await;
    }
    response(answer)
}

fn inbound(request: &HttpRequest, body: &web::Bytes) -> Inbound {
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Inbound {
        method: request.method().to_string(),
        path: request.path().to_owned(),
        query: request.query_string().to_owned(),
        parameter: request.match_info().iter().next().map_or("", |(_, value)| value).to_owned(),
        headers: headers.collect(),
        body: body.to_vec(),
        peer: request.conn_data::<Arc<Peer>>().cloned().unwrap_or_default(),
    }
}

fn response(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = HttpResponse::build(status);
    for (name, value) in answer.headers {
        builder.append_header((name, value));
    }
    if answer.cut_short {
        // a body that ends in an error makes actix drop the connection
        let promised = answer.body.len() as u64 + 1;
        let end = std::io::Error::other("cut short on purpose");
        let parts = [Ok(web::Bytes::from(answer.body)), Err(end)];
        return builder.no_chunking(promised).streaming(Parts(parts.into_iter()));
    }
    builder.body(answer.body)
}

/// A stream of ready parts.
struct Parts<I>(I);

impl<I: Iterator + Unpin> futures_core::Stream for Parts<I> {
    type Item = I::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<I::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_an_error_that_names_the_address() {
        let first = bind("127.0.0.1", 0).unwrap();
        let port = local_port(&first).unwrap();
        let error = bind("127.0.0.1", port).unwrap_err().to_string();
        assert!(
            error
                .starts_with(&format!("cannot listen on 127.0.0.1:{port}: Address already in use")),
            "{error}"
        );
    }
}

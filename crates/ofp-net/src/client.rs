//! An HTTP client that keeps connections alive, follows nothing and gives up in time.

use std::{error::Error as StdError, time::Duration};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::{
    client::legacy::{Client, Error as ClientError, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use ofp_evidence::{ConnectionId, Failure, Message, Stage};

use crate::{
    ClientTls, MAX_BODY_BYTES, Watcher,
    connector::{ConnectError, OnConnection, TlsConnector},
};

/// How long a connection is kept that nothing travels on: less than a server keeps it (actix-web and
/// Node close after five seconds), because a request that meets the server's goodbye is lost.
const IDLE: Duration = Duration::from_secs(2);

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// HTTP method.
    pub method: http::Method,
    /// Absolute https URL.
    pub url: String,
    /// Headers, beside `host` and `content-length`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long the whole exchange may take.
    pub deadline: Duration,
}

impl Request {
    /// A GET.
    #[must_use]
    pub fn get(url: impl Into<String>, deadline: Duration) -> Self {
        let (method, headers) = (http::Method::GET, Vec::new());
        Self { method, url: url.into(), headers, body: Vec::new(), deadline }
    }

    /// A POST of a form (`application/x-www-form-urlencoded`).
    #[must_use]
    pub fn form(url: impl Into<String>, fields: &[(&str, &str)], deadline: Duration) -> Self {
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        let body = crate::encode_form(fields).into_bytes();
        Self { method: http::Method::POST, url: url.into(), headers, body, deadline }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A complete answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status code.
    pub status: u16,
    /// Headers and body.
    pub message: Message,
    /// The connection that it came over.
    pub connection: Option<ConnectionId>,
}

/// An HTTP client with one identity. Cloning shares the connections.
#[derive(Clone)]
pub struct HttpClient {
    inner: Client<TlsConnector, Full<Bytes>>,
}

impl HttpClient {
    /// A client with the identity and trust of `tls`, whose handshakes `watcher` writes down.
    #[must_use]
    pub fn new(tls: ClientTls, watcher: Option<Watcher>) -> Self {
        Self::spelling(tls, watcher, false)
    }

    /// A client that may write header names In-Title-Case.
    pub(crate) fn spelling(tls: ClientTls, watcher: Option<Watcher>, title_case: bool) -> Self {
        let inner = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            // it would try again without end where a server refuses our certificate after the
            // handshake; once, below, is enough for a connection that was closed while idle
            .retry_canceled_requests(false)
            .http1_title_case_headers(title_case)
            .build(TlsConnector::new(tls, watcher));
        Self { inner }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// [`Failure`] with the stage that was reached.
    pub async fn send(&self, request: Request) -> Result<Reply, Failure> {
        let deadline = request.deadline;
        match tokio::time::timeout(deadline, self.exchange(request)).await {
            Ok(result) => result,
            Err(_) => Err(Failure {
                stage: Stage::Timeout,
                detail: format!("nothing complete within {deadline:?}"),
            }),
        }
    }

    async fn exchange(&self, request: Request) -> Result<Reply, Failure> {
        let response = match self.inner.request(built(&request)?).await {
            Err(error) if was_never_sent(&error) => self.inner.request(built(&request)?).await,
            other => other,
        };
        read(response.map_err(|e| failure(&e))?).await
    }
}

/// Sends a request without TLS, on a connection of its own.
pub(crate) async fn send_plain(request: Request) -> Result<Reply, Failure> {
    let deadline = request.deadline;
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let exchange = async {
        let response = client.request(built(&request)?).await;
        let refused = |e: &ClientError| match e.is_connect() {
            true => Failure { stage: Stage::Connect, detail: chain(e) },
            false => failure(e),
        };
        read(response.map_err(|e| refused(&e))?).await
    };
    match tokio::time::timeout(deadline, exchange).await {
        Ok(result) => result,
        Err(_) => Err(Failure {
            stage: Stage::Timeout,
            detail: format!("nothing complete within {deadline:?}"),
        }),
    }
}

/// The whole answer.
async fn read(response: http::Response<hyper::body::Incoming>) -> Result<Reply, Failure> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES)
        .collect()
        .await
        .map_err(|e| Failure { stage: Stage::Body, detail: chain(e.as_ref()) })?;
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers =
        parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let message = Message { headers, body: body.to_bytes().into() };
    let connection = parts.extensions.get::<OnConnection>().map(|on| on.0);
    Ok(Reply { status: parts.status.as_u16(), message, connection })
}

fn built(request: &Request) -> Result<http::Request<Full<Bytes>>, Failure> {
    let mut builder =
        http::Request::builder().method(request.method.clone()).uri(request.url.as_str());
    for (name, value) in &request.headers {
        builder = builder.header(*name, value);
    }
    builder
        .body(Full::new(Bytes::from(request.body.clone())))
        .map_err(|e| Failure { stage: Stage::Send, detail: e.to_string() })
}

/// Whether the connection was gone before anything of the request was sent.
fn was_never_sent(error: &ClientError) -> bool {
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = source {
        if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled) {
            return true;
        }
        source = cause.source();
    }
    false
}

fn failure(error: &ClientError) -> Failure {
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = source {
        match cause.downcast_ref::<ConnectError>() {
            Some(ConnectError::Tcp(detail)) => {
                return Failure { stage: Stage::Connect, detail: detail.clone() };
            }
            Some(ConnectError::Trust(detail)) => {
                return Failure { stage: Stage::Trust, detail: detail.clone() };
            }
            Some(ConnectError::Tls(detail)) => {
                return Failure { stage: Stage::Tls, detail: detail.clone() };
            }
            None => source = cause.source(),
        }
    }
    let detail = chain(error);
    // a TLS 1.3 server refuses a client certificate only after our handshake is complete
    let stage = if detail.contains("alert") { Stage::Tls } else { Stage::Receive };
    Failure { stage, detail }
}

/// The whole chain of causes, each once.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

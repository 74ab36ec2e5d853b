//! Makes the pool's TLS connections, and writes down every handshake.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::Uri;
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use ofp_evidence::{CertificateFacts, ConnectionId, Handshake, Journal, Record, Role};
use ofp_types::Clock;
use openssl::ssl::SslRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_openssl::SslStream;

use crate::{certificate_facts, reach::connect, tls::ClientTls};

/// Who watches a client's handshakes.
#[derive(Clone)]
pub struct Watcher {
    /// Where they are written.
    pub journal: Arc<Journal>,
    /// When they happened.
    pub clock: Arc<dyn Clock>,
    /// Who calls.
    pub from: Role,
    /// Who is called.
    pub to: Role,
}

/// Connects to https URLs.
#[derive(Clone)]
pub(crate) struct TlsConnector(Arc<Inner>);

struct Inner {
    tls: ClientTls,
    offered: Option<Arc<CertificateFacts>>,
    watcher: Option<Watcher>,
}

/// Why a connection was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("{0}")]
    Tcp(String),
    #[error("{0}")]
    Tls(String),
    /// We do not accept the server's certificate.
    #[error("{0}")]
    Trust(String),
}

/// The connection that an answer came over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OnConnection(pub(crate) ConnectionId);

impl TlsConnector {
    pub(crate) fn new(tls: ClientTls, watcher: Option<Watcher>) -> Self {
        let offered = tls.certificate().and_then(certificate_facts).map(Arc::new);
        Self(Arc::new(Inner { tls, offered, watcher }))
    }
}

impl tower_service::Service<Uri> for TlsConnector {
    type Response = TokioIo<TlsStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { inner.connect(&uri).await.map(TokioIo::new) })
    }
}

impl Inner {
    async fn connect(&self, uri: &Uri) -> Result<TlsStream, ConnectError> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(443);
        let authority = format!("{host}:{port}");
        let tcp = connect(host, port)
            .await
            .map_err(|e| ConnectError::Tcp(format!("{authority}: {e}")))?;
        // without it every fresh TLS 1.3 connection stalls for a delayed ACK
        tcp.set_nodelay(true).map_err(|e| ConnectError::Tcp(e.to_string()))?;
        let id = self.watcher.as_ref().map_or(ConnectionId(0), |w| w.journal.next_connection());
        let shaken = self.handshake(host, tcp).await;
        if let Some(watcher) = &self.watcher {
            let facts = self.facts(id, authority, watcher, &shaken);
            watcher.journal.add(Record::Handshake(facts));
        }
        shaken.map(|stream| TlsStream { stream, id })
    }

    async fn handshake(
        &self,
        host: &str,
        tcp: TcpStream,
    ) -> Result<SslStream<TcpStream>, ConnectError> {
        let failed = |e: openssl::error::ErrorStack| ConnectError::Tls(e.to_string());
        let ssl = self.tls.to_host(host).map_err(failed)?;
        let mut stream = SslStream::new(ssl, tcp).map_err(failed)?;
        match Pin::new(&mut stream).connect().await {
            Ok(()) => Ok(stream),
            Err(e) => Err(explain(&e, stream.ssl())),
        }
    }

    fn facts(
        &self,
        id: ConnectionId,
        authority: String,
        watcher: &Watcher,
        shaken: &Result<SslStream<TcpStream>, ConnectError>,
    ) -> Handshake {
        let ssl = shaken.as_ref().ok().map(SslStream::ssl);
        let server = ssl.and_then(SslRef::peer_certificate).and_then(|c| certificate_facts(&c));
        Handshake {
            id,
            at: watcher.clock.now(),
            from: watcher.from,
            to: watcher.to,
            authority,
            version: ssl.map(|ssl| ssl.version_str().to_owned()),
            cipher: ssl.and_then(SslRef::current_cipher).map(|c| c.name().to_owned()),
            server,
            offered: self.offered.clone(),
            resumed: ssl.is_some_and(SslRef::session_reused),
            failure: shaken.as_ref().err().map(ToString::to_string),
        }
    }
}

/// OpenSSL's error, with the reason for which it refused the server's certificate.
fn explain(error: &openssl::ssl::Error, ssl: &SslRef) -> ConnectError {
    let verified = ssl.verify_result();
    if verified == openssl::x509::X509VerifyResult::OK {
        return ConnectError::Tls(error.to_string());
    }
    let subject = ssl.peer_certificate().map(|c| ofp_pki::describe(c.subject_name()));
    let subject = subject.unwrap_or_else(|| "none".into());
    let why = verified.error_string();
    ConnectError::Trust(format!("the server's certificate ({subject}) is not acceptable: {why}"))
}

/// A TLS stream that knows its number.
pub(crate) struct TlsStream {
    stream: SslStream<TcpStream>,
    id: ConnectionId,
}

impl TlsStream {
    /// A TLS 1.3 server that refuses our certificate says so after our side of the handshake, and
    /// closes: a write then fails although the alert is there to be read.
    fn reason(&mut self, cx: &mut Context<'_>, error: std::io::Error) -> std::io::Error {
        let mut space = [0; 64];
        match Pin::new(&mut self.stream).poll_read(cx, &mut ReadBuf::new(&mut space)) {
            Poll::Ready(Err(read)) if read.to_string().contains("alert") => read,
            _ => error,
        }
    }
}

impl Connection for TlsStream {
    fn connected(&self) -> Connected {
        Connected::new().extra(OnConnection(self.id))
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        match written {
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.reason(cx, error))),
            other => other,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        match flushed {
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.reason(cx, error))),
            other => other,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

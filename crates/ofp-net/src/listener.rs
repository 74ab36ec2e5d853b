//! From a socket to an application: TCP, TLS, HTTP/1.1, with word of what fails on the way.
//!
//! actix-web's own `HttpServer` is built of the same parts, but writes failures to a log.

use std::{io, net::TcpListener, pin::Pin, sync::Arc, time::Duration};

use actix_http::{Extensions, HttpService, Protocol};
use actix_server::{Server, ServerBuilder, ServerHandle};
use actix_service::{
    IntoServiceFactory as _, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config,
};
use actix_web::{App as ActixApp, dev::AppConfig, web};
use openssl::ssl::{AlpnError, SslAcceptor, SslAcceptorBuilder, select_next_proto};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
};
use tokio_openssl::SslStream;

use crate::{App, NetError, Peer, Trouble, certificate_facts, server, tls::incoming};

/// The longest request body that is read: a megabyte, which a test may well send, and a little.
const MAX_REQUEST_BYTES: usize = 1_100_000;
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a client may take for the handshake, and again for the head of a request.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that runs until it is stopped.
pub struct RunningServer {
    handle: ServerHandle,
    stopping: watch::Sender<bool>,
}

impl RunningServer {
    /// Stops the server, waiting for requests in hand.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        self.handle.stop(true).await;
    }
}

/// Starts `app` on `listener`. Must be called within a Tokio runtime.
///
/// # Errors
/// [`NetError::Start`].
pub fn serve<A: App>(
    app: Arc<A>,
    listener: TcpListener,
    mut tls: SslAcceptorBuilder,
) -> Result<RunningServer, NetError> {
    tls.set_alpn_select_callback(|_, offered| {
        select_next_proto(b"\x08http/1.1", offered).ok_or(AlpnError::NOACK)
    });
    let tls = tls.build();
    start(listener, |builder, listener, stopping| {
        builder.listen("https", listener, move || {
            let (tls, noting) = (tls.clone(), Arc::clone(&app));
            fn_service(move |tcp: TcpStream| {
                let (tls, app) = (tls.clone(), Arc::clone(&noting));
                async move { handshake(&tls, tcp, &*app).await.ok_or(()) }
            })
            .and_then(http(&app, &stopping))
        })
    })
}

/// Starts `app` on `listener` without TLS: for loopback only. Must be called within a Tokio runtime.
///
/// # Errors
/// [`NetError::Start`].
pub fn serve_plain<A: App>(app: Arc<A>, listener: TcpListener) -> Result<RunningServer, NetError> {
    start(listener, |builder, listener, stopping| {
        builder.listen("http", listener, move || {
            let plain =
                async |tcp: TcpStream| tcp.set_nodelay(true).map(|()| with_peer(tcp)).map_err(drop);
            fn_service(plain).and_then(http(&app, &stopping))
        })
    })
}

fn start(
    listener: TcpListener,
    listen: impl FnOnce(ServerBuilder, TcpListener, watch::Receiver<bool>) -> io::Result<ServerBuilder>,
) -> Result<RunningServer, NetError> {
    let builder = Server::build().workers(1).shutdown_timeout(1).disable_signals();
    let (stopping, stopped) = watch::channel(false);
    let server = listen(builder, listener, stopped);
    let server = server.map_err(|source| NetError::Start { source })?.run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(RunningServer { handle, stopping })
}

/// What actix-http wants to know of a connection.
type Accepted<T> = (T, Protocol, Option<std::net::SocketAddr>);

fn with_peer<T>(io: T) -> Accepted<T> {
    (io, Protocol::Http1, None)
}

async fn handshake<A: App>(
    tls: &SslAcceptor,
    tcp: TcpStream,
    app: &A,
) -> Option<Accepted<SslStream<TcpStream>>> {
    tcp.set_nodelay(true).ok()?;
    let mut stream = SslStream::new(incoming(tls)?, tcp).ok()?;
    let trouble = match tokio::time::timeout(PATIENCE, Pin::new(&mut stream).accept()).await {
        Ok(Ok(())) => return Some(with_peer(stream)),
        Ok(Err(error)) => Trouble::handshake(&error, stream.ssl()),
        Err(_) => Some(Trouble::slow_handshake()),
    };
    trouble.into_iter().for_each(|trouble| app.trouble(trouble));
    None
}

/// HTTP/1.1 on a connection that stands.
fn http<A: App, T: Connection>(
    app: &Arc<A>,
    stopping: &watch::Receiver<bool>,
) -> impl ServiceFactory<Accepted<T>, Config = (), Response = (), Error = (), InitError = ()> + use<A, T>
{
    let (noting, stopping) = (Arc::clone(app), stopping.clone());
    let app = Arc::clone(app);
    let routes = ActixApp::new()
        .app_data(web::PayloadConfig::new(MAX_REQUEST_BYTES))
        .configure(move |config| server::configure(&app, config));
    let stopped = move || {
        let mut stopping = stopping.clone();
        async move {
            // an error means that the server is gone altogether
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }
    };
    HttpService::build()
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(PATIENCE)
        // without it, an early answer is lost with what the client had still to send
        .client_disconnect_timeout(Duration::from_secs(1))
        .graceful_shutdown_signal(stopped)
        .on_connect_ext(|io: &T, extensions: &mut Extensions| {
            extensions.insert(Arc::new(io.peer()));
        })
        .finish(map_config(
            routes.into_factory().map_err(|e: actix_web::Error| e.error_response()),
            |()| AppConfig::default(),
        ))
        .map_err(move |error| {
            Trouble::http(&error).into_iter().for_each(|trouble| noting.trouble(trouble));
        })
        .map_init_err(drop)
}

/// A connection that stands.
trait Connection: AsyncRead + AsyncWrite + Unpin + 'static {
    /// What is known of the caller.
    fn peer(&self) -> Peer;
}

impl Connection for TcpStream {
    fn peer(&self) -> Peer {
        Peer::default()
    }
}

impl Connection for SslStream<TcpStream> {
    fn peer(&self) -> Peer {
        let ssl = self.ssl();
        let certificate = ssl.peer_certificate().and_then(|c| certificate_facts(&c)).map(Arc::new);
        Peer { certificate, version: ssl.version_str().to_owned() }
    }
}

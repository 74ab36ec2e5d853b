//! Servers that misbehave, on a listener that somebody expects a DP at.

use std::future::Future;

use openssl::ssl::{SslAcceptor, SslAcceptorBuilder, SslFiletype, SslMethod};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
};
use tokio_openssl::SslStream;

use crate::kit::KEYS;

/// TLS with the DP's certificate, which asks for none.
pub(crate) fn identified() -> SslAcceptorBuilder {
    let folder = KEYS.0.path().join("dp");
    let mut tls = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    tls.set_certificate_file(folder.join("server.pem"), SslFiletype::PEM).unwrap();
    tls.set_private_key_file(folder.join("server-key.pem"), SslFiletype::PEM).unwrap();
    tls
}

pub(crate) fn accepted(tls: &SslAcceptor, stream: TcpStream) -> SslStream<TcpStream> {
    SslStream::new(openssl::ssl::Ssl::new(tls.context()).unwrap(), stream).unwrap()
}

/// Answers each connection by itself.
pub(crate) fn server<F>(
    listener: std::net::TcpListener,
    answer: impl Fn(TcpStream) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
}

/// A DP behind TLS, as far as the handshake goes, that answers each request with `answer`.
pub(crate) fn requests<F>(
    listener: std::net::TcpListener,
    answer: impl Fn(SslStream<TcpStream>) -> F + Clone + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    server(listener, move |stream| {
        let answer = answer.clone();
        async move {
            let mut stream = accepted(&identified().build(), stream);
            if std::pin::Pin::new(&mut stream).accept().await.is_err() {
                return;
            }
            // who answers before the request is there is not understood
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => return,
                }
            }
            answer(stream).await;
        }
    });
}

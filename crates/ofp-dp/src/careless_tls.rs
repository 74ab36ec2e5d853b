//! TLS of the webhooks, with what a careless DP gets wrong about it.

use std::{io, net::TcpListener};

use ofp_net::{ClientAuth, NetError, acceptor};
use ofp_types::{AuthorizeMode, DpFault};
use openssl::{
    error::ErrorStack,
    ssl::{SslAcceptorBuilder, SslOptions, SslVerifyMode, SslVersion},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::TcpStream,
};

use crate::{config::DpConfig, variant::limit_versions};

/// Verification errors of OpenSSL (x509_vfy.h).
const NOT_YET_VALID: i32 = 9;
const EXPIRED: i32 = 10;
const SELF_SIGNED: i32 = 18;
const UNKNOWN_ISSUER: [i32; 4] = [SELF_SIGNED, 19, 20, 21];
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// The TLS of the webhooks' listener: PayNet's client certificate is required.
pub(crate) fn webhooks_tls(config: &DpConfig) -> Result<SslAcceptorBuilder, NetError> {
    let faulty = |fault| config.faults.contains(&fault);
    let identity = match faulty(DpFault::WebhooksOtherName) {
        true => &config.kit.client,
        false => &config.kit.server,
    };
    let ca = match faulty(DpFault::WebhooksOtherCa) {
        true => &config.kit.server.certificate,
        false => &config.ca,
    };
    let mut builder = acceptor(identity, ca, ClientAuth::Required)?;
    let varies = |variant| config.variants.contains(&variant);
    limit_versions(&mut builder, &varies).map_err(NetError::tls)?;
    weaken(&mut builder, &faulty).map_err(NetError::tls)?;
    let optional = [
        DpFault::ClientCertificateOptional,
        DpFault::DataWithoutCertificate,
        DpFault::AuthorizeWithoutCertificate,
    ];
    // a customer's browser has none
    let for_browsers = config.profile.authorize_mode == AuthorizeMode::Browser;
    if for_browsers || optional.into_iter().any(faulty) {
        builder.set_verify(SslVerifyMode::PEER);
    }
    let tolerated = tolerated(&faulty);
    if !tolerated.is_empty() {
        let mode = SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT;
        builder.set_verify_callback(mode, move |ok, context| {
            ok || tolerated.contains(&context.error().as_raw())
        });
    }
    Ok(builder)
}

fn weaken(
    builder: &mut SslAcceptorBuilder,
    faulty: &dyn Fn(DpFault) -> bool,
) -> Result<(), ErrorStack> {
    if faulty(DpFault::TlsOld) {
        builder.set_min_proto_version(Some(SslVersion::TLS1))?;
        builder.clear_options(SslOptions::NO_TLSV1 | SslOptions::NO_TLSV1_1);
        builder.set_cipher_list("ALL:@SECLEVEL=0")?;
    }
    if faulty(DpFault::TlsWeakSuites) {
        builder.set_cipher_list("ECDHE+AESGCM:eNULL:@SECLEVEL=0")?;
    }
    if faulty(DpFault::TlsCbcSha1) {
        builder.set_cipher_list("ECDHE+AESGCM:ECDHE+AES+SHA1:@SECLEVEL=0")?;
    }
    Ok(())
}

/// Errors of a client certificate that nobody minds.
fn tolerated(faulty: &dyn Fn(DpFault) -> bool) -> Vec<i32> {
    let all = [
        (DpFault::ClientCertificateOfAnyCa, UNKNOWN_ISSUER.as_slice()),
        (DpFault::ClientCertificateSelfSigned, &[SELF_SIGNED]),
        (DpFault::ClientCertificateExpired, &[EXPIRED]),
        (DpFault::ClientCertificateEarly, &[NOT_YET_VALID]),
    ];
    let ours = all.into_iter().filter(|(fault, _)| faulty(*fault));
    ours.flat_map(|(_, errors)| errors.iter().copied()).collect()
}

/// A listener whose TLS is served elsewhere, and which answers everything else as plain HTTP; gives the
/// listener for TLS.
pub(crate) fn also_plain(outer: TcpListener) -> Result<TcpListener, NetError> {
    let failed = |source| NetError::Start { source };
    let inner = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
    let port = inner.local_addr().map_err(failed)?.port();
    outer.set_nonblocking(true).map_err(failed)?;
    let outer = tokio::net::TcpListener::from_std(outer).map_err(failed)?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = outer.accept().await {
            tokio::spawn(serve_either(stream, port));
        }
    });
    Ok(inner)
}

async fn serve_either(mut stream: TcpStream, port: u16) -> io::Result<()> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first[0] == HANDSHAKE {
        let mut inner = TcpStream::connect(("127.0.0.1", port)).await?;
        return copy_bidirectional(&mut stream, &mut inner).await.map(drop);
    }
    let mut request = [0; 4096];
    let _ = stream.read(&mut request).await?;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    stream.write_all(answer).await?;
    stream.shutdown().await
}

/// Whether a certificate that is not PayNet's will do, because it has PayNet's name.
pub(crate) fn named_paynet(subject: &str) -> bool {
    subject.to_ascii_lowercase().contains("paynet")
}

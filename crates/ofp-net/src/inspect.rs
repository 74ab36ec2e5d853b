//! One TLS handshake, looked at from all sides: unlike a client's, it goes on where the server's certificate is not
//! acceptable, so that everything that is wrong with it can be said at once.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ofp_pki::{Credential, describe};
use openssl::{
    error::ErrorStack,
    ssl::SslVerifyMode,
    x509::{X509, X509VerifyResult},
};
use tokio::{io::AsyncReadExt as _, time::timeout};
use tokio_openssl::SslStream;

use crate::{Trust, reach::connect, tls::inspecting};

/// What a handshake showed.
#[derive(Debug)]
pub struct Inspected {
    /// TLS version.
    pub version: String,
    /// Cipher suite.
    pub cipher: String,
    /// The server's certificate, and those that it sent with it.
    pub chain: Vec<X509>,
    /// Why the certificate is not acceptable, in OpenSSL's words, each once; nothing when it is.
    pub faults: Vec<String>,
    /// Whether what is wrong is the name.
    pub wrong_name: bool,
}

/// How far it got.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// Nobody answers there.
    #[error("{0}")]
    Connect(String),
    /// The handshake was not completed.
    #[error("{0}")]
    Handshake(String),
    /// What answers does not speak TLS.
    #[error("{0}")]
    NotTls(String),
    /// It took too long.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// OpenSSL cannot be set up.
    #[error("{0}")]
    Setup(#[from] ErrorStack),
}

/// What the server says, unasked, after a handshake with `identity`: a TLS 1.3 server refuses a client's certificate
/// only then, and where a request has been written the alert may be lost behind the reset. `None` when it waits for a request.
pub async fn refusal(
    (host, port): (&str, u16),
    identity: &Credential,
    trust: &Trust,
    patience: Duration,
) -> Option<String> {
    let tcp = timeout(patience, connect(host, port)).await.ok()?.ok()?;
    let mut stream = SslStream::new(inspecting(Some(identity), trust, host).ok()?, tcp).ok()?;
    let shaken = timeout(patience, Pin::new(&mut stream).connect()).await.ok()?;
    if let Err(error) = shaken {
        return Some(error.to_string());
    }
    let mut space = [0; 1];
    match timeout(patience, stream.read(&mut space)).await {
        Ok(Err(error)) => Some(error.to_string()),
        Ok(Ok(_)) | Err(_) => None,
    }
}

/// Connects to `host`, presents `identity`, and says what the server showed.
///
/// # Errors
/// [`InspectError`] with the stage that was not reached.
pub async fn inspect(
    (host, port): (&str, u16),
    identity: Option<&Credential>,
    trust: &Trust,
    patience: Duration,
) -> Result<Inspected, InspectError> {
    let late = |_| InspectError::Timeout(patience);
    let tcp = timeout(patience, connect(host, port)).await.map_err(late)?;
    let tcp = tcp.map_err(|e| InspectError::Connect(format!("{host}:{port}: {e}")))?;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut ssl = inspecting(identity, trust, host)?;
    let errors = Arc::clone(&seen);
    ssl.set_verify_callback(SslVerifyMode::PEER, move |good, context| {
        if !good {
            errors.lock().unwrap_or_else(PoisonError::into_inner).push(context.error());
        }
        true
    });
    let mut stream = SslStream::new(ssl, tcp)?;
    let shaken = timeout(patience, Pin::new(&mut stream).connect()).await.map_err(late)?;
    if let Err(error) = shaken {
        let text = error.to_string();
        let plain = ["wrong version number", "http request", "packet length too long"];
        return Err(match plain.iter().any(|sign| text.contains(sign)) {
            true => InspectError::NotTls(text),
            false => InspectError::Handshake(text),
        });
    }
    let ssl = stream.ssl();
    let mut faults: Vec<X509VerifyResult> = Vec::new();
    for error in seen.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        if !faults.iter().any(|known| known.as_raw() == error.as_raw()) {
            faults.push(error);
        }
    }
    let chain = ssl.peer_cert_chain();
    let chain = chain.map(|chain| chain.iter().map(ToOwned::to_owned).collect());
    Ok(Inspected {
        version: ssl.version_str().to_owned(),
        cipher: ssl.current_cipher().map_or_else(String::new, |cipher| cipher.name().to_owned()),
        chain: chain.unwrap_or_default(),
        wrong_name: faults.iter().any(|fault| is_name(fault.as_raw())),
        faults: faults.iter().map(|fault| fault.error_string().to_owned()).collect(),
    })
}

/// `X509_V_ERR_HOSTNAME_MISMATCH` and `X509_V_ERR_IP_ADDRESS_MISMATCH`.
fn is_name(error: i32) -> bool {
    matches!(error, 62 | 64)
}

impl Inspected {
    /// The server's certificate in words: who it is for, and who issued it.
    #[must_use]
    pub fn offered(&self) -> String {
        self.chain.first().map_or_else(
            || "none".into(),
            |leaf| {
                let (subject, issuer) =
                    (describe(leaf.subject_name()), describe(leaf.issuer_name()));
                format!("{subject}, issued by {issuer}")
            },
        )
    }
}

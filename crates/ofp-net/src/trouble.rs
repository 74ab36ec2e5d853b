//! What went wrong before there was a request, in words that help whoever caused it.

use actix_http::error::{DispatchError, ParseError};
use openssl::{
    ssl::{Error, SslRef},
    x509::X509VerifyResult,
};

use crate::tls::refused;

/// A connection to a server that no application got to see a request of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The TLS handshake did not complete.
    Handshake {
        /// Why.
        reason: String,
    },
    /// What came is not HTTP/1.1 (RFC 9112), and was answered so.
    Http {
        /// The answer.
        status: u16,
        /// Why.
        reason: String,
    },
}

/// What OpenSSL says, and what it means.
const MEANINGS: [(&str, &str); 9] = [
    ("peer did not return a certificate", "the client presented no certificate"),
    ("unsupported protocol", "the client offers no TLS version from 1.2 on"),
    ("no protocols available", "the client offers no TLS version from 1.2 on"),
    ("no shared cipher", "the client offers no cipher suite that the profile allows"),
    ("http request", "the client speaks HTTP without TLS to a port that wants TLS"),
    ("wrong version number", "what the client sent is not TLS"),
    ("alert unknown ca", "the client does not trust the CA of this certificate"),
    ("alert bad certificate", "the client does not accept this certificate"),
    ("alert certificate unknown", "the client does not accept this certificate"),
];

impl Trouble {
    /// A handshake that failed. None when the client just went away.
    pub(crate) fn handshake(error: &Error, ssl: &SslRef) -> Option<Self> {
        let verified = ssl.verify_result();
        if verified != X509VerifyResult::OK {
            let subject = refused(ssl).unwrap_or_else(|| "unreadable".into());
            let why = verified.error_string();
            let reason = format!("the client's certificate ({subject}) is not acceptable: {why}");
            return Some(Self::Handshake { reason });
        }
        let said = error.ssl_error()?.errors().iter().filter_map(openssl::error::Error::reason);
        let said = said.collect::<Vec<_>>().join("; ");
        let meaning = MEANINGS.iter().find(|(sign, _)| said.contains(sign));
        let reason =
            meaning.map_or_else(|| said.clone(), |(_, meaning)| format!("{meaning} ({said})"));
        Some(Self::Handshake { reason })
    }

    /// A handshake that took too long.
    pub(crate) fn slow_handshake() -> Self {
        Self::Handshake { reason: "the client did not complete the handshake in time".into() }
    }

    /// What actix could not read. None when a connection just ended.
    pub(crate) fn http(error: &DispatchError) -> Option<Self> {
        let DispatchError::Parse(error) = error else { return None };
        let status = if matches!(error, ParseError::TooLarge) { 431 } else { 400 };
        Some(Self::Http { status, reason: format!("not an HTTP/1.1 request: {error}") })
    }
}

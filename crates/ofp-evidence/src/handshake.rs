//! Facts about a TLS connection.

use std::sync::Arc;

use jiff::Timestamp;
use ofp_types::Kid;
use serde::{Deserialize, Serialize};

use crate::Role;

/// Numbers a connection within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConnectionId(pub u64);

/// What a certificate says, as far as the profile cares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// base64url(SHA-256(DER)).
    pub thumbprint: Kid,
    /// `O=…, CN=…`.
    pub subject: String,
    /// `O=…, CN=…`.
    pub issuer: String,
    /// Subject alternative names, DNS and IP.
    pub names: Vec<String>,
    /// When it stops being valid.
    pub not_after: Option<Timestamp>,
    /// `RSA` or the name of the curve.
    pub key_kind: String,
    /// Bits of the key.
    pub key_bits: u32,
}

/// A TLS handshake that we made as the client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Handshake {
    /// The connection.
    pub id: ConnectionId,
    /// When it completed or failed, at wall time.
    pub at: Timestamp,
    /// Who called.
    pub from: Role,
    /// Who was called.
    pub to: Role,
    /// `host:port`.
    pub authority: String,
    /// `TLSv1.3` or `TLSv1.2`; `None` when it failed.
    pub version: Option<String>,
    /// The cipher suite.
    pub cipher: Option<String>,
    /// The server's certificate, verified against the configured CA and host name.
    pub server: Option<CertificateFacts>,
    /// Whether the server asked for a client certificate, and which we had to offer.
    pub offered: Option<Arc<CertificateFacts>>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// Why it failed.
    pub failure: Option<String>,
}

//! Why a server or client could not be set up.

/// Why a server or client could not be set up. Failures of single exchanges are
/// [`ofp_evidence::Failure`]s instead: they are evidence.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// `host:port`.
        address: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// OpenSSL refused a certificate, key or setting.
    #[error("cannot set up TLS: {reason}")]
    Tls {
        /// What OpenSSL said.
        reason: String,
    },
    /// The server could not be started.
    #[error("cannot start the server: {source}")]
    Start {
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl NetError {
    /// TLS settings that OpenSSL refuses.
    pub fn tls(e: impl std::fmt::Display) -> Self {
        Self::Tls { reason: e.to_string() }
    }
}

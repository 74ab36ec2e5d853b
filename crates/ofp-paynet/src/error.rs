//! Why the platform could not be started.

use ofp_net::{NetError, StoreError};

use crate::ConfigError;

/// Why the platform could not be started.
#[derive(Debug, thiserror::Error)]
pub enum PaynetError {
    /// A listener, certificate or server.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The platform's own signing key.
    #[error("PayNet's signing key: {0}")]
    Key(#[from] ofp_jose::KeyError),
    /// The state file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

//! How the reference DP is configured: what a bank gets from its onboarding.

use std::{collections::HashSet, net::TcpListener, sync::Arc, time::Duration};

use ofp_jose::KeySet;

use ofp_net::{NetError, Store, StoreError};
use ofp_pki::Kit;
use ofp_types::{ClientId, DpFault, DpId, DpVariant, Kid, Origin, Profile};
use openssl::x509::X509;

/// Everything that the reference DP is configured with.
pub struct DpConfig {
    /// Its id at the platform.
    pub dp_id: DpId,
    /// Its client at the platform's AS.
    pub client_id: ClientId,
    /// `iss` of its id_tokens.
    pub issuer: String,
    /// Its certificates.
    pub kit: Kit,
    /// The CA that PayNet's certificates come from.
    pub ca: X509,
    /// The client certificates that PayNet may present.
    pub paynet_certificates: Vec<Kid>,
    /// PayNet's public AS, which is also its issuer.
    pub paynet_as: Origin,
    /// PayNet's token endpoint.
    pub paynet_token_endpoint: String,
    /// PayNet's RS.
    pub paynet_rs: Origin,
    /// Where PayNet lets browsers come back to.
    pub paynet_callbacks: Vec<String>,
    /// The reading of the specification.
    pub profile: Profile,
    /// What to do wrong on purpose.
    pub faults: HashSet<DpFault>,
    /// What to do differently, and as well.
    pub variants: HashSet<DpVariant>,
    /// What survives a restart.
    pub store: Store,
    /// Keys of others in the ecosystem, for a careless DP alone.
    pub other_keys: Arc<KeySet>,
    /// How long PayNet may take for an answer.
    pub patience: Duration,
}

/// Sockets to answer on.
#[derive(Debug)]
pub struct DpListeners {
    /// Webhooks, behind mutual TLS.
    pub webhooks: TcpListener,
    /// The customer's screens.
    pub public: (TcpListener, Origin),
}

/// Why the reference DP could not be started.
#[derive(Debug, thiserror::Error)]
pub enum DpError {
    /// A listener, certificate or server.
    #[error(transparent)]
    Net(#[from] NetError),
    /// Its signing key.
    #[error("the DP's signing key: {0}")]
    Key(#[from] ofp_jose::KeyError),
    /// The state file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

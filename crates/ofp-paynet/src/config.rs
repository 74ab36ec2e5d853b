//! Who the platform is, and who takes part.

use std::{collections::HashSet, net::TcpListener};

use ofp_jose::{JwkSet, KeySet, KeyUse};
use ofp_net::{Store, Trust};
use ofp_pki::Kit;
use ofp_types::{ClientId, DcId, DpId, Kid, Origin, Policy, Profile};

/// How a client authenticates at the AS (S1:L130-150).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMethod {
    /// A signed assertion (RFC 7523).
    PrivateKeyJwt,
    /// The registered certificate (RFC 8705 §2.1).
    TlsClientAuth,
}

/// What every client of the AS has registered.
#[derive(Debug)]
pub struct Client {
    /// Its OAuth 2.0 identifier.
    pub client_id: ClientId,
    /// Its name, for people.
    pub name: String,
    /// How it authenticates.
    pub auth: AuthMethod,
    /// Thumbprints of the TLS client certificates that it may present.
    pub certificates: Vec<Kid>,
    /// Its public keys.
    pub keys: KeySet,
    /// The same, as published.
    pub jwks: JwkSet,
}

/// A Data Consumer.
#[derive(Debug)]
pub struct DcRegistration {
    /// The legal entity.
    pub dc_id: DcId,
    /// Its client.
    pub client: Client,
    /// Where authorization responses may go.
    pub redirect_uris: Vec<String>,
    /// Where it takes consent events (C1), if it does.
    pub webhooks: Option<Webhooks>,
}

/// Where a participant is called.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// The base URL.
    pub origin: Origin,
    /// Where its server certificates come from.
    pub trust: Trust,
}

/// What kind of provider a DP is (B1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderType {
    /// A bank.
    Bank,
    /// A pension fund.
    PensionFund,
}

/// A Data Provider.
#[derive(Debug)]
pub struct DpRegistration {
    /// Its id.
    pub dp_id: DpId,
    /// What it is.
    pub provider_type: ProviderType,
    /// Its client.
    pub client: Client,
    /// `iss` of its id_tokens.
    pub issuer: String,
    /// Base URL of its Authorization Server webhooks (D1 to D3).
    pub as_webhooks: Origin,
    /// Base URL of its Resource Server webhooks (D4 to D7).
    pub rs_webhooks: Origin,
    /// Where its server certificates come from.
    pub trust: Trust,
}

/// Sockets to answer on; their origins are what the platform publishes.
#[derive(Debug)]
pub struct Listeners {
    /// The public AS.
    pub as_public: (TcpListener, Origin),
    /// The AS behind mutual TLS.
    pub as_mtls: (TcpListener, Origin),
    /// The RS behind mutual TLS.
    pub rs: (TcpListener, Origin),
}

/// Everything that the platform is configured with.
pub struct PaynetConfig {
    /// The reading of the specification.
    pub profile: Profile,
    /// The platform's own certificates.
    pub kit: Kit,
    /// Where clients' certificates come from.
    pub client_trust: Trust,
    /// Data Consumers.
    pub dcs: Vec<DcRegistration>,
    /// Data Providers.
    pub dps: Vec<DpRegistration>,
    /// The rules that hold for every consent.
    pub policies: HashSet<Policy>,
    /// What survives a restart.
    pub store: Store,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A participant has no key for something that it must do.
    #[error("{client} has no usable key with use={key_use}")]
    NoKey {
        /// Whose.
        client: String,
        /// `sig` or `enc`.
        key_use: &'static str,
    },
    /// FAPI 2.0 SP §5.3.2.2: the answer must not travel in clear.
    #[error("redirect URI {uri} of {client} is not https")]
    RedirectUri {
        /// Whose.
        client: String,
        /// Which.
        uri: String,
    },
    /// Two participants under one id.
    #[error("{id} is registered twice")]
    Twice {
        /// The id.
        id: String,
    },
}

impl PaynetConfig {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        let dcs = self.dcs.iter().map(|dc| (&dc.client, dc.dc_id.as_str()));
        let dps = self.dps.iter().map(|dp| (&dp.client, dp.dp_id.as_str()));
        let mut seen = HashSet::new();
        for (client, id) in dcs.chain(dps) {
            needs(client, KeyUse::Sig)?;
            for id in [id, client.client_id.as_str()] {
                if !seen.insert(id.to_owned()) {
                    return Err(ConfigError::Twice { id: id.to_owned() });
                }
            }
        }
        for dc in &self.dcs {
            needs(&dc.client, KeyUse::Enc)?;
            if let Some(uri) = dc.redirect_uris.iter().find(|uri| !uri.starts_with("https://")) {
                let client = dc.client.name.clone();
                return Err(ConfigError::RedirectUri { client, uri: uri.clone() });
            }
        }
        Ok(())
    }
}

fn needs(client: &Client, key_use: KeyUse) -> Result<(), ConfigError> {
    match client.keys.first(key_use) {
        Some(_) => Ok(()),
        None => Err(ConfigError::NoKey { client: client.name.clone(), key_use: key_use.as_str() }),
    }
}

//! The handle: starts and stops the reference DP.

use std::sync::{Arc, PoisonError};

use jiff::SignedDuration;
use ofp_net::{
    ClientAuth, HttpClient, JwksCache, NetError, RunningServer, acceptor, connector, serve,
};
use ofp_types::{Clock, ConsentId, DpFault, Entropy, UpdatedBy};

use crate::{
    bank::Bank,
    careless_tls::{also_plain, webhooks_tls},
    config::{DpConfig, DpError, DpListeners},
    core::Core,
    pages::Pages,
    sessions::Sessions,
    signatures::SeenSignatures,
    variant::limit_versions,
    webhooks::Webhooks,
};

/// The running reference DP.
pub struct ReferenceDp {
    core: Arc<Core>,
    servers: Vec<RunningServer>,
}

impl ReferenceDp {
    /// Starts the DP. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`DpError`].
    pub fn start(
        config: DpConfig,
        listeners: DpListeners,
        bank: Bank,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, DpError> {
        let client = HttpClient::new(connector(Some(&config.kit.client), &config.ca)?, None);
        let webhooks_tls = webhooks_tls(&config)?;
        let mut public_tls = acceptor(&config.kit.server, &config.ca, ClientAuth::None)?;
        let varies = |variant| config.variants.contains(&variant);
        limit_versions(&mut public_tls, &varies).map_err(NetError::tls)?;
        let keys_url = config.paynet_as.join("/v1/oauth/jwks/paynet");
        let keys = JwksCache::new(client.clone(), Arc::clone(&clock), "PayNet", keys_url);
        let core = Arc::new(Core {
            public: listeners.public.1,
            bank,
            signing: config.kit.signing.signing_key()?,
            clock,
            entropy,
            client,
            paynet_keys: keys,
            dc_keys: std::sync::Mutex::default(),
            token: crate::paynet::TokenCache::default(),
            consents: std::sync::Mutex::new(crate::consents::Consents::open(&config.store)?),
            sessions: std::sync::Mutex::default(),
            seen: std::sync::Mutex::default(),
            careless: crate::careless_state::Careless::default(),
            config,
        });
        core.careless.is(Arc::downgrade(&core));
        let webhooks = match core.faulty(DpFault::PlainHttpToo) {
            true => also_plain(listeners.webhooks)?,
            false => listeners.webhooks,
        };
        let servers = vec![
            serve(Arc::new(Webhooks(Arc::clone(&core))), webhooks, webhooks_tls)?,
            serve(Arc::new(Pages(Arc::clone(&core))), listeners.public.0, public_tls)?,
        ];
        Ok(Self { core, servers })
    }

    /// The bank's books.
    #[must_use]
    pub fn bank(&self) -> &Bank {
        &self.core.bank
    }

    /// Shifts the time that a consent lives in, as PayNet's is shifted. False when the DP does not
    /// know the consent.
    #[must_use]
    pub fn advance_clock(&self, id: &ConsentId, by: SignedDuration) -> bool {
        self.core.consents().advance(id, by)
    }

    /// The bank itself ends a consent, for instance because the account is deleted. False when PayNet
    /// did not take it.
    pub async fn revoke_consent(&self, id: &ConsentId) -> bool {
        let told = self.core.revoke_consent(id.as_str(), UpdatedBy::DataProvider).await;
        if told.is_ok() || self.core.faulty(DpFault::WithdrawalUntold) {
            self.core.consents().revoked(id);
        }
        told.is_ok()
    }

    /// Forgets every key set that it keeps, as if a quarter of an hour had passed.
    pub async fn flush_keys(&self) {
        self.core.paynet_keys.forget().await;
        let of_dcs: Vec<_> = {
            let caches = self.core.dc_keys.lock().unwrap_or_else(PoisonError::into_inner);
            caches.values().cloned().collect()
        };
        for cache in of_dcs {
            cache.forget().await;
        }
    }

    /// Forgets what a restart forgets: sessions, tokens, keys and signatures seen. Consents are kept, as a bank's
    /// database keeps them.
    pub async fn restart(&self) {
        self.flush_keys().await;
        self.core.token.forget().await;
        *self.core.sessions() = Sessions::default();
        *self.core.seen() = SeenSignatures::default();
        if self.core.faulty(DpFault::RestartForgetsConsents) {
            self.core.consents().forget();
        }
    }

    /// Stops the DP.
    pub async fn stop(&self) {
        for server in &self.servers {
            server.stop().await;
        }
    }
}

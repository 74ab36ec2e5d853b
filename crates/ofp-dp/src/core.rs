//! What the DP's listeners share.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use ofp_jose::SigningKey;
use ofp_net::{HttpClient, JwksCache};
use ofp_types::{Clock, DcId, DpFault, Entropy, Origin};

use crate::{
    bank::Bank, careless_state::Careless, config::DpConfig, consents::Consents, paynet::TokenCache,
    sessions::Sessions, signatures::SeenSignatures,
};

/// The DP, shared by its listeners.
pub(crate) struct Core {
    pub(crate) config: DpConfig,
    pub(crate) public: Origin,
    pub(crate) bank: Bank,
    pub(crate) signing: SigningKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Calls PayNet with the DP's own certificate.
    pub(crate) client: HttpClient,
    pub(crate) paynet_keys: JwksCache,
    pub(crate) dc_keys: Mutex<HashMap<DcId, Arc<JwksCache>>>,
    pub(crate) token: TokenCache,
    pub(crate) consents: Mutex<Consents>,
    pub(crate) sessions: Mutex<Sessions>,
    pub(crate) seen: Mutex<SeenSignatures>,
    /// For deliberate faults alone.
    pub(crate) careless: Careless,
}

impl Core {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn consents(&self) -> MutexGuard<'_, Consents> {
        self.consents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, SeenSignatures> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a deliberate fault is switched on.
    pub(crate) fn faulty(&self, fault: DpFault) -> bool {
        self.config.faults.contains(&fault)
    }

    /// The published keys of a DC.
    pub(crate) fn keys_of(&self, dc: &DcId) -> Arc<JwksCache> {
        let mut caches = self.dc_keys.lock().unwrap_or_else(PoisonError::into_inner);
        let cache = caches.entry(dc.clone()).or_insert_with(|| {
            let url = self.config.paynet_as.join(&format!("/v1/oauth/jwks/{dc}"));
            let (client, clock) = (self.client.clone(), Arc::clone(&self.clock));
            Arc::new(JwksCache::new(client, clock, &format!("DC {dc}"), url))
        });
        Arc::clone(cache)
    }
}

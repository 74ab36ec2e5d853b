//! What a careless DP remembers beside what it should: only deliberate faults use it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};

use ofp_jose::KeySet;
use ofp_types::{AccountId, ConsentId};
use serde_json::Value;

use crate::core::Core;

/// What deliberate faults remember.
#[derive(Default)]
pub(crate) struct Careless {
    state: Mutex<State>,
    /// The DP itself, for what happens later.
    this: OnceLock<Weak<Core>>,
}

#[derive(Default)]
pub(crate) struct State {
    /// The accounts that anybody chose last.
    pub(crate) chosen: Vec<AccountId>,
    /// Ciphertexts by consent and path.
    pub(crate) ciphertexts: HashMap<String, Value>,
    /// How many balances of a consent were asked for.
    pub(crate) balances: HashMap<ConsentId, u32>,
    /// Withdrawals that are forgotten.
    pub(crate) withdrawn: HashSet<ConsentId>,
    /// Every key set that PayNet ever had.
    pub(crate) key_sets: Vec<std::sync::Arc<KeySet>>,
    /// Whether somebody is asking for health.
    pub(crate) health_asked: bool,
    /// The body and signature of the last call that failed.
    pub(crate) signed: Option<(Vec<u8>, String)>,
    /// The jti of events, with the hash of their bodies.
    pub(crate) events: HashSet<String>,
}

impl Careless {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is(&self, this: Weak<Core>) {
        let _ = self.this.set(this);
    }

    /// The DP, as long as it runs.
    pub(crate) fn this(&self) -> Option<std::sync::Arc<Core>> {
        self.this.get()?.upgrade()
    }
}

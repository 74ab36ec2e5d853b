//! What the platform remembers, behind one lock that is never held across an await.

mod browsers;
mod codes;
mod consents;
mod rates;
mod requests;
mod tokens;

pub(crate) use browsers::Browser;
pub(crate) use codes::{Code, CodeError};
pub(crate) use consents::{Consents, Held, Owed, PkceRequest, Upstream};
pub(crate) use requests::{PushedRequest, RequestError, Target};
pub(crate) use tokens::{Grant, RefreshToken, Token};

use std::collections::HashMap;

use ofp_jose::{Jwk, ReplayGuard};
use ofp_net::{Store, StoreError};
use ofp_types::DcId;

use crate::faults::Faults;

/// Everything that changes.
pub(crate) struct State {
    pub(crate) consents: Consents,
    pub(crate) requests: requests::Requests,
    pub(crate) codes: codes::Codes,
    pub(crate) tokens: tokens::Tokens,
    pub(crate) browsers: browsers::Browsers,
    pub(crate) rates: rates::Rates,
    pub(crate) replay: ReplayGuard,
    pub(crate) faults: Faults,
    /// Encryption keys that DCs have changed to, beside those they registered.
    pub(crate) encryption_keys: HashMap<DcId, Jwk>,
}

impl State {
    /// What the store holds.
    pub(crate) fn open(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            consents: Consents::open(store)?,
            requests: requests::Requests::open(store)?,
            codes: codes::Codes::open(store)?,
            tokens: tokens::Tokens::open(store)?,
            browsers: browsers::Browsers::open(store)?,
            rates: rates::Rates::default(),
            replay: ReplayGuard::default(),
            faults: Faults::default(),
            encryption_keys: HashMap::new(),
        })
    }
}

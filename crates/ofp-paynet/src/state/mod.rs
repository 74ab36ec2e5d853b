//! What the platform remembers, behind one lock that is never held across an await.

mod codes;
mod consents;
mod requests;
mod tokens;

pub(crate) use codes::{Code, CodeError};
pub(crate) use consents::{Held, PkceRequest};
pub(crate) use requests::PushedRequest;
pub(crate) use tokens::{Grant, Token};

use std::collections::HashMap;

use ofp_jose::ReplayGuard;
use ofp_types::ConsentId;

/// Everything that changes.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) consents: HashMap<ConsentId, Held>,
    pub(crate) requests: requests::Requests,
    pub(crate) codes: codes::Codes,
    pub(crate) tokens: tokens::Tokens,
    pub(crate) replay: ReplayGuard,
    /// Which consent a browser is authorizing, by its cookie.
    pub(crate) browsers: HashMap<String, ConsentId>,
}

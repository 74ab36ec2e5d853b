//! Which consent a browser is authorizing, by its cookie.

use jiff::Timestamp;
use ofp_net::{Shelf, Store, StoreError};
use ofp_types::ConsentId;
use serde::{Deserialize, Serialize};

/// Above this many, those that ended or will end first are forgotten.
const MOST: usize = 10_000;

/// A browser in the middle of an authorization.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Browser {
    pub(crate) consent: ConsentId,
    /// At wall time.
    pub(crate) expires: Timestamp,
}

/// Browsers by their cookie.
pub(crate) struct Browsers(Shelf<Browser>);

impl Browsers {
    pub(super) fn open(store: &Store) -> Result<Self, StoreError> {
        Shelf::open("browsers", store).map(Self)
    }

    pub(crate) fn sent_away(&mut self, cookie: &str, browser: Browser, now: Timestamp) {
        self.0.make_room(MOST, now, |browser| browser.expires);
        self.0.insert(cookie, browser);
    }

    pub(crate) fn consent(&self, cookie: &str) -> Option<&ConsentId> {
        self.0.get(cookie).map(|browser| &browser.consent)
    }
}

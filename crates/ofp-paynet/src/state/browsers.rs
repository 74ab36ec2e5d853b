//! What a browser is in the middle of, by its cookie.

use jiff::Timestamp;
use ofp_net::{Shelf, Store, StoreError};
use ofp_types::ConsentId;
use serde::{Deserialize, Serialize};

/// Above this many, those that ended or will end first are forgotten.
const MOST: usize = 10_000;

/// How many authorizations a browser may be in the middle of: the oldest goes.
const MOST_TABS: usize = 20;

/// A browser in the middle of authorizations, one in each tab perhaps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Browser {
    /// What it was sent to DPs with, oldest first.
    #[serde(default)]
    consents: Vec<ConsentId>,
    /// The forms that it was shown for picking a DP, oldest first.
    #[serde(default)]
    picks: Vec<String>,
    /// At wall time.
    expires: Timestamp,
}

impl Browser {
    pub(crate) fn sent_away(&mut self, consent: ConsentId) {
        add(&mut self.consents, consent);
    }

    pub(crate) fn shown_form(&mut self, pick: String) {
        add(&mut self.picks, pick);
    }

    /// Whether it is authorizing this consent.
    pub(crate) fn authorizes(&self, consent: &ConsentId) -> bool {
        self.consents.contains(consent)
    }

    /// What it was sent to DPs with, oldest first.
    pub(crate) fn consents(&self) -> &[ConsentId] {
        &self.consents
    }

    /// Whether it was shown this form.
    pub(crate) fn has_form(&self, pick: &str) -> bool {
        self.picks.iter().any(|known| known == pick)
    }
}

fn add<T: PartialEq>(all: &mut Vec<T>, one: T) {
    all.retain(|known| *known != one);
    if all.len() >= MOST_TABS {
        all.remove(0);
    }
    all.push(one);
}

/// Browsers by their cookie.
pub(crate) struct Browsers(Shelf<Browser>);

impl Browsers {
    pub(super) fn open(store: &Store) -> Result<Self, StoreError> {
        Shelf::open("browsers", store).map(Self)
    }

    /// The browser with this cookie, if it has not expired.
    pub(crate) fn get(&self, cookie: &str, now: Timestamp) -> Option<&Browser> {
        self.0.get(cookie).filter(|browser| browser.expires > now)
    }

    /// Writes something down about a browser, which is remembered until `expires`.
    pub(crate) fn mark(
        &mut self,
        cookie: &str,
        (now, expires): (Timestamp, Timestamp),
        mark: impl FnOnce(&mut Browser),
    ) {
        let known = self.get(cookie, now).cloned();
        let new = || Browser { consents: Vec::new(), picks: Vec::new(), expires };
        let mut browser = known.unwrap_or_else(new);
        browser.expires = expires;
        mark(&mut browser);
        if self.0.get(cookie).is_none() {
            self.0.make_room(MOST, now, |browser| browser.expires);
        }
        self.0.insert(cookie, browser);
    }
}

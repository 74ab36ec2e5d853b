//! A consent with the authorization request that it came from and the time it lives in.

use std::collections::{HashSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use ofp_evidence::ExchangeId;
use ofp_net::{Shelf, Store, StoreError};
use ofp_types::{Consent, ConsentId, ConsentStatus, FaultPoint, Policy, Trigger, wire::EventType};
use serde::{Deserialize, Serialize};

/// How many consents are kept: above it, those go that are over or end soonest.
const MOST: usize = 20_000;

/// How many events about a consent may wait.
const MOST_OWED: usize = 100;

/// The rest of the authorization request, needed when the browser comes back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PkceRequest {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) code_challenge: String,
    pub(crate) scope: String,
    /// Whether the authorization response is to be a JWT (JARM).
    pub(crate) as_jwt: bool,
}

/// What PayNet, as a client of a DP that is an OpenID provider, has sent it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Upstream {
    pub(crate) state: String,
    pub(crate) nonce: String,
}

/// A consent as the platform holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) consent: Consent,
    pub(crate) request: PkceRequest,
    /// How far this consent's clock is ahead of the wall's.
    pub(crate) offset: SignedDuration,
    /// When the customer must have decided, at the consent's own time.
    pub(crate) window_ends: Timestamp,
    /// `sub` of the DP's id_token.
    pub(crate) subject: Option<String>,
    /// `auth_time` of the DP's id_token, in seconds since 1970.
    #[serde(default)]
    pub(crate) auth_time: Option<i64>,
    /// What the DP was given to give back, where it runs a token endpoint of its own.
    #[serde(default)]
    pub(crate) upstream: Option<Upstream>,
    /// Whether the browser has been given its authorization response.
    pub(crate) answered: bool,
    /// The rules that reach beyond this consent and hold for it.
    pub(crate) policies: HashSet<Policy>,
    /// Events that have not been answered or given up yet, oldest first: sent again after a restart.
    #[serde(default)]
    pub(crate) owed: VecDeque<Owed>,
}

/// An event that DP or DC are still to be told of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Owed {
    pub(crate) event: EventType,
    /// The consent as it stood then.
    pub(crate) consent: Consent,
    /// The request that caused it, while the platform that answered it runs.
    #[serde(skip)]
    pub(crate) cause: Option<ExchangeId>,
    /// Whom it is for, if not for both: what a fault held back from one of them.
    #[serde(default)]
    pub(crate) only: Option<FaultPoint>,
}

impl Owed {
    pub(crate) fn new(event: EventType, consent: Consent, cause: Option<ExchangeId>) -> Self {
        Self { event, consent, cause, only: None }
    }
}

impl Held {
    /// An event that is to be sent. Where a recipient is so slow that too many wait, the oldest but
    /// the one on its way is given up: newer news says more.
    pub(crate) fn owe(&mut self, owed: Owed) {
        if self.owed.len() >= MOST_OWED {
            self.owed.remove(1);
        }
        self.owed.push_back(owed);
    }

    /// The time that this consent lives in.
    pub(crate) fn now(&self, wall: Timestamp) -> Timestamp {
        wall.saturating_add(self.offset).unwrap_or(Timestamp::MAX)
    }

    /// Until when it matters, by the wall's clock: an event that is owed matters too.
    fn end(&self) -> Timestamp {
        let over = if self.owed.is_empty() { Timestamp::MIN } else { self.consent.expiration };
        self.next_by_time().map_or(over, |(at, _)| at)
    }

    /// Whether it gives way to `newer`: the same DP, DC, customer and purpose, and still live.
    pub(crate) fn is_superseded_by(&self, newer: &Self) -> bool {
        let (old, new) = (&self.consent, &newer.consent);
        old.consent_id != new.consent_id
            && matches!(old.status, ConsentStatus::Authorized | ConsentStatus::Suspended)
            && (&old.dp_id, &old.dc_id, old.purpose) == (&new.dp_id, &new.dc_id, new.purpose)
            && old.identity == new.identity
            && self.policies.contains(&Policy::Duplicates)
    }

    /// What the passing of time alone will do to it, and when by the wall's clock.
    pub(crate) fn next_by_time(&self) -> Option<(Timestamp, Trigger)> {
        let (at, trigger) = match self.consent.status {
            ConsentStatus::AwaitingAuthorization => (self.window_ends, Trigger::WindowElapsed),
            ConsentStatus::Authorized | ConsentStatus::Suspended => {
                (self.consent.expiration, Trigger::ValidityElapsed)
            }
            _ => return None,
        };
        let wall = at.saturating_sub(self.offset).unwrap_or(Timestamp::MIN);
        Some((wall, trigger))
    }
}

/// Consents by their id.
pub(crate) struct Consents(Shelf<Held>);

impl Consents {
    pub(super) fn open(store: &Store) -> Result<Self, StoreError> {
        Shelf::open("consents", store).map(Self)
    }

    pub(crate) fn get(&self, id: &ConsentId) -> Option<&Held> {
        self.0.get(id.as_str())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.0.iter().map(|(_, held)| held)
    }

    pub(crate) fn add(&mut self, held: Held, now: Timestamp) {
        self.0.make_room(MOST, now, Held::end);
        self.0.insert(held.consent.consent_id.clone().as_str(), held);
    }

    /// Changes what must survive a restart.
    pub(crate) fn change<R>(
        &mut self,
        id: &ConsentId,
        how: impl FnOnce(&mut Held) -> R,
    ) -> Option<R> {
        self.0.change(id.as_str(), how)
    }
}

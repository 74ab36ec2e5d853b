//! What the DP knows of consents: from PayNet's events, and from its own customers.

use jiff::{SignedDuration, Timestamp};
use ofp_net::{Shelf, Store, StoreError};
use ofp_types::{AccountId, ConsentId, ConsentStatus, DcId};
use serde::{Deserialize, Serialize};

/// How many consents are kept: above it, those go that are over or end soonest.
const MOST: usize = 20_000;

/// A consent as the DP holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DpConsent {
    pub(crate) id: ConsentId,
    pub(crate) dc_id: DcId,
    pub(crate) purpose: String,
    pub(crate) permissions: Vec<String>,
    pub(crate) expiration: Timestamp,
    pub(crate) status: ConsentStatus,
    pub(crate) updated_at: Timestamp,
    /// Whom it must be approved by, where PayNet knows the customer: the hash of their id number.
    #[serde(default)]
    pub(crate) hashed_id_number: Option<String>,
    /// Who approved it here.
    pub(crate) username: Option<String>,
    /// What they chose here.
    pub(crate) accounts: Vec<AccountId>,
    /// How far this consent's clock is ahead of the wall's: only the simulator shifts it.
    pub(crate) offset: SignedDuration,
    /// The decision taken here, before PayNet's echo of it.
    pub(crate) decision: Decision,
}

/// Where the customer's decision stands: taken once, by one browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Decision {
    /// Nobody has decided.
    Open,
    /// PayNet is being told.
    InHand,
    /// PayNet has been told.
    Told,
}

impl Decision {
    /// A browser decides: only the first may.
    fn take(self) -> Option<Self> {
        (self == Self::Open).then_some(Self::InHand)
    }
}

/// Every consent that PayNet told of.
pub(crate) struct Consents(Shelf<DpConsent>);

impl Consents {
    pub(crate) fn open(store: &Store) -> Result<Self, StoreError> {
        Shelf::open("dp_consents", store).map(Self)
    }

    /// For a careless DP alone.
    pub(crate) fn forget(&mut self) {
        self.0.retain(|_, _| false);
    }

    pub(crate) fn get(&self, id: &ConsentId) -> Option<&DpConsent> {
        self.0.get(id.as_str())
    }

    /// What a customer has approved and nothing has ended yet, newest first.
    pub(crate) fn live_of(&self, username: &str) -> Vec<DpConsent> {
        let is_live = |consent: &DpConsent| {
            matches!(consent.status, ConsentStatus::Authorized | ConsentStatus::Suspended)
        };
        let theirs = self.0.iter().map(|(_, consent)| consent);
        let theirs = theirs.filter(|c| c.username.as_deref() == Some(username) && is_live(c));
        let mut theirs: Vec<DpConsent> = theirs.cloned().collect();
        theirs.sort_by(|a, b| (b.updated_at, b.id.as_str()).cmp(&(a.updated_at, a.id.as_str())));
        theirs
    }

    /// The newest live consent that lets the balance of an account be read.
    pub(crate) fn live_with(&self, account: &AccountId) -> Option<DpConsent> {
        let covers = |consent: &&DpConsent| {
            consent.status == ConsentStatus::Authorized
                && consent.offset.is_zero()
                && consent.accounts.contains(account)
                && consent.permissions.iter().any(|permission| permission == "read_balances")
        };
        let all = self.0.iter().map(|(_, consent)| consent).filter(covers);
        all.max_by_key(|consent| consent.updated_at).cloned()
    }

    /// PayNet has taken the customer's withdrawal.
    pub(crate) fn revoked(&mut self, id: &ConsentId) {
        self.0.change(id.as_str(), |consent| consent.status = ConsentStatus::Revoked);
    }

    /// Takes an event: a new consent, or a newer state of a known one. Older news is no news.
    pub(crate) fn take_event(&mut self, told: DpConsent, now: Timestamp) {
        let id = told.id.clone();
        if self.0.get(id.as_str()).is_none() {
            self.0.make_room(MOST, now, DpConsent::end);
            self.0.insert(id.as_str(), told);
            return;
        }
        self.0.change(id.as_str(), |known| {
            if known.is_older_than(&told) {
                known.status = told.status;
                known.updated_at = told.updated_at;
                known.expiration = told.expiration;
                known.permissions = told.permissions;
                known.hashed_id_number = told.hashed_id_number.or(known.hashed_id_number.take());
            }
        });
    }

    /// Lets one browser decide. False when another has, or PayNet no longer waits.
    pub(crate) fn begin_decision(&mut self, id: &ConsentId) -> bool {
        let taken = self.0.change(id.as_str(), |consent| {
            let open = consent.status == ConsentStatus::AwaitingAuthorization;
            let next = consent.decision.take().filter(|_| open);
            next.map(|next| consent.decision = next).is_some()
        });
        taken.unwrap_or(false)
    }

    /// What the customer decided, kept before PayNet is told: its echo may be the first to answer.
    pub(crate) fn deciding(
        &mut self,
        id: &ConsentId,
        username: Option<&str>,
        accounts: &[AccountId],
    ) {
        self.0.change(id.as_str(), |consent| {
            consent.username = username.map(str::to_owned);
            consent.accounts = accounts.to_vec();
        });
    }

    /// PayNet has been told of a decision.
    pub(crate) fn decided(&mut self, id: &ConsentId, status: ConsentStatus) {
        self.0.change(id.as_str(), |consent| {
            consent.decision = Decision::Told;
            // PayNet's echo may have arrived first, and even newer news after it
            if consent.status == ConsentStatus::AwaitingAuthorization {
                consent.status = status;
            }
        });
    }

    /// PayNet could not be told: the decision stays with nobody.
    pub(crate) fn abandoned(&mut self, id: &ConsentId) {
        self.0.change(id.as_str(), |consent| consent.decision = Decision::Told);
    }

    /// Shifts the time that a consent lives in.
    pub(crate) fn advance(&mut self, id: &ConsentId, by: SignedDuration) -> bool {
        let shift = |consent: &mut DpConsent| consent.offset = consent.offset.saturating_add(by);
        self.0.change(id.as_str(), shift).is_some()
    }
}

impl DpConsent {
    /// Whether `told` is news: later, and not a way back out of an end or a decision. Times come in
    /// whole seconds, so that two events of one second arrive in any order.
    fn is_older_than(&self, told: &Self) -> bool {
        let backwards = told.status == ConsentStatus::AwaitingAuthorization
            && self.status != ConsentStatus::AwaitingAuthorization;
        told.updated_at >= self.updated_at && !self.status.is_final() && !backwards
    }

    /// Until when it matters.
    fn end(&self) -> Timestamp {
        if self.status.is_final() { Timestamp::MIN } else { self.expiration }
    }

    /// Whether data may flow at `wall`: authorized, and not past its end.
    pub(crate) fn is_live(&self, wall: Timestamp) -> bool {
        let now = wall.saturating_add(self.offset).unwrap_or(Timestamp::MAX);
        self.status == ConsentStatus::Authorized && now < self.expiration
    }
}

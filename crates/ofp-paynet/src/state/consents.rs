//! A consent with the authorization request that it came from and the time it lives in.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ofp_types::{Consent, ConsentStatus, Trigger};

/// The rest of the authorization request, needed when the browser comes back.
#[derive(Debug, Clone)]
pub(crate) struct PkceRequest {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) code_challenge: String,
    pub(crate) scope: String,
}

/// A consent as the platform holds it.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) consent: Consent,
    pub(crate) request: PkceRequest,
    /// How far this consent's clock is ahead of the wall's.
    pub(crate) offset: SignedDuration,
    /// When the customer must have decided, at the consent's own time.
    pub(crate) window_ends: Timestamp,
    /// `sub` of the DP's id_token.
    pub(crate) subject: Option<String>,
    /// Whether the browser has been given its authorization response.
    pub(crate) answered: bool,
    /// Held while an event is on its way to the DP, so that events arrive in order.
    pub(crate) in_order: Arc<tokio::sync::Mutex<()>>,
    /// Events to the DP that have not been answered or given up yet.
    pub(crate) events_in_flight: usize,
}

impl Held {
    /// The time that this consent lives in.
    pub(crate) fn now(&self, wall: Timestamp) -> Timestamp {
        wall.saturating_add(self.offset).unwrap_or(Timestamp::MAX)
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

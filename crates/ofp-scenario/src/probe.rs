//! Calls of PayNet to the DP that a scenario makes itself, though nobody asks for them.

use ofp_types::ConsentStatus;
use serde::Deserialize;

use crate::WhichConsent;

/// What PayNet asks the DP for by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forwarded {
    /// D5.
    Account,
    /// D6.
    Balance,
    /// D7.
    Transactions,
}

/// `paynet.send_event`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SendEvent {
    /// Its type.
    pub event: EventWord,
    /// The status that it tells of; the consent's own without.
    pub status: Option<ConsentStatus>,
    /// About which consent.
    pub of: WhichConsent,
}

impl Default for SendEvent {
    fn default() -> Self {
        let (event, of) = (EventWord::ConsentStatusUpdated, WhichConsent::Last);
        Self { event, status: None, of }
    }
}

/// The type of an event (S4:L127-175).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventWord {
    /// A consent has been asked for.
    ConsentCreated,
    /// A consent has another status.
    ConsentStatusUpdated,
    /// Something about a consent has changed.
    ConsentUpdated,
    /// Nothing that means anything.
    ConsentEventTypeUnspecified,
    /// A type that nobody knows.
    Unknown,
}

impl EventWord {
    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConsentCreated => "consent_created",
            Self::ConsentStatusUpdated => "consent_status_updated",
            Self::ConsentUpdated => "consent_updated",
            Self::ConsentEventTypeUnspecified => "consent_event_type_unspecified",
            Self::Unknown => "consent_reviewed",
        }
    }
}

/// `paynet.forward_account`, `paynet.forward_balance` and `paynet.forward_transactions`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Forward {
    /// Of which account.
    pub account: ForwardedAccount,
    /// Under which consent.
    pub of: WhichConsent,
}

/// Which account PayNet asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForwardedAccount {
    /// The first that the customer chose.
    #[default]
    First,
    /// The first that the customer chose under the scenario's first consent.
    OfFirstConsent,
}

//! Calls of PayNet to the DP that a scenario makes itself, though nobody asks for them.

use ofp_types::ConsentStatus;
use serde::Deserialize;

/// A call of PayNet to the DP, about the consent that was asked for last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// An event (D1).
    SendEvent(SendEvent),
    /// The start of an authorization (D2).
    OpenAuthorize,
    /// The customer's claims (D3).
    Userinfo,
    /// An account (D5), the first that the customer chose.
    Account,
    /// Its balances (D6).
    Balance,
    /// Its transactions (D7).
    Transactions,
}

/// `paynet.send_event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SendEvent {
    /// Its type.
    pub event: EventWord,
    /// The status that it tells of; the consent's own without.
    pub status: Option<ConsentStatus>,
}

impl Default for SendEvent {
    fn default() -> Self {
        Self { event: EventWord::ConsentStatusUpdated, status: None }
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

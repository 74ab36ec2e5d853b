//! Calls of PayNet to the DP that a scenario makes itself, though nobody asks for them.

use std::num::NonZeroU16;

use ofp_types::ConsentStatus;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    Span,
    action::{WhichConsent, times},
};

/// A call of PayNet to the DP, about the consent that was asked for last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// An event (D1).
    SendEvent(SendEvent),
    /// The start of an authorization (D2).
    OpenAuthorize,
    /// The customer's claims (D3).
    Userinfo(Forward),
    /// An account (D5), the first that the customer chose.
    Account(Forward),
    /// Its balances (D6).
    Balance(Forward),
    /// Its transactions (D7).
    Transactions(Forward),
    /// Whether it is up (D4).
    Health(AskHealth),
    /// The code that the browser brought back from the DP, once more (D9).
    RedeemCode,
}

/// `paynet.forward_…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Forward {
    /// Under which consent.
    pub of: WhichConsent,
    /// How often, each time freshly signed.
    #[serde(deserialize_with = "times")]
    #[schemars(range(max = 1000))]
    pub times: NonZeroU16,
}

impl Default for Forward {
    fn default() -> Self {
        Self { of: WhichConsent::Last, times: NonZeroU16::MIN }
    }
}

/// `paynet.ask_health`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AskHealth {
    /// How many times at once.
    #[serde(deserialize_with = "times")]
    #[schemars(range(max = 1000))]
    pub at_once: NonZeroU16,
}

impl Default for AskHealth {
    fn default() -> Self {
        Self { at_once: NonZeroU16::MIN }
    }
}

/// `paynet.send_event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SendEvent {
    /// Its type.
    pub event: EventWord,
    /// The status that it tells of; the consent's own without.
    pub status: Option<ConsentStatus>,
    /// How long ago it says that this came about, where that is not now.
    pub ago: Option<Span>,
    /// How many such events, one after the other.
    #[serde(deserialize_with = "times")]
    #[schemars(range(max = 1000))]
    pub times: NonZeroU16,
}

impl Default for SendEvent {
    fn default() -> Self {
        let (event, times) = (EventWord::ConsentStatusUpdated, NonZeroU16::MIN);
        Self { event, status: None, ago: None, times }
    }
}

/// The type of an event (S4:L127-175).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
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

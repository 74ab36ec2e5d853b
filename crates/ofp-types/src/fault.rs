//! The names of the reference DP's deliberate faults.

use serde::{Deserialize, Serialize};

/// One thing that the reference DP does wrong on purpose, to prove that a check notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DpFault {
    /// One byte of the balance response's signature is flipped.
    BalanceSignatureFlipped,
    /// The balance response has expired a minute ago.
    BalanceExpired,
    /// The balance is sent as plain JSON inside the signature, not as a JWE.
    BalanceNotEncrypted,
    /// The balance's JWS is wrapped in JSON, as PayNet's reference shows it: tolerated, and warned of.
    BalanceInJson,
    /// The balance of another account is sent.
    BalanceOfOtherAccount,
    /// `x-fapi-interaction-id` is not echoed.
    NoInteractionIdEcho,
    /// The body of Update Consent is altered after it was signed.
    UpdateConsentBodyAltered,
    /// Update Consent says `Authorised`.
    UpdateConsentBritishSpelling,
    /// Update Consent carries every account of the customer, whatever they selected.
    UpdateConsentAllAccounts,
    /// Update Consent is never sent, and success is shown all the same.
    UpdateConsentSkipped,
    /// A rejection has no `status_reason`.
    RejectionWithoutReason,
    /// The id_token carries the NRIC in clear.
    IdTokenClearNric,
    /// The client assertion is addressed to the token endpoint instead of the issuer.
    AssertionAudienceTokenEndpoint,
    /// A wrong password is let in.
    AnyPassword,
    /// Webhooks answer 200 with a page of HTML.
    Nonsense,
    /// Webhooks never answer.
    Silent,
    /// Webhooks close the connection in the middle of the answer.
    Reset,
}

impl DpFault {
    /// Every fault, in the order of the journey's listing.
    pub const ALL: [Self; 17] = [
        Self::BalanceSignatureFlipped,
        Self::BalanceExpired,
        Self::BalanceNotEncrypted,
        Self::BalanceInJson,
        Self::BalanceOfOtherAccount,
        Self::NoInteractionIdEcho,
        Self::UpdateConsentBodyAltered,
        Self::UpdateConsentBritishSpelling,
        Self::UpdateConsentAllAccounts,
        Self::UpdateConsentSkipped,
        Self::RejectionWithoutReason,
        Self::IdTokenClearNric,
        Self::AssertionAudienceTokenEndpoint,
        Self::AnyPassword,
        Self::Nonsense,
        Self::Silent,
        Self::Reset,
    ];

    /// The name on the command line, such as `balance-signature-flipped`.
    #[must_use]
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            _ => format!("{self:?}"),
        }
    }

    /// The fault called `name`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }
}

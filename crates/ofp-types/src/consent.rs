//! The consent and its state machine (`spec/ofp.md` section 3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AccountId, ConsentId, DcId, DpId};

/// Where a consent stands. Spelled on the wire in lower snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentStatus {
    /// Created by a pushed authorization request; the customer has not decided.
    AwaitingAuthorization,
    /// The customer approved; data may flow until the consent expires.
    Authorized,
    /// The customer declined.
    Rejected,
    /// Nobody decided within the authorization window, or something broke.
    Failed,
    /// Put on hold, for instance for suspected fraud.
    Suspended,
    /// Its validity ended.
    Expired,
    /// Withdrawn by the customer, the DC, the DP or the platform.
    Revoked,
}

/// What can happen to a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Update Consent with `authorized`.
    Approve,
    /// Update Consent with `rejected`.
    Reject,
    /// The authorization window ended without a decision.
    WindowElapsed,
    /// The DP could not take the customer through authorization.
    ProviderFailure,
    /// A party put the consent on hold.
    Suspend,
    /// The hold was lifted.
    Reactivate,
    /// A party withdrew the consent.
    Revoke,
    /// `expiration_datetime` passed.
    ValidityElapsed,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 8] = [
        Self::Approve,
        Self::Reject,
        Self::WindowElapsed,
        Self::ProviderFailure,
        Self::Suspend,
        Self::Reactivate,
        Self::Revoke,
        Self::ValidityElapsed,
    ];
}

/// A trigger that the state machine does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a consent that is {} cannot take {trigger:?}", from.as_str())]
pub struct IllegalTransition {
    /// Where the consent stands.
    pub from: ConsentStatus,
    /// What was attempted.
    pub trigger: Trigger,
}

impl ConsentStatus {
    /// Every status, in the order of the life cycle.
    pub const ALL: [Self; 7] = [
        Self::AwaitingAuthorization,
        Self::Authorized,
        Self::Rejected,
        Self::Failed,
        Self::Suspended,
        Self::Expired,
        Self::Revoked,
    ];

    /// The status after `trigger`.
    ///
    /// # Errors
    /// [`IllegalTransition`] where the platform's table has no such row.
    pub fn apply(self, trigger: Trigger) -> Result<Self, IllegalTransition> {
        match (self, trigger) {
            (Self::AwaitingAuthorization, Trigger::Approve) => Ok(Self::Authorized),
            (Self::AwaitingAuthorization, Trigger::Reject) => Ok(Self::Rejected),
            (Self::AwaitingAuthorization, Trigger::WindowElapsed | Trigger::ProviderFailure) => {
                Ok(Self::Failed)
            }
            (Self::Authorized, Trigger::Suspend) => Ok(Self::Suspended),
            (Self::Suspended, Trigger::Reactivate) => Ok(Self::Authorized),
            (Self::Authorized | Self::Suspended, Trigger::Revoke) => Ok(Self::Revoked),
            (Self::Authorized | Self::Suspended, Trigger::ValidityElapsed) => Ok(Self::Expired),
            (from, trigger) => Err(IllegalTransition { from, trigger }),
        }
    }

    /// Whether a consent of this status can come to have another, sooner or later.
    #[must_use]
    pub fn leads_to(self, other: Self) -> bool {
        let mut reached = vec![self];
        let mut at = 0;
        while let Some(from) = reached.get(at).copied() {
            for next in Trigger::ALL.into_iter().filter_map(|trigger| from.apply(trigger).ok()) {
                if next == other {
                    return true;
                }
                if !reached.contains(&next) {
                    reached.push(next);
                }
            }
            at += 1;
        }
        false
    }

    /// Whether nothing can happen to the consent any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Rejected | Self::Failed | Self::Expired | Self::Revoked)
    }

    /// The status as it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingAuthorization => "awaiting_authorization",
            Self::Authorized => "authorized",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// The status spelled exactly `text`.
    #[must_use]
    pub fn exact(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// The status meant by `text` in any case, with `-ise` or `-ize`, spaces or underscores:
    /// PayNet's own pages use all of them.
    #[must_use]
    pub fn lenient(text: &str) -> Option<Self> {
        let folded = text.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        Self::exact(&folded.replace("authoris", "authoriz"))
    }
}

impl std::fmt::Display for ConsentStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a consent lets the DC read (X-30: the API's spellings).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Account details.
    ReadAccounts,
    /// Balances.
    ReadBalances,
    /// Transactions.
    ReadTransactions,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 3] = [Self::ReadAccounts, Self::ReadBalances, Self::ReadTransactions];

    /// The permission as it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadAccounts => "read_accounts",
            Self::ReadBalances => "read_balances",
            Self::ReadTransactions => "read_transactions",
        }
    }
}

/// What the DC wants the data for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Personal finance management.
    Pfm,
    /// Credit underwriting.
    CreditUnderwriting,
}

/// Why a consent is rejected, failed, suspended or revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are PayNet's whole description of them")]
pub enum ReasonCode {
    InactiveAccount,
    InactiveProvider,
    NotAllowed,
    InternalError,
    FormatError,
    Timeout,
    ProviderError,
    Duplicate,
    ValidationError,
}

impl UpdatedBy {
    /// The party as it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DataConsumer => "data_consumer",
            Self::DataConsumerUser => "data_consumer_user",
            Self::Ofp => "ofp",
            Self::OfpUser => "ofp_user",
            Self::DataProvider => "data_provider",
            Self::DataProviderUser => "data_provider_user",
        }
    }
}

impl ReasonCode {
    /// The code spelled exactly `text`.
    #[must_use]
    pub fn exact(text: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
    }
}

/// `status_reason` of a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReason {
    /// The machine-readable reason. A DP may send codes beyond [`ReasonCode`].
    pub reason_code: String,
    /// A sentence for people.
    pub reason_description: String,
}

impl StatusReason {
    /// A reason with one of the known codes.
    #[must_use]
    pub fn new(code: ReasonCode, description: &str) -> Self {
        let reason_code = match serde_json::to_value(code) {
            Ok(serde_json::Value::String(code)) => code,
            _ => format!("{code:?}"),
        };
        Self { reason_code, reason_description: description.to_owned() }
    }
}

/// Who changed a consent last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdatedBy {
    /// The DC itself.
    DataConsumer,
    /// The customer, in the DC's app.
    DataConsumerUser,
    /// The platform itself.
    Ofp,
    /// The customer, in the platform's dashboard.
    OfpUser,
    /// The DP itself.
    DataProvider,
    /// The customer, in the DP's app.
    DataProviderUser,
}

/// An account that the customer chose to share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentAccount {
    /// Opaque, assigned by the DP.
    pub account_id: AccountId,
    /// As the bank prints it; cards as first 6, `*`, last 4. Read under PayNet's other name too
    ///
    #[serde(alias = "account_reference")]
    pub account_number: String,
    /// As the customer knows it.
    pub account_name: String,
}

/// A consent as the platform holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Its id.
    pub consent_id: ConsentId,
    /// The DC that asked for it.
    pub dc_id: DcId,
    /// The DP that it is for.
    pub dp_id: DpId,
    /// What the data is for.
    pub purpose: Purpose,
    /// What may be read.
    pub permissions: Vec<Permission>,
    /// When it stops being valid.
    pub expiration: Timestamp,
    /// Where it stands.
    pub status: ConsentStatus,
    /// Why it stands there, if that needs saying.
    pub status_reason: Option<StatusReason>,
    /// What the customer chose; empty until authorized.
    pub accounts: Vec<ConsentAccount>,
    /// Who the customer is, learnt from Update Consent: `id_type` and `hashed_id_number`.
    pub identity: Option<(String, String)>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: UpdatedBy,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of `spec/ofp.md` section 3, written down a second time.
    #[test]
    fn the_machine_allows_exactly_the_published_transitions() {
        let allowed: Vec<String> = ConsentStatus::ALL
            .into_iter()
            .flat_map(|from| Trigger::ALL.into_iter().map(move |t| (from, t)))
            .filter_map(|(from, t)| from.apply(t).ok().map(|to| format!("{from} {t:?} {to}")))
            .collect();
        assert_eq!(
            allowed,
            [
                "awaiting_authorization Approve authorized",
                "awaiting_authorization Reject rejected",
                "awaiting_authorization WindowElapsed failed",
                "awaiting_authorization ProviderFailure failed",
                "authorized Suspend suspended",
                "authorized Revoke revoked",
                "authorized ValidityElapsed expired",
                "suspended Reactivate authorized",
                "suspended Revoke revoked",
                "suspended ValidityElapsed expired",
            ]
        );
    }

    #[test]
    fn final_states_take_nothing() {
        for from in ConsentStatus::ALL.into_iter().filter(|s| s.is_final()) {
            assert!(Trigger::ALL.into_iter().all(|t| from.apply(t).is_err()), "{from}");
        }
    }

    #[test]
    fn spellings() {
        for text in ["Authorised", "AUTHORIZED", " authorized "] {
            assert_eq!(ConsentStatus::lenient(text), Some(ConsentStatus::Authorized));
            assert_eq!(ConsentStatus::exact(text), None);
        }
        assert_eq!(
            ConsentStatus::lenient("Awaiting Authorisation"),
            Some(ConsentStatus::AwaitingAuthorization)
        );
        assert_eq!(ConsentStatus::lenient("approved"), None);
        assert_eq!(ReasonCode::exact("not_allowed"), Some(ReasonCode::NotAllowed));
        assert_eq!(StatusReason::new(ReasonCode::Timeout, "x").reason_code, "timeout");
    }

    #[test]
    fn what_a_status_leads_to_follows_from_the_table() {
        use ConsentStatus as S;
        assert!(S::AwaitingAuthorization.leads_to(S::Suspended));
        assert!(S::Suspended.leads_to(S::Suspended) && S::Authorized.leads_to(S::Authorized));
        assert!(!S::Authorized.leads_to(S::Rejected));
        for from in S::ALL {
            assert_eq!(from.is_final(), !S::ALL.iter().any(|to| from.leads_to(*to)), "{from}");
        }
    }
}

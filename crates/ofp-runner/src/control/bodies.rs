//! What the control surface takes and gives.

use jiff::SignedDuration;
use ofp_dc::Linked;
use ofp_dp::AccountStatus;
use ofp_evidence::{Exchange, Outcome, Secrets};
use ofp_types::{Consent, ConsentAccount, ConsentStatus, Permission, Purpose, wire::malaysian};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// An error.
#[derive(Serialize, ToSchema)]
pub(super) struct ErrorAnswer {
    /// A code.
    pub(super) error: String,
    /// A sentence.
    pub(super) error_description: String,
}

/// What the DC is to ask for. Everything has a default.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ConsentWish {
    /// What for: `pfm` or `credit_underwriting`.
    #[schema(value_type = String, example = "pfm")]
    pub(super) purpose: Purpose,
    /// What to read: `read_accounts`, `read_balances`, `read_transactions`.
    #[schema(value_type = Vec<String>)]
    pub(super) permissions: Vec<Permission>,
    /// For how many days, to the end of the last one in Malaysia.
    #[schema(minimum = 1, maximum = 3660)]
    pub(super) valid_for_days: u32,
    /// Whether the customer picks the DP at PayNet, instead of the DC naming it.
    pub(super) pick_provider: bool,
    /// Whether the authorization response is to be a JWT (JARM).
    pub(super) response_as_jwt: bool,
}

impl Default for ConsentWish {
    fn default() -> Self {
        Self {
            purpose: Purpose::Pfm,
            permissions: vec![
                Permission::ReadAccounts,
                Permission::ReadBalances,
                Permission::ReadTransactions,
            ],
            valid_for_days: 180,
            pick_provider: false,
            response_as_jwt: false,
        }
    }
}

/// A consent in one go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LinkWish {
    /// The customer of the reference DP.
    pub(super) username: String,
    /// What the DC asks for.
    pub(super) consent: ConsentWish,
}

impl Default for LinkWish {
    fn default() -> Self {
        Self { username: "paynet".into(), consent: ConsentWish::default() }
    }
}

/// A request for consent under way.
#[derive(Serialize, ToSchema)]
pub(super) struct ConsentAsked {
    /// The consent; none yet where the customer is to pick the DP.
    pub(super) consent_id: Option<String>,
    /// Where to send the browser.
    pub(super) authorize_url: String,
    /// `state` of the request, by which the consent is found after the pick.
    pub(super) state: String,
}

/// A consent as PayNet holds it, and what the DC knows of it.
#[derive(Serialize, ToSchema)]
pub(super) struct ConsentView {
    /// Its id.
    pub(super) consent_id: String,
    /// The DC.
    pub(super) dc_id: String,
    /// The DP.
    pub(super) dp_id: String,
    /// What for.
    pub(super) consent_purpose: String,
    /// What may be read.
    pub(super) permissions: Vec<String>,
    /// When it ends, RFC 3339.
    pub(super) expiration_datetime: String,
    /// Where it stands.
    pub(super) status: String,
    /// Why, as a code.
    pub(super) reason_code: Option<String>,
    /// Why, as a sentence.
    pub(super) reason_description: Option<String>,
    /// What the customer chose.
    pub(super) accounts: Vec<AccountView>,
    /// When it was created, RFC 3339.
    pub(super) created_at: String,
    /// When it last changed, RFC 3339.
    pub(super) updated_at: String,
    /// Who changed it last.
    pub(super) updated_by: String,
    /// How many seconds its clock is ahead of the wall's.
    pub(super) clock_offset_seconds: i64,
    /// Whether the DC holds tokens for it.
    pub(super) dc_linked: bool,
    /// What the last event to the DC said.
    pub(super) dc_told: Option<String>,
}

/// An account of a consent.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountView {
    /// Its id.
    pub(super) account_id: String,
    /// Its number.
    pub(super) account_number: String,
    /// Its name.
    pub(super) account_name: String,
}

impl From<&ConsentAccount> for AccountView {
    fn from(account: &ConsentAccount) -> Self {
        Self {
            account_id: account.account_id.to_string(),
            account_number: account.account_number.clone(),
            account_name: account.account_name.clone(),
        }
    }
}

impl ConsentView {
    pub(super) fn of(
        consent: &Consent,
        offset: SignedDuration,
        dc_linked: bool,
        dc_told: Option<ConsentStatus>,
    ) -> Self {
        Self {
            consent_id: consent.consent_id.to_string(),
            dc_id: consent.dc_id.to_string(),
            dp_id: consent.dp_id.to_string(),
            consent_purpose: word(&consent.purpose),
            permissions: consent.permissions.iter().map(|p| p.as_str().to_owned()).collect(),
            expiration_datetime: malaysian(consent.expiration),
            status: consent.status.to_string(),
            reason_code: consent.status_reason.as_ref().map(|r| r.reason_code.clone()),
            reason_description: consent
                .status_reason
                .as_ref()
                .map(|r| r.reason_description.clone()),
            accounts: consent.accounts.iter().map(AccountView::from).collect(),
            created_at: malaysian(consent.created_at),
            updated_at: malaysian(consent.updated_at),
            updated_by: consent.updated_by.as_str().to_owned(),
            clock_offset_seconds: offset.as_secs(),
            dc_linked,
            dc_told: dc_told.map(|status| status.to_string()),
        }
    }
}

/// A list of consents.
#[derive(Serialize, ToSchema)]
pub(super) struct ConsentList {
    /// In the order of creation.
    pub(super) consents: Vec<ConsentView>,
}

/// How far to move a consent's clock.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockAdvance {
    /// A length of time such as `11m` or `91d`.
    #[schema(example = "11m")]
    pub(super) by: String,
}

/// A change that the platform makes in its own name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusChange {
    /// Which.
    pub(super) change: ChangeWord,
    /// `reason_code` of the status reason.
    #[serde(default)]
    pub(super) reason_code: Option<String>,
}

/// A change of a consent.
#[derive(Deserialize, ToSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChangeWord {
    Revoke,
    Suspend,
    Reactivate,
}

/// What the DC got for a code or a refresh token.
#[derive(Serialize, ToSchema)]
pub(super) struct LinkedView {
    /// The consent.
    pub(super) consent_id: String,
    /// The accounts that may be read.
    pub(super) account_ids: Vec<String>,
}

impl LinkedView {
    pub(super) fn of(linked: &Linked) -> Self {
        Self {
            consent_id: linked.consent_id.to_string(),
            account_ids: linked.accounts.iter().map(ToString::to_string).collect(),
        }
    }
}

/// What the DC is to read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DataWish {
    /// What of the account.
    pub(super) resource: ResourceWord,
    /// Which account; the first of the consent unless given.
    #[serde(default)]
    pub(super) account_id: Option<String>,
    /// For transactions: how many a page.
    #[serde(default)]
    pub(super) page_size: Option<u32>,
    /// For transactions: not before this day, such as 2026-01-31.
    #[serde(default)]
    pub(super) from_date: Option<String>,
    /// For transactions: not after this day.
    #[serde(default)]
    pub(super) to_date: Option<String>,
    /// For transactions: where the page before ended.
    #[serde(default)]
    pub(super) next_page_params: Option<String>,
}

/// What of an account can be read.
#[derive(Deserialize, ToSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum ResourceWord {
    Account,
    Balances,
    Transactions,
}

/// What PayNet answered the DC, opened where it could be.
#[derive(Serialize, ToSchema)]
pub(super) struct DataView {
    /// PayNet's HTTP status.
    pub(super) status: u16,
    /// The decrypted data, or PayNet's error body.
    pub(super) body: Value,
    /// Why there is no data, if there is none.
    pub(super) problem: Option<String>,
}

/// Part of the journal.
#[derive(Serialize, ToSchema)]
pub(super) struct JournalView {
    /// Exchanges, oldest first.
    pub(super) exchanges: Vec<ExchangeView>,
}

/// An HTTP exchange, secrets masked.
#[derive(Serialize, ToSchema)]
pub(super) struct ExchangeView {
    /// Its number.
    pub(super) id: u64,
    /// When it began, RFC 3339.
    pub(super) at: String,
    /// How long it took, in microseconds.
    pub(super) took_us: u64,
    /// Who called: `paynet`, `dc`, `dp` or `customer`.
    pub(super) from: String,
    /// Who was called.
    pub(super) to: String,
    /// Which endpoint.
    pub(super) endpoint: String,
    /// HTTP method.
    pub(super) method: String,
    /// URL.
    pub(super) url: String,
    /// HTTP status; none when there was no complete answer.
    pub(super) status: Option<u16>,
    /// Why there is no complete answer.
    pub(super) failure: Option<String>,
    /// Why PayNet answered as it did.
    pub(super) note: Option<String>,
    /// The consent that it is about.
    pub(super) consent_id: Option<String>,
    /// Body of the request.
    pub(super) request_body: String,
    /// Body of the answer.
    pub(super) response_body: String,
}

impl ExchangeView {
    pub(super) fn of(exchange: &Exchange, secrets: &Secrets) -> Self {
        let masked = |text: &str| secrets.mask(text).into_owned();
        let failure = match &exchange.outcome {
            Outcome::Failed(failure) => Some(failure.to_string()),
            Outcome::Answered { .. } => None,
        };
        Self {
            id: exchange.id.0,
            at: exchange.at.to_string(),
            took_us: u64::try_from(exchange.took.as_micros()).unwrap_or(u64::MAX),
            from: word(&exchange.from),
            to: word(&exchange.to),
            endpoint: word(&exchange.endpoint),
            method: exchange.method.clone(),
            url: secrets.shown_url(&exchange.url),
            status: exchange.status(),
            failure,
            note: exchange.note.as_deref().map(masked),
            consent_id: exchange.consent.as_ref().map(ToString::to_string),
            request_body: secrets.shown_body(&exchange.request),
            response_body: exchange.response().map(|m| secrets.shown_body(m)).unwrap_or_default(),
        }
    }
}

/// Whom a fault strikes and what it does: `at` and one effect (see `docs/control.md`).
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct FaultWish {
    /// Strikes messages about this consent.
    consent_id: Option<String>,
    /// Strikes messages from and to this client.
    client_id: Option<String>,
    /// Strikes the message with this interaction id.
    interaction_id: Option<String>,
    /// Strikes every message.
    everyone: Option<bool>,
    /// Which message, such as `token`, `balances` or `consent_event`.
    at: String,
    /// Answers with this status, 400 to 599.
    status: Option<u16>,
    /// Waits first, such as `3s`, at most `60s`.
    delay: Option<String>,
    /// Closes the connection in the middle of the answer.
    reset: Option<bool>,
    /// Never answers.
    silent: Option<bool>,
    /// Answers with an empty body.
    empty: Option<bool>,
    /// Answers with nonsense.
    malformed: Option<bool>,
    /// Cuts the answer in half.
    truncated: Option<bool>,
    /// Calls the answer HTML.
    content_type: Option<bool>,
    /// Spoils the signature: `bad_signature`, `unknown_kid` or `alg_none`.
    jose: Option<String>,
    /// Sends an event twice.
    duplicate: Option<bool>,
    /// Sends an event after the next one.
    out_of_order: Option<bool>,
    /// Never sends an event.
    lost: Option<bool>,
    /// How often; once unless given.
    times: Option<u32>,
    /// Until the faults are reset.
    until_reset: Option<bool>,
}

/// A fault that was switched on.
#[derive(Serialize, ToSchema)]
pub(super) struct FaultInjected {
    /// Its number.
    pub(super) id: u64,
}

/// The faults that are switched on.
#[derive(Serialize, ToSchema)]
pub(super) struct FaultList {
    /// Oldest first.
    pub(super) faults: Vec<FaultView>,
}

/// A fault that is switched on.
#[derive(Serialize, ToSchema)]
pub(super) struct FaultView {
    /// Its number.
    pub(super) id: u64,
    /// Whom it strikes.
    pub(super) scope: String,
    /// What it does; `times` is what is left.
    pub(super) fault: Value,
}

/// How many faults were switched off.
#[derive(Serialize, ToSchema)]
pub(super) struct FaultsReset {
    /// How many.
    pub(super) reset: usize,
}

/// How to rotate PayNet's signing key.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rotation {
    /// Whether the keys before it are no longer published.
    pub(super) alone: bool,
}

/// The key that is in use now.
#[derive(Serialize, ToSchema)]
pub(super) struct KeyView {
    /// Its id.
    pub(super) kid: String,
}

/// What becomes of an account of the reference DP.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountChange {
    /// `active`, `blocked` or `closed`.
    #[schema(value_type = String, example = "blocked")]
    pub(super) status: AccountStatus,
}

/// Nothing more to say.
#[derive(Serialize, ToSchema)]
pub(super) struct Done {
    /// Always true.
    pub(super) done: bool,
}

/// The word by which a value stands in JSON.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

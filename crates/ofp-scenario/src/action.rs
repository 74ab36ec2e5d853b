//! What an actor can do: the verbs of the language.

use ofp_types::{ConsentStatus, PlatformFault};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use crate::{ScopeWord, Span, probe::Probe};

/// One actor doing one thing.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// The DC pushes an authorization request for the scenario's `consent`.
    RequestConsent,
    /// The customer's browser follows the DC's link through PayNet to the DP.
    FollowAuthorization,
    /// The customer sends credentials.
    LogIn(LogIn),
    /// The customer chooses accounts.
    SelectAccounts(SelectAccounts),
    /// The customer approves.
    Approve,
    /// The customer rejects.
    Reject,
    /// The customer goes back to the DC.
    ReturnToDc,
    /// The customer closes the browser, cookies and all.
    CloseTab,
    /// The customer opens the DP's page for the same link in another browser.
    OpenLinkAgain,
    /// The customer goes on in the browser that they were in before.
    SwitchTab,
    /// The customer opens the review page of an earlier visit without logging in.
    SkipLogin,
    /// A page of another origin asks whether it may read the one that is shown.
    Preflight,
    /// Many customers link accounts at once, each from request to balance.
    LinkMany(LinkMany),
    /// The DC gets another encryption key.
    RotateEncryptionKey,
    /// The DP's core system goes down, or comes back.
    SetCore(SetCore),
    /// The DP forgets the key sets that it keeps.
    FlushKeys,
    /// The DP is restarted.
    Restart,
    /// The consent's time moves on.
    AdvanceClock(Span),
    /// PayNet calls the DP's health endpoint.
    CheckHealth,
    /// PayNet calls the DP's userinfo endpoint.
    CallUserinfo,
    /// The DC redeems its code; the customer goes back to the DC first, if they have not.
    ExchangeCode,
    /// The DC reads account data.
    Read(Resource, Read),
    /// The DC reads pages of transactions.
    ReadTransactions(ReadTransactions),
    /// The DC gets a fresh access token.
    RefreshToken,
    /// The DC asks what PayNet says of its access token.
    IntrospectToken,
    /// The DC gives a token up.
    RevokeToken(RevokeToken),
    /// The DC asks who the customer is.
    ReadUserinfo,
    /// The DC reads the directory of DPs.
    ListProviders,
    /// The DC reads the consent as PayNet holds it.
    RetrieveConsent,
    /// The DC changes the consent.
    DcChanges(Change),
    /// The customer picks a DP at PayNet.
    PickProvider(PickProvider),
    /// The customer withdraws the consent on the DP's dashboard.
    RevokeAtDp(LogIn),
    /// The bank blocks, closes or opens an account.
    SetAccount(SetAccount),
    /// The DP ends the consent in its own name.
    DpRevokes(DpRevokes),
    /// The platform changes the consent in its own name.
    PaynetChanges(Change),
    /// A call of PayNet to the DP that nothing else brings about.
    Probe(Probe),
    /// PayNet signs with a new key from now on.
    RotateKeys(RotateKeys),
    /// A fault of the platform is switched on.
    Inject(Inject),
    /// The faults of the scenario's consents are switched off.
    ResetFaults,
    /// The consent reaches a status at PayNet.
    ExpectConsent(ExpectConsent),
    /// What the DC shows its customer.
    ExpectDc(ExpectDc),
    /// What PayNet has told the DC of the consent (C1).
    ExpectDcTold(ExpectDcTold),
}

/// What of an account is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// What it is.
    Account,
    /// What is on it.
    Balance,
}

/// A change of a consent that a party asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Ends it.
    Revoke,
    /// Puts it on hold.
    Suspend,
    /// Lifts the hold.
    Reactivate,
}

/// Which of the scenario's consents, where there are several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhichConsent {
    /// The first that was asked for.
    First,
    /// The last that was asked for.
    #[default]
    Last,
}

/// `customer.log_in`. Left out, a test customer of the DP logs in: the same one throughout the scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogIn {
    /// The name; with no password beside it, of a test customer. The reference DP has paynet, aisyah, farid and siti.
    pub username: Option<String>,
    /// The password, if not the test customer's own.
    pub password: Option<String>,
    /// Whether it is another test customer than the one who logs in otherwise.
    pub another: bool,
}

impl Action {
    /// The part of the platform beyond Drop 1 that a DP must offer for it.
    #[must_use]
    pub fn part(&self) -> Option<ScopeWord> {
        match self {
            Self::Read(Resource::Account, _) | Self::Probe(Probe::Account(_)) => {
                Some(ScopeWord::Accounts)
            }
            Self::ReadTransactions(_) | Self::Probe(Probe::Transactions(_)) => {
                Some(ScopeWord::Transactions)
            }
            _ => None,
        }
    }
}

/// Which accounts of those offered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Pick {
    /// The first.
    #[default]
    First,
    /// All of them.
    All,
    /// None of them.
    None,
    /// These, counted from 1 as the page lists them.
    Numbers(Vec<usize>),
}

impl<'de> Deserialize<'de> for Pick {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let expected = "expected first, all, none, or a list of numbers from 1";
        match Value::deserialize(deserializer)? {
            Value::String(word) => match word.as_str() {
                "first" => Ok(Self::First),
                "all" => Ok(Self::All),
                "none" => Ok(Self::None),
                other => Err(D::Error::custom(format!("{expected}, found `{other}`"))),
            },
            value @ Value::Array(_) => {
                let numbers: Vec<usize> =
                    serde_json::from_value(value).map_err(|_| D::Error::custom(expected))?;
                if numbers.contains(&0) {
                    return Err(D::Error::custom(expected));
                }
                Ok(Self::Numbers(numbers))
            }
            other => Err(D::Error::custom(format!("{expected}, found `{other}`"))),
        }
    }
}

impl JsonSchema for Pick {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pick".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "enum": ["first", "all", "none"] },
                { "type": "array", "items": { "type": "integer", "minimum": 1 }, "minItems": 1 },
            ]
        })
    }
}

/// `customer.select_accounts`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SelectAccounts {
    /// Which.
    pub pick: Pick,
}

/// Which account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhichAccount {
    /// The first.
    #[default]
    First,
    /// The last.
    Last,
    /// Each in turn.
    Each,
    /// The one of this id, linked or not: `{ id: "{{ account_id }}" }` says what an earlier step captured.
    Id(String),
}

/// `dc.read_account` and `dc.read_balance`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Read {
    /// Which account.
    pub account: WhichAccount,
    /// Of which consent.
    pub of: WhichConsent,
    /// How often, each time freshly signed.
    #[serde(deserialize_with = "times")]
    #[schemars(range(max = 1000))]
    pub times: std::num::NonZeroU16,
}

/// A text that is not part of any.
fn some_text<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    use serde::de::Error as _;
    let text = Option::<String>::deserialize(deserializer)?;
    match text.as_deref().map(str::trim) {
        Some("") => {
            Err(D::Error::custom("expected some words, found an empty text, which is in any"))
        }
        _ => Ok(text),
    }
}

pub(crate) fn times<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<std::num::NonZeroU16, D::Error> {
    use serde::de::Error as _;
    let times = u64::deserialize(deserializer)?;
    let narrow = u16::try_from(times).ok().filter(|times| *times <= 1000);
    let narrow = narrow.and_then(std::num::NonZeroU16::new);
    narrow
        .ok_or_else(|| D::Error::custom(format!("expected a number from 1 to 1000, found {times}")))
}

impl Default for Read {
    fn default() -> Self {
        let (account, of) = (WhichAccount::First, WhichConsent::Last);
        Self { account, of, times: std::num::NonZeroU16::MIN }
    }
}

/// `dc.read_transactions`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReadTransactions {
    /// Of which account.
    pub account: WhichAccount,
    /// How many a page.
    pub page_size: Option<u32>,
    /// Not before this day.
    pub from_date: Option<String>,
    /// Not after this day.
    pub to_date: Option<String>,
    /// How many pages at most; all of them unless given.
    pub pages: Option<std::num::NonZeroU32>,
}

/// `dc.revoke_token`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RevokeToken {
    /// Which token.
    pub token: WhichToken,
}

/// Which of a link's tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhichToken {
    /// The access token.
    #[default]
    Access,
    /// The refresh token, and with it the access tokens.
    Refresh,
}

/// `customer.pick_provider`. Left out, the first in the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PickProvider {
    /// The DP's id.
    pub dp_id: Option<String>,
}

/// `dp.set_account`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAccount {
    /// Which account.
    #[serde(default)]
    pub account: WhichAccount,
    /// What becomes of it.
    pub status: AccountStatus,
}

/// `dp.revoke_consent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DpRevokes {
    /// Whether PayNet is to take it.
    pub taken: bool,
}

impl Default for DpRevokes {
    fn default() -> Self {
        Self { taken: true }
    }
}

/// `dp.set_core`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetCore {
    /// Whether it is down.
    pub down: bool,
}

/// `customer.link_many`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkMany {
    /// How many consents.
    #[serde(deserialize_with = "times")]
    #[schemars(range(max = 1000))]
    pub consents: std::num::NonZeroU16,
}

/// Whether an account can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// It can.
    Active,
    /// Not for now.
    Blocked,
    /// Never again.
    Closed,
}

/// `paynet.rotate_keys`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RotateKeys {
    /// Whether the keys before it are no longer published.
    pub alone: bool,
    /// Whether keys of a kind that nobody knows are published beside it.
    pub unknown_kinds: bool,
}

/// `paynet.inject`: a fault (`ofp_types::PlatformFault`) and whom it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inject {
    /// Whom.
    pub scope: InjectScope,
    /// What.
    pub fault: PlatformFault,
}

/// Whom a fault strikes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InjectScope {
    /// Messages about the scenario's consent.
    #[default]
    Consent,
    /// Messages from and to the DP: only in a scenario that is exclusive.
    Dp,
    /// Messages from and to the DC: only in a scenario that is exclusive.
    Dc,
    /// Every message, also on the listener without client certificates: only in a scenario that is
    /// exclusive.
    Everyone,
}

impl JsonSchema for Inject {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Inject".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = PlatformFault::json_schema(generator);
        let scope = generator.subschema_for::<InjectScope>();
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            let described = json_schema!({ "description": "Whom it strikes.", "allOf": [scope] });
            properties.insert("scope".into(), described.to_value());
        }
        schema
    }
}

/// `expect.consent`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectConsent {
    /// The status.
    pub status: ConsentStatus,
    /// How long it may take to come about.
    #[serde(default = "five_seconds")]
    pub within: Span,
    /// The `reason_code` that goes with it.
    #[serde(default)]
    pub reason: Option<String>,
    /// Which consent.
    #[serde(default)]
    pub of: WhichConsent,
}

/// `expect.dc_told`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectDcTold {
    /// The status that the last event said.
    pub status: ConsentStatus,
    /// How long it may take to come about.
    #[serde(default = "five_seconds")]
    pub within: Span,
    /// Of which consent.
    #[serde(default)]
    pub of: WhichConsent,
}

fn five_seconds() -> Span {
    Span(jiff::SignedDuration::from_secs(5))
}

/// `expect.dc`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectDc {
    /// Whether the account is linked.
    pub linked: bool,
    /// What the DC's page must say, among other things.
    #[serde(default, deserialize_with = "some_text")]
    pub message: Option<String>,
}

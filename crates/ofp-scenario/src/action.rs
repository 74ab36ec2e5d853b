//! What an actor can do: the verbs of the language.

use ofp_types::ConsentStatus;
use serde::Deserialize;

use crate::Span;

/// Every verb, as it is written.
pub const VERBS: &[&str] = &[
    "dc.request_consent",
    "dc.exchange_code",
    "dc.read_balance",
    "customer.follow_authorization",
    "customer.log_in",
    "customer.select_accounts",
    "customer.approve",
    "customer.reject",
    "customer.return_to_dc",
    "customer.close_tab",
    "clock.advance",
    "paynet.check_health",
    "paynet.call_userinfo",
    "expect.consent",
    "expect.dc",
];

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
    /// The consent's time moves on.
    AdvanceClock(Span),
    /// PayNet calls the DP's health endpoint.
    CheckHealth,
    /// PayNet calls the DP's userinfo endpoint.
    CallUserinfo,
    /// The DC redeems its code; the customer goes back to the DC first, if they have not.
    ExchangeCode,
    /// The DC reads a balance.
    ReadBalance(ReadBalance),
    /// The consent reaches a status at PayNet.
    ExpectConsent(ExpectConsent),
    /// What the DC shows its customer.
    ExpectDc(ExpectDc),
}

/// `customer.log_in`. Left out, the target's first test customer logs in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogIn {
    /// The name.
    pub username: Option<String>,
    /// The password.
    pub password: Option<String>,
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
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(word) => match word.as_str() {
                "first" => Ok(Self::First),
                "all" => Ok(Self::All),
                "none" => Ok(Self::None),
                other => Err(D::Error::custom(format!("{expected}, found `{other}`"))),
            },
            value @ serde_json::Value::Array(_) => {
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

/// `customer.select_accounts`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SelectAccounts {
    /// Which.
    pub pick: Pick,
}

/// Which of the linked accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhichAccount {
    /// The first.
    #[default]
    First,
    /// The last.
    Last,
    /// Each in turn.
    Each,
}

/// `dc.read_balance`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadBalance {
    /// Which account.
    pub account: WhichAccount,
    /// How often, each time freshly signed.
    #[serde(deserialize_with = "times")]
    pub times: std::num::NonZeroU16,
}

fn times<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<std::num::NonZeroU16, D::Error> {
    use serde::de::Error as _;
    let times = u64::deserialize(deserializer)?;
    let narrow = u16::try_from(times).ok().filter(|times| *times <= 1000);
    let narrow = narrow.and_then(std::num::NonZeroU16::new);
    narrow
        .ok_or_else(|| D::Error::custom(format!("expected a number from 1 to 1000, found {times}")))
}

impl Default for ReadBalance {
    fn default() -> Self {
        Self { account: WhichAccount::First, times: std::num::NonZeroU16::MIN }
    }
}

/// `expect.consent`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectConsent {
    /// The status.
    pub status: ConsentStatus,
    /// How long it may take to come about.
    #[serde(default = "five_seconds")]
    pub within: Span,
}

fn five_seconds() -> Span {
    Span(jiff::SignedDuration::from_secs(5))
}

/// `expect.dc`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectDc {
    /// Whether the account is linked.
    pub linked: bool,
    /// What the DC's page must say, among other things.
    #[serde(default)]
    pub message: Option<String>,
}

//! What a step's author expects of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::Located;

/// A screen of the DP, as `expect: { screen: … }` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Screen {
    /// Asks for credentials.
    Login,
    /// Lists accounts.
    AccountSelection,
    /// Shows the consent, with approve and reject.
    Review,
    /// Says how it ended.
    Result,
}

impl Screen {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::AccountSelection => "account_selection",
            Self::Review => "review",
            Self::Result => "result",
        }
    }
}

/// What a step's author expects of it. Which keys make sense depends on the verb.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// HTTP status of the answer (`dc.read_balance`, `paynet.…`).
    pub status: Option<Located<u16>>,
    /// JSONPath to value: what the answer's JSON must hold, among other things. A leading `$.` may
    /// be left out.
    pub json: Option<BTreeMap<String, Located<Value>>>,
    /// That it is refused (`paynet.send_event`, `paynet.open_authorize`, `paynet.forward_…`).
    pub refused: Option<Located<bool>>,
    /// The screen that follows (`customer.…`).
    pub screen: Option<Located<Screen>>,
    /// What the page that follows must say, among other things (`customer.…`).
    pub text: Option<Located<String>>,
}

//! Who plays the customer at a Data Provider that is not ours, and how they find their way on its pages.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Located, Span};

/// Who plays the customer, and how.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CustomerSpec {
    /// Who plays the customer.
    pub driver: Driver,
    /// How to recognise and fill in what the heuristics do not find, as CSS selectors.
    pub pages: Pages,
    /// For `command`: the program and its arguments; it gets a JSON object on standard input.
    pub command: Vec<String>,
    /// For `manual` and `command`: how long one decision may take; 3m unless given.
    #[schemars(with = "Option<String>")]
    pub deadline: Option<Span>,
    /// For `browser`: the WebDriver to start; `chromedriver` unless given.
    pub webdriver: Option<String>,
    /// For `browser`: the browser to use; the WebDriver's own choice unless given.
    pub browser: Option<String>,
    /// For `browser`: where to keep a screenshot of each page that a failure was met on.
    pub screenshots: Option<String>,
}

/// Who plays the customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    /// Plain HTTP: forms are found by what they hold. For pages that work without JavaScript.
    #[default]
    Form,
    /// A Chromium over WebDriver, for pages built with JavaScript.
    Browser,
    /// A program of your own.
    Command,
    /// You.
    Manual,
}

impl Driver {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Browser => "browser",
            Self::Command => "command",
            Self::Manual => "manual",
        }
    }
}

/// CSS selectors of what the heuristics do not find.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pages {
    /// The field of the user name.
    pub username: Option<Located<String>>,
    /// The field of the password.
    pub password: Option<Located<String>>,
    /// The button that logs in.
    pub log_in: Option<Located<String>>,
    /// The checkboxes or radio buttons of the accounts.
    pub accounts: Option<Located<String>>,
    /// The button behind the accounts.
    pub next: Option<Located<String>>,
    /// The button that approves.
    pub approve: Option<Located<String>>,
    /// The button that rejects.
    pub reject: Option<Located<String>>,
    /// The link or button that leads back to PayNet.
    pub back: Option<Located<String>>,
    /// What says that the log-in failed.
    pub error: Option<Located<String>>,
}

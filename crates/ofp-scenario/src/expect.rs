//! What a step's author expects of it.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};
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
    /// HTTP status of the answer, or several of which any will do (`dc.read_balance`, `paynet.…`).
    pub status: Option<Located<Statuses>>,
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

/// HTTP statuses, any of which will do: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Vec<u16>);

impl Statuses {
    /// Whether a status is among them.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.contains(&status)
    }

    /// Whether all of them are errors (RFC 9110 §15).
    #[must_use]
    pub fn are_errors(&self) -> bool {
        self.0.iter().all(|status| *status >= 400)
    }

    /// Whether none of them says success.
    #[must_use]
    pub fn exclude_success(&self) -> bool {
        !self.0.iter().any(|status| (200..300).contains(status))
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join(" or "))
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatusesVisitor)
    }
}

struct StatusesVisitor;

impl<'de> Visitor<'de> for StatusesVisitor {
    type Value = Statuses;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an HTTP status, or a list of them")
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Statuses, E> {
        let status = u16::try_from(number).ok().filter(|status| (100..600).contains(status));
        let status = status.ok_or_else(|| {
            E::custom(format!("expected an HTTP status from 100 to 599, found {number}"))
        })?;
        Ok(Statuses(vec![status]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Statuses, A::Error> {
        let mut all = Vec::new();
        while let Some(status) = list.next_element::<u16>()? {
            if !(100..600).contains(&status) {
                let title = format!("expected HTTP statuses from 100 to 599, found {status}");
                return Err(A::Error::custom(title));
            }
            all.push(status);
        }
        match all.is_empty() {
            true => Err(A::Error::custom("expected at least one HTTP status, found none")),
            false => Ok(Statuses(all)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Source, parse_scenarios};

    #[test]
    fn any_of_several_statuses_will_do() {
        let problems = |status: &str| {
            let text = format!(
                "scenario: a\ntitle: A\nsteps:\n  - dc.read_balance:\n    expect: {{ status: {status} }}\n"
            );
            let (scenarios, problems) = parse_scenarios(&Source::new("a.yaml", text), &|_| true);
            let shown = scenarios.first().and_then(|one| one.steps[0].expect.status.clone());
            let shown = shown.map(|status| status.value.to_string());
            (shown, problems.into_iter().map(|problem| problem.title).collect::<Vec<_>>())
        };
        assert_eq!(problems("503").0.as_deref(), Some("503"));
        assert_eq!(problems("[503, 403]").0.as_deref(), Some("503 or 403"));
        for (status, wanted) in [
            ("[]", "at least one HTTP status"),
            ("[200, 7]", "from 100 to 599, found 7"),
            ("99", "from 100 to 599, found 99"),
            ("ok", "an HTTP status, or a list of them"),
        ] {
            let (_, titles) = problems(status);
            assert!(titles.iter().any(|title| title.contains(wanted)), "{status}: {titles:?}");
        }
    }
}

//! A scenario.

use std::collections::BTreeMap;

use ofp_types::{Mutation, Permission, Policy, Profile, Purpose, RequirementId};
use serde::Deserialize;
use serde_json::Value;

use crate::{Action, Expect, Located, Span};

/// What the DC asks the customer for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsentSpec {
    /// What for.
    pub purpose: Purpose,
    /// What to read.
    pub permissions: Vec<Permission>,
    /// For how long; the platform rounds up to the end of the day.
    pub valid_for: Span,
    /// Who names the DP.
    pub provider: Provider,
    /// How the authorization response comes.
    pub response_mode: ResponseMode,
    /// Rules that reach beyond one consent and are to hold for this scenario's.
    pub enforce: Vec<Policy>,
}

/// Where a scenario has nothing to say.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    /// Switches of the profile, each with the value at which the scenario is left out; all must hold.
    pub when: Located<BTreeMap<String, Value>>,
    /// Why, for the report.
    pub because: String,
}

impl Skip {
    /// Whether a profile has every switch so.
    #[must_use]
    pub fn applies_to(&self, profile: &Profile) -> bool {
        let switches = serde_json::to_value(profile).unwrap_or_default();
        self.when.value.iter().all(|(name, value)| switches.get(name) == Some(value))
    }

    /// A switch that no profile has.
    pub(crate) fn unknown(&self) -> Option<&str> {
        let switches = serde_json::to_value(Profile::default()).unwrap_or_default();
        let unknown = self.when.value.keys().find(|name| switches.get(*name).is_none());
        unknown.map(String::as_str)
    }
}

/// Who names the DP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// The DC, in its request.
    #[default]
    Named,
    /// The customer, at PayNet.
    Picked,
}

/// How the authorization response comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// As parameters.
    #[default]
    Query,
    /// As a JWT (JARM).
    Jwt,
}

impl Default for ConsentSpec {
    fn default() -> Self {
        Self {
            purpose: Purpose::Pfm,
            permissions: vec![Permission::ReadAccounts, Permission::ReadBalances],
            valid_for: Span(jiff::SignedDuration::from_hours(24 * 180)),
            provider: Provider::Named,
            response_mode: ResponseMode::Query,
            enforce: Vec::new(),
        }
    }
}

/// One step: an action, and what is expected of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What the author calls it, or `actor.verb`.
    pub name: String,
    /// The line of the file, from 1.
    pub line: usize,
    /// What is done.
    pub action: Action,
    /// What of it is spoilt on purpose.
    pub mutate: Option<Mutation>,
    /// What is expected of it.
    pub expect: Expect,
}

/// A scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its own name, such as `approve`.
    pub name: String,
    /// Which row of `for_each` it is, if there is one.
    pub row: Option<String>,
    /// One sentence.
    pub title: String,
    /// For filters.
    pub tags: Vec<String>,
    /// Requirements that it must lead to a verdict on.
    pub covers: Vec<Located<RequirementId>>,
    /// What the DC asks for.
    pub consent: ConsentSpec,
    /// What happens.
    pub steps: Vec<Step>,
    /// Whether its conversation is held to a snapshot.
    pub snapshot: bool,
    /// Whether it must run alone.
    pub exclusive: bool,
    /// Where it has nothing to say.
    pub skip: Option<Skip>,
}

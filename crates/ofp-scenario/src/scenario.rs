//! A scenario.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

use ofp_types::{Mutation, Permission, Policy, Profile, Purpose, RequirementId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Action, Capture, Diagnostic, Expect, Located, Source, Span,
    template::Template,
    verb::{Answers, Verb},
};

/// What the DC asks the customer for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
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

    /// A switch whose value no profile can have, and why.
    pub(crate) fn impossible(&self) -> Option<(&str, String)> {
        let usual = serde_json::to_value(Profile::default()).unwrap_or_default();
        self.when.value.iter().find_map(|(name, value)| {
            let mut switches = usual.clone();
            *switches.get_mut(name)? = value.clone();
            let why = serde_json::from_value::<Profile>(switches).err()?;
            Some((name.as_str(), why.to_string()))
        })
    }

    /// A switch that no profile has.
    pub(crate) fn unknown(&self) -> Option<&str> {
        let switches = serde_json::to_value(Profile::default()).unwrap_or_default();
        let unknown = self.when.value.keys().find(|name| switches.get(*name).is_none());
        unknown.map(String::as_str)
    }
}

/// Who names the DP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// The DC, in its request.
    #[default]
    Named,
    /// The customer, at PayNet.
    Picked,
}

/// How the authorization response comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
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
    /// The file that it is written in: the scenario's, or that of a fragment which the scenario uses.
    pub source: Source,
    /// The line of that file, from 1.
    pub line: usize,
    /// The bytes of that file.
    pub span: Range<usize>,
    /// Its verb, `actor.verb`.
    pub verb_name: &'static str,
    /// The bytes of its verb.
    pub(crate) key: Range<usize>,
    /// What is done.
    pub action: Action,
    /// What of it is spoilt on purpose.
    pub mutate: Option<Mutation>,
    /// What is expected of it.
    pub expect: Expect,
    /// What of it later steps want to know.
    pub captures: Vec<Capture>,
    /// Whether it is done again until something holds.
    pub until: Option<Until>,
    /// Whether the scenario goes on when it fails.
    pub goes_on: bool,
    /// Where it is left out.
    pub skip: Option<Skip>,
    /// As it is written, where it says values that only the run can tell.
    pub(crate) template: Option<Template>,
}

impl Step {
    /// Its verb.
    #[must_use]
    pub fn verb(&self) -> Option<&'static Verb> {
        Verb::find(self.verb_name)
    }

    /// What comes of its verb.
    #[must_use]
    pub fn answers(&self) -> Option<Answers> {
        self.verb().map(|verb| verb.answers)
    }

    /// Where its verb stands.
    pub(crate) fn verb_span(&self) -> Range<usize> {
        self.key.clone()
    }

    /// The step with the values that the run has found.
    ///
    /// # Errors
    /// What is wrong with the step as it would be with them.
    pub fn with(
        &self,
        captured: &BTreeMap<String, Value>,
    ) -> Result<Cow<'_, Self>, Box<Diagnostic>> {
        match &self.template {
            None => Ok(Cow::Borrowed(self)),
            Some(template) => template.step(self, captured).map(Cow::Owned),
        }
    }
}

/// A step that is done again until something holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Until {
    /// What must hold of an answer for it to be the last.
    pub expect: Expect,
    /// How long to wait between two.
    pub every: Span,
    /// How long to go on at most.
    pub at_most: Span,
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
    /// The only profiles that it is for; all of them unless given.
    pub only_profiles: Option<Vec<String>>,
    /// The names of its variables.
    pub variables: Vec<String>,
    /// Values of its variables that no report may show.
    pub secrets: Vec<String>,
    /// The variables whose values they are.
    pub secret_names: Vec<String>,
}

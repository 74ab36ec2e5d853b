//! A scenario.

use ofp_types::{Permission, Purpose, RequirementId};
use serde::Deserialize;

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
}

impl Default for ConsentSpec {
    fn default() -> Self {
        Self {
            purpose: Purpose::Pfm,
            permissions: vec![Permission::ReadAccounts, Permission::ReadBalances],
            valid_for: Span(jiff::SignedDuration::from_hours(24 * 180)),
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
    /// What is expected of it.
    pub expect: Expect,
}

/// A scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its own name, such as `approve`.
    pub name: String,
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
}

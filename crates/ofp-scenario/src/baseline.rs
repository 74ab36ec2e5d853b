//! The baseline: failures of a DP that are known, each with the reason why they are put up with.

use ofp_types::RequirementId;
use serde::Deserialize;

use crate::{Diagnostic, Located, Source, decode::decode, yaml};

/// A failure that is known.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The requirement that fails.
    pub requirement: Located<RequirementId>,
    /// Where it fails: a scenario's id, with or without a row; anywhere without.
    #[serde(default)]
    pub scenario: Option<Located<String>>,
    /// Why it is put up with, and until when.
    pub comment: Located<String>,
}

impl Known {
    /// Whether it is about a failure in this scenario.
    #[must_use]
    pub fn is_in(&self, scenario: &str) -> bool {
        self.scenario.as_ref().is_none_or(|named| {
            let row_of = scenario.split_once('[').map(|(scenario, _)| scenario);
            named.value == scenario || Some(named.value.as_str()) == row_of
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BaselineFile {
    known_failures: Vec<Known>,
}

/// Reads a baseline. `is_requirement` knows which requirements there are.
///
/// # Errors
/// The problems, with their places in the text.
pub fn parse_baseline(
    source: &Source,
    is_requirement: &dyn Fn(&str) -> bool,
) -> Result<Vec<Known>, Vec<Diagnostic>> {
    let one = |problem: Diagnostic| vec![problem.about("baseline")];
    let file: BaselineFile = decode(&yaml::parse(&source.text).map_err(one)?).map_err(one)?;
    let mut problems = Vec::new();
    for (at, known) in file.known_failures.iter().enumerate() {
        if !is_requirement(known.requirement.value.as_str()) {
            let title = format!("there is no requirement {} with a check", known.requirement.value);
            let help = "`ofp-sim list requirements` lists those that there are".to_owned();
            let span = known.requirement.span.clone();
            problems.push(Diagnostic::in_use("baseline", title, span, help));
        }
        if known.comment.value.trim().is_empty() || known.comment.value.starts_with("TODO") {
            let title = "a known failure needs a comment".to_owned();
            let help = "say why it is put up with, and until when".to_owned();
            let span = known.comment.span.clone();
            problems.push(Diagnostic::in_use("baseline", title, span, help));
        }
        let same = |other: &&Known| {
            let place = |known: &Known| known.scenario.as_ref().map(|s| s.value.clone());
            other.requirement.value == known.requirement.value && place(other) == place(known)
        };
        if file.known_failures[..at].iter().any(|other| same(&other)) {
            let title = format!("{} is known twice in the same place", known.requirement.value);
            let span = known.requirement.span.clone();
            let help = "remove one of them".to_owned();
            problems.push(Diagnostic::in_use("baseline", title, span, help));
        }
    }
    if problems.is_empty() { Ok(file.known_failures) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Known>, Vec<String>> {
        let problems = |all: Vec<Diagnostic>| all.into_iter().map(|p| p.title).collect();
        parse_baseline(&Source::new("b.yaml", text), &|id| id != "K-99").map_err(problems)
    }

    #[test]
    fn a_known_failure_needs_requirement_and_comment() {
        let entry = |text: &str| parsed(&format!("known_failures:\n  - {{ {text} }}\n"));
        let good =
            entry("requirement: K-04, scenario: balance/spoilt, comment: until May").unwrap();
        assert!(good[0].is_in("balance/spoilt[nbf-ahead]") && good[0].is_in("balance/spoilt"));
        assert!(!good[0].is_in("balance/other"));
        for (text, wanted) in [
            ("requirement: K-04", "key `comment` is missing"),
            ("requirement: K-04, comment: ''", "a known failure needs a comment"),
            ("requirement: K-04, comment: TODO", "a known failure needs a comment"),
            ("requirement: K-99, comment: x", "there is no requirement K-99 with a check"),
            ("requirement: K-04, comment: x, until: May", "unknown key `until`"),
        ] {
            let problems = entry(text).unwrap_err();
            assert!(problems[0].contains(wanted), "{text}: {problems:?}");
        }
        let twice = "known_failures: [ { requirement: K-04, comment: a }, { requirement: K-04, comment: b } ]";
        assert_eq!(parsed(twice).unwrap_err(), ["K-04 is known twice in the same place"]);
    }
}

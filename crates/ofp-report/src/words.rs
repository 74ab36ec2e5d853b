//! What several reports say in the same words.

use std::fmt::Write as _;

use ofp_evidence::{
    Finding, RunStarted, ScenarioResult, ScenarioStatus, Severity, Subject, Summary,
};

/// `1 scenario`, `2 scenarios`.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// The profile's name, and that it is an experimental reading if it is.
pub(crate) fn profile(started: &RunStarted) -> String {
    let name = &started.profile;
    if started.experimental { format!("{name} (an experimental reading)") } else { name.clone() }
}

/// How many scenarios passed, of those that were played, and how many were not.
pub(crate) fn scenarios(summary: &Summary) -> String {
    let with = |status| summary.scenarios.iter().filter(|s| s.status == status).count();
    let (passed, left_out) = (with(ScenarioStatus::Passed), with(ScenarioStatus::Skipped));
    let played = count(summary.scenarios.len() - left_out, "scenario");
    let mut text = format!("{passed} of {played} passed");
    if left_out > 0 {
        let _ = write!(text, ", {left_out} left out");
    }
    // what fails a run without failing a requirement
    match unmet(summary).count() {
        0 => {}
        number => {
            let _ = write!(text, ", {} not met", count(number, "expectation"));
        }
    }
    text
}

/// What the authors of scenarios expected and did not get, snapshots among it.
pub(crate) fn unmet(summary: &Summary) -> impl Iterator<Item = (&ScenarioResult, &Finding)> {
    let all = summary.scenarios.iter().flat_map(|scenario| {
        let of_steps = scenario.steps.iter().flat_map(|step| &step.findings);
        of_steps.chain(&scenario.findings).map(move |finding| (scenario, finding))
    });
    all.filter(|(_, finding)| {
        finding.severity == Severity::Failure && !matches!(finding.subject, Subject::Requirement(_))
    })
}

/// What plays a scenario again: its file, and its row in brackets.
pub(crate) fn played(scenario: &ScenarioResult) -> String {
    let row = row_of(&scenario.id.0).map_or("", |(_, row)| row);
    format!("{}{row}", scenario.file)
}

/// The scenario of a row, and the row in its brackets; nothing for an id without.
pub(crate) fn row_of(id: &str) -> Option<(&str, &str)> {
    // a folder may have brackets in its name
    let name = id.rfind('/').map_or(0, |at| at + 1);
    let row = id[name..].find('[')? + name;
    Some(id.split_at(row))
}

/// The flags by which a scenario's variables have the same values again.
pub(crate) fn variables(started: &RunStarted, scenario: &ScenarioResult) -> String {
    let own = started.variable_flags.iter().filter(|(name, _)| scenario.variables.contains(name));
    own.map(|(_, flag)| flag.as_str()).collect()
}

/// So many are read; more would only be scrolled past.
const MOST_NAMES: usize = 12;

/// Names in one line: rows of a table count once, with how many there are.
pub(crate) fn together(ids: &[&str]) -> String {
    let mut tables: Vec<(&str, Vec<&str>)> = Vec::new();
    for id in ids {
        let table = id.split('[').next().unwrap_or(id);
        match tables.iter_mut().find(|(known, _)| *known == table) {
            Some((_, rows)) => rows.push(id),
            None => tables.push((table, vec![id])),
        }
    }
    let shown = |(table, rows): &(&str, Vec<&str>)| match rows[..] {
        [one] => one.to_owned(),
        _ => format!("{table}[{}]", count(rows.len(), "row")),
    };
    let named = tables.iter().take(MOST_NAMES).map(shown).collect::<Vec<_>>().join(", ");
    match tables.len().saturating_sub(MOST_NAMES) {
        0 => named,
        more => format!("{named}, and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_table_stand_together() {
        let ids = ["a/b[x]", "a/c", "a/b[y]", "a/d[z]"];
        assert_eq!(together(&ids), "a/b[2 rows], a/c, a/d[z]");
        let many: Vec<String> = (0..14).map(|at| format!("s{at}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(together(&many).ends_with("s11, and 2 more"));
    }

    #[test]
    fn plurals() {
        assert_eq!((count(1, "step"), count(0, "step")), ("1 step".into(), "0 steps".into()));
    }
}

//! A summary in Markdown, short enough for a job's page: `GITHUB_STEP_SUMMARY`, a merge request.

use std::fmt::Write as _;

use ofp_evidence::{Baseline, Finding, Level, RequirementResult, ScenarioResult, Secrets, Summary};

use crate::words;

/// Longer lists end in a number.
const MOST_ROWS: usize = 50;
/// A cell is for reading, not for archives.
const LONGEST_CELL: usize = 200;

/// The whole run in Markdown.
#[must_use]
pub fn markdown(summary: &Summary) -> String {
    let of_dp = || summary.requirements.iter().filter(|r| r.level != Level::Own);
    let of = |word: &str| of_dp().filter(|r| r.verdict.word() == word).count();
    let verdict = match summary.exit_code {
        0 => "passed",
        1 => "failed",
        2 => "not a valid run",
        4 => "could not be tested",
        5 => "nothing was played",
        _ => "did not pass",
    };
    let started = &summary.started;
    let mut text = format!(
        "## ofp-sim: {verdict}\n\n{} against **{}**, profile {}: {}, exit code {}.\n\n\
         | passed | failed | warned | not tested | not applicable |\n|---|---|---|---|---|\n| {} | {} | {} | {} | {} |\n",
        cell(&started.tool),
        cell(&started.target),
        cell(&words::profile(started)),
        words::scenarios(summary),
        summary.exit_code,
        of("pass"),
        of("fail"),
        of("warn"),
        of("not_tested"),
        of("not_applicable"),
    );
    for (title, wanted) in [("Failures", "fail"), ("Warnings", "warn")] {
        let bad: Vec<&RequirementResult> =
            of_dp().filter(|result| result.verdict.word() == wanted).collect();
        table(&mut text, &summary.secrets, title, &bad);
    }
    expectations(&mut text, summary);
    stale(&mut text, summary);
    stopped(&mut text, summary);
    text
}

fn table(text: &mut String, secrets: &Secrets, title: &str, bad: &[&RequirementResult]) {
    if bad.is_empty() {
        return;
    }
    let _ = write!(
        text,
        "\n### {title}\n\n| | requirement | expected | actual | whose | mend |\n|---|---|---|---|---|---|\n"
    );
    for result in bad.iter().take(MOST_ROWS) {
        let Some(first) = result.verdict.findings().first() else { continue };
        let known = match &result.baseline {
            Some(Baseline::Known { comment }) => format!(" (known: {})", cell(comment)),
            Some(Baseline::New { .. }) => " (new)".into(),
            None => String::new(),
        };
        let _ = writeln!(
            text,
            "| {} | {}{known} | {} | {} | {} | {} |",
            result.id,
            cell(result.title),
            cell(&secrets.mask(&first.expected)),
            cell(&secrets.mask(&first.actual)),
            first.cause,
            cell(first.hint.as_deref().unwrap_or_default()),
        );
    }
    more(text, bad.len());
}

/// What the authors of scenarios expected and did not get: no requirement of the DP's, and the run fails all the same.
fn expectations(text: &mut String, summary: &Summary) {
    let unmet: Vec<(&ScenarioResult, &Finding)> = words::unmet(summary).collect();
    if unmet.is_empty() {
        return;
    }
    text.push_str(
        "\n### Expectations of scenarios that were not met\n\n| scenario | where | expected | actual |\n|---|---|---|---|\n",
    );
    for (scenario, finding) in unmet.iter().take(MOST_ROWS) {
        let mask = |text: &str| cell(&summary.secrets.mask(text));
        let (expected, actual) = (mask(&finding.expected), mask(&finding.actual));
        let (id, place) = (cell(&scenario.id.0), cell(&finding.subject.to_string()));
        let _ = writeln!(text, "| {id} | {place} | {expected} | {actual} |");
    }
    more(text, unmet.len());
}

fn stale(text: &mut String, summary: &Summary) {
    if summary.stale.is_empty() {
        return;
    }
    text.push_str("\n### Known failures that no longer happen\n\n");
    for stale in summary.stale.iter().take(MOST_ROWS) {
        let place =
            stale.scenario.as_deref().map_or_else(String::new, |s| format!(" in {}", cell(s)));
        let _ = writeln!(text, "- {}{place}: remove it from the baseline", stale.requirement);
    }
    more(text, summary.stale.len());
}

/// Scenarios that ended early, each with its reason.
fn stopped(text: &mut String, summary: &Summary) {
    let ended: Vec<_> =
        summary.scenarios.iter().filter_map(|one| Some((one, one.reason()?))).collect();
    if ended.is_empty() {
        return;
    }
    text.push_str(
        "\n### Scenarios that were not played to their end\n\n| scenario | because |\n|---|---|\n",
    );
    for (scenario, reason) in ended.iter().take(MOST_ROWS) {
        let reason = summary.secrets.mask(reason);
        let _ = writeln!(text, "| {} | {} |", cell(&scenario.id.0), cell(&reason));
    }
    more(text, ended.len());
}

fn more(text: &mut String, all: usize) {
    if all > MOST_ROWS {
        let _ = writeln!(text, "\nand {} more: see the JSON report.", all - MOST_ROWS);
    }
}

/// A text that stays in its cell: it may come from the DP.
fn cell(text: &str) -> String {
    let mut all = String::new();
    for c in text.chars().take(LONGEST_CELL) {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '!' => {
                all.push('\\');
                all.push(c);
            }
            '<' => all.push_str("&lt;"),
            '>' => all.push_str("&gt;"),
            '&' => all.push_str("&amp;"),
            c if c.is_control() => all.push(' '),
            c => all.push(c),
        }
    }
    if text.chars().count() > LONGEST_CELL {
        all.push('…');
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dp_cannot_break_out_of_a_cell() {
        assert_eq!(cell("a|b\n| c <img src=x> [x](y)"), r"a\|b \| c &lt;img src=x&gt; \[x\](y)");
        assert_eq!(cell(&"x".repeat(300)).chars().count(), LONGEST_CELL + 1);
    }
}

//! A baseline held to what came: what is known, what is new, and what is known and no longer happens.

use ofp_evidence::{Baseline, RequirementResult, ScenarioStatus, Severity, Stale, Verdict};
use ofp_scenario::Known;

use crate::play::Played;

/// Marks what is known and what is new; entries that no longer happen come back.
pub(crate) fn apply(
    known: &[Known],
    results: &mut [RequirementResult],
    played: &[Played],
    least: Severity,
) -> Vec<Stale> {
    for result in results.iter_mut() {
        if !result.verdict.findings().iter().any(|finding| finding.severity >= least) {
            continue;
        }
        let of_it = || known.iter().filter(|known| known.requirement.value == result.id);
        let covered = |scenario: &str| of_it().any(|known| known.is_in(scenario));
        let everywhere = of_it().any(|known| known.scenario.is_none());
        let in_scenarios = !result.scenarios.is_empty()
            && result.scenarios.iter().all(|scenario| covered(&scenario.0));
        result.baseline = Some(match of_it().next() {
            Some(first) if everywhere || in_scenarios => {
                Baseline::Known { comment: first.comment.value.clone() }
            }
            _ => {
                let new = result.scenarios.iter().filter(|scenario| !covered(&scenario.0));
                Baseline::New { scenarios: new.cloned().collect() }
            }
        });
    }
    let stale = |known: &&Known| is_stale(known, results, played, least);
    let told = |known: &Known| Stale {
        requirement: known.requirement.value.clone(),
        scenario: known.scenario.as_ref().map(|scenario| scenario.value.clone()),
        comment: known.comment.value.clone(),
    };
    known.iter().filter(stale).map(told).collect()
}

/// Whether what is known was looked at, and did not happen.
fn is_stale(
    known: &Known,
    results: &[RequirementResult],
    played: &[Played],
    least: Severity,
) -> bool {
    let Some(result) = results.iter().find(|result| result.id == known.requirement.value) else {
        return false;
    };
    let broken = result.verdict.findings().iter().any(|finding| finding.severity >= least);
    match &known.scenario {
        None => matches!(result.verdict, Verdict::Pass { .. }) || (!broken && seen(result)),
        Some(_) => {
            let to_the_end = |played: &&Played| {
                known.is_in(&played.result.id.0)
                    && !matches!(
                        played.result.status,
                        ScenarioStatus::Skipped | ScenarioStatus::Error
                    )
            };
            let fails = result.scenarios.iter().any(|scenario| known.is_in(&scenario.0));
            played.iter().any(|one| to_the_end(&one)) && seen(result) && !(broken && fails)
        }
    }
}

/// Whether there is a verdict that says something of the DP.
fn seen(result: &RequirementResult) -> bool {
    !matches!(result.verdict, Verdict::NotTested { .. } | Verdict::NotApplicable { .. })
}

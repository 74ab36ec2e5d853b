//! The JSON report, versioned by `schema_version`.

use ofp_evidence::{
    Baseline, Cause, Exchange, Finding, RequirementResult, ScenarioResult, Secrets, StepResult,
    Subject, Summary, Verdict,
};
use serde_json::{Value, json};

use crate::{run::Run, shown};

/// The version of the report's schema.
pub(crate) const SCHEMA_VERSION: &str = "1";

/// The whole run as JSON.
#[must_use]
pub fn json(summary: &Summary) -> Value {
    let secrets = &summary.secrets;
    let run = Run::of(summary);
    let (name, version) =
        summary.started.tool.split_once(' ').unwrap_or((&summary.started.tool, ""));
    json!({
        "schema_version": SCHEMA_VERSION,
        "tool": { "name": name, "version": version },
        "profile": summary.started.profile,
        "profile_experimental": summary.started.experimental,
        "target": { "name": summary.started.target },
        "exit_code": summary.exit_code,
        "duration_ms": summary.took.as_millis(),
        "scenarios": summary.scenarios.iter().map(|s| scenario(secrets, s)).collect::<Vec<_>>(),
        "requirements": summary.requirements.iter().map(|r| requirement(summary, r)).collect::<Vec<_>>(),
        "exchanges": run.exchanges().into_iter().map(|x| exchange(&run, x)).collect::<Vec<_>>(),
    })
}

/// An exchange, and what was spoilt of it.
fn exchange(run: &Run<'_>, exchange: &Exchange) -> Value {
    let secrets = &run.summary.secrets;
    let mut shown = shown::exchange(secrets, exchange);
    if let Some(plain) = run.decrypted(exchange.id) {
        shown["decrypted"] = json!(secrets.mask(&String::from_utf8_lossy(plain)));
    }
    if let Some((mutation, differences)) = run.spoilt(exchange.id) {
        let each = differences.iter().map(|difference| {
            json!({
                "what": difference.what,
                "good": secrets.mask(&difference.good),
                "sent": secrets.mask(&difference.sent),
            })
        });
        shown["spoilt"] =
            json!({ "mutation": mutation.name(), "differences": each.collect::<Vec<_>>() });
    }
    shown
}

pub(crate) fn scenario(secrets: &Secrets, scenario: &ScenarioResult) -> Value {
    json!({
        "id": scenario.id,
        "title": scenario.title,
        "file": scenario.file,
        "status": scenario.status,
        "duration_ms": scenario.took.as_millis(),
        "steps": scenario.steps.iter().map(|s| step(secrets, s)).collect::<Vec<_>>(),
        "findings": findings(secrets, &scenario.findings),
    })
}

pub(crate) fn step(secrets: &Secrets, step: &StepResult) -> Value {
    json!({
        "name": step.name,
        "file": step.file,
        "line": step.line,
        "status": step.status,
        "error": step.error.as_deref().map(|error| secrets.mask(error)),
        "findings": findings(secrets, &step.findings),
        "exchanges": step.exchanges.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

pub(crate) fn requirement(summary: &Summary, requirement: &RequirementResult) -> Value {
    let secrets = &summary.secrets;
    let is_stale = summary.stale.iter().any(|stale| stale.requirement == requirement.id);
    let baseline = requirement.baseline.as_ref().map(Baseline::word);
    let baseline = baseline.or_else(|| is_stale.then_some("stale"));
    let verdict = &requirement.verdict;
    json!({
        "id": requirement.id,
        "title": requirement.title,
        "level": requirement.level,
        "verdict": verdict.word(),
        "cause": cause(verdict),
        "because": verdict.because().map(|because| secrets.mask(because)),
        "evidence": verdict.evidence().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "scenarios": requirement.scenarios,
        "switches": requirement.switches.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "baseline": baseline,
        "findings": findings(secrets, verdict.findings()),
    })
}

/// The DP's fault outweighs the others.
fn cause(verdict: &Verdict) -> Option<Cause> {
    let causes = || verdict.findings().iter().map(|finding| finding.cause);
    causes().find(|cause| *cause == Cause::Dp).or_else(|| causes().next())
}

fn findings(secrets: &Secrets, findings: &[Finding]) -> Vec<Value> {
    let subject = |subject: &Subject| match subject {
        Subject::Requirement(id) => json!({ "requirement": id }),
        Subject::Expectation { file, line } => {
            json!({ "expectation": { "file": file, "line": line } })
        }
        Subject::Snapshot { file } => json!({ "snapshot": file }),
    };
    findings
        .iter()
        .map(|finding| {
            json!({
                "subject": subject(&finding.subject),
                "expected": secrets.mask(&finding.expected),
                "actual": secrets.mask(&finding.actual),
                "severity": finding.severity,
                "cause": finding.cause,
                "hint": finding.hint,
                "exchange": finding.exchange.map(|id| id.to_string()),
            })
        })
        .collect()
}

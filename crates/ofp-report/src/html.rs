//! The HTML report: one file that opens from disk, with everything in it.
//!
//! What matters is HTML; exchanges are data that a script lays out when somebody opens one, so that a run of thousands
//! of them opens at once.

use std::collections::BTreeMap;

use askama::Template;
use ofp_checks::{find, group_title};
use ofp_evidence::{
    Finding, Handshake, Level, RequirementResult, ScenarioResult, ScenarioStatus, Secrets,
    StepResult, StepStatus, Subject, Summary, Verdict,
};
use serde_json::{Value, json};

use crate::{block, run::Run, shown, tokens::tokens, words};

/// More findings of one requirement are in the JSON report.
const MOST_FINDINGS: usize = 5;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    style: &'static str,
    script: &'static str,
    verdict: &'static str,
    class: &'static str,
    tool: &'a str,
    profile: String,
    target: &'a str,
    totals: Vec<(&'static str, usize)>,
    scenarios_line: String,
    took: String,
    exit_code: u8,
    problems: Vec<Problem>,
    bad: Vec<Scenario>,
    good: Vec<Scenario>,
    groups: Vec<Group>,
    data: String,
}

/// A requirement that is broken.
struct Problem {
    id: String,
    word: &'static str,
    level: String,
    title: &'static str,
    source: &'static str,
    switches: String,
    known: Option<String>,
    findings: Vec<Found>,
    more: usize,
    scenarios: Vec<String>,
}

struct Found {
    expected: String,
    actual: String,
    /// Of what an author expects, nobody can say.
    whose: Option<String>,
    hint: Option<String>,
    exchange: Option<String>,
    block: Option<String>,
}

struct Scenario {
    id: String,
    anchor: String,
    title: String,
    file: String,
    status: &'static str,
    took: u128,
    steps: Vec<Step>,
    findings: Vec<Found>,
    /// `x1 x2`: what the script draws.
    exchanges: String,
    has_exchanges: bool,
}

struct Step {
    name: String,
    place: String,
    status: &'static str,
    error: Option<String>,
    findings: Vec<Found>,
    exchanges: Vec<String>,
}

struct Group {
    title: String,
    requirements: Vec<Row>,
}

struct Row {
    id: String,
    level: String,
    title: &'static str,
    word: &'static str,
    shown: String,
    because: String,
    evidence: Vec<String>,
}

/// The whole run as one HTML page.
#[must_use]
pub fn html(summary: &Summary) -> String {
    let run = Run::of(summary);
    let scenarios = || summary.scenarios.iter().map(|one| scenario(&run, one));
    let is_good = |one: &Scenario| one.status == "passed" || one.status == "skipped";
    let (good, bad) = scenarios().partition(is_good);
    let of = |word: &str| of_dp(summary).filter(|r| r.verdict.word() == word).count();
    let (verdict, class) = match summary.exit_code {
        0 => ("Passed", "pass"),
        1 => ("Failed", "fail"),
        2 => ("Not a valid run", "warn"),
        4 => ("Could not be tested", "warn"),
        5 => ("Nothing was played", "warn"),
        _ => ("Did not pass", "fail"),
    };
    let page = Page {
        style: include_str!("../templates/report.css"),
        script: include_str!("../templates/report.js"),
        verdict,
        class,
        tool: &summary.started.tool,
        profile: words::profile(&summary.started),
        target: &summary.started.target,
        totals: vec![
            ("passed", of("pass")),
            ("failed", of("fail")),
            ("warned", of("warn")),
            ("not tested", of("not_tested")),
            ("not applicable", of("not_applicable")),
        ],
        scenarios_line: words::scenarios(summary),
        took: format!("{:.1} s", summary.took.as_secs_f64()),
        exit_code: summary.exit_code,
        problems: summary.requirements.iter().filter_map(|one| problem(&run, one)).collect(),
        bad,
        good,
        groups: groups(&run),
        data: data(&run),
    };
    // a template of ours that cannot be filled in is a page that says so
    page.render().unwrap_or_else(|e| format!("<!doctype html><title>ofp-sim</title><p>{e}</p>"))
}

/// A word as the name of a class.
fn class_of(word: &str) -> String {
    word.replace(' ', "-")
}

fn of_dp(summary: &Summary) -> impl Iterator<Item = &RequirementResult> {
    summary.requirements.iter().filter(|requirement| requirement.level != Level::Own)
}

fn problem(run: &Run<'_>, result: &RequirementResult) -> Option<Problem> {
    let word = match result.verdict {
        Verdict::Fail { .. } => "fail",
        Verdict::Warn { .. } => "warn",
        _ => return None,
    };
    let findings = result.verdict.findings();
    let known = match &result.baseline {
        Some(ofp_evidence::Baseline::Known { comment }) => Some(comment.clone()),
        _ => None,
    };
    Some(Problem {
        id: result.id.to_string(),
        word,
        level: result.level.to_string(),
        title: result.title,
        source: find(result.id.as_str()).map_or("", |requirement| requirement.source),
        switches: result.switches.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        known,
        findings: findings.iter().take(MOST_FINDINGS).map(|one| found(run, one)).collect(),
        more: findings.len().saturating_sub(MOST_FINDINGS),
        scenarios: result.scenarios.iter().map(ToString::to_string).collect(),
    })
}

fn found(run: &Run<'_>, finding: &Finding) -> Found {
    let secrets = &run.summary.secrets;
    let is_requirement = matches!(finding.subject, Subject::Requirement(_));
    Found {
        expected: secrets.mask(&finding.expected).into_owned(),
        actual: secrets.mask(&finding.actual).into_owned(),
        whose: is_requirement.then(|| finding.cause.to_string()),
        hint: finding.hint.clone(),
        exchange: finding.exchange.map(|id| id.to_string()),
        block: block::block(secrets, finding, &[], &[], false),
    }
}

fn own(run: &Run<'_>, findings: &[Finding]) -> Vec<Found> {
    let own = findings.iter().filter(|one| !matches!(one.subject, Subject::Requirement(_)));
    own.map(|one| found(run, one)).collect()
}

fn scenario(run: &Run<'_>, result: &ScenarioResult) -> Scenario {
    let mut exchanges: Vec<_> = result.steps.iter().flat_map(|step| &step.exchanges).collect();
    exchanges.sort_unstable();
    exchanges.dedup();
    let exchanges: Vec<String> = exchanges.into_iter().map(ToString::to_string).collect();
    Scenario {
        id: result.id.to_string(),
        anchor: anchor(&result.id.0),
        title: result.title.clone(),
        file: result.file.clone(),
        status: match result.status {
            ScenarioStatus::Passed => "passed",
            ScenarioStatus::Failed => "failed",
            ScenarioStatus::Error => "error",
            ScenarioStatus::Skipped => "skipped",
        },
        took: result.took.as_millis(),
        steps: result.steps.iter().map(|one| step(run, result, one)).collect(),
        findings: own(run, &result.findings),
        has_exchanges: !exchanges.is_empty(),
        exchanges: exchanges.join(" "),
    }
}

fn anchor(id: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("s-{}", id.chars().map(plain).collect::<String>())
}

fn step(run: &Run<'_>, scenario: &ScenarioResult, step: &StepResult) -> Step {
    Step {
        name: step.name.clone(),
        place: format!("{}:{}", step.file.as_ref().unwrap_or(&scenario.file), step.line),
        status: match step.status {
            StepStatus::Passed => "passed",
            StepStatus::Failed => "failed",
            StepStatus::Error => "error",
            StepStatus::Skipped => "skipped",
            StepStatus::NotApplicable => "not applicable",
        },
        error: step.error.as_ref().map(|error| run.summary.secrets.mask(error).into_owned()),
        findings: own(run, &step.findings),
        exchanges: step.exchanges.iter().map(ToString::to_string).collect(),
    }
}

fn groups(run: &Run<'_>) -> Vec<Group> {
    let mut groups: BTreeMap<char, Vec<Row>> = BTreeMap::new();
    for result in &run.summary.requirements {
        let letter = result.id.as_str().chars().next().unwrap_or('?');
        let evidence = result.verdict.evidence().iter().take(MOST_FINDINGS);
        groups.entry(letter).or_default().push(Row {
            id: result.id.to_string(),
            level: result.level.to_string(),
            title: result.title,
            word: result.verdict.word(),
            shown: result.verdict.word().replace('_', " "),
            because: run.summary.secrets.mask(result.verdict.because().unwrap_or("")).into_owned(),
            evidence: evidence.map(ToString::to_string).collect(),
        });
    }
    let title = |letter: char| format!("{letter}  {}", group_title(letter));
    groups
        .into_iter()
        .map(|(letter, requirements)| Group { title: title(letter), requirements })
        .collect()
}

/// Every exchange, as data: safe inside a `script` element.
fn data(run: &Run<'_>) -> String {
    let exchanges: Vec<Value> = run.exchanges().into_iter().map(|one| exchange(run, one)).collect();
    json!(exchanges).to_string().replace('<', "\\u003c")
}

/// Masks what a value says, whatever its form: a secret of digits may be a number.
fn mask_leaves(secrets: &Secrets, value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Array(items) => items.iter_mut().for_each(|item| mask_leaves(secrets, item)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| mask_leaves(secrets, member));
        }
        Value::String(text) => *text = secrets.mask(text).into_owned(),
        Value::Number(number) => {
            let text = number.to_string();
            let masked = secrets.mask(&text);
            if *masked != *text {
                *value = json!(masked);
            }
        }
    }
}

fn exchange(run: &Run<'_>, exchange: &ofp_evidence::Exchange) -> Value {
    let secrets = &run.summary.secrets;
    let mut value = shown::exchange(secrets, exchange);
    let mut decoded = tokens("URL", value["url"].as_str().unwrap_or_default());
    for side in ["request", "response"] {
        let message = &value[side];
        for header in message["headers"].as_array().into_iter().flatten() {
            let (name, text) = (header[0].as_str(), header[1].as_str());
            let place = format!("{side} header {}", name.unwrap_or_default());
            decoded.extend(tokens(&place, text.unwrap_or_default()));
        }
        let body = message["body"].as_str().unwrap_or_default();
        decoded.extend(tokens(&format!("{side} body"), body));
    }
    let mut decoded = json!(decoded);
    mask_leaves(secrets, &mut decoded);
    value["decoded"] = decoded;
    if let Some(plain) = run.decrypted(exchange.id) {
        let text = secrets.mask(&String::from_utf8_lossy(plain)).into_owned();
        value["decrypted"] = json!(text);
    }
    if let Some(handshake) = exchange.connection.and_then(|id| run.handshake(id)) {
        value["tls"] = tls(handshake);
    }
    if let Some((mutation, _)) = run.spoilt(exchange.id) {
        value["spoilt"] = json!(format!("{mutation}: {}", mutation.what()));
    }
    value
}

fn tls(handshake: &Handshake) -> Value {
    json!({
        "version": handshake.version,
        "cipher": handshake.cipher,
        "server": handshake.server.as_ref().map(|one| &one.subject),
        "client": handshake.offered.as_ref().map(|one| &one.subject),
        "resumed": handshake.resumed,
        "failure": handshake.failure,
    })
}

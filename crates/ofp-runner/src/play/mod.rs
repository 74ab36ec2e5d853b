//! Carries out a scenario's steps, then judges what was recorded.

mod evidence;
mod expect;
mod heard;
mod pretty;
mod seen;
mod step;
mod steps;
mod wanted;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use ofp_checks::{Facts, Requirement, Scope, Settings, catalogue, judge};
use ofp_evidence::{
    Cause, ExchangeId, Finding, Record, RunEvent, ScenarioId, ScenarioResult, ScenarioStatus,
    Severity, StepResult, StepStatus, Verdict,
};

use ofp_scenario::{Action, PROFILES, Scenario, Step};
use ofp_types::{PlatformFault, Profile};

use crate::{
    Loaded, SnapshotMode, World,
    snapshot::{self, SnapshotOptions},
};
use evidence::of_consents;
pub(crate) use steps::end_of_day;
use steps::{Actors, Stopped};

/// How to play.
#[derive(Debug, Clone)]
pub(crate) struct PlayOptions {
    pub(crate) step_deadline: Duration,
    pub(crate) snapshots: SnapshotMode,
    /// A target's own snapshots.
    pub(crate) snapshot_folder: Option<PathBuf>,
    pub(crate) ci: bool,
}

/// A scenario that has been played.
pub(crate) struct Played {
    pub(crate) result: ScenarioResult,
    /// What the checks say of its evidence.
    pub(crate) verdicts: Vec<(&'static Requirement, Verdict)>,
    /// Why it is an error of configuration or scenario, if it is.
    pub(crate) misconfigured: bool,
}

/// Plays a scenario.
pub(crate) async fn play(
    world: &World,
    loaded: &Loaded,
    options: &PlayOptions,
    seat: usize,
    tell: &(dyn Fn(RunEvent) + Sync),
) -> Played {
    if let Some(because) = left_out(&loaded.scenario, &world.settings.profile) {
        return not_played(loaded, &because);
    }
    loaded.scenario.secrets.iter().for_each(|secret| world.journal.keep_secret(secret));
    let started = Instant::now();
    let mut actors = Actors::new(world, &loaded.scenario, seat);
    let (mut steps, stopped) = step::play_all(&mut actors, world, loaded, options, tell).await;
    actors.at_rest().await;
    settle(world, &actors, options).await;
    let not_struck = if stopped.is_none() { actors.not_struck() } else { Vec::new() };
    let all = world.journal.records();
    let records = of_consents(&all, &actors.consents());
    actors.tear_down().await;

    let verdicts = verdicts(&world.settings, &records);
    let mut findings: Vec<Finding> =
        verdicts.iter().flat_map(|(_, verdict)| verdict.findings().to_vec()).collect();
    // the conversation of a DP that fails a must is not worth comparing, and never to be accepted
    let broken = findings.iter().any(|finding| finding.severity == Severity::Failure);
    let went_well =
        |step: &StepResult| matches!(step.status, StepStatus::Passed | StepStatus::NotApplicable);
    let whole = stopped.is_none() && steps.iter().all(went_well);
    if whole && loaded.scenario.snapshot && !broken {
        findings.extend(check_snapshot(world, loaded, options, &records));
    }
    // a DP that is not ours may have nothing that a claim could rest on: then it is not tested, no more
    let claims = stopped.is_none() && world.dp.target().is_none();
    let uncovered = if claims { uncovered(loaded, &verdicts) } else { Vec::new() };
    let misconfigured = !uncovered.is_empty() || matches!(stopped, Some(Stopped::OutOfOrder));
    findings.extend(uncovered);
    if stopped.is_none() {
        hold_to_verdicts(&mut steps, &loaded.scenario, &verdicts);
    }
    findings.extend(not_struck.into_iter().map(|fault| never_struck(loaded, fault)));
    file_by_cause(&mut steps, &records);
    let findings = attribute(&mut steps, findings);
    let result = ScenarioResult {
        id: ScenarioId(loaded.id.clone()),
        title: loaded.scenario.title.clone(),
        file: loaded.source.name.clone(),
        status: status(&steps, &findings, misconfigured),
        took: started.elapsed(),
        steps,
        findings,
        variables: loaded.scenario.variables.clone(),
        consents: actors.consents(),
        until: all.len(),
    };
    Played { result, verdicts, misconfigured }
}

/// A fault of the platform that met no message: the scenario did not come to what it was about.
fn never_struck(loaded: &Loaded, fault: PlatformFault) -> Finding {
    let written = serde_json::to_string(&fault).unwrap_or_default();
    let expected = format!("the fault {written} strikes before the scenario ends");
    let came = "it has not struck".to_owned();
    let is_it = |step: &&Step| {
        matches!(&step.action, Action::Inject(inject)
            if (inject.fault.at, inject.fault.effect) == (fault.at, fault.effect))
    };
    match loaded.scenario.steps.iter().rev().find(is_it) {
        Some(step) => expect::unmet_by(step, expected, came),
        None => expect::at_line(&loaded.source.name, 1, expected, came),
    }
}

/// Why a scenario has nothing to say in a profile, if it has not.
fn left_out(scenario: &Scenario, profile: &Profile) -> Option<String> {
    if let Some(skip) = scenario.skip.as_ref().filter(|skip| skip.applies_to(profile)) {
        return Some(skip.because.clone());
    }
    let only = scenario.only_profiles.as_ref()?;
    (!only.contains(&profile.name)).then(|| format!("it is only for profile {}", only.join(", ")))
}

/// Steps whose authors expect verdicts, held to what the scenario as a whole shows.
fn hold_to_verdicts(
    results: &mut [StepResult],
    scenario: &Scenario,
    verdicts: &[(&Requirement, Verdict)],
) {
    let played =
        |result: &&mut StepResult| matches!(result.status, StepStatus::Passed | StepStatus::Failed);
    let pairs = scenario.steps.iter().zip(results).filter(|(_, result)| played(result));
    for (step, result) in pairs {
        for (id, expected) in step.expect.requirements.iter().flatten() {
            let found = verdicts.iter().find(|(requirement, _)| requirement.id == id.0);
            let word = found.map_or("not judged by a scenario", |(_, verdict)| verdict.word());
            if word != expected.value.as_str() {
                let wanted = format!("{}: {}", id.0, expected.value.as_str());
                result.findings.push(expect::unmet(step, &expected.span, wanted, word.to_owned()));
                result.status = StepStatus::Failed;
            }
        }
    }
}

/// What the checks say of a scenario's evidence.
fn verdicts(settings: &Settings, records: &[Arc<Record>]) -> Vec<(&'static Requirement, Verdict)> {
    let facts = Facts::of(settings, records);
    catalogue()
        .filter(|requirement| requirement.scope == Scope::Scenario)
        .map(|requirement| (requirement, judge(requirement, &facts)))
        .collect()
}

/// A scenario that was played, judged again by what was recorded.
pub(crate) fn played_before(
    result: ScenarioResult,
    settings: &Settings,
    records: &[Arc<Record>],
) -> Played {
    let then = records.get(..result.until).unwrap_or(records);
    let verdicts = verdicts(settings, &of_consents(then, &result.consents));
    let misconfigured = result.findings.iter().any(|finding| finding.cause == Cause::Config);
    Played { result, verdicts, misconfigured }
}

/// A scenario that is not played, and why.
pub(crate) fn not_played(loaded: &Loaded, because: &str) -> Played {
    let skipped = |(at, step): (usize, &Step)| StepResult {
        name: step.name.clone(),
        file: step::file_of(step, loaded),
        line: step.line,
        status: StepStatus::Skipped,
        findings: Vec::new(),
        error: (at == 0).then(|| because.to_owned()),
        exchanges: Vec::new(),
    };
    let result = ScenarioResult {
        id: ScenarioId(loaded.id.clone()),
        title: loaded.scenario.title.clone(),
        file: loaded.source.name.clone(),
        status: ScenarioStatus::Skipped,
        took: Duration::ZERO,
        steps: loaded.scenario.steps.iter().enumerate().map(skipped).collect(),
        findings: Vec::new(),
        variables: loaded.scenario.variables.clone(),
        consents: Vec::new(),
        until: 0,
    };
    Played { result, verdicts: Vec::new(), misconfigured: false }
}

/// Events to the DP that are still under way belong to the evidence.
async fn settle(world: &World, actors: &Actors<'_>, options: &PlayOptions) {
    for consent in actors.consents() {
        // an event that the DP never answers has been recorded as such by then
        let _ = world.paynet.settled(&consent, options.step_deadline).await;
    }
}

fn check_snapshot(
    world: &World,
    loaded: &Loaded,
    options: &PlayOptions,
    records: &[Arc<Record>],
) -> Vec<Finding> {
    let text = snapshot::conversation(&world.names, records);
    snapshot::check(
        &text,
        &SnapshotOptions {
            scenario: Path::new(&loaded.source.name),
            embedded: loaded.embedded,
            elsewhere: options
                .snapshot_folder
                .as_deref()
                .map(|folder| (folder, loaded.id.as_str())),
            profile: Some(world.settings.profile.name.as_str())
                .filter(|name| *name != PROFILES[0].0),
            mode: options.snapshots,
            ci: options.ci,
        },
    )
}

/// A claim to cover a requirement that came to no verdict is an error of the scenario.
fn uncovered(loaded: &Loaded, verdicts: &[(&Requirement, Verdict)]) -> Vec<Finding> {
    let untested = |id: &str| {
        let found = verdicts.iter().find(|(requirement, _)| requirement.id == id)?;
        found.1.because().map(str::to_owned)
    };
    let mut findings = Vec::new();
    for covered in &loaded.scenario.covers {
        if let Some(because) = untested(covered.value.as_str()) {
            let line = loaded.source.line(covered.span.start);
            let id = covered.value.as_str();
            findings.push(uncovered_claim(&loaded.source.name, line, id, &because));
        }
    }
    findings
}

/// A scenario claims what came to nothing: its author's error, not the DP's.
pub(crate) fn uncovered_claim(file: &str, line: usize, id: &str, because: &str) -> Finding {
    let expected = format!("a verdict on {id}, which the scenario claims to cover");
    expect::at_line(file, line, expected, format!("none: {because}")).caused_by(Cause::Config)
}

/// An exchange belongs to the step of whatever caused it, whenever it was recorded.
fn file_by_cause(steps: &mut [StepResult], records: &[Arc<Record>]) {
    let mut caused: Vec<(ExchangeId, ExchangeId)> = records
        .iter()
        .filter_map(|record| match &**record {
            Record::Exchange(exchange) => Some((exchange.id, exchange.cause?)),
            _ => None,
        })
        .collect();
    // a cause has a lower number than its effect, so it has found its step before
    caused.sort_unstable();
    for (effect, cause) in caused {
        let Some(home) = steps.iter().position(|step| step.exchanges.contains(&cause)) else {
            continue;
        };
        for step in steps.iter_mut() {
            step.exchanges.retain(|id| *id != effect);
        }
        steps[home].exchanges.push(effect);
        steps[home].exchanges.sort_unstable();
    }
}

/// Gives each finding to the step in which its exchange happened; the rest comes back.
fn attribute(steps: &mut [StepResult], findings: Vec<Finding>) -> Vec<Finding> {
    let mut rest = Vec::new();
    for finding in findings {
        let owner = finding
            .exchange
            .and_then(|exchange| steps.iter_mut().find(|step| step.exchanges.contains(&exchange)));
        match owner {
            Some(step) => {
                if finding.severity == Severity::Failure && step.status == StepStatus::Passed {
                    step.status = StepStatus::Failed;
                }
                step.findings.push(finding);
            }
            None => rest.push(finding),
        }
    }
    rest
}

fn status(steps: &[StepResult], findings: &[Finding], misconfigured: bool) -> ScenarioStatus {
    let failed = |finding: &Finding| finding.severity == Severity::Failure;
    if misconfigured {
        ScenarioStatus::Error
    } else if findings.iter().any(failed) || steps.iter().any(|s| s.status == StepStatus::Failed) {
        ScenarioStatus::Failed
    } else if steps.iter().any(|step| step.status == StepStatus::Error) {
        ScenarioStatus::Error
    } else if steps.iter().any(|step| step.status == StepStatus::Skipped)
        // of which nothing was done has not passed
        || steps.iter().all(|step| step.status == StepStatus::NotApplicable)
    {
        ScenarioStatus::Skipped
    } else {
        ScenarioStatus::Passed
    }
}

//! A run: every scenario, several at once, and what it amounts to.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use ofp_checks::{Facts, Requirement, Scope, Settings, catalogue, judge, merge, root_of};
use ofp_evidence::{
    Baseline, Cause, REFERENCE_DP, Record, RequirementResult, RunEvent, RunStarted, ScenarioId,
    ScenarioStatus, Severity, StepStatus, Summary, Verdict,
};
use ofp_scenario::Known;
use ofp_types::Switch;

use crate::{
    Loaded, SnapshotMode, World, baseline, exit,
    play::{PlayOptions, Played, not_played, play, uncovered_claim},
    reach::{Lost, Reach},
    target::Target,
};

/// The tag of scenarios that wait.
const SLOW: &str = "slow";

/// How to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// How many scenarios at once.
    pub jobs: usize,
    /// How long one step may take.
    pub step_deadline: Duration,
    /// What to do with snapshots.
    pub snapshots: SnapshotMode,
    /// Where they are, unless beside the scenarios.
    pub snapshot_folder: Option<PathBuf>,
    /// Whether nothing may be written beside what was asked for.
    pub ci: bool,
    /// Whether a warning fails the run.
    pub fail_on_should: bool,
    /// Failures that are known, where there is a baseline.
    pub baseline: Option<Vec<Known>>,
    /// What is known already.
    pub started: RunStarted,
    /// Where the certificates are, for commands that reproduce an exchange.
    pub pki_folder: Option<String>,
}

impl RunOptions {
    /// For a program of our own that plays `scenarios` in a world: two at once, nothing compared, nothing written.
    #[must_use]
    pub fn by(tool: &str, world: &World, scenarios: usize) -> Self {
        let target = world.dp.target().map_or(REFERENCE_DP, Target::name);
        let started = RunStarted {
            tool: tool.to_owned(),
            profile: world.settings.profile.name.clone(),
            experimental: world.settings.profile.experimental,
            target: target.to_owned(),
            rerun_flags: String::new(),
            step_flags: String::new(),
            variable_flags: Vec::new(),
            scenarios,
        };
        Self {
            jobs: 2,
            step_deadline: Duration::from_secs(30),
            snapshots: SnapshotMode::Off,
            snapshot_folder: None,
            ci: true,
            fail_on_should: false,
            baseline: None,
            started,
            pki_folder: None,
        }
    }
}

/// Plays scenarios in a world and tells `listener` of it. The last event carries the summary that
/// is returned.
pub async fn run(
    world: &World,
    scenarios: &[Loaded],
    options: &RunOptions,
    listener: &(dyn Fn(RunEvent) + Sync),
) -> Arc<Summary> {
    let started = Instant::now();
    listener(RunEvent::Started(options.started.clone()));
    let reach = Reach::default();
    let mut played = play_all(world, scenarios, options, &reach, listener).await;
    played.sort_by_key(|(at, _)| *at);
    let mut played: Vec<Played> = played.into_iter().map(|(_, played)| played).collect();

    let records = world.journal.records();
    let mut requirements = requirements(&world.settings, &records, &played);
    let lost = reach.lost(world);
    let calls_refused = match &lost {
        Some(Lost::PayNet(_)) => lost.as_ref().map(ToString::to_string),
        _ => None,
    };
    if let Some(lost) = &lost {
        untested_all(&mut requirements, &lost.to_string(), calls_refused.is_some());
    }
    say_why_not_played(&mut requirements, &played, scenarios);
    if world.dp.target().is_none() {
        check_world_claims(&mut played, scenarios, &requirements);
    }
    let least = least(options.fail_on_should);
    let known = options.baseline.as_deref();
    let stale = known.map(|known| baseline::apply(known, &mut requirements, &played, least));
    let stale = stale.unwrap_or_default();
    let refused = calls_refused.is_some();
    let mut exit_code =
        exit_code(&played, &requirements, &records, refused, options.fail_on_should);
    if !stale.is_empty() {
        exit_code = exit::worst(&[exit_code, exit::FAILED]);
    }
    let summary = Arc::new(Summary {
        started: options.started.clone(),
        scenarios: played.into_iter().map(|played| played.result).collect(),
        requirements,
        calls_refused,
        stale,
        records,
        secrets: world.journal.secrets(),
        pki_folder: options.pki_folder.clone(),
        took: started.elapsed(),
        exit_code,
    });
    listener(RunEvent::Finished(Arc::clone(&summary)));
    summary
}

/// What is said about every requirement.
pub(crate) fn requirements(
    settings: &Settings,
    records: &[Arc<Record>],
    played: &[Played],
) -> Vec<RequirementResult> {
    let facts = Facts::of(settings, records);
    let switches = settings.profile.switches();
    let all = catalogue().map(|requirement| result(requirement, played, &facts, &switches));
    fold_consequences(all.collect(), played)
}

/// Up to `jobs` scenarios at once; one that is exclusive runs alone, after the others.
async fn play_all(
    world: &World,
    scenarios: &[Loaded],
    options: &RunOptions,
    reach: &Reach,
    listener: &(dyn Fn(RunEvent) + Sync),
) -> Vec<(usize, Played)> {
    let play_options = PlayOptions {
        step_deadline: options.step_deadline,
        snapshots: options.snapshots,
        snapshot_folder: options.snapshot_folder.clone(),
        ci: options.ci,
    };
    let (alone, mut together): (Vec<usize>, Vec<usize>) =
        (0..scenarios.len()).partition(|at| scenarios[*at].scenario.exclusive);
    // who waits for a deadline begins first, while others have work to do
    together.sort_by_key(|at| !scenarios[*at].scenario.tags.iter().any(|tag| tag == SLOW));
    let mut played = Vec::with_capacity(scenarios.len());
    for (queue, jobs) in [(together, options.jobs.max(1)), (alone, 1)] {
        let queue = Mutex::new(queue.into_iter());
        let worker = async |seat: usize| {
            let mut done = Vec::new();
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(at) = next else { return done };
                listener(RunEvent::ScenarioStarted(ScenarioId(scenarios[at].id.clone())));
                let one = match reach.lost(world) {
                    Some(lost) => not_played(&scenarios[at], &lost.to_string()),
                    None => play(world, &scenarios[at], &play_options, seat, listener).await,
                };
                let result = one.result.clone();
                let result = match result.has_texts() {
                    true => result.masked(&world.journal.secrets()),
                    false => result,
                };
                listener(RunEvent::ScenarioFinished(Box::new(result)));
                done.push((at, one));
            }
        };
        let workers = (0..jobs.min(scenarios.len())).map(|at| worker(seat(world, at)));
        for done in join_all(workers).await {
            played.extend(done);
        }
    }
    played
}

/// The test customer that a worker's scenarios have for their own. Ours knows how to be in several places.
fn seat(world: &World, worker: usize) -> usize {
    if world.dp.target().is_some() { worker } else { 0 }
}

fn result(
    requirement: &'static Requirement,
    played: &[Played],
    world: &Facts<'_>,
    switches: &[Switch],
) -> RequirementResult {
    let of_requirement = |played: &Played| {
        let found = played.verdicts.iter().find(|(other, _)| other.id == requirement.id);
        found.map(|(_, verdict)| (played.result.id.clone(), verdict.clone()))
    };
    let per_scenario: Vec<(ScenarioId, Verdict)> =
        played.iter().filter_map(of_requirement).collect();
    let verdict = match requirement.scope {
        Scope::World => judge(requirement, world),
        Scope::Scenario => {
            let verdicts: Vec<Verdict> = per_scenario.iter().map(|(_, v)| v.clone()).collect();
            let mut verdict = merge(requirement, &verdicts);
            // another scenario may have found out how the DP reads PayNet's pages
            verdict.findings_mut().iter_mut().for_each(|finding| world.reread(finding));
            verdict
        }
    };
    // where it went wrong, if it did; else where it was seen
    let wrong = !verdict.findings().is_empty();
    let seen = per_scenario.into_iter().filter(|(_, of_one)| match wrong {
        true => !of_one.findings().is_empty(),
        false => !of_one.evidence().is_empty(),
    });
    RequirementResult {
        id: requirement.requirement_id(),
        title: requirement.title,
        level: requirement.level_in(world.profile()),
        verdict,
        scenarios: seen.map(|(id, _)| id).collect(),
        switches: requirement.depends_on(switches),
        baseline: None,
    }
}

/// A failure that follows from another is not tested because of it, if the other failed wherever
/// it did.
fn fold_consequences(
    mut results: Vec<RequirementResult>,
    played: &[Played],
) -> Vec<RequirementResult> {
    let failed_in = |id: &str| -> Vec<&ScenarioId> {
        let failed = |played: &&Played| {
            played.verdicts.iter().any(|(r, v)| r.id == id && !v.findings().is_empty())
        };
        played.iter().filter(failed).map(|played| &played.result.id).collect()
    };
    let explains = |root: &str, follower: &str| {
        let is_world = ofp_checks::find(root).is_some_and(|r| r.scope == Scope::World);
        let roots = failed_in(root);
        is_world || failed_in(follower).iter().all(|scenario| roots.contains(scenario))
    };
    let roots: Vec<Option<&'static str>> = results
        .iter()
        .map(|result| {
            let failed = |id: &str| {
                let verdict = results.iter().find(|other| other.id.as_str() == id);
                verdict.is_some_and(|other| matches!(other.verdict, Verdict::Fail { .. }))
            };
            let id = result.id.as_str();
            let wrong = !result.verdict.findings().is_empty();
            if wrong { root_of(id, |root| failed(root) && explains(root, id)) } else { None }
        })
        .collect();
    for (result, root) in results.iter_mut().zip(roots) {
        if let Some(root) = root {
            let because = format!("it follows from the failure of {root}");
            result.verdict = Verdict::NotTested { because };
        }
    }
    results
}

/// Nothing was tested for one reason. Where the DP's calls did not get through, what did not come is no
/// fault of its.
pub(crate) fn untested_all(results: &mut [RequirementResult], reason: &str, even_failures: bool) {
    for result in results {
        let broken = !result.verdict.findings().is_empty() && even_failures;
        if broken || matches!(result.verdict, Verdict::NotTested { .. }) {
            result.verdict = Verdict::NotTested { because: reason.to_owned() };
        }
    }
}

/// What was not tested because a scenario could not be played has the scenario's reason.
fn say_why_not_played(results: &mut [RequirementResult], played: &[Played], scenarios: &[Loaded]) {
    for (played, loaded) in played.iter().zip(scenarios) {
        let skipped = played.result.status == ScenarioStatus::Skipped;
        let Some(reason) = played.result.reason().filter(|_| skipped) else { continue };
        for covered in &loaded.scenario.covers {
            let id = covered.value.as_str();
            for result in results.iter_mut().filter(|result| result.id.as_str() == id) {
                if let Verdict::NotTested { because } = &mut result.verdict {
                    reason.clone_into(because);
                }
            }
        }
    }
}

/// Claims to cover what only the whole run can tell.
fn check_world_claims(played: &mut [Played], scenarios: &[Loaded], results: &[RequirementResult]) {
    for (played, loaded) in played.iter_mut().zip(scenarios) {
        if played.result.steps.iter().any(|step| step.status != StepStatus::Passed) {
            continue;
        }
        for covered in &loaded.scenario.covers {
            let id = covered.value.as_str();
            let is_world = ofp_checks::find(id).is_some_and(|r| r.scope == Scope::World);
            let result = results.iter().find(|result| result.id.as_str() == id);
            let because = result.filter(|_| is_world).and_then(|result| result.verdict.because());
            if let Some(because) = because {
                let line = loaded.source.line(covered.span.start);
                let claim = uncovered_claim(&loaded.source.name, line, id, because);
                played.result.findings.push(claim);
                played.result.status = ScenarioStatus::Error;
                played.misconfigured = true;
            }
        }
    }
}

/// Whether a failure that is known happened in a scenario, and none that is not.
fn excused(scenario: &ScenarioId, requirements: &[RequirementResult]) -> bool {
    let mut of_it = requirements.iter().filter(|result| {
        result.scenarios.contains(scenario) && matches!(result.verdict, Verdict::Fail { .. })
    });
    let known =
        |result: &RequirementResult| matches!(result.baseline, Some(Baseline::Known { .. }));
    of_it.clone().next().is_some() && of_it.all(known)
}

/// The least that fails a run.
fn least(fail_on_should: bool) -> Severity {
    if fail_on_should { Severity::Warning } else { Severity::Failure }
}

/// Whether the DP took a call in another reading: the profile is wrong then.
fn misread(records: &[Arc<Record>]) -> bool {
    records.iter().any(|record| matches!(&**record, Record::OtherReading(r) if r.accepted))
}

/// What the run amounts to, where a configuration that made it worthless outweighs the rest.
pub(crate) fn exit_code(
    played: &[Played],
    requirements: &[RequirementResult],
    records: &[Arc<Record>],
    calls_refused: bool,
    fail_on_should: bool,
) -> u8 {
    let outcome = outcome(played, requirements, fail_on_should);
    match calls_refused || misread(records) {
        true => exit::worst(&[outcome, exit::CONFIG]),
        false => outcome,
    }
}

/// What the run amounts to. A failure that is the network's or the configuration's is no failure
/// of the DP's conformance.
fn outcome(played: &[Played], requirements: &[RequirementResult], fail_on_should: bool) -> u8 {
    let mut codes = Vec::new();
    if played.iter().all(|played| played.result.status == ScenarioStatus::Skipped) {
        codes.push(exit::NOTHING);
    }
    let least = least(fail_on_should);
    let known = |r: &&RequirementResult| matches!(r.baseline, Some(Baseline::Known { .. }));
    let findings = requirements.iter().filter(|r| !known(r)).flat_map(|r| r.verdict.findings());
    for finding in findings.filter(|finding| finding.severity >= least) {
        codes.push(match finding.cause {
            Cause::Dp => exit::FAILED,
            Cause::Config | Cause::Network => exit::UNTESTED,
            Cause::Harness => exit::BUG,
        });
    }
    for played in played {
        let unmet = |finding: &ofp_evidence::Finding| {
            !matches!(finding.subject, ofp_evidence::Subject::Requirement(_))
        };
        let steps = played.result.steps.iter().flat_map(|step| &step.findings);
        if played.misconfigured {
            codes.push(exit::CONFIG);
        } else if excused(&played.result.id, requirements) {
            // what its author expected could not come, for a reason that is known
        } else if steps.chain(&played.result.findings).any(unmet) {
            codes.push(exit::FAILED);
        } else if played.result.status == ScenarioStatus::Error {
            codes.push(exit::UNTESTED);
        }
    }
    exit::worst(&codes)
}

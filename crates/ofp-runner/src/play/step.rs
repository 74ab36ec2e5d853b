//! One step after the other: each attempt at it, what it is held to besides its answer, and what is captured of it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use ofp_evidence::{Finding, RunEvent, ScenarioId, StepResult, StepStatus};
use ofp_scenario::{Answers, Capture, CaptureFrom, ConsentMember, Step, Until};
use serde_json::{Value, json};

use super::{
    PlayOptions,
    expect::unmet,
    heard::Heard,
    seen::Seen,
    steps::{Actors, StepError, Stopped},
};
use crate::{Loaded, World};

/// How long a status may take that a step expects beside something else.
const SOON: Duration = Duration::from_secs(5);

/// Plays the steps of a scenario.
pub(super) async fn play_all(
    actors: &mut Actors<'_>,
    world: &World,
    loaded: &Loaded,
    options: &PlayOptions,
    tell: &(dyn Fn(RunEvent) + Sync),
) -> (Vec<StepResult>, Option<Stopped>) {
    let mut playing = Playing { world, options, captured: BTreeMap::new(), stopped: None };
    let mut results = Vec::new();
    for step in &loaded.scenario.steps {
        let mut result = StepResult {
            name: step.name.clone(),
            file: file_of(step, loaded),
            line: step.line,
            status: StepStatus::Skipped,
            findings: Vec::new(),
            error: None,
            exchanges: Vec::new(),
        };
        if let Some(part) = step.action.part().filter(|part| !world.dp.claims(*part)) {
            result.error = Some(format!("the target's `scope` does not claim {}", part.name()));
        } else if let Some(skip) =
            step.skip.as_ref().filter(|skip| skip.applies_to(&world.settings.profile))
        {
            result.status = StepStatus::NotApplicable;
            result.error = Some(skip.because.clone());
        } else if playing.stopped.is_none() {
            playing.play(actors, step, &mut result).await;
        }
        let masked = match result.has_texts() {
            true => result.clone().masked(&world.journal.secrets()),
            false => result.clone(),
        };
        let (scenario, number) = (ScenarioId(loaded.id.clone()), results.len() + 1);
        tell(RunEvent::StepFinished { scenario, number, step: Box::new(masked) });
        results.push(result);
    }
    (results, playing.stopped)
}

/// The file that a step is written in, where that is not the scenario's.
pub(super) fn file_of(step: &Step, loaded: &Loaded) -> Option<String> {
    (step.source.name != loaded.source.name).then(|| step.source.name.clone())
}

/// One try at a step.
#[derive(Clone, Copy)]
struct Attempt {
    started: Instant,
    /// How many records there were before it.
    before: usize,
    /// How long a status may take to come about.
    soon: Duration,
}

impl Attempt {
    fn begin(world: &World, soon: Duration) -> Self {
        Self { started: Instant::now(), before: world.journal.mark(), soon }
    }
}

/// A scenario under way.
struct Playing<'a> {
    world: &'a World,
    options: &'a PlayOptions,
    /// What earlier steps have captured.
    captured: BTreeMap<String, Value>,
    stopped: Option<Stopped>,
}

impl Playing<'_> {
    async fn play(&mut self, actors: &mut Actors<'_>, written: &Step, result: &mut StepResult) {
        let step = match written.with(&self.captured) {
            Ok(step) => step,
            Err(problem) => {
                result.status = StepStatus::Error;
                result.error = Some(format!("with what was captured: {}", problem.title));
                if !written.goes_on {
                    self.stopped = Some(Stopped::ByTheOthers);
                }
                return;
            }
        };
        let before = self.world.journal.mark();
        let patience = actors.patience(self.options.step_deadline)
            + step.until.as_ref().map_or(Duration::ZERO, |until| until.at_most.0.unsigned_abs());
        let attempts = self.attempts(actors, &step);
        let outcome = match tokio::time::timeout(patience, attempts).await {
            Ok(outcome) => outcome,
            Err(_) => Err(StepError::Deadline(patience)),
        };
        result.exchanges = self.seen(actors, &step, before).ids();
        let readings = async {
            let consents = actors.consents();
            self.world.try_other_readings(before, &consents).await;
        };
        // what is not found out in the time of a step is not found out
        let _ = tokio::time::timeout(patience, readings).await;
        let outcome = outcome.map(|findings| {
            let missed = self.capture(actors, &step, before);
            // what is missing may be missing because of what is wrong
            if findings.is_empty() { missed } else { findings }
        });
        self.conclude(outcome, &step, result);
    }

    fn conclude(
        &mut self,
        outcome: Result<Vec<Finding>, StepError>,
        step: &Step,
        result: &mut StepResult,
    ) {
        match outcome {
            Ok(findings) if findings.is_empty() => result.status = StepStatus::Passed,
            Ok(findings) => {
                result.status = StepStatus::Failed;
                result.findings = findings;
                if !step.goes_on {
                    self.stopped = Some(Stopped::ByTheOthers);
                }
            }
            Err(error) => {
                result.error = Some(error.to_string());
                let why = error.stops();
                if why != Stopped::NotInProfile {
                    result.status = StepStatus::Error;
                }
                if !(step.goes_on && why == Stopped::ByTheOthers) {
                    self.stopped = Some(why);
                }
            }
        }
    }

    /// Does the step, again and again where it waits for something; everything that is not as expected comes back.
    async fn attempts(
        &self,
        actors: &mut Actors<'_>,
        step: &Step,
    ) -> Result<Vec<Finding>, StepError> {
        let Some(until) = &step.until else {
            return self.attempt(actors, step, Attempt::begin(self.world, SOON)).await;
        };
        let begun = Instant::now();
        let deadline = begun + until.at_most.0.unsigned_abs();
        let mut waiting = step.clone();
        waiting.expect = until.expect.clone();
        loop {
            let attempt = Attempt::begin(self.world, Duration::ZERO);
            let is_last = attempt.started + until.every.0.unsigned_abs() > deadline;
            match self.attempt(actors, &waiting, attempt).await {
                Ok(findings) if findings.is_empty() => {
                    // the step takes as long as all its tries
                    let attempt = Attempt { started: begun, soon: SOON, ..attempt };
                    return Ok(self.held_at_last(actors, step, attempt).await);
                }
                Ok(findings) if is_last => {
                    let in_vain = findings.into_iter().map(|finding| in_vain(finding, until));
                    return Ok(in_vain.collect());
                }
                // what does not work yet may work later
                Err(error) if is_last || error.stops() != Stopped::ByTheOthers => {
                    return Err(error);
                }
                // nobody tells when an answer has become another
                Ok(_) | Err(_) => tokio::time::sleep(until.every.0.unsigned_abs()).await,
            }
        }
    }

    /// Does the step once.
    async fn attempt(
        &self,
        actors: &mut Actors<'_>,
        step: &Step,
        attempt: Attempt,
    ) -> Result<Vec<Finding>, StepError> {
        let mut findings = actors.play(step).await?;
        findings.extend(self.held(actors, step, attempt).await);
        Ok(findings)
    }

    /// What a step expects of the answers that ended its waiting.
    async fn held_at_last(
        &self,
        actors: &Actors<'_>,
        step: &Step,
        attempt: Attempt,
    ) -> Vec<Finding> {
        let keys = &self.world.settings.dp_keys;
        let held = |heard: &Heard| heard.held_to(step, keys);
        let mut findings: Vec<Finding> = actors.answers().iter().flat_map(held).collect();
        findings.extend(self.held(actors, step, attempt).await);
        findings
    }

    /// What a step expects of more than its answer.
    async fn held(&self, actors: &Actors<'_>, step: &Step, attempt: Attempt) -> Vec<Finding> {
        let (Attempt { started, before, soon }, expect) = (attempt, &step.expect);
        let mut findings = Vec::new();
        let took = started.elapsed();
        if let Some(time) = &expect.time
            && took > time.value.at_most.0.unsigned_abs()
        {
            let wanted = format!("at most {:?}", time.value.at_most.0.unsigned_abs());
            findings.push(unmet(step, &time.span, wanted, format!("{} ms", took.as_millis())));
        }
        findings.extend(self.seen(actors, step, before).held());
        if let Some(status) = &expect.consent {
            let came = match actors.consents().last() {
                Some(consent) => {
                    let waited = self.world.paynet.wait_for(consent, status.value, soon).await;
                    waited.err().map(|unsettled| unsettled.came())
                }
                None => Some("no consent has been asked for".to_owned()),
            };
            if let Some(came) = came {
                let wanted = format!("consent {} within {soon:?}", status.value);
                findings.push(unmet(step, &status.span, wanted, came));
            }
        }
        findings
    }

    fn seen<'s, 'w>(
        &'s self,
        actors: &'s Actors<'w>,
        step: &'s Step,
        before: usize,
    ) -> Seen<'s, 'w> {
        Seen { world: self.world, actors, step, before }
    }

    /// Keeps what later steps want to know; what is not there comes back.
    fn capture(&mut self, actors: &Actors<'_>, step: &Step, before: usize) -> Vec<Finding> {
        let mut findings = Vec::new();
        for capture in &step.captures {
            match self.found(actors, step, capture, before) {
                Ok(value) if capture.secret && has_short_leaf(&value) => {
                    let name = capture.name.rsplit('/').next().unwrap_or_default();
                    let wanted =
                        format!("at least {SHORTEST_SECRET} characters to keep secret as `{name}`");
                    findings.push(unmet(step, &capture.span, wanted, "fewer".into()));
                }
                Ok(value) => {
                    if capture.secret {
                        leaves(&value, &mut |text| self.world.journal.keep_secret(text));
                    }
                    self.captured.insert(capture.name.clone(), value);
                }
                Err(why) => {
                    let name = capture.name.rsplit('/').next().unwrap_or_default();
                    let wanted = format!("something to capture as `{name}`");
                    findings.push(unmet(step, &capture.span, wanted, why));
                }
            }
        }
        findings
    }

    fn found(
        &self,
        actors: &Actors<'_>,
        step: &Step,
        capture: &Capture,
        before: usize,
    ) -> Result<Value, String> {
        match &capture.from {
            CaptureFrom::Redirect(name) => {
                self.seen(actors, step, before).parameter(name).map(|value| json!(value))
            }
            CaptureFrom::Header(name) if step.answers() == Some(Answers::Page) => {
                self.seen(actors, step, before).header_of_page(name).map(|value| json!(value))
            }
            CaptureFrom::Consent(member) => {
                let id = actors.consents().pop().ok_or("no consent has been asked for")?;
                match member {
                    ConsentMember::Id => Ok(json!(id)),
                    ConsentMember::Status => {
                        let consent = self.world.paynet.consent(&id);
                        Ok(json!(consent.ok_or("PayNet does not know the consent")?.status))
                    }
                }
            }
            from => match actors.answers().last() {
                Some(heard) => heard.captured(from, &self.world.settings.dp_keys),
                None => Err("no answer".into()),
            },
        }
    }
}

/// What is shorter cannot be told from other texts, and would be shown.
const SHORTEST_SECRET: usize = 4;

fn has_short_leaf(value: &Value) -> bool {
    let mut is_short = false;
    leaves(value, &mut |text| is_short |= text.len() < SHORTEST_SECRET);
    is_short
}

/// Every text and number in a value.
fn leaves(value: &Value, tell: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => tell(text),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, tell)),
        Value::Object(members) => members.values().for_each(|member| leaves(member, tell)),
        other => tell(&other.to_string()),
    }
}

/// What never came about although the step was done again and again.
fn in_vain(mut finding: Finding, until: &Until) -> Finding {
    let within = until.at_most.0.unsigned_abs();
    finding.expected = format!("{} within {within:?} (`until`)", finding.expected);
    finding
}

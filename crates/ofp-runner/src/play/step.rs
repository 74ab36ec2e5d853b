//! One step after the other: each attempt at it, what it is held to besides its answer, and what is captured of it.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use ofp_evidence::{
    Exchange, ExchangeId, Finding, Handshake, Outcome, Record, Role, RunEvent, ScenarioId,
    StepResult, StepStatus,
};
use ofp_scenario::{
    Answers, Capture, CaptureFrom, ConsentMember, ExpectTls, Located, Presence, Step, Until,
};
use serde_json::{Value, json};
use url::Url;

use super::{
    PlayOptions,
    expect::unmet,
    heard::{Heard, presence},
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
        result.exchanges = exchanges_since(self.world, actors, before);
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
        let deadline = Instant::now() + until.at_most.0.unsigned_abs();
        let mut waiting = step.clone();
        waiting.expect = until.expect.clone();
        loop {
            let attempt = Attempt::begin(self.world, Duration::ZERO);
            let is_last = attempt.started + until.every.0.unsigned_abs() > deadline;
            match self.attempt(actors, &waiting, attempt).await {
                Ok(findings) if findings.is_empty() => {
                    let attempt = Attempt { soon: SOON, ..attempt };
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
        if step.answers() == Some(Answers::Page) {
            findings.extend(self.headers_of_page(actors, step, before));
        }
        if let Some(redirect) = &expect.redirect {
            findings.extend(self.redirect(actors, step, redirect, before));
        }
        if let Some(tls) = &expect.tls {
            findings.extend(self.tls(actors, step, tls, before));
        }
        if let Some(status) = &expect.consent {
            let came = match actors.consents().last() {
                Some(consent) => {
                    let waited = self.world.paynet.wait_for(consent, status.value, soon).await;
                    waited.err().map(|unsettled| unsettled.to_string())
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

    /// The headers of the last page that the customer got.
    fn headers_of_page(&self, actors: &Actors<'_>, step: &Step, before: usize) -> Vec<Finding> {
        let Some(headers) = &step.expect.headers else { return Vec::new() };
        let page =
            self.exchanges(actors, before).into_iter().rev().find(|x| x.from == Role::Customer);
        let answer = page.as_ref().and_then(Exchange::response);
        let each = headers.iter().filter_map(|(name, wanted)| {
            let came = answer.and_then(|answer| answer.header(&name.to_ascii_lowercase()));
            presence(step, &format!("header {name} of the page"), wanted, came)
        });
        each.collect()
    }

    fn redirect(
        &self,
        actors: &Actors<'_>,
        step: &Step,
        expected: &BTreeMap<String, Located<Presence>>,
        before: usize,
    ) -> Vec<Finding> {
        let location = self.location(actors, before);
        let query = location.as_deref().map(parameters).unwrap_or_default();
        let each = expected.iter().filter_map(|(name, wanted)| {
            let came =
                query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
            let what = format!("redirect parameter {name}");
            let mut finding = presence(step, &what, wanted, came)?;
            if location.is_none() {
                finding.actual = "no redirect".into();
            }
            Some(finding)
        });
        each.collect()
    }

    /// Where the last redirect of the step leads that has parameters; the last one, where none has.
    fn location(&self, actors: &Actors<'_>, before: usize) -> Option<String> {
        let redirects: Vec<String> = self
            .exchanges(actors, before)
            .iter()
            .filter_map(|exchange| Some(exchange.response()?.header("location")?.to_owned()))
            .collect();
        let with_query = redirects.iter().rev().find(|location| location.contains(['?', '#']));
        with_query.or(redirects.last()).cloned()
    }

    fn tls(
        &self,
        actors: &Actors<'_>,
        step: &Step,
        expected: &Located<ExpectTls>,
        before: usize,
    ) -> Vec<Finding> {
        // what a DC asks of PayNet is no TLS connection of the DP's
        let to_dp = self.exchanges(actors, before).into_iter().filter(|x| x.to == Role::Dp);
        let exchange = to_dp.last();
        let handshake = exchange.as_ref().and_then(|exchange| self.handshake(exchange));
        let failure = exchange.as_ref().and_then(|exchange| match &exchange.outcome {
            Outcome::Failed(failure) => Some(failure.to_string()),
            Outcome::Answered { .. } => None,
        });
        let failure = failure.or_else(|| handshake.as_ref()?.failure.clone());
        let version = handshake.and_then(|handshake| handshake.version);
        let ExpectTls { version: wanted, alert } = &expected.value;
        let mut findings = Vec::new();
        let mut missed = |wanted: String, came: Option<String>| {
            let came = came.unwrap_or_else(|| "nothing of the kind".into());
            findings.push(unmet(step, &expected.span, wanted, came));
        };
        if wanted.is_some() && *wanted != version {
            missed(format!("TLS version {}", wanted.as_deref().unwrap_or_default()), version);
        }
        if let Some(alert) = alert {
            let spaced = alert.replace('_', " ").to_lowercase();
            let said = |text: &String| text.replace('_', " ").to_lowercase().contains(&spaced);
            if !failure.as_ref().is_some_and(said) {
                let came = failure.or_else(|| Some("the connection was accepted".into()));
                missed(format!("TLS alert {alert}"), came);
            }
        }
        findings
    }

    fn handshake(&self, exchange: &Exchange) -> Option<Handshake> {
        let wanted = exchange.connection?;
        self.world.journal.newest(|record| match record {
            Record::Handshake(handshake) if handshake.id == wanted => Some(handshake.clone()),
            _ => None,
        })
    }

    /// The exchanges of the step that one of our actors began, in order.
    fn exchanges(&self, actors: &Actors<'_>, before: usize) -> Vec<Exchange> {
        let consents = actors.consents();
        // a call about no consent is known by its answer
        let heard: Vec<ExchangeId> =
            actors.answers().iter().filter_map(|one| one.exchange).collect();
        let mut all: Vec<Exchange> = self
            .world
            .journal
            .since(before)
            .iter()
            .filter_map(|record| match &**record {
                Record::Exchange(x)
                    if x.from != Role::Dp
                        && (x.consent.as_ref().is_some_and(|c| consents.contains(c))
                            || heard.contains(&x.id)) =>
                {
                    Some(x.clone())
                }
                _ => None,
            })
            .collect();
        all.sort_by_key(|exchange| exchange.id);
        all
    }

    /// Keeps what later steps want to know; what is not there comes back.
    fn capture(&mut self, actors: &Actors<'_>, step: &Step, before: usize) -> Vec<Finding> {
        let mut findings = Vec::new();
        for capture in &step.captures {
            match self.found(actors, capture, before) {
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
        capture: &Capture,
        before: usize,
    ) -> Result<Value, String> {
        match &capture.from {
            CaptureFrom::Redirect(name) => {
                let location = self.location(actors, before).ok_or("no redirect")?;
                let found = parameters(&location).into_iter().find(|(known, _)| known == name);
                found.map(|(_, value)| json!(value)).ok_or_else(|| format!("no parameter {name}"))
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

/// The parameters of a URL: those of the query, then those of the fragment.
fn parameters(location: &str) -> Vec<(String, String)> {
    let base = Url::parse("https://relative.invalid/").ok();
    let Ok(url) = Url::options().base_url(base.as_ref()).parse(location) else { return Vec::new() };
    let fragment = url.fragment().unwrap_or_default().to_owned();
    let of_fragment = url::form_urlencoded::parse(fragment.as_bytes()).into_owned();
    url.query_pairs().into_owned().chain(of_fragment).collect()
}

fn exchanges_since(world: &World, actors: &Actors<'_>, before: usize) -> Vec<ExchangeId> {
    let records = world.journal.since(before);
    let consents = actors.consents();
    let ours = |record: &Arc<Record>| match &**record {
        Record::Exchange(x) if x.consent.as_ref().is_some_and(|c| consents.contains(c)) => {
            Some(x.id)
        }
        _ => None,
    };
    let mut ids: Vec<_> = records.iter().filter_map(ours).collect();
    ids.sort_unstable();
    ids
}

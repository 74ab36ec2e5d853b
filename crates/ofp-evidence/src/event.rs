//! The event stream: what a run tells its reporters.

use std::{sync::Arc, time::Duration};

use ofp_types::Switch;
use ofp_types::{ConsentId, RequirementId};
use serde::{Deserialize, Serialize};

use crate::{ExchangeId, Finding, Level, Record, Secrets, Verdict, verdict::Scenarios};

/// Names a scenario within a run, such as `journey/approve`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScenarioId(pub String);

impl std::fmt::Display for ScenarioId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// It did what it says.
    Passed,
    /// Something was not as expected.
    Failed,
    /// It could not be carried out.
    Error,
    /// An earlier step did not succeed, or the profile has nothing that it could be about.
    Skipped,
    /// The scenario leaves it out in this profile, and says why.
    NotApplicable,
}

/// How a step ended, with everything that was wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StepResult {
    /// Its name: what the author called it, or `actor.verb`.
    pub name: String,
    /// The file that it is written in, where that is not the scenario's: a fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line of the file, from 1.
    pub line: usize,
    /// How it ended.
    pub status: StepStatus,
    /// What was wrong.
    pub findings: Vec<Finding>,
    /// Why it could not be carried out.
    pub error: Option<String>,
    /// The exchanges that belong to it.
    pub exchanges: Vec<ExchangeId>,
}

/// How a scenario ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScenarioStatus {
    /// Every step and every must.
    Passed,
    /// A must, an expectation or a snapshot failed.
    Failed,
    /// It could not be carried out.
    Error,
    /// The profile has nothing that it could be about.
    Skipped,
}

/// How a scenario ended, with everything that was wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScenarioResult {
    /// Its id.
    pub id: ScenarioId,
    /// One sentence.
    pub title: String,
    /// Its file, as given or as embedded.
    pub file: String,
    /// How it ended.
    pub status: ScenarioStatus,
    /// How long it took.
    pub took: Duration,
    /// Its steps.
    pub steps: Vec<StepResult>,
    /// What was wrong and belongs to no step: the snapshot, a claim to cover, a late event.
    pub findings: Vec<Finding>,
    /// The names of its variables.
    #[serde(default)]
    pub variables: Vec<String>,
    /// The consents that it asked for: what is about them is its evidence.
    pub consents: Vec<ConsentId>,
    /// How many records there were when it was judged: what comes later is clearing away.
    pub until: usize,
}

impl ScenarioResult {
    /// Why it was left out or could not be carried out; nothing for one that was.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        let of = |status: StepStatus| {
            let of_status = self.steps.iter().filter(move |step| step.status == status);
            of_status.filter_map(|step| step.error.as_deref()).next()
        };
        match self.status {
            ScenarioStatus::Passed | ScenarioStatus::Failed => None,
            ScenarioStatus::Error => of(StepStatus::Error),
            // a step that is left out says why the scenario was, where there was nothing else to it
            ScenarioStatus::Skipped => {
                of(StepStatus::Skipped).or_else(|| of(StepStatus::NotApplicable))
            }
        }
    }
}

/// What a run says about one requirement.
#[derive(Debug, Clone)]
pub struct RequirementResult {
    /// Its id.
    pub id: RequirementId,
    /// One sentence.
    pub title: &'static str,
    /// How much it weighs.
    pub level: Level,
    /// What is said about it.
    pub verdict: Verdict,
    /// Where it was seen.
    pub scenarios: Scenarios,
    /// The switches of the profile that it depends on, each with its value.
    pub switches: Vec<Switch>,
    /// What the baseline says of its failure; nothing without a baseline or a failure.
    pub baseline: Option<Baseline>,
}

/// What a baseline says of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Baseline {
    /// It is known: no failure of the run.
    Known {
        /// Why it is put up with.
        comment: String,
    },
    /// It is not known, or not everywhere.
    New {
        /// Where it is not known.
        scenarios: Vec<ScenarioId>,
    },
}

impl Baseline {
    /// `known` or `new`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Known { .. } => "known",
            Self::New { .. } => "new",
        }
    }
}

/// A failure that the baseline knows and that no longer happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// Of which requirement.
    pub requirement: RequirementId,
    /// Where it was expected.
    pub scenario: Option<String>,
    /// Why it was put up with.
    pub comment: String,
}

/// What a run without a target tests, as [`RunStarted::target`] says it.
pub const REFERENCE_DP: &str = "the reference DP";

/// What is known when a run begins.
#[derive(Debug, Clone)]
pub struct RunStarted {
    /// `ofp-sim` and its version.
    pub tool: String,
    /// The profile's name.
    pub profile: String,
    /// Whether the profile is an experimental reading.
    pub experimental: bool,
    /// Who is tested.
    pub target: String,
    /// What must follow `ofp-sim run FILE` to run it the same way, with a space before each flag.
    pub rerun_flags: String,
    /// What must follow `ofp-sim explain step PLACE` to play it the same way, with a space before each flag.
    pub step_flags: String,
    /// Variables that were given, each with the flag that gives it again.
    pub variable_flags: Vec<(String, String)>,
    /// How many scenarios will be played.
    pub scenarios: usize,
}

/// What is known when a run ends.
#[derive(Debug, Clone)]
pub struct Summary {
    /// What was known when it began.
    pub started: RunStarted,
    /// Every scenario, in the order of the files.
    pub scenarios: Vec<ScenarioResult>,
    /// Every requirement that a check is written for, in the catalogue's order.
    pub requirements: Vec<RequirementResult>,
    /// Why the DP's own calls never got through to PayNet, if none did: nothing can be held against it then.
    pub calls_refused: Option<String>,
    /// What the baseline knows and no longer happens; each fails the run.
    pub stale: Vec<Stale>,
    /// Everything that was recorded.
    pub records: Vec<Arc<Record>>,
    /// What no writer may show.
    pub secrets: Secrets,
    /// Where the certificates are, for commands that reproduce an exchange.
    pub pki_folder: Option<String>,
    /// How long it took.
    pub took: Duration,
    /// What the run amounts to.
    pub exit_code: u8,
}

/// What a run tells its reporters, in order: one `Started`; for each scenario one `ScenarioStarted`, one `StepFinished` for
/// each step and one `ScenarioFinished`, beside those of other scenarios; one `Finished`.
///
/// Texts of steps and scenarios have been masked by then.
#[derive(Debug, Clone)]
pub enum RunEvent {
    /// It begins.
    Started(RunStarted),
    /// A scenario begins.
    ScenarioStarted(ScenarioId),
    /// A step ended.
    StepFinished {
        /// Of which scenario.
        scenario: ScenarioId,
        /// Which, from 1.
        number: usize,
        /// How.
        step: Box<StepResult>,
    },
    /// A scenario ended.
    ScenarioFinished(Box<ScenarioResult>),
    /// It ended.
    Finished(Arc<Summary>),
}

impl StepResult {
    /// The step without secrets.
    #[must_use]
    pub fn masked(mut self, secrets: &Secrets) -> Self {
        self.name = secrets.mask(&self.name).into_owned();
        self.error = self.error.map(|error| secrets.mask(&error).into_owned());
        self.findings = self.findings.into_iter().map(|finding| finding.masked(secrets)).collect();
        self
    }

    /// Whether it has texts in it that may hold secrets.
    #[must_use]
    pub fn has_texts(&self) -> bool {
        self.error.is_some() || !self.findings.is_empty()
    }
}

impl ScenarioResult {
    /// The scenario without secrets.
    #[must_use]
    pub fn masked(mut self, secrets: &Secrets) -> Self {
        self.title = secrets.mask(&self.title).into_owned();
        self.steps = self.steps.into_iter().map(|step| step.masked(secrets)).collect();
        self.findings = self.findings.into_iter().map(|finding| finding.masked(secrets)).collect();
        self
    }

    /// Whether it has texts in it that may hold secrets.
    #[must_use]
    pub fn has_texts(&self) -> bool {
        !self.findings.is_empty() || self.steps.iter().any(StepResult::has_texts)
    }
}

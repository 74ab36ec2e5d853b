//! What is said about the evidence.

use ofp_types::RequirementId;
use serde::{Deserialize, Serialize};

use crate::{ExchangeId, ScenarioId, Secrets};

/// How much a requirement weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Its breach fails the run.
    Must,
    /// Its breach is a warning.
    Should,
    /// Worth knowing.
    Info,
    /// About this tool and not about the DP: stays out of its totals.
    #[serde(rename = "self")]
    Own,
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Info => "info",
            Self::Own => "self",
        })
    }
}

/// How bad one finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Does not fail the run.
    Warning,
    /// Fails the run.
    Failure,
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The Data Provider's implementation.
    Dp,
    /// How DP or simulator are configured.
    Config,
    /// The network between them.
    Network,
    /// This tool.
    Harness,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Dp => "the DP",
            Self::Config => "configuration",
            Self::Network => "the network",
            Self::Harness => "this tool",
        })
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An assertion about the DP.
    Requirement(RequirementId),
    /// What a scenario's author expects: fails the scenario, never a requirement.
    Expectation {
        /// The file.
        file: String,
        /// Its line, from 1.
        line: usize,
    },
    /// A snapshot: fails the scenario, never a requirement.
    Snapshot {
        /// The file.
        file: String,
    },
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Requirement(id) => id.fmt(f),
            Self::Expectation { file, line } => write!(f, "{file}:{line}"),
            Self::Snapshot { file } => f.write_str(file),
        }
    }
}

/// A piece of a text that shows what a finding is about: of a scenario file, or of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// Where the text is from: a file, or an exchange in words.
    pub name: String,
    /// The text: whole lines.
    pub text: String,
    /// The number of its first line, from 1.
    pub first_line: usize,
    /// The bytes of it that matter.
    pub span: std::ops::Range<usize>,
    /// What is there.
    pub label: String,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// What should have been.
    pub expected: String,
    /// What was.
    pub actual: String,
    /// How bad it is.
    pub severity: Severity,
    /// Whose fault it is.
    pub cause: Cause,
    /// How to mend it.
    pub hint: Option<String>,
    /// Where it was seen.
    pub exchange: Option<ExchangeId>,
    /// The texts to look at: what was expected as it is written, and what came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excerpts: Vec<Excerpt>,
}

impl Finding {
    /// A finding. The four things without which it would be useless are not optional.
    #[must_use]
    pub fn new(
        subject: Subject,
        expected: impl Into<String>,
        actual: impl Into<String>,
        severity: Severity,
    ) -> Self {
        Self {
            subject,
            expected: expected.into(),
            actual: actual.into(),
            severity,
            cause: Cause::Dp,
            hint: None,
            exchange: None,
            excerpts: Vec::new(),
        }
    }

    /// The same with a text to look at.
    #[must_use]
    pub fn showing(mut self, excerpt: Excerpt) -> Self {
        self.excerpts.push(excerpt);
        self
    }

    /// The same without secrets. The place that an excerpt marks is lost where its text changes.
    #[must_use]
    pub fn masked(mut self, secrets: &Secrets) -> Self {
        self.expected = secrets.mask(&self.expected).into_owned();
        self.actual = secrets.mask(&self.actual).into_owned();
        for excerpt in &mut self.excerpts {
            excerpt.label = secrets.mask(&excerpt.label).into_owned();
            let text = secrets.mask(&excerpt.text).into_owned();
            if text != excerpt.text {
                let line = excerpt.text.get(..excerpt.span.start).unwrap_or_default();
                let line = line.matches('\n').count();
                let start = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
                let length = text[start..].split('\n').next().map_or(0, str::len);
                excerpt.span = start..start + length;
                excerpt.text = text;
            }
        }
        self
    }

    /// With another cause than the DP.
    #[must_use]
    pub fn caused_by(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }

    /// With advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the exchange where it was seen.
    #[must_use]
    pub fn seen_in(mut self, exchange: ExchangeId) -> Self {
        self.exchange = Some(exchange);
        self
    }
}

/// The exchanges that a verdict rests on: never none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Evidence(Vec<ExchangeId>);

impl Evidence {
    /// Evidence, unless there is none.
    #[must_use]
    pub fn of(mut exchanges: Vec<ExchangeId>) -> Option<Self> {
        exchanges.sort_unstable();
        exchanges.dedup();
        (!exchanges.is_empty()).then_some(Self(exchanges))
    }

    /// The exchanges.
    #[must_use]
    pub fn exchanges(&self) -> &[ExchangeId] {
        &self.0
    }
}

/// What is said about one requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds, as this evidence shows.
    Pass {
        /// What it rests on.
        evidence: Evidence,
    },
    /// It is broken, and the run fails.
    Fail {
        /// What it rests on.
        evidence: Evidence,
        /// How it is broken; at least one.
        findings: Vec<Finding>,
    },
    /// It is broken, and the run does not fail for it.
    Warn {
        /// What it rests on.
        evidence: Evidence,
        /// How it is broken; at least one.
        findings: Vec<Finding>,
    },
    /// Nothing was seen that would tell.
    NotTested {
        /// Why not.
        because: String,
    },
    /// The profile or the target leaves it out.
    NotApplicable {
        /// Why.
        because: String,
    },
}

impl Verdict {
    /// `pass`, `fail`, `warn`, `not_tested` or `not_applicable`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass { .. } => "pass",
            Self::Fail { .. } => "fail",
            Self::Warn { .. } => "warn",
            Self::NotTested { .. } => "not_tested",
            Self::NotApplicable { .. } => "not_applicable",
        }
    }

    /// What is wrong, if anything is.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Fail { findings, .. } | Self::Warn { findings, .. } => findings,
            _ => &[],
        }
    }

    /// The same, for whoever learns later whose fault it is.
    pub fn findings_mut(&mut self) -> &mut [Finding] {
        match self {
            Self::Fail { findings, .. } | Self::Warn { findings, .. } => findings,
            _ => &mut [],
        }
    }

    /// What it rests on.
    #[must_use]
    pub fn evidence(&self) -> &[ExchangeId] {
        match self {
            Self::Pass { evidence } | Self::Fail { evidence, .. } | Self::Warn { evidence, .. } => {
                evidence.exchanges()
            }
            _ => &[],
        }
    }

    /// Why there is nothing to say, if there is not.
    #[must_use]
    pub fn because(&self) -> Option<&str> {
        match self {
            Self::NotTested { because } | Self::NotApplicable { because } => Some(because),
            _ => None,
        }
    }
}

/// Used by the event stream: which scenarios a requirement was seen in.
pub(crate) type Scenarios = Vec<ScenarioId>;

//! Why a command could not do what was asked, and the exit code for it.

use std::path::PathBuf;

use ofp_pki::PkiError;
use ofp_runner::{EvidenceError, LoadError, ProfileError, WorldError, exit};
use ofp_scenario::Diagnostic;

/// Why a command could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(transparent)]
    World(#[from] WorldError),
    #[error(transparent)]
    Net(#[from] ofp_net::NetError),
    #[error(transparent)]
    Store(#[from] ofp_net::StoreError),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error("the baseline {0} cannot be used")]
    BadBaseline(String, String),
    #[error("--{what} {name} is unknown{suggestion}")]
    UnknownName { what: &'static str, name: String, suggestion: String },
    #[error(
        "--report {0}: expected FORMAT=FILE, where FORMAT is json, junit, html, markdown or ndjson"
    )]
    BadReport(String),
    #[error(
        "requirement {0}: there is no check for it; `ofp-sim list requirements` lists those that there are"
    )]
    UnknownRequirement(String),
    #[error("there is no requirement with a check, problem or verb called {id}{suggestion}")]
    UnknownId { id: String, suggestion: String },
    #[error("--timeout {0}: expected a length of time such as 500ms, 30s or 2m")]
    BadTimeout(String),
    #[error("the filter cannot be read")]
    BadFilter(String, Box<Diagnostic>),
    #[error("--var {0}: expected NAME=VALUE")]
    BadVariable(String),
    #[error("--var {name}: no scenario that is to be played has such a variable{suggestion}")]
    UnknownVariable { name: String, suggestion: String },
    // its lines are not shown: they may hold secrets
    #[error("{file}:{line}: {title}")]
    BadVariables { file: String, line: usize, title: String },
    #[error(
        "explain step {0}: expected FILE:LINE or FILE#NUMBER, such as scenarios/journey/approve.yaml:9"
    )]
    BadPlace(String),
    #[error(
        "{file}:{line}: no step is there; its steps begin in lines {steps}, and those of fragments are counted: {file}#3 is the third"
    )]
    NoStep { file: String, line: usize, steps: String },
    #[error("nothing was played in this folder before (.ofp-sim/last-run.json)")]
    NoLastRun,
    #[error("--watch: there is no file to watch; name scenario files, a --target, or --watch=PATH")]
    NothingToWatch,
    #[error("cannot watch {}: {reason}", path.display())]
    Watch { path: PathBuf, reason: String },
    #[error("{0}")]
    NoToken(String),
    #[error("--snapshots accept: {0}")]
    CannotAccept(&'static str),
    #[error("two reports, or a report and the evidence, would be written to {}", .0.display())]
    SameReport(PathBuf),
    #[error("{} would be overwritten by a report or the evidence, and the run reads it", .0.display())]
    Overwrites(PathBuf),
    #[error("no scenario was selected{0}")]
    NothingSelected(String),
    #[error("{} is there already; nothing was written", .0.display())]
    Exists(PathBuf),
    #[error("--{option} {given}: expected {expected}")]
    BadFile { option: &'static str, given: String, expected: &'static str },
    #[error("{}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    #[error("the target {} cannot be used: {bad} problems, above", path.display())]
    Target { path: PathBuf, bad: usize },
    #[error("cannot write the report {}: {reason}", path.display())]
    Report { path: PathBuf, reason: String },
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// The exit code that says so.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Report { .. } | Self::Output(_) => exit::REPORT,
            Self::NothingSelected(_) | Self::NoLastRun => exit::NOTHING,
            Self::Runtime(_) => exit::UNTESTED,
            Self::Interrupted => exit::INTERRUPTED,
            _ => exit::CONFIG,
        }
    }

    /// What to do about it, where the message itself does not say.
    pub(crate) fn help(&self) -> Option<&'static str> {
        match self {
            Self::Pki(_) => Some(
                "give another folder with --pki DIR, or make a new one with `ofp-sim pki init`",
            ),
            Self::World(WorldError::Net(ofp_net::NetError::Bind { .. }))
            | Self::Net(ofp_net::NetError::Bind { .. }) => {
                Some("give other ports with --port-base N, or free ones with --port-base 0")
            }
            Self::Store(_) => Some("give another file with --state FILE; this one was left alone"),
            _ => None,
        }
    }
}

//! What was played last in a folder, and `ofp-sim rerun`.

use std::path::Path;

use clap::Parser as _;
use ofp_evidence::{ScenarioStatus, Summary};
use ofp_runner::{LONGEST_TEXT, read_found};
use serde::{Deserialize, Serialize};

use super::run;
use crate::{
    args::{Args, Command, Snapshots, VariableArgs},
    environment::Environment,
    failure::Failure,
};

/// Where it is kept: a folder that no version control takes.
const FOLDER: &str = ".ofp-sim";
const FILE: &str = "last-run.json";

/// A run, as far as playing it again needs it. It has no output and no secret of the run in it.
#[derive(Debug, Serialize, Deserialize)]
struct LastRun {
    /// What stood behind `ofp-sim`, without values of variables.
    arguments: Vec<String>,
    /// The scenarios that did not pass.
    not_passed: Vec<String>,
}

/// Keeps a run for `rerun`. One that cannot be kept is no failure of the run.
pub(super) fn keep(arguments: &[String], summary: &Summary, environment: &Environment) {
    if environment.ci {
        return;
    }
    let bad =
        |status: ScenarioStatus| matches!(status, ScenarioStatus::Failed | ScenarioStatus::Error);
    let not_passed = summary.scenarios.iter().filter(|one| bad(one.status));
    let not_passed = not_passed.map(|one| one.id.to_string()).collect();
    let kept = LastRun { arguments: arguments.to_vec(), not_passed };
    let written = serde_json::to_vec_pretty(&kept).map_err(std::io::Error::from).and_then(|text| {
        let folder = Path::new(FOLDER);
        std::fs::create_dir_all(folder)?;
        let ignore = folder.join(".gitignore");
        if !ignore.exists() {
            std::fs::write(ignore, "*\n")?;
        }
        std::fs::write(folder.join(FILE), text)
    });
    if let Err(e) = written {
        let path = Path::new(FOLDER).join(FILE);
        super::warn(&Failure::File { path, reason: e.to_string() });
    }
}

/// Plays again what did not pass. Secrets at the command line are not kept, and are given anew.
pub(super) fn rerun(variables: &VariableArgs, environment: &Environment) -> Result<u8, Failure> {
    let path = Path::new(FOLDER).join(FILE);
    let failed = |reason: String| Failure::File { path: path.clone(), reason };
    let text = match read_found(&path, LONGEST_TEXT) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(Failure::NoLastRun),
        text => text.map_err(|e| failed(e.to_string()))?,
    };
    let last: LastRun = serde_json::from_slice(&text).map_err(|e| {
        failed(format!("it is not what a run leaves behind: {e}; a new run writes it anew"))
    })?;
    if last.not_passed.is_empty() {
        let why = ": everything passed last time".to_owned();
        return Err(Failure::NothingSelected(why));
    }
    let arguments = std::iter::once("ofp-sim".to_owned()).chain(last.arguments.iter().cloned());
    let args = Args::try_parse_from(arguments).map_err(|e| {
        // the first line says what, the others how to call the command
        let said = e.to_string();
        let first = said.lines().next().unwrap_or_default();
        failed(format!(
            "its arguments are none of `ofp-sim run`: {}",
            first.trim_start_matches("error: ")
        ))
    })?;
    match args.command {
        Command::Run(mut args) => {
            // later ones outweigh
            args.variables.var.extend(variables.var.iter().cloned());
            args.variables.vars = variables.vars.clone().or(args.variables.vars);
            // reports and evidence of the whole run are not to be those of a part of it, and nothing is accepted unseen
            args.report.clear();
            args.evidence = None;
            args.watch.clear();
            if args.snapshots == Snapshots::Accept {
                args.snapshots = Snapshots::Check;
            }
            run::again(&args, &last.arguments, &last.not_passed, environment)
        }
        _ => Err(failed("it is no run".into())),
    }
}

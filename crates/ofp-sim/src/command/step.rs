//! `ofp-sim explain step FILE:LINE`: a step as it is written and as it is sent.

use std::{fmt::Write as _, path::PathBuf, sync::Arc};

use colored::Colorize as _;
use ofp_evidence::{StepStatus, Summary};
use ofp_net::{OsEntropy, SystemClock};
use ofp_report::{conversation, tame};
use ofp_runner::{
    LoadOptions, Loaded, RunOptions, SnapshotMode, World, WorldOptions, exit, load_with,
    run as play,
};

use super::{print, run, select};
use crate::{
    args::{ExplainArgs, RunArgs, Snapshots},
    environment::Environment,
    failure::Failure,
};

pub(super) fn explain(args: &ExplainArgs, environment: &Environment) -> Result<u8, Failure> {
    let place = args.place.as_deref().unwrap_or_default();
    let bad = || Failure::BadPlace(place.to_owned());
    let numbered =
        place.rsplit_once('#').and_then(|(file, n)| Some((file, n.parse::<usize>().ok()?)));
    let lined = place.rsplit_once(':').and_then(|(file, n)| Some((file, n.parse::<usize>().ok()?)));
    let file = numbered.or(lined).ok_or_else(bad)?.0;
    let values = select::values(&args.variables, environment)?;
    let options = LoadOptions { values, ..LoadOptions::default() };
    let loaded = load_with(&[PathBuf::from(file)], &options)?.scenarios;
    let (mut loaded, at) = match (numbered, lined) {
        (Some((_, number)), _) => nth(loaded, file, number)?,
        (None, Some((_, line))) => find(loaded, file, line)?,
        (None, None) => return Err(bad()),
    };
    print(&written(&loaded, at))?;
    loaded.scenario.steps.truncate(at + 1);
    loaded.scenario.snapshot = false;
    // only this step is looked at: what the rest would show is nobody's claim here
    loaded.scenario.covers.clear();
    loaded.scenario.steps.iter_mut().for_each(|step| step.expect.requirements = None);
    let summary = played(args, environment, loaded)?;
    let Some(summary) = summary else { return Ok(exit::UNTESTED) };
    print(&sent(&summary))?;
    Ok(of_step(&summary))
}

/// What came of the step, whatever the scenario would have shown behind it.
fn of_step(summary: &Summary) -> u8 {
    match summary.scenarios.first().and_then(|scenario| scenario.steps.last()) {
        Some(step) => match step.status {
            StepStatus::Passed | StepStatus::NotApplicable => exit::PASSED,
            StepStatus::Skipped | StepStatus::Failed | StepStatus::Error => {
                exit::worst(&[summary.exit_code, exit::FAILED])
            }
        },
        None => summary.exit_code,
    }
}

/// The step of a number, from 1, in the first scenario of the file.
fn nth(loaded: Vec<Loaded>, file: &str, number: usize) -> Result<(Loaded, usize), Failure> {
    let one =
        loaded.into_iter().next().filter(|one| (1..=one.scenario.steps.len()).contains(&number));
    let one = one.ok_or_else(|| Failure::BadPlace(format!("{file}#{number}")))?;
    Ok((one, number - 1))
}

/// The step whose lines have this one, in the first scenario of the file.
fn find(loaded: Vec<Loaded>, file: &str, line: usize) -> Result<(Loaded, usize), Failure> {
    let mut lines: Vec<String> = Vec::new();
    for one in loaded {
        let has = |step: &ofp_scenario::Step| {
            let (first, last) = (
                step.source.line(step.span.start),
                step.source.line(step.span.end.saturating_sub(1)),
            );
            (first..=last.max(step.line)).contains(&line) && step.source.name == one.source.name
        };
        match one.scenario.steps.iter().position(has) {
            Some(at) => return Ok((one, at)),
            None if lines.is_empty() => {
                let own = |step: &&ofp_scenario::Step| step.source.name == one.source.name;
                let own = one.scenario.steps.iter().filter(own);
                lines = own.map(|step| step.line.to_string()).collect();
            }
            None => {}
        }
    }
    Err(Failure::NoStep { file: file.to_owned(), line, steps: lines.join(", ") })
}

fn written(loaded: &Loaded, at: usize) -> String {
    let step = &loaded.scenario.steps[at];
    let text = step.source.shown();
    let first = step.source.line(step.span.start);
    let last = step.source.line(step.span.end.saturating_sub(1)).max(step.line);
    let lines = text
        .lines()
        .enumerate()
        .skip(first.saturating_sub(1))
        .take((last + 1).saturating_sub(first));
    let shown: String =
        lines.map(|(at, line)| format!("{:>5}  {}\n", at + 1, tame(line))).collect();
    let steps = loaded.scenario.steps.len();
    let title = format!("{}  step {} of {steps}, as it is written", tame(&loaded.id), at + 1);
    let doc = step.verb().map_or("", |verb| verb.doc);
    format!("{}\n\n{shown}\n  {doc}\n", title.bold())
}

/// Plays the scenario up to the step; nothing where the target cannot be tested.
fn played(
    args: &ExplainArgs,
    environment: &Environment,
    loaded: Loaded,
) -> Result<Option<Arc<Summary>>, Failure> {
    let asked = args.profile.as_deref().map(run::profile).transpose()?;
    let like = RunArgs {
        target: args.target.clone(),
        pki: args.pki.clone(),
        snapshots: Snapshots::Off,
        ..RunArgs::default()
    };
    let Ok((target, pki, profile)) = run::tested(&like, asked, environment)? else {
        return Ok(None);
    };
    let world = WorldOptions {
        profile,
        faults: run::faults(&args.fault)?,
        variants: run::variants(&args.variant)?,
        target,
        voice: Some(run::voice()),
        dp_patience: Some(WorldOptions::SHORT_PATIENCE),
        ..WorldOptions::default()
    };
    let runtime = super::runtime()?;
    let timeout = run::timeout(&args.timeout)?;
    let summary = runtime.block_on(async {
        let world = World::boot(&pki, &world, Arc::new(SystemClock), Arc::new(OsEntropy))?;
        let options = RunOptions {
            jobs: 1,
            step_deadline: timeout,
            snapshots: SnapshotMode::Off,
            pki_folder: Some(args.pki.display().to_string()),
            ..RunOptions::by("ofp-sim explain", &world, 1)
        };
        let scenarios = [loaded];
        tokio::select! {
            summary = play(&world, &scenarios, &options, &|_| {}) => Ok(summary),
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        }
    })?;
    runtime.shutdown_background();
    Ok(Some(summary))
}

fn sent(summary: &Summary) -> String {
    let Some(scenario) = summary.scenarios.first() else { return String::new() };
    let Some(step) = scenario.steps.last() else { return String::new() };
    let mut text = format!("\n{}\n", "As it is sent, played just now".bold());
    if step.status == StepStatus::Skipped {
        let before = scenario.steps.iter().rev().skip(1);
        let stopped = before.clone().find(|one| one.status != StepStatus::Skipped);
        let (name, line, file) =
            stopped.map_or(("", 0, None), |one| (one.name.as_str(), one.line, one.file.as_deref()));
        let why = stopped.and_then(|one| one.error.as_deref()).or_else(|| scenario.reason());
        let file = file.unwrap_or(&scenario.file);
        let why =
            why.map_or(String::new(), |why| format!(": {}", tame(&summary.secrets.mask(why))));
        return format!(
            "{text}\n  nothing: the scenario stopped before it, at {name} ({file}:{line}){why}\n"
        );
    }
    if step.exchanges.is_empty() {
        text.push_str("\n  nothing: this step sends no message about the scenario's consent\n");
    }
    text.push_str(&conversation(summary, &step.exchanges));
    if let Some(error) = &step.error {
        let _ = writeln!(text, "\n  {}", tame(&summary.secrets.mask(error)));
    }
    let word = match step.status {
        StepStatus::Passed => "the step passed".green(),
        StepStatus::NotApplicable => "the step is left out in this profile".normal(),
        _ => "the step did not pass".red().bold(),
    };
    for finding in &step.findings {
        let (expected, actual) =
            (summary.secrets.mask(&finding.expected), summary.secrets.mask(&finding.actual));
        let (expected, actual) = (tame(&expected), tame(&actual));
        let _ =
            writeln!(text, "\n  {}\n  expected  {expected}\n  actual    {actual}", finding.subject);
    }
    format!("{text}\n{word}\n")
}

//! `ofp-sim run`.

use std::{
    collections::HashSet,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ofp_evidence::{RunEvent, RunStarted, Summary};
use ofp_net::{OsEntropy, SystemClock};
use ofp_pki::{OpenOptions, Pki};
use ofp_report::{Terminal, shell_word};
use ofp_runner::{
    LoadOptions, Loaded, RunOptions, SnapshotMode, Target, Voice, World, WorldOptions, evidence,
    judge_evidence, load_with, run as play,
};
use ofp_scenario::{Known, PROFILES, Source, Span, closest, parse_baseline, render};
use ofp_types::{Clock as _, DpFault, DpVariant, Profile};

use super::{
    doctor::preflight,
    last_run,
    reports::{Reports, write_private},
    select, watch,
};
use crate::{
    args::{DEFAULT_TIMEOUT, FailOn, JudgeArgs, RunArgs, Snapshots},
    environment::Environment,
    failure::Failure,
};

pub(super) fn run(args: &RunArgs, environment: &Environment) -> Result<u8, Failure> {
    let arguments = environment.arguments.clone();
    let once = || play_once(args, &arguments, None, environment);
    if args.watch.is_empty() { once() } else { watch::watch(args, environment, &once) }
}

/// The same run once more, of the scenarios that are named.
pub(super) fn again(
    args: &RunArgs,
    arguments: &[String],
    only: &[String],
    environment: &Environment,
) -> Result<u8, Failure> {
    play_once(args, arguments, Some(only), environment)
}

fn play_once(
    args: &RunArgs,
    arguments: &[String],
    only: Option<&[String]>,
    environment: &Environment,
) -> Result<u8, Failure> {
    // everything that can be wrong with what was asked for is said before anything is booted
    let asked = args.profile.as_deref().map(profile).transpose()?;
    let mut reports = Reports::parse(&args.report)?;
    let faults = faults(&args.fault)?;
    let variants = variants(&args.variant)?;
    let reading = LoadOptions {
        values: select::values(&args.variables, environment)?,
        open_variables: false,
        profile: asked.as_ref().map(|profile| profile.name.clone()),
    };
    let loaded = load_with(&args.paths, &reading)?;
    select::check_used(&reading.values, &loaded)?;
    let scenarios = select::select(loaded, args, only)?;
    can_accept(args, &scenarios)?;
    let baseline = args.baseline.as_deref().map(|path| baseline(path, environment)).transpose()?;
    let timeout = timeout(&args.timeout)?;
    let (target, pki, profile) = match tested(args, asked, environment)? {
        Ok(tested) => tested,
        Err(code) => return Ok(code),
    };
    let mut options = options(args, environment, target.as_deref(), &profile, &scenarios)?;
    options.baseline = baseline;
    options.step_deadline = timeout;
    reports.open()?;
    let world = WorldOptions {
        profile,
        faults,
        variants,
        target,
        voice: Some(voice()),
        dp_patience: Some(WorldOptions::SHORT_PATIENCE),
        ..WorldOptions::default()
    };
    let runtime = super::runtime()?;
    let mut stage = Stage { environment, reports: &mut reports, keep: args.evidence.is_some() };
    let (summary, evidence) = runtime.block_on(async {
        tokio::select! {
            run = stage.play(&pki, &world, &scenarios, &options) => run,
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        }
    })?;
    // servers have been told to stop; what still hangs on a connection is not worth a wait
    runtime.shutdown_background();
    reports.write(&summary)?;
    if let (Some(path), Some(evidence)) = (&args.evidence, evidence) {
        write_private(path, &evidence)?;
    }
    let arguments = [arguments, &told(args, &scenarios)].concat();
    last_run::keep(&arguments, &summary, environment);
    Ok(summary.exit_code)
}

/// A length of time for one step.
pub(super) fn timeout(text: &str) -> Result<std::time::Duration, Failure> {
    let timeout = Span::parse(text).filter(|span| span.0.is_positive());
    let timeout = timeout.ok_or_else(|| Failure::BadTimeout(text.to_owned()))?;
    Ok(timeout.0.unsigned_abs())
}

fn options(
    args: &RunArgs,
    environment: &Environment,
    target: Option<&Target>,
    profile: &Profile,
    scenarios: &[Loaded],
) -> Result<RunOptions, Failure> {
    // a customer has one browser; and with snapshots it is always the same customer's turn
    let at_once = || match target {
        Some(target) if target.snapshots().is_some() => 1,
        Some(target) => target.customers(),
        None => processors(),
    };
    let (snapshots, snapshot_folder) = snapshots(args, target)?;
    Ok(RunOptions {
        jobs: args.jobs.map_or_else(at_once, usize::from),
        step_deadline: std::time::Duration::ZERO,
        snapshots,
        ci: environment.ci,
        fail_on_should: args.fail_on == FailOn::Should,
        baseline: None,
        snapshot_folder,
        started: RunStarted {
            tool: concat!("ofp-sim ", env!("CARGO_PKG_VERSION")).into(),
            profile: profile.name.clone(),
            experimental: profile.experimental,
            target: target.map_or("the reference DP", Target::name).into(),
            rerun_flags: flags(args, false),
            step_flags: flags(args, true),
            variable_flags: variable_flags(args, scenarios),
            scenarios: scenarios.len(),
        },
        pki_folder: Some(args.pki.display().to_string()),
    })
}

/// What to do with snapshots, and where a target's are. Those beside the scenarios are the reference DP's.
fn snapshots(
    args: &RunArgs,
    target: Option<&Target>,
) -> Result<(SnapshotMode, Option<PathBuf>), Failure> {
    let folder = target.and_then(Target::snapshots);
    let has_none = target.is_some() && folder.is_none();
    let mode = match args.snapshots {
        Snapshots::Accept if has_none => {
            let why = "the target names no folder for them (key `snapshots`)";
            return Err(Failure::CannotAccept(why));
        }
        _ if has_none => SnapshotMode::Off,
        Snapshots::Check => SnapshotMode::Check,
        Snapshots::Accept => SnapshotMode::Accept,
        Snapshots::Off => SnapshotMode::Off,
    };
    Ok((mode, folder))
}

/// Who is tested, with our keys and the profile; the exit code of the preflight where nobody can be.
pub(super) type Tested = (Option<Arc<Target>>, Pki, Profile);

pub(super) fn tested(
    args: &RunArgs,
    asked: Option<Profile>,
    environment: &Environment,
) -> Result<Result<Tested, u8>, Failure> {
    let Some(file) = &args.target else {
        let (pki, _) = Pki::open(&args.pki, &OpenOptions::at(SystemClock.now()))?;
        return Ok(Ok((None, pki, asked.unwrap_or_default())));
    };
    let found = preflight(file, &args.pki, asked, environment)?;
    Ok(found.map(|(target, pki)| {
        let profile = target.profile().clone();
        (Some(target), pki, profile)
    }))
}

/// `ofp-sim judge`.
pub(super) fn judge(args: &JudgeArgs) -> Result<u8, Failure> {
    let mut reports = Reports::parse(&args.report)?;
    let summary = judge_evidence(&args.file, args.fail_on == FailOn::Should)?;
    let width = summary.scenarios.iter().map(|one| one.id.0.len()).max().unwrap_or(0);
    let mut terminal = Terminal::new(std::io::stdout(), width, false);
    let finished = summary.scenarios.iter().cloned().map(Box::new);
    let events: Vec<RunEvent> = std::iter::once(RunEvent::Started(summary.started.clone()))
        .chain(finished.map(RunEvent::ScenarioFinished))
        .chain([RunEvent::Finished(Arc::clone(&summary))])
        .collect();
    for event in &events {
        match terminal.show(event) {
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => return Err(Failure::Output(e)),
            _ => {}
        }
    }
    reports.open()?;
    events.iter().for_each(|event| reports.tell(event));
    reports.write(&summary)?;
    Ok(summary.exit_code)
}

/// Where a run is shown.
struct Stage<'a> {
    environment: &'a Environment,
    reports: &'a mut Reports,
    /// Whether the evidence is kept.
    keep: bool,
}

impl Stage<'_> {
    async fn play(
        &mut self,
        pki: &Pki,
        world: &WorldOptions,
        scenarios: &[Loaded],
        options: &RunOptions,
    ) -> Result<(Arc<Summary>, Option<Vec<u8>>), Failure> {
        let world = World::boot(pki, world, Arc::new(SystemClock), Arc::new(OsEntropy))?;
        let width = scenarios.iter().map(|one| one.id.len()).max().unwrap_or(0);
        let terminal = Terminal::new(std::io::stdout(), width, self.environment.interactive);
        let shown = Mutex::new((terminal, Ok(()), &mut *self.reports));
        let listener = |event: RunEvent| {
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.2.tell(&event);
            let written = shown.0.show(&event);
            if shown.1.is_ok() {
                shown.1 = written;
            }
        };
        let summary = play(&world, scenarios, options, &listener).await;
        let (_, written, _) = shown.into_inner().unwrap_or_else(PoisonError::into_inner);
        match written {
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => return Err(Failure::Output(e)),
            _ => {}
        }
        let kept = self.keep.then(|| evidence(world.settings(), &summary)).transpose();
        let kept = kept.map_err(|e| Failure::Output(std::io::Error::other(e)))?;
        Ok((summary, kept))
    }
}

/// A person who plays the customer is spoken to beside the report, which may go to a file.
pub(super) fn voice() -> Voice {
    Arc::new(|text| {
        // nowhere is left to say that even this failed
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    })
}

fn baseline(path: &Path, environment: &Environment) -> Result<Vec<Known>, Failure> {
    let failed = |reason: String| Failure::File { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
    let source = Source::new(path.display().to_string(), text);
    let is_requirement = |id: &str| ofp_checks::find(id).is_some();
    parse_baseline(&source, &is_requirement).map_err(|problems| {
        let shown = problems.iter().map(|problem| render(&source, problem, environment.colour));
        Failure::BadBaseline(source.name.clone(), shown.collect::<Vec<_>>().join("\n\n"))
    })
}

/// `--var NAME=VALUE`, as far as it is no secret.
fn told(args: &RunArgs, scenarios: &[Loaded]) -> Vec<String> {
    let is_secret =
        |value: &str| scenarios.iter().any(|one| one.scenario.secrets.iter().any(|s| s == value));
    let open = args
        .variables
        .var
        .iter()
        .filter(|given| given.split_once('=').is_some_and(|(_, value)| !is_secret(value)));
    open.map(|given| format!("--var={given}")).collect()
}

/// The variables that were given, each with the flag that gives it again.
fn variable_flags(args: &RunArgs, scenarios: &[Loaded]) -> Vec<(String, String)> {
    let kept = told(args, scenarios);
    let flag = |given: &String| {
        let name = given.split('=').next().unwrap_or_default();
        // a secret is for the reader to fill in
        let shown = match kept.contains(&format!("--var={given}")) {
            true => given.clone(),
            false => format!("{name}=…"),
        };
        (name.to_owned(), format!(" --var {}", shell_word(&shown)))
    };
    args.variables.var.iter().map(flag).collect()
}

/// The flags that decide what a run finds; those that `explain step` takes as well, or all of them.
fn flags(args: &RunArgs, of_step: bool) -> String {
    let mut flags = String::new();
    let mut add = |flag: &str, value: &str| {
        flags.extend([" --", flag, " ", &shell_word(value)]);
    };
    if let Some(target) = &args.target {
        add("target", &target.display().to_string());
    }
    if let Some(profile) = args.profile.as_ref().filter(|name| *name != PROFILES[0].0) {
        add("profile", profile);
    }
    if args.pki != Path::new("certs-dev") {
        add("pki", &args.pki.display().to_string());
    }
    args.fault.iter().for_each(|fault| add("fault", fault));
    args.variant.iter().for_each(|variant| add("variant", variant));
    if let Some(file) = &args.variables.vars {
        add("vars", &file.display().to_string());
    }
    if args.timeout != DEFAULT_TIMEOUT {
        add("timeout", &args.timeout);
    }
    if of_step {
        return flags;
    }
    if let Some(baseline) = &args.baseline {
        add("baseline", &baseline.display().to_string());
    }
    if args.fail_on == FailOn::Should {
        add("fail-on", "should");
    }
    if args.snapshots == Snapshots::Off {
        add("snapshots", "off");
    }
    flags
}

pub(super) fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// The profile of a name, or of a file.
pub(super) fn profile(name: &str) -> Result<Profile, Failure> {
    Ok(ofp_runner::profile(Path::new(""), name)?)
}

pub(super) fn faults(names: &[String]) -> Result<HashSet<DpFault>, Failure> {
    let known: Vec<&str> = DpFault::ALL.iter().map(|fault| fault.name()).collect();
    named("fault", names, &known, DpFault::by_name)
}

pub(super) fn variants(names: &[String]) -> Result<HashSet<DpVariant>, Failure> {
    let known: Vec<&str> = DpVariant::ALL.iter().map(|variant| variant.name()).collect();
    named("variant", names, &known, DpVariant::by_name)
}

/// What names stand for, each of which must be known.
fn named<T: Eq + std::hash::Hash>(
    what: &'static str,
    names: &[String],
    known: &[&str],
    by_name: fn(&str) -> Option<T>,
) -> Result<HashSet<T>, Failure> {
    let found = |name: &String| {
        by_name(name).ok_or_else(|| Failure::UnknownName {
            what,
            name: name.clone(),
            suggestion: match closest(name, known) {
                Some(close) => format!(": did you mean {close}?"),
                None => format!(": `ofp-sim list {what}s` lists those that there are"),
            },
        })
    };
    names.iter().map(found).collect()
}

/// Snapshots can be accepted only in files, and only as an honest DP leads to them.
fn can_accept(args: &RunArgs, scenarios: &[Loaded]) -> Result<(), Failure> {
    // a target's are in a folder of its own
    if args.snapshots != Snapshots::Accept || args.target.is_some() {
        return Ok(());
    }
    if scenarios.iter().any(|one| one.embedded) {
        let why = "the scenarios are part of the binary; run with a PATH, such as `ofp-sim run scenarios`";
        return Err(Failure::CannotAccept(why));
    }
    if !args.fault.is_empty() {
        return Err(Failure::CannotAccept("not with --fault: the DP errs on purpose"));
    }
    if !args.variant.is_empty() {
        return Err(Failure::CannotAccept("not with --variant: snapshots are of the DP as it is"));
    }
    Ok(())
}

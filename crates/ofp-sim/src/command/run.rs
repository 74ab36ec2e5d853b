//! `ofp-sim run`.

use std::{
    collections::HashSet,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ofp_evidence::{REFERENCE_DP, RunEvent, RunStarted, Summary};
use ofp_net::{OsEntropy, SystemClock};
use ofp_pki::{OpenOptions, Pki};
use ofp_report::{Terminal, shell_word};
use ofp_runner::{
    LONGEST_TEXT, LoadOptions, Loaded, Reading, RunOptions, SnapshotMode, Target, Voice, World,
    WorldOptions, evidence, exit, judge_evidence, load_with, read_given, run as play, text,
};
use ofp_scenario::{Candidate, Known, PROFILES, Source, Span, closest, parse_baseline, render};
use ofp_types::{Clock as _, DpFault, DpVariant, Profile};

use super::{
    doctor::preflight,
    last_run,
    reports::{Reports, failed, write_private},
    select::{self, Asked},
    watch,
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
    let (scenarios, secrets) = chosen(args, only, asked.as_ref(), &reports, environment)?;
    can_accept(args, &scenarios)?;
    let baseline = args.baseline.as_deref().map(|path| baseline(path, environment)).transpose()?;
    let timeout = timeout(&args.timeout)?;
    let (target, pki, profile) = match tested(args, asked, environment)? {
        Ok(tested) => tested,
        Err(code) => return Ok(code),
    };
    let mut options = options(args, environment, target.as_deref(), &profile, scenarios.len())?;
    options.started.variable_flags = variable_flags(args, &secrets);
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
    let left = Left { arguments, secrets: &secrets, summary: &summary, evidence };
    left.write(args, &mut reports, environment)
}

/// What a run leaves behind.
struct Left<'a> {
    /// What stood behind `ofp-sim`.
    arguments: &'a [String],
    /// Names of variables whose values are kept nowhere.
    secrets: &'a [String],
    summary: &'a Summary,
    evidence: Option<Kept>,
}

impl Left<'_> {
    /// Writes everything that can be written, whatever cannot.
    fn write(
        self,
        args: &RunArgs,
        reports: &mut Reports,
        environment: &Environment,
    ) -> Result<u8, Failure> {
        let mut failures = reports.write(self.summary);
        if let Some(path) = &args.evidence {
            let evidence = self.evidence.unwrap_or_else(|| Err("there is none".into()));
            let written = evidence
                .map_err(|why| failed(path, &why))
                .and_then(|evidence| write_private(path, &evidence));
            failures.extend(written.err());
        }
        // those of the run that is played again are among them already
        let former = self.arguments.iter().filter(|argument| !argument.starts_with("--var="));
        let arguments: Vec<String> = former.cloned().chain(told(args, self.secrets)).collect();
        last_run::keep(&arguments, self.summary, environment);
        ended(self.summary.exit_code, failures)
    }
}

/// The evidence of a run, or why it cannot be kept.
type Kept = Result<Vec<u8>, String>;

/// What a run comes to of which not everything could be written: its verdict outweighs that.
fn ended(code: u8, failures: Vec<Failure>) -> Result<u8, Failure> {
    let mut end = Ok(code);
    for failure in failures {
        let outweighs = exit::worst(&[code, failure.exit_code()]) != code;
        match end.is_ok() && outweighs {
            true => end = Err(failure),
            false => super::warn(&failure),
        }
    }
    end
}

/// The scenarios to play, and the names of variables whose values nobody may see.
fn chosen(
    args: &RunArgs,
    only: Option<&[String]>,
    profile: Option<&Profile>,
    reports: &Reports,
    environment: &Environment,
) -> Result<(Vec<Loaded>, Vec<String>), Failure> {
    let asked_for = Asked::of(args, only)?;
    let wants = |candidate: &Candidate<'_>| asked_for.wants(candidate);
    let reading = LoadOptions {
        asked: asked_for.is_choosy().then_some(&wants),
        values: select::values(&args.variables, environment)?,
        open_variables: false,
        profile: profile.map(|profile| profile.name.clone()),
    };
    let Reading { scenarios: loaded, unusable, .. } = load_with(&args.paths, &reading)?;
    select::tell_unusable(&unusable);
    select::check_used(&reading.values, &loaded)?;
    // also of scenarios that are not played: what is given for them is kept nowhere
    let secrets: Vec<String> =
        loaded.iter().flat_map(|one| one.scenario.secret_names.iter().cloned()).collect();
    let own = loaded.iter().filter(|one| !one.embedded).map(|one| Path::new(&one.source.name));
    let others = [&args.target, &args.baseline, &args.variables.vars];
    let read: Vec<&Path> = own.chain(others.into_iter().flatten().map(PathBuf::as_path)).collect();
    reports.check(args.evidence.as_deref(), &read)?;
    Ok((asked_for.select(loaded)?, secrets))
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
    scenarios: usize,
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
            target: target.map_or(REFERENCE_DP, Target::name).into(),
            rerun_flags: flags(args, false),
            step_flags: flags(args, true),
            variable_flags: Vec::new(),
            scenarios,
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
    reports.check(None, &[&args.file])?;
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
    ended(summary.exit_code, reports.write(&summary))
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
    ) -> Result<(Arc<Summary>, Option<Kept>), Failure> {
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
        let kept = || evidence(world.settings(), &summary).map_err(|e| e.to_string());
        let kept = self.keep.then(kept);
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
    let text = read_given(path, LONGEST_TEXT).and_then(text).map_err(|e| failed(e.to_string()))?;
    let source = Source::new(path.display().to_string(), text);
    let is_requirement = |id: &str| ofp_checks::find(id).is_some();
    parse_baseline(&source, &is_requirement).map_err(|problems| {
        let shown = problems.iter().map(|problem| render(&source, problem, environment.colour));
        Failure::BadBaseline(source.name.clone(), shown.collect::<Vec<_>>().join("\n\n"))
    })
}

/// `--var NAME=VALUE`, as far as no scenario that was loaded calls the name a secret.
fn told(args: &RunArgs, secrets: &[String]) -> Vec<String> {
    let is_open = |given: &&String| {
        given.split_once('=').is_some_and(|(name, _)| !secrets.iter().any(|secret| secret == name))
    };
    args.variables.var.iter().filter(is_open).map(|given| format!("--var={given}")).collect()
}

/// The variables that were given, each with the flag that gives it again.
fn variable_flags(args: &RunArgs, secrets: &[String]) -> Vec<(String, String)> {
    let kept = told(args, secrets);
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

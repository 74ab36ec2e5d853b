//! `ofp-sim run`.

use std::{
    collections::HashSet,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ofp_evidence::{RunEvent, RunStarted, Summary};
use ofp_net::{OsEntropy, SystemClock};
use ofp_pki::{OpenOptions, Pki};
use ofp_report::{Terminal, json, junit, markdown};
use ofp_runner::{
    Loaded, RunOptions, SnapshotMode, Target, Voice, World, WorldOptions, evidence, exit,
    judge_evidence, load, run as play,
};
use ofp_scenario::{Known, PROFILES, Source, Span, closest, parse_baseline, render};
use ofp_types::{Clock as _, DpFault, DpVariant, Profile};

use super::doctor::preflight;
use crate::{
    args::{DEFAULT_TIMEOUT, FailOn, JudgeArgs, RunArgs, Snapshots},
    environment::Environment,
    failure::Failure,
};

pub(super) fn run(args: &RunArgs, environment: &Environment) -> Result<u8, Failure> {
    // everything that can be wrong with what was asked for is said before anything is booted
    let asked = args.profile.as_deref().map(profile).transpose()?;
    let reports = reports(&args.report)?;
    let faults = faults(&args.fault)?;
    let variants = variants(&args.variant)?;
    let scenarios = select(load(&args.paths)?, args)?;
    can_accept(args, &scenarios)?;
    let baseline = args.baseline.as_deref().map(|path| baseline(path, environment)).transpose()?;
    let timeout = Span::parse(&args.timeout).filter(|span| span.0.is_positive());
    let timeout = timeout.ok_or_else(|| Failure::BadTimeout(args.timeout.clone()))?;
    let (target, pki, profile) = match tested(args, asked, environment)? {
        Ok(tested) => tested,
        Err(code) => return Ok(code),
    };
    // a customer has one browser; and with snapshots it is always the same customer's turn
    let at_once = || match &target {
        Some(target) if target.snapshots().is_some() => 1,
        Some(target) => target.customers(),
        None => processors(),
    };

    let (snapshots, snapshot_folder) = snapshots(args, target.as_deref())?;
    let options = RunOptions {
        jobs: args.jobs.map_or_else(at_once, usize::from),
        step_deadline: timeout.0.unsigned_abs(),
        snapshots,
        ci: environment.ci,
        fail_on_should: args.fail_on == FailOn::Should,
        baseline,
        snapshot_folder,
        started: RunStarted {
            tool: concat!("ofp-sim ", env!("CARGO_PKG_VERSION")).into(),
            profile: profile.name.clone(),
            experimental: profile.experimental,
            target: target.as_ref().map_or("the reference DP", |target| target.name()).into(),
            rerun_flags: rerun_flags(args),
            scenarios: scenarios.len(),
        },
        pki_folder: Some(args.pki.display().to_string()),
    };
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
    let (summary, evidence) = runtime.block_on(async {
        tokio::select! {
            run = run_in_world(&pki, &world, &scenarios, &options, args.evidence.is_some()) => run,
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        }
    })?;
    // servers have been told to stop; what still hangs on a connection is not worth a wait
    runtime.shutdown_background();
    write_reports(&summary, &reports)?;
    if let (Some(path), Some(evidence)) = (&args.evidence, evidence) {
        write_private(path, &evidence)?;
    }
    Ok(summary.exit_code)
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
type Tested = (Option<Arc<Target>>, Pki, Profile);

fn tested(
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
    let reports = reports(&args.report)?;
    let summary = judge_evidence(&args.file, args.fail_on == FailOn::Should)?;
    let width = summary.scenarios.iter().map(|one| one.id.0.len()).max().unwrap_or(0);
    let mut terminal = Terminal::new(std::io::stdout(), width);
    let finished = summary.scenarios.iter().cloned().map(Box::new);
    let events = std::iter::once(RunEvent::Started(summary.started.clone()))
        .chain(finished.map(RunEvent::ScenarioFinished))
        .chain([RunEvent::Finished(Arc::clone(&summary))]);
    for event in events {
        match terminal.show(&event) {
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => return Err(Failure::Output(e)),
            _ => {}
        }
    }
    write_reports(&summary, &reports)?;
    Ok(summary.exit_code)
}

async fn run_in_world(
    pki: &Pki,
    world: &WorldOptions,
    scenarios: &[Loaded],
    options: &RunOptions,
    keep: bool,
) -> Result<(Arc<Summary>, Option<Vec<u8>>), Failure> {
    let world = World::boot(pki, world, Arc::new(SystemClock), Arc::new(OsEntropy))?;
    let width = scenarios.iter().map(|one| one.id.len()).max().unwrap_or(0);
    let terminal = Mutex::new((Terminal::new(std::io::stdout(), width), Ok(())));
    let listener = |event: RunEvent| {
        let mut terminal = terminal.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = terminal.0.show(&event);
        if terminal.1.is_ok() {
            terminal.1 = shown;
        }
    };
    let summary = play(&world, scenarios, options, &listener).await;
    let (_, shown) = terminal.into_inner().unwrap_or_else(PoisonError::into_inner);
    match shown {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => return Err(Failure::Output(e)),
        _ => {}
    }
    let kept = keep.then(|| evidence(world.settings(), &summary)).transpose();
    let kept = kept.map_err(|e| Failure::Output(std::io::Error::other(e)))?;
    Ok((summary, kept))
}

/// A person who plays the customer is spoken to beside the report, which may go to a file.
fn voice() -> Voice {
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

/// The flags that decide what a run finds.
fn rerun_flags(args: &RunArgs) -> String {
    let mut flags = String::new();
    let mut add = |flag: &str, value: &str| {
        flags.extend([" --", flag, " ", value]);
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
    if let Some(baseline) = &args.baseline {
        add("baseline", &baseline.display().to_string());
    }
    if args.timeout != DEFAULT_TIMEOUT {
        add("timeout", &args.timeout);
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

/// The scenarios that the tags and requirements select.
fn select(loaded: Vec<Loaded>, args: &RunArgs) -> Result<Vec<Loaded>, Failure> {
    for id in &args.requirement {
        if ofp_checks::find(id).is_none() {
            return Err(Failure::UnknownRequirement(id.clone()));
        }
    }
    let tagged = |one: &Loaded| {
        args.tag.is_empty() || args.tag.iter().any(|tag| one.scenario.tags.contains(tag))
    };
    let covers = |one: &Loaded| {
        let claims = |id: &String| one.scenario.covers.iter().any(|c| c.value.as_str() == id);
        args.requirement.is_empty() || args.requirement.iter().any(claims)
    };
    let all = loaded.len();
    let selected: Vec<Loaded> =
        loaded.into_iter().filter(|one| tagged(one) && covers(one)).collect();
    if selected.is_empty() {
        let why = format!(": none of {all} has the tag or covers the requirement asked for");
        return Err(Failure::NothingSelected(why));
    }
    Ok(selected)
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

/// A report that was asked for.
#[derive(Debug)]
enum Report {
    Json(PathBuf),
    Junit(PathBuf),
    Markdown(PathBuf),
}

fn reports(asked: &[String]) -> Result<Vec<Report>, Failure> {
    let mut files: Vec<&str> = Vec::new();
    let mut reports = Vec::new();
    for text in asked {
        let (format, file) = text.split_once('=').unwrap_or((text, ""));
        if files.contains(&file) {
            return Err(Failure::SameReport(file.into()));
        }
        files.push(file);
        reports.push(match format {
            "json" if !file.is_empty() => Report::Json(file.into()),
            "junit" if !file.is_empty() => Report::Junit(file.into()),
            "markdown" if !file.is_empty() => Report::Markdown(file.into()),
            _ => return Err(Failure::BadReport(text.clone())),
        });
    }
    Ok(reports)
}

/// Writes every report that can be written; a failure matters only to a run that passed.
fn write_reports(summary: &Summary, reports: &[Report]) -> Result<(), Failure> {
    let mut failed = Ok(());
    for report in reports {
        let written = match report {
            Report::Json(path) => {
                let text = serde_json::to_string_pretty(&json(summary));
                write(path, text.map_err(|e| e.to_string()))
            }
            Report::Markdown(path) => write(path, Ok(markdown(summary))),
            Report::Junit(path) => write(path, junit(summary).map_err(|e| e.to_string())),
        };
        if failed.is_ok() {
            failed = written;
        }
    }
    match failed {
        Err(failure) if summary.exit_code != exit::PASSED => {
            super::warn(&failure);
            Ok(())
        }
        other => other,
    }
}

/// A file that nobody else may read: evidence holds tokens and passwords.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| {
            // one that was there before may have been anybody's
            #[cfg(unix)]
            file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            file.write_all(bytes)
        })
        .map_err(|e| Failure::Report { path: path.to_owned(), reason: e.to_string() })
}

fn write(path: &Path, text: Result<String, String>) -> Result<(), Failure> {
    let failed = |reason: String| Failure::Report { path: path.to_owned(), reason };
    let text = text.map_err(failed)?;
    let file = std::fs::File::create(path);
    file.and_then(|mut file| writeln!(file, "{}", text.trim_end()))
        .map_err(|e| failed(e.to_string()))
}

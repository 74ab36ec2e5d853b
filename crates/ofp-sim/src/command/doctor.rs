//! `ofp-sim doctor`, and the same before a run with a target.

use std::{fmt::Write as _, path::Path, sync::Arc};

use colored::Colorize as _;
use ofp_net::SystemClock;
use ofp_pki::{OpenOptions, Pki};
use ofp_report::tame;
use ofp_runner::{
    Target,
    doctor::{DoctorLine, Examined, Finding, Report, Surroundings, examine, fetch_keys, reach},
    exit,
};
use ofp_scenario::render;
use ofp_types::{Clock as _, Profile};

use super::print;
use crate::{args::DoctorArgs, environment::Environment, failure::Failure};

pub(super) fn doctor(args: &DoctorArgs, environment: &Environment) -> Result<u8, Failure> {
    let mut examined = examined(&args.target, None, environment);
    print(&problems(&examined, environment))?;
    if let Some(target) = &mut examined.target {
        let pki = open_pki(&args.pki, target)?;
        let report = &mut examined.report;
        super::runtime()?.block_on(reach(target, &pki, &SystemClock, report));
    }
    let mut text = String::new();
    for line in &examined.report.lines {
        text.push_str(&shown(line));
    }
    text.push_str(&verdict(&examined));
    print(&text)?;
    Ok(examined.report.exit_code())
}

/// The preflight of a run: the target if it can be tested, else the exit code that says why not.
pub(super) fn preflight(
    path: &Path,
    pki_folder: &Path,
    profile: Option<Profile>,
    environment: &Environment,
) -> Result<Result<(Arc<Target>, Pki), u8>, Failure> {
    let mut examined = examined(path, profile, environment);
    print(&problems(&examined, environment))?;
    let mut opened = None;
    if let Some(target) = &mut examined.target {
        let pki = open_pki(pki_folder, target)?;
        let report = &mut examined.report;
        super::runtime()?.block_on(reach(target, &pki, &SystemClock, report));
        opened = Some(pki);
    }
    let mut text = String::new();
    let odd = |line: &&DoctorLine| !matches!(line.finding, Finding::Good | Finding::NotSeen);
    examined.report.lines.iter().filter(odd).for_each(|line| text.push_str(&shown(line)));
    text.push_str(&verdict(&examined));
    text.push('\n');
    print(&text)?;
    let code = examined.report.exit_code();
    Ok(match (examined.target, opened) {
        (Some(target), Some(pki)) if code == exit::PASSED => Ok((Arc::new(target), pki)),
        _ => Err(if code == exit::PASSED { exit::CONFIG } else { code }),
    })
}

fn examined(path: &Path, profile: Option<Profile>, environment: &Environment) -> Examined {
    let variable = |name: &str| environment.variable(name);
    examine(path, &Surroundings { now: SystemClock.now(), variable: &variable, profile })
}

/// Our certificates must carry the name by which the DP calls us.
fn open_pki(folder: &Path, target: &Target) -> Result<Pki, Failure> {
    let mut options = OpenOptions::at(SystemClock.now());
    options.names.push(target.listen().host.clone());
    Ok(Pki::open(folder, &options)?.0)
}

/// Problems of a file's text, with line and caret.
fn problems(examined: &Examined, environment: &Environment) -> String {
    let all = examined.problems.iter();
    all.map(|(source, problem)| format!("{}\n\n", render(source, problem, environment.colour)))
        .collect()
}

fn shown(line: &DoctorLine) -> String {
    let (word, mend) = match &line.finding {
        Finding::Good => ("ok  ".green(), None),
        Finding::Warning { mend } => ("warn".yellow(), Some(mend)),
        Finding::Bad { mend, .. } => ("FAIL".red().bold(), Some(mend)),
        Finding::NotSeen => ("-   ".normal(), None),
    };
    // certificates and headers are the DP's to write
    let (checked, came) = (tame(&line.checked), tame(&line.came));
    let mut text = format!("{word}  {}  {checked}: {came}\n", line.code);
    if let Some(mend) = mend {
        let _ = writeln!(text, "            {} {}", "mend:".bold(), tame(mend));
    }
    text
}

fn verdict(examined: &Examined) -> String {
    let lines = &examined.report.lines;
    let bad = examined.report.bad().count();
    let warnings = lines.iter().filter(|line| matches!(line.finding, Finding::Warning { .. }));
    let (all, warnings) = (lines.len(), warnings.count());
    let name = tame(examined.target.as_ref().map_or("the target", Target::name));
    match examined.report.exit_code() {
        exit::PASSED => {
            let plural = if warnings == 1 { "" } else { "s" };
            format!("doctor: {name} can be tested ({all} checks, {warnings} warning{plural})\n")
        }
        exit::UNTESTED => {
            format!(
                "doctor: {name} cannot be reached ({bad} of {all} checks failed); nothing is said about its conformance\n"
            )
        }
        _ => {
            format!(
                "doctor: a matter of configuration ({bad} of {all} checks failed); nothing is said about conformance\n"
            )
        }
    }
}

/// The target of a platform that stays up: its files must be in order, but it may start later.
pub(super) fn target(
    path: &Path,
    pki_folder: &Path,
    profile: Option<Profile>,
    environment: &Environment,
) -> Result<(Arc<Target>, Pki), Failure> {
    let mut examined = examined(path, profile, environment);
    print(&problems(&examined, environment))?;
    let mut text = String::new();
    let odd = |line: &&DoctorLine| !matches!(line.finding, Finding::Good | Finding::NotSeen);
    examined.report.lines.iter().filter(odd).for_each(|line| text.push_str(&shown(line)));
    print(&text)?;
    let bad = examined.report.bad().count();
    match examined.target.take() {
        Some(mut target) if bad == 0 => {
            let pki = open_pki(pki_folder, &target)?;
            let mut fetched = Report::default();
            super::runtime()?.block_on(fetch_keys(&mut target, &mut fetched));
            let bad = fetched.bad().count();
            print(&fetched.bad().map(shown).collect::<String>())?;
            if bad > 0 {
                return Err(Failure::Target { path: path.to_owned(), bad });
            }
            Ok((Arc::new(target), pki))
        }
        _ => Err(Failure::Target { path: path.to_owned(), bad }),
    }
}

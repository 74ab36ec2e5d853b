//! One file a command. The only place where the process writes to its streams.

mod doctor;
mod explain;
mod init;
mod inspect;
mod last_run;
mod lint;
mod list;
mod new;
mod pki;
mod reports;
mod run;
mod scenarios;
mod schema;
mod select;
mod snapshots;
mod step;
mod up;
mod watch;

use std::io::Write as _;

use clap::CommandFactory as _;
use ofp_report::tame;
use ofp_runner::{LoadError, ProfileError, exit};
use ofp_scenario::{Diagnostic, Filter, Source, render};

use crate::{
    args::{Args, Command},
    environment::Environment,
    failure::Failure,
};

/// Carries out a command and returns its exit code.
pub(crate) fn dispatch(args: Args, environment: &Environment) -> u8 {
    colored::control::set_override(environment.colour);
    let result = match args.command {
        Command::Run(args) => run::run(&args, environment),
        Command::Init(args) => init::init(&args),
        Command::Doctor(args) => doctor::doctor(&args, environment),
        Command::Up(args) => up::up(&args, environment),
        Command::Judge(args) => run::judge(&args),
        Command::Rerun(variables) => last_run::rerun(&variables, environment),
        Command::Lint(args) => lint::lint(&args, environment),
        Command::New(args) => new::new(&args),
        Command::Scenarios { action } => scenarios::scenarios(&action),
        Command::Snapshots(args) => snapshots::snapshots(&args, environment),
        Command::Inspect(args) => inspect::inspect(&args, environment),
        Command::Explain(args) => explain::explain(&args, environment),
        Command::Schema { what } => schema::schema(what),
        Command::Pki { action } => pki::pki(&action),
        Command::Completions { shell } => completions(shell),
        Command::List { what, filter, paths } => list::list(what, filter.as_deref(), &paths),
    };
    match result {
        Ok(code) => code,
        Err(failure) => {
            complain(&failure, environment);
            failure.exit_code()
        }
    }
}

/// What runs everything that waits.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(run::processors())
        .enable_all()
        .build()
        .map_err(Failure::Runtime)
}

pub(crate) fn complain(failure: &Failure, environment: &Environment) {
    let mut text = String::new();
    if let Failure::Load(LoadError::Problems { problems, .. }) = failure {
        for (source, diagnostics) in problems {
            text.push_str(&all(source, diagnostics, environment));
        }
    }
    if let Failure::BadFilter(filter, problem) = failure {
        text.push_str(&all(&Filter::source(filter), std::slice::from_ref(problem), environment));
    }
    if let Failure::Profile(ProfileError::Bad(problem)) = failure {
        text.push_str(&all(&problem.0, std::slice::from_ref(&problem.1), environment));
    }
    if let Failure::BadBaseline(_, problem) = failure {
        text.push_str(problem);
        text.push_str("\n\n");
    }
    text.push_str("error: ");
    // names of files and what stands in them may be anybody's
    let said = failure.to_string();
    let lines: Vec<String> = said.lines().map(tame).collect();
    text.push_str(&lines.join("\n"));
    text.push('\n');
    if let Some(help) = failure.help() {
        text.push_str("help: ");
        text.push_str(help);
        text.push('\n');
    }
    // nowhere is left to say that even this failed
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

fn all(source: &Source, diagnostics: &[Diagnostic], environment: &Environment) -> String {
    diagnostics.iter().map(|d| format!("{}\n\n", render(source, d, environment.colour))).collect()
}

/// Writes to standard output; a reader that has gone away is no error.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::Output(e)),
        _ => Ok(()),
    }
}

/// Says that something went wrong beside the main thing.
fn warn(failure: &Failure) {
    // nowhere is left to say that even this failed
    let _ = writeln!(std::io::stderr().lock(), "warning: {}", tame(&failure.to_string()));
}

/// Says something beside the main thing that is no failure.
fn note(text: &str) {
    // nowhere is left to say that even this failed
    let _ = writeln!(std::io::stderr().lock(), "note: {}", tame(text));
}

fn completions(shell: clap_complete::Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "ofp-sim", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(exit::PASSED)
}

//! The real binary, as a user runs it: standard output, standard error and exit code.
#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod authoring;
mod bad_input;
mod expectations;
mod journey;
mod listing;
mod reports;
mod secrets;
mod snapshots;
mod target;
mod up;
mod watch;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A finished `ofp-sim`.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Certificates that every test shares: the folder is locked while it is made.
fn pki() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("certs-dev")
}

/// The repository's scenarios.
fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ofp-sim"));
    command.current_dir(folder).env("NO_COLOR", "1").env_remove("CI");
    command
}

fn finish(output: &Output) -> Ran {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

/// Runs `ofp-sim` with these arguments in an empty folder.
fn ofp_sim(arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    ofp_sim_in(folder.path(), arguments)
}

/// Runs `ofp-sim` in a folder.
fn ofp_sim_in(folder: &Path, arguments: &[&str]) -> Ran {
    finish(&command(folder).args(arguments).output().unwrap())
}

/// Runs `ofp-sim run` with the shared certificates in an empty folder.
fn run(arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), arguments)
}

/// Runs `ofp-sim run` with the shared certificates.
fn run_in(folder: &Path, arguments: &[&str]) -> Ran {
    let output = command(folder).arg("run").arg("--pki").arg(pki()).args(arguments).output();
    finish(&output.unwrap())
}

/// What varies from run to run, made fixed: `12 ms` becomes `0 ms`, white space is folded.
fn stable(text: &str) -> String {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let before_ms = |at: usize| words.get(at + 1).is_some_and(|next| next.starts_with("ms"));
        let fixed = |(at, word): (usize, &&str)| match before_ms(at) {
            true => word.replace(|c: char| c.is_ascii_digit(), "") + "0",
            false => (*word).to_owned(),
        };
        let line = words.iter().enumerate().map(fixed).collect::<Vec<_>>().join(" ") + "\n";
        without_counter(&line)
    };
    text.lines().map(line).collect()
}

/// Scenarios end in any order, and so are counted.
fn without_counter(line: &str) -> String {
    let Some((before, after)) = line.split_once('(') else { return line.to_owned() };
    let Some((counter, rest)) = after.split_once(')') else { return line.to_owned() };
    let is_counter = counter.contains('/') && counter.chars().all(|c| " /0123456789".contains(c));
    if is_counter { format!("{before}{}", rest.trim_start()) } else { line.to_owned() }
}

/// The scenario lines sorted, since scenarios end in any order.
fn sorted_scenarios(text: &str) -> String {
    let is_scenario = |line: &&str| ["PASS", "FAIL", "ERROR"].iter().any(|w| line.starts_with(w));
    let mut lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(is_scenario).unwrap();
    let count = lines.iter().skip(first).take_while(|line| is_scenario(line)).count();
    lines[first..first + count].sort_unstable();
    lines.join("\n")
}

/// A folder with these files.
fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

const LOG_IN: &str = "scenario: log-in\ntitle: Somebody logs in\ntags: [mine]\nvars: { who: paynet }\nsteps:\n  - dc.request_consent:\n  \
                      - customer.follow_authorization:\n  - customer.log_in: { username: \"{{ who }}\" }\n    expect: { screen: account_selection }\n";

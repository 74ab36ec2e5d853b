//! `ofp-sim snapshots`: conversations that are not as they were, accepted or rejected.

use std::{
    collections::HashSet,
    io::{BufRead as _, Write as _},
    path::{Component, Path, PathBuf},
};

use colored::Colorize as _;
use ofp_report::{shell_path, tame};
use ofp_runner::{exit, pending_snapshot};

use super::print;
use crate::{
    args::{SnapshotsArgs, SnapshotsWhat},
    environment::Environment,
    failure::Failure,
};

/// A conversation that waits.
struct Pending {
    /// The new one.
    new: PathBuf,
    /// The one that was accepted, whether it is there or not.
    accepted: PathBuf,
}

pub(super) fn snapshots(args: &SnapshotsArgs, environment: &Environment) -> Result<u8, Failure> {
    let mut pending = Vec::new();
    for path in &args.paths {
        find(path, &mut HashSet::new(), &mut pending)?;
    }
    pending.sort_by(|a, b| a.new.cmp(&b.new));
    if pending.is_empty() {
        print("no conversation waits (no *.snap.new)\n")?;
        return Ok(exit::PASSED);
    }
    match args.what {
        SnapshotsWhat::Accept => pending.iter().try_for_each(accept)?,
        SnapshotsWhat::Reject => pending.iter().try_for_each(reject)?,
        SnapshotsWhat::Review if environment.interactive => review(&pending)?,
        SnapshotsWhat::Review => return without_terminal(&pending),
    }
    Ok(exit::PASSED)
}

/// A build folder is nobody's place for snapshots.
const LEFT_OUT: [&str; 3] = ["target", "node_modules", ".git"];

fn find(path: &Path, been: &mut HashSet<PathBuf>, found: &mut Vec<Pending>) -> Result<(), Failure> {
    let unreadable =
        |e: std::io::Error| Failure::File { path: path.to_owned(), reason: e.to_string() };
    if path.is_file() {
        found.extend(of_file(path));
        return Ok(());
    }
    if !been.insert(path.canonicalize().map_err(unreadable)?) {
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?.path();
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if entry.is_dir() && !LEFT_OUT.contains(&name.as_str()) {
            find(&entry, been, found)?;
        } else if name.ends_with(".snap.new") {
            found.extend(of_file(&entry));
        }
    }
    Ok(())
}

fn of_file(path: &Path) -> Option<Pending> {
    // a scenario stands for its snapshot
    let beside = path.extension().filter(|e| *e == "yaml" || *e == "yml").map(|_| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        path.with_file_name("snapshots").join(format!("{name}.snap"))
    });
    let path = beside.as_deref().unwrap_or(path);
    let path: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    let accepted = match path.extension() {
        Some(extension) if extension == "new" => path.with_extension(""),
        _ => path,
    };
    let mut new = accepted.clone().into_os_string();
    new.push(".new");
    let new = PathBuf::from(new);
    new.is_file().then_some(Pending { new, accepted })
}

fn failed(path: &Path, e: &std::io::Error) -> Failure {
    Failure::File { path: path.to_owned(), reason: e.to_string() }
}

/// A path as a terminal may show it.
fn shown(path: &Path) -> String {
    tame(&path.display().to_string())
}

fn accept(one: &Pending) -> Result<(), Failure> {
    std::fs::rename(&one.new, &one.accepted).map_err(|e| failed(&one.accepted, &e))?;
    print(&format!("accepted  {}\n", shown(&one.accepted)))
}

fn reject(one: &Pending) -> Result<(), Failure> {
    std::fs::remove_file(&one.new).map_err(|e| failed(&one.new, &e))?;
    print(&format!("rejected  {}\n", shown(&one.accepted)))
}

/// Each difference, and what to do about it.
fn review(pending: &[Pending]) -> Result<(), Failure> {
    let mut input = std::io::stdin().lock();
    let mut all: Option<u8> = None;
    for (at, one) in pending.iter().enumerate() {
        print(&format!(
            "\n{} of {}  {}\n{}",
            at + 1,
            pending.len(),
            shown(&one.accepted),
            difference(one)?
        ))?;
        let answer = loop {
            if let Some(answer) = all {
                break answer;
            }
            print("accept (a), reject (r), skip (s), accept all (A), reject all (R), quit (q)? ")?;
            let mut line = String::new();
            let read = input.read_line(&mut line).map_err(Failure::Output)?;
            match line.trim().as_bytes().first() {
                _ if read == 0 => break b'q',
                Some(answer @ (b'a' | b'r' | b's' | b'q')) => break *answer,
                Some(answer @ (b'A' | b'R')) => {
                    all = Some(answer.to_ascii_lowercase());
                }
                _ => {}
            }
        };
        match answer {
            b'a' => accept(one)?,
            b'r' => reject(one)?,
            b'q' => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}

fn difference(one: &Pending) -> Result<String, Failure> {
    let difference = pending_snapshot(&one.accepted, &one.new);
    let text = difference.map_err(|e| failed(&one.new, &e))?;
    let coloured = text.lines().map(|line| {
        let line = tame(line);
        match line.as_bytes().first() {
            Some(b'+') => format!("{}\n", line.green()),
            Some(b'-') => format!("{}\n", line.red()),
            _ => format!("{line}\n"),
        }
    });
    Ok(coloured.collect())
}

/// Nobody can be asked: everything is shown, with the commands that decide.
fn without_terminal(pending: &[Pending]) -> Result<u8, Failure> {
    for one in pending {
        print(&format!("{}\n{}\n", shown(&one.accepted), difference(one)?))?;
    }
    let mut out = std::io::stdout().lock();
    let names: Vec<String> =
        pending.iter().map(|one| shell_path(&one.accepted.display().to_string())).collect();
    let written = writeln!(
        out,
        "there is no terminal to ask at; decide with\n  ofp-sim snapshots accept {0}\n  ofp-sim snapshots reject {0}",
        names.join(" ")
    );
    match written {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::Output(e)),
        _ => Ok(exit::FAILED),
    }
}

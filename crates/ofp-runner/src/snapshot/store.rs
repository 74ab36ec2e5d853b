//! Snapshot files, in insta's format, beside the scenario.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ofp_evidence::{Cause, Finding, Severity, Subject};
use ofp_scenario::builtin;
use serde_json::Value;
use similar::TextDiff;

use super::SnapshotMode;
use crate::read::{read_found, text};

/// Where a snapshot is, and what to do with it.
pub(crate) struct SnapshotOptions<'a> {
    pub(crate) scenario: &'a Path,
    pub(crate) embedded: bool,
    /// A target's own folder, instead of the one beside the scenario, and the scenario's name in it.
    pub(crate) elsewhere: Option<(&'a Path, &'a str)>,
    /// The profile, if it is not the one that snapshots are of unless a folder says otherwise.
    pub(crate) profile: Option<&'a str>,
    pub(crate) mode: SnapshotMode,
    pub(crate) ci: bool,
}

/// Compares a conversation with the accepted one, or accepts it. What is wrong comes back.
pub(crate) fn check(text: &str, options: &SnapshotOptions<'_>) -> Vec<Finding> {
    if options.mode == SnapshotMode::Off {
        return Vec::new();
    }
    let beside = snapshot_path(options.scenario, options.profile);
    let result = match options.elsewhere {
        Some((folder, id)) => local(&folder.join(format!("{id}.snap")), text, options),
        // the binary has those of its default profile alone
        None if options.embedded && options.profile.is_some() => Ok(()),
        None if options.embedded => embedded(&beside, text),
        None => local(&beside, text, options),
    };
    result.err().map(|finding| vec![*finding]).unwrap_or_default()
}

/// `snapshots/NAME.snap` beside the scenario; `snapshots/PROFILE/NAME.snap` in another profile than the default, in which
/// other things are said.
fn snapshot_path(scenario: &Path, profile: Option<&str>) -> PathBuf {
    let name = scenario.file_stem().unwrap_or_default().to_string_lossy();
    let folder = scenario.parent().unwrap_or(Path::new(""));
    folder.join("snapshots").join(profile.unwrap_or("")).join(format!("{name}.snap"))
}

fn embedded(path: &Path, text: &str) -> Result<(), Box<Finding>> {
    match builtin::file(&path.display().to_string()) {
        Some(accepted) => compare(path, body(accepted), text),
        None => Err(problem(path, "a snapshot in the binary", "none")),
    }
}

fn local(path: &Path, text: &str, options: &SnapshotOptions<'_>) -> Result<(), Box<Finding>> {
    let accepted = match kept(path) {
        Ok(accepted) => Some(accepted),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(problem(path, "a readable snapshot", &e.to_string())),
    };
    let whole = format!(
        "---\nsource: {}\nexpression: conversation\n---\n{text}",
        options.scenario.file_name().unwrap_or_default().to_string_lossy()
    );
    match (accepted, options.mode) {
        (accepted, SnapshotMode::Accept) => {
            // what was pending is accepted now, or no longer true
            let _ = fs::remove_file(path.with_extension("snap.new"));
            match accepted {
                Some(accepted) if body(&accepted) == text => Ok(()),
                _ => write(path, &whole),
            }
        }
        (None, _) if options.ci => Err(problem(path, "an accepted snapshot", "none")
            .map_hint("run with --snapshots accept and commit the file")),
        (None, _) => write(path, &whole),
        (Some(accepted), _) => {
            let compared = compare(path, body(&accepted), text);
            let pending = path.with_extension("snap.new");
            if compared.is_err() && !options.ci {
                write(&pending, &whole)?;
            } else if compared.is_ok() {
                // what was pending is no longer what is seen
                let _ = fs::remove_file(pending);
            }
            compared
        }
    }
}

/// A snapshot is a text of some pages.
const LONGEST: u64 = 4 * 1024 * 1024;

fn kept(path: &Path) -> std::io::Result<String> {
    let bytes = read_found(path, LONGEST).and_then(text);
    bytes.map_err(|e| std::io::Error::new(e.kind(), format!("{}: {e}", path.display())))
}

/// What follows insta's header.
fn body(file: &str) -> &str {
    let after_first = file.strip_prefix("---\n").unwrap_or(file);
    after_first.split_once("\n---\n").map_or(after_first, |(_, body)| body)
}

fn compare(path: &Path, accepted: &str, seen: &str) -> Result<(), Box<Finding>> {
    if accepted == seen || same_but_for_order(accepted, seen) {
        return Ok(());
    }
    let diff = difference(accepted, seen);
    let hint = "if the change is right, accept it: `ofp-sim snapshots review`, or `ofp-sim run PATH --snapshots accept`";
    Err(problem(path, "the accepted conversation", &diff).map_hint(hint))
}

fn difference(accepted: &str, seen: &str) -> String {
    let diff = TextDiff::from_lines(accepted, seen);
    diff.unified_diff().context_radius(3).header("accepted", "seen").to_string()
}

/// Whether two conversations say the same, where only members of objects or headers stand in another order.
fn same_but_for_order(accepted: &str, seen: &str) -> bool {
    let value = |text: &str| serde_json::from_str::<Value>(text).ok();
    // equal maps are equal in any order
    value(accepted).is_some_and(|accepted| Some(accepted) == value(seen))
}

/// What has changed between a conversation that was accepted, if one was, and one that waits.
///
/// # Errors
/// Those of reading the files.
pub fn pending_snapshot(accepted: &Path, new: &Path) -> std::io::Result<String> {
    let before = match kept(accepted) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    Ok(difference(body(&before), body(&kept(new)?)))
}

fn write(path: &Path, text: &str) -> Result<(), Box<Finding>> {
    let written =
        path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text));
    written.map_err(|e| problem(path, "a snapshot that can be written", &e.to_string()))
}

fn problem(path: &Path, expected: &str, actual: &str) -> Box<Finding> {
    let subject = Subject::Snapshot { file: path.display().to_string() };
    Box::new(Finding::new(subject, expected, actual, Severity::Failure).caused_by(Cause::Dp))
}

trait MapHint {
    fn map_hint(self, hint: &str) -> Self;
}

impl MapHint for Box<Finding> {
    fn map_hint(self, hint: &str) -> Self {
        Self::new(self.hint(hint))
    }
}

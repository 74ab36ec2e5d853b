//! Snapshots: compared, drifting, accepted, missing.

use std::{fs, path::Path};

use crate::{Ran, command, finish, pki, run_in, scenarios};

/// A folder with one scenario of the repository and its snapshot.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("snapshots")).unwrap();
    for file in ["drop-off.yaml", "snapshots/drop-off.snap"] {
        fs::copy(scenarios().join("journey").join(file), folder.path().join(file)).unwrap();
    }
    folder
}

fn snapshot(folder: &Path) -> String {
    fs::read_to_string(folder.join("snapshots/drop-off.snap")).unwrap()
}

fn run_under_ci(folder: &Path) -> Ran {
    let mut command = command(folder);
    command.env("CI", "true").arg("run").arg("--pki").arg(pki()).arg("drop-off.yaml");
    finish(&command.output().unwrap())
}

#[test]
fn a_drift_fails_with_a_diff_until_it_is_accepted() {
    let folder = copy();
    let accepted = snapshot(folder.path());
    let changed = accepted.replace("\"consent_created\"", "\"consent_made\"");
    fs::write(folder.path().join("snapshots/drop-off.snap"), &changed).unwrap();

    let ran = run_in(folder.path(), &["drop-off.yaml"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("-          \"event_type\": \"consent_made\""), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("+          \"event_type\": \"consent_created\""),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("--snapshots accept"), "{}", ran.stdout);
    assert_eq!(snapshot(folder.path()), changed, "a check changes nothing");
    let pending = folder.path().join("snapshots/drop-off.snap.new");
    assert_eq!(fs::read_to_string(&pending).unwrap(), accepted, "pending, for review");

    assert_eq!(run_in(folder.path(), &["drop-off.yaml", "--snapshots", "off"]).code, 0);
    assert_eq!(run_in(folder.path(), &["drop-off.yaml", "--snapshots", "accept"]).code, 0);
    assert_eq!(snapshot(folder.path()), accepted);
    assert!(!pending.exists(), "accepted, so nothing is pending");
    assert_eq!(run_in(folder.path(), &["drop-off.yaml"]).code, 0);
}

#[test]
fn a_missing_snapshot_is_written_locally_and_fails_under_ci() {
    let folder = copy();
    let accepted = snapshot(folder.path());
    fs::remove_file(folder.path().join("snapshots/drop-off.snap")).unwrap();
    let ran = run_under_ci(folder.path());
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("an accepted snapshot"), "{}", ran.stdout);
    assert!(!folder.path().join("snapshots/drop-off.snap").exists(), "CI writes nothing");
    assert_eq!(run_in(folder.path(), &["drop-off.yaml"]).code, 0);
    assert_eq!(snapshot(folder.path()), accepted);
    assert_eq!(run_under_ci(folder.path()).code, 0);
}

#[test]
fn only_an_honest_conversation_in_a_file_can_be_accepted() {
    let folder = copy();
    let accepted = snapshot(folder.path());
    let embedded = run_in(folder.path(), &["journey/drop-off", "--snapshots", "accept"]);
    assert_eq!(embedded.code, 2);
    assert!(embedded.stderr.contains("run with a PATH"), "{}", embedded.stderr);
    let faulty = ["drop-off.yaml", "--snapshots", "accept", "--fault", "no-interaction-id-echo"];
    let faulty = run_in(folder.path(), &faulty);
    assert_eq!(faulty.code, 2);
    assert!(faulty.stderr.contains("the DP errs on purpose"), "{}", faulty.stderr);
    assert_eq!(snapshot(folder.path()), accepted);
}

//! `run --watch`: what is saved is played.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use crate::{command, pki, run};

/// Ended with the test, however that ends.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_saved_file_is_played_again_and_a_broken_one_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    let text =
        |name: &str| format!("scenario: {name}\ntitle: A\nsteps:\n  - dc.request_consent:\n");
    fs::write(&file, text("first")).unwrap();
    let mut command = command(folder.path());
    command.args(["run", "a.yaml", "--watch", "--pki"]).arg(pki());
    let mut watching =
        Watching(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut lines = BufReader::new(watching.0.stdout.take().unwrap()).lines();
    let mut wait_for = |wanted: &str| {
        let found = lines.by_ref().map(Result::unwrap).find(|line| line.contains(wanted));
        assert!(found.is_some(), "{wanted} never came");
    };
    wait_for("  first ");
    wait_for("waiting for a change");
    fs::write(&file, "scenario: [").unwrap();
    wait_for("has changed");
    wait_for("waiting for a change");
    fs::write(&file, text("second")).unwrap();
    wait_for("  second ");
    wait_for("PASSED");
}

#[test]
fn there_must_be_something_to_watch() {
    let ran = run(&["--watch"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("there is no file to watch"), "{}", ran.stderr);
}

//! Whatever is wrong with what was asked for: a clear message, the right exit code, nothing lost.

use std::fs;

use crate::{Ran, ofp_sim, run, run_in};

/// What a scenario file leads to.
fn scenario(text: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), text).unwrap();
    run_in(folder.path(), &["a.yaml"])
}

#[test]
fn every_problem_of_a_scenario_is_shown_at_once_with_line_and_caret() {
    let ran = scenario(
        "scenario: a b\ntitle: x\ncover: [C-01]\nsteps:\n  - dc.request_concent:\n  - customer.log_in: { usrname: x }\n  - customer.approve:\n    expect: { status: 200 }\n  - dc.read_balance: { times: two }\n  - one: 1\n    two: 2\n  - just text\n",
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    insta::assert_snapshot!("problems", ran.stderr);
}

#[test]
fn each_kind_of_broken_file_has_its_message() {
    let cases = [
        ("empty", "", "the file is empty"),
        ("no yaml", "a: [", "this is not YAML"),
        ("a list", "- a\n", "a scenario is a map of keys, this is a list"),
        ("twice", "scenario: a\nscenario: b\n", "key `scenario` appears twice"),
        ("no steps", "scenario: a\ntitle: x\n", "key `steps` is missing"),
        ("empty steps", "scenario: a\ntitle: x\nsteps: []\n", "the list of steps is empty"),
        ("no title", "scenario: a\nsteps: [dc.request_consent: ]\n", "key `title` is missing"),
        ("two documents", "scenario: a\n---\nb: c\n", "a file holds one document"),
        ("tag", "scenario: !x a\n", "YAML tags are not part of the language"),
        (
            "an unknown requirement",
            "scenario: a\ntitle: x\ncovers: [C-99]\nsteps: [dc.request_consent: ]\n",
            "there is no check for requirement C-99",
        ),
        (
            "a number that would change",
            "scenario: a\ntitle: x\nsteps:\n  - dc.read_balance:\n    expect: { json: { a: 0123 } }\n",
            "`0123` would change if it were read as a number",
        ),
        (
            "a bad duration",
            "scenario: a\ntitle: x\nsteps: [clock.advance: soon]\n",
            "expected a length of time such as 500ms, 5s, 11m, 2h or 180d, at most 3660d, found `soon`",
        ),
        (
            "a condition on nothing",
            "scenario: a\ntitle: x\nskip: { when: { authorise_mode: browser }, because: b }\nsteps: [dc.request_consent: ]\n",
            "did you mean `authorize_mode`?",
        ),
        (
            "a defect that a verb cannot have",
            "scenario: a\ntitle: x\nsteps:\n  - customer.approve:\n    mutate: alg-none\n",
            "what `customer.approve` sends cannot be spoilt with alg-none",
        ),
        (
            "an unknown status",
            "scenario: a\ntitle: x\nsteps: [expect.consent: { status: authorised }]\n",
            "did you mean `authorized`?",
        ),
    ];
    for (name, text, message) in cases {
        let ran = scenario(text);
        assert_eq!(ran.code, 2, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("--> a.yaml:"), "{name}: {}", ran.stderr);
    }
}

#[test]
fn a_claim_to_cover_that_came_to_nothing_is_an_error_of_the_scenario() {
    let ran = scenario("scenario: a\ntitle: x\ncovers: [K-04]\nsteps: [dc.request_consent: ]\n");
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("a verdict on K-04, which the scenario claims to cover"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_step_before_its_time_is_an_error_that_says_what_is_missing() {
    let ran = scenario("scenario: a\ntitle: x\nsteps: [dc.read_balance: ]\n");
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    let said = "`dc.read_balance` needs `dc.exchange_code` before it";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}

#[test]
fn bad_usage_is_refused_before_anything_is_booted() {
    let cases: [(&[&str], i32, &str); 11] = [
        (
            &["nowhere.yaml"],
            2,
            "there is no file nowhere.yaml, and no embedded scenario of that name",
        ),
        (&["."], 2, "there is no scenario (*.yaml) in ."),
        (
            &["--profile", "portal-9"],
            2,
            "profile portal-9 is unknown: built in are portal-1.2.2, sandbox, oidc-dp",
        ),
        (&["--fault", "balance-expird"], 2, "did you mean balance-expired?"),
        (&["--fault", "x"], 2, "`ofp-sim list faults` lists those that there are"),
        (
            &["--report", "pdf=x"],
            2,
            "expected FORMAT=FILE, where FORMAT is json, junit, html, markdown or ndjson",
        ),
        (&["--report", "json="], 2, "expected FORMAT=FILE"),
        (&["--timeout", "soon"], 2, "expected a length of time"),
        (&["--requirement", "Z-01"], 2, "there is no check for it"),
        (&["--tag", "nothing-has-this"], 5, "no scenario was selected"),
        (&["--jobs", "0"], 2, "0 is not in 1..=256"),
    ];
    for (arguments, code, message) in cases {
        let ran = run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{arguments:?}: {}", ran.stderr);
    }
    assert_eq!(ofp_sim(&["fly"]).code, 2);
}

#[test]
fn a_broken_profile_points_at_the_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.yaml"), "name: mine\njram: true\n").unwrap();
    let ran = run_in(folder.path(), &["--profile", "p.yaml"]);
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!("profile", ran.stderr);
}

#[test]
fn a_broken_certificate_folder_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("certs-dev/dp")).unwrap();
    fs::write(folder.path().join("certs-dev/dp/signing.pem"), "x").unwrap();
    let ran = ofp_sim(&["run", "--pki", folder.path().join("certs-dev").to_str().unwrap()]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("dp/signing.pem is there but"), "{}", ran.stderr);
    assert!(ran.stderr.contains("help: give another folder with --pki DIR"), "{}", ran.stderr);
    assert_eq!(fs::read(folder.path().join("certs-dev/dp/signing.pem")).unwrap(), b"x");
}

#[test]
fn a_report_that_cannot_be_written_is_exit_code_3_unless_something_worse_happened() {
    let ran = run(&["journey/drop-off", "--report", "json=/nowhere/out.json"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot write the report /nowhere/out.json"), "{}", ran.stderr);
    let ran =
        run(&["journey/drop-off", "--fault", "nonsense", "--report", "json=/nowhere/out.json"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("warning: cannot write the report"), "{}", ran.stderr);
}

//! What a QA author does: start a scenario, look it through, play it, see why it failed, accept a snapshot.

use std::fs;

use crate::{LOG_IN, command, finish, folder_with, ofp_sim, ofp_sim_in, pki, run_in};

#[test]
fn every_template_is_right_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    for template in ["balance", "reject", "refusal", "trouble", "fragment"] {
        let name = format!("mine/{template}");
        let made = ofp_sim_in(folder.path(), &["new", &name, "--template", template]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        let again = ofp_sim_in(folder.path(), &["new", &name, "--template", template]);
        assert_eq!(again.code, 2);
        assert!(again.stderr.contains("is there already"), "{}", again.stderr);
    }
    let linted = ofp_sim_in(folder.path(), &["lint", "mine"]);
    assert_eq!((linted.code, linted.stderr.as_str()), (0, ""), "{}", linted.stdout);
    let ran = run_in(folder.path(), &["mine"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("6 of 6 scenarios passed"), "{}", ran.stdout);
    assert!(folder.path().join("mine/scenario.schema.json").exists());
}

#[test]
fn lint_says_every_problem_of_every_file_and_exits_with_2() {
    let folder = folder_with(&[
        ("s/a.yaml", "scenario: a\ntitel: A\nsteps:\n  - dc.request_concent:\n"),
        ("s/b.yaml", "scenario: b\ntitle: B\nsteps:\n  - dc.read_balance:\n"),
        ("s/c.yaml", LOG_IN),
    ]);
    let linted = ofp_sim_in(folder.path(), &["lint", "s"]);
    assert_eq!(linted.code, 2, "{}", linted.stdout);
    for said in [
        "s/a.yaml:2:1",
        "did you mean `title`?",
        "s/a.yaml:4:5",
        "did you mean `dc.request_consent`?",
        "s/b.yaml:4:5",
        "2 of 3 scenario files cannot be used",
    ] {
        assert!(linted.stderr.contains(said), "{said}: {}", linted.stderr);
    }
    let good = ofp_sim_in(folder.path(), &["lint", "s/c.yaml"]);
    assert_eq!(good.stdout, "1 file, 1 scenario, 3 steps: nothing is wrong with them\n");
}

#[test]
fn the_flag_outweighs_the_environment_which_outweighs_the_file_which_outweighs_the_default() {
    let folder = folder_with(&[("a.yaml", LOG_IN), ("v.yaml", "who: nobody-of-the-file\n")]);
    let played = |arguments: &[&str], environment: Option<&str>| {
        let mut command = command(folder.path());
        command.args(["run", "a.yaml", "--pki"]).arg(pki()).args(arguments);
        environment.map(|value| command.env("OFP_VAR_WHO", value));
        finish(&command.output().unwrap()).stdout
    };
    let said = |stdout: &str, name: &str| stdout.contains(&format!("no customer `{name}`"));
    assert!(played(&[], None).contains("1 of 1 scenario passed"));
    assert!(said(&played(&["--vars", "v.yaml"], None), "nobody-of-the-file"));
    assert!(said(&played(&["--vars", "v.yaml"], Some("nobody-of-env")), "nobody-of-env"));
    let flag = played(&["--vars", "v.yaml", "--var", "who=nobody-of-flag"], Some("nobody-of-env"));
    assert!(said(&flag, "nobody-of-flag"), "{flag}");

    let unknown = run_in(folder.path(), &["a.yaml", "--var", "whom=x"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("did you mean who?"), "{}", unknown.stderr);
}

#[test]
fn one_filter_language_selects_everywhere() {
    let listed = ofp_sim(&["list", "scenarios", "--filter", "tag(smoke) & journey/*"]);
    assert!(listed.stdout.starts_with("journey/approve  "), "{}", listed.stdout);
    assert_eq!(listed.stdout.lines().count(), 1, "{}", listed.stdout);
    let requirements = ofp_sim(&["list", "requirements", "--filter", "requirement(P) & tag(must)"]);
    assert_eq!(requirements.code, 0, "{}", requirements.stderr);
    assert_eq!(requirements.stdout.lines().count(), 5, "{}", requirements.stdout);
    assert!(requirements.stdout.lines().all(|line| line.starts_with("P-")));
    let folder = tempfile::tempdir().unwrap();
    let ran = run_in(folder.path(), &["--filter", "event/spoilt[alg-none]"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("1 of 1 scenario passed"), "{}", ran.stdout);
    let none = run_in(folder.path(), &["--filter", "nothing-is-called-so"]);
    assert_eq!(none.code, 5);
    let bad = run_in(folder.path(), &["--filter", "tag(smoke"]);
    assert_eq!(bad.code, 2);
    assert!(bad.stderr.contains("--filter:1:10") && bad.stderr.contains("`)` is missing"));
}

#[test]
fn rerun_plays_what_did_not_pass() {
    let wrong = LOG_IN.replace("log-in", "wrong").replace("account_selection", "review");
    let folder = folder_with(&[("s/a.yaml", LOG_IN), ("s/b.yaml", &wrong)]);
    let before = ofp_sim_in(folder.path(), &["rerun"]);
    assert_eq!(before.code, 5, "{}", before.stderr);
    let first = run_in(folder.path(), &["s"]);
    assert_eq!(first.code, 1, "{}", first.stdout);
    let again = ofp_sim_in(folder.path(), &["rerun"]);
    assert_eq!(again.code, 1, "{}", again.stdout);
    assert!(
        again.stdout.contains("s/wrong") && !again.stdout.contains("s/log-in"),
        "{}",
        again.stdout
    );
    fs::write(folder.path().join("s/b.yaml"), LOG_IN.replace("log-in", "wrong")).unwrap();
    assert_eq!(ofp_sim_in(folder.path(), &["rerun"]).code, 0);
    let nothing = ofp_sim_in(folder.path(), &["rerun"]);
    assert_eq!(nothing.code, 5);
    assert!(nothing.stderr.contains("everything passed last time"), "{}", nothing.stderr);
    // no version control takes what it keeps, and a CI job keeps nothing
    assert_eq!(fs::read_to_string(folder.path().join(".ofp-sim/.gitignore")).unwrap(), "*\n");
    let other = folder_with(&[("a.yaml", LOG_IN)]);
    let mut ci = command(other.path());
    ci.env("CI", "true").args(["run", "a.yaml", "--pki"]).arg(pki());
    assert_eq!(finish(&ci.output().unwrap()).code, 0);
    assert!(!other.path().join(".ofp-sim").exists());
}

#[test]
fn a_failure_shows_expectation_answer_and_what_to_do_next() {
    let text = "scenario: mine\ntitle: Mine\nsteps:\n  - dc.request_consent:\n  - dc.retrieve_consent:\n    expect: { json: { status: authorised } }\n";
    let folder = folder_with(&[("s/a.yaml", text)]);
    let ran = run_in(folder.path(), &["s"]);
    assert_eq!(ran.code, 1);
    for said in [
        "error: expected status: \"authorised\", came \"awaiting_authorization\"",
        "--> s/a.yaml:6:31",
        "::: the answer, status 200:",
        "the answer has this",
        "look      ofp-sim explain step s/a.yaml:5 --pki",
        "curl      curl -sS -i",
        "rerun     ofp-sim run s/a.yaml",
    ] {
        assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
    }
    let pki = pki().display().to_string();
    let step = ofp_sim_in(folder.path(), &["explain", "step", "s/a.yaml:6", "--pki", &pki]);
    assert_eq!(step.code, 1, "{}", step.stdout);
    for said in [
        "step 2 of 2, as it is written",
        "As it is sent, played just now",
        "GET /v1/consents/",
        "the step did not pass",
    ] {
        assert!(step.stdout.contains(said), "{said}: {}", step.stdout);
    }
    let nowhere = ofp_sim_in(folder.path(), &["explain", "step", "s/a.yaml:2"]);
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.stderr.contains("its steps begin in lines 4, 5"), "{}", nowhere.stderr);
    assert_eq!(ofp_sim_in(folder.path(), &["explain", "step", "s/a.yaml"]).code, 2);
}

#[test]
fn a_drifted_snapshot_is_reviewed_accepted_or_rejected() {
    let text = format!("{LOG_IN}snapshot: true\n");
    let folder = folder_with(&[("s/a.yaml", &text)]);
    assert_eq!(run_in(folder.path(), &["s"]).code, 0);
    let snapshot = folder.path().join("s/snapshots/a.snap");
    let accepted = fs::read_to_string(&snapshot).unwrap();

    // members in another order are no drift
    let changed = accepted.replacen("\"status\": 201,", "\"status\": 299,", 1);
    assert_ne!(accepted, changed);
    let two: String = {
        let (before, after) = accepted.split_once("\n---\n").unwrap();
        let mut value: serde_json::Value = serde_json::from_str(after).unwrap();
        reverse(&mut value);
        format!("{before}\n---\n{}", serde_json::to_string_pretty(&value).unwrap())
    };
    assert_ne!(accepted, two);
    fs::write(&snapshot, two).unwrap();
    let ran = run_in(folder.path(), &["s"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);

    fs::write(&snapshot, &changed).unwrap();
    let drifted = run_in(folder.path(), &["s"]);
    assert_eq!(drifted.code, 1, "{}", drifted.stdout);
    assert!(drifted.stdout.contains("ofp-sim snapshots review"), "{}", drifted.stdout);
    let review = ofp_sim_in(folder.path(), &["snapshots", "review"]);
    assert_eq!(review.code, 1, "{}", review.stdout);
    assert!(review.stdout.contains("-        \"status\": 299,"), "{}", review.stdout);
    assert!(
        review.stdout.contains("ofp-sim snapshots accept s/snapshots/a.snap"),
        "{}",
        review.stdout
    );

    assert_eq!(ofp_sim_in(folder.path(), &["snapshots", "reject"]).code, 0);
    assert_eq!(fs::read_to_string(&snapshot).unwrap(), changed);
    assert_eq!(run_in(folder.path(), &["s"]).code, 1);
    let taken = ofp_sim_in(folder.path(), &["snapshots", "accept", "s/a.yaml"]);
    assert_eq!(taken.code, 0, "{}", taken.stdout);
    assert_eq!(run_in(folder.path(), &["s"]).code, 0);
    let nothing = ofp_sim_in(folder.path(), &["snapshots", "review"]);
    assert_eq!(
        (nothing.code, nothing.stdout.as_str()),
        (0, "no conversation waits (no *.snap.new)\n")
    );
}

fn reverse(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(members) => {
            let mut all: Vec<_> = std::mem::take(members).into_iter().collect();
            all.reverse();
            all.iter_mut().for_each(|(_, value)| reverse(value));
            members.extend(all);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(reverse),
        _ => {}
    }
}

#[test]
fn the_scenarios_of_the_binary_can_be_taken_out_and_played() {
    let folder = tempfile::tempdir().unwrap();
    let out = ofp_sim_in(folder.path(), &["scenarios", "export", "mine"]);
    assert_eq!(out.code, 0, "{}", out.stderr);
    let ran = run_in(folder.path(), &["mine/journey"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let again = ofp_sim_in(folder.path(), &["scenarios", "export", "mine"]);
    assert_eq!(again.code, 2);
}

#[test]
fn a_token_from_a_log_is_taken_apart() {
    let folder = folder_with(&[]);
    let ran = run_in(folder.path(), &["journey/approve", "--report", "json=out.json"]);
    assert_eq!(ran.code, 0);
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("out.json")).unwrap()).unwrap();
    let exchanges = report["exchanges"].as_array().unwrap();
    let balance = exchanges.iter().find(|x| x["endpoint"] == "balances").unwrap();
    let token = balance["response"]["body"].as_str().unwrap();
    let pki = pki().display().to_string();
    let good = ofp_sim_in(folder.path(), &["inspect", token, "--pki", &pki]);
    assert_eq!(good.code, 0, "{}", good.stdout);
    for said in [
        "JWS, attached",
        "✓ alg        PS256",
        "✓ signature  good, made by the reference DP",
        "JWE, ",
        "✓ enc        A256GCM",
        "✓ plaintext",
        "\"currency\": \"MYR\"",
        "every rule holds that can be seen from here",
    ] {
        assert!(good.stdout.contains(said), "{said}: {}", good.stdout);
    }
    // one character of the signature is another
    let at = token.len() - 20;
    let other = if &token[at..=at] == "A" { "B" } else { "A" };
    let spoilt = format!("{}{other}{}", &token[..at], &token[at + 1..]);
    let bad =
        ofp_sim_in(folder.path(), &["inspect", &format!("log: x={spoilt}; y"), "--pki", &pki]);
    assert_eq!(bad.code, 1, "{}", bad.stdout);
    assert!(bad.stdout.contains("✗ signature  expected a good one, came"), "{}", bad.stdout);
    let none = ofp_sim_in(folder.path(), &["inspect", "nothing here", "--pki", &pki]);
    assert_eq!(none.code, 2);
    assert!(none.stderr.contains("three parts (JWS) or five (JWE)"), "{}", none.stderr);
}

#[test]
fn kinds_of_problems_are_explained() {
    insta::assert_snapshot!("explain-order", ofp_sim(&["explain", "order"]).stdout);
    assert!(ofp_sim(&["explain", "C-08"]).stdout.starts_with("C-08 must"));
    assert!(ofp_sim(&["explain", "ordr"]).stderr.contains("called ordr: did you mean order?"));
}

#[test]
fn what_a_failure_says_to_type_works() {
    let fragment = "fragment: asked\nsteps:\n  - dc.request_consent:\n  - dc.retrieve_consent:\n    expect: { json: { status: authorised } }\n";
    let uses = "scenario: uses\ntitle: Uses\nsteps:\n  - use: parts/asked.yaml\n";
    let table = "scenario: table\ntitle: Table\nvars: { end: ised }\nfor_each:\n  - { name: good, status: awaiting_authorization }\n  \
                 - { name: bad, status: author }\nsteps:\n  - dc.request_consent:\n  - dc.retrieve_consent:\n    \
                 expect: { json: { status: \"{{ status }}\", consent_purpose: \"{{ end }}\" } }\n";
    let folder = folder_with(&[
        ("s/parts/asked.yaml", fragment),
        ("s/uses.yaml", uses),
        ("s/table.yaml", table),
    ]);
    let ran = run_in(folder.path(), &["s", "--var", "end=pfm"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let typed: Vec<&str> = ran
        .stdout
        .lines()
        .filter_map(|line| {
            line.trim().strip_prefix("look      ").or(line.trim().strip_prefix("rerun     "))
        })
        .collect();
    assert_eq!(typed.len(), 4, "{}", ran.stdout);
    let again = ofp_sim_in(folder.path(), &["rerun"]);
    assert!(
        again.stdout.contains("table[bad]") && !again.stdout.contains("table[good]"),
        "{}",
        again.stdout
    );
    for line in typed {
        let line = line.replacen("ofp-sim", env!("CARGO_BIN_EXE_ofp-sim"), 1);
        let mut shell = std::process::Command::new("sh");
        shell.current_dir(folder.path()).args(["-c", &line]).env("NO_COLOR", "1").env_remove("CI");
        let again = finish(&shell.output().unwrap());
        assert_eq!(again.code, 1, "{line}: {}{}", again.stdout, again.stderr);
        assert!(again.stdout.contains("awaiting_authorization"), "{line}: {}", again.stdout);
    }
}

/// A thousand files, as a bank may have, are looked through in a moment.
#[test]
fn a_thousand_files_are_looked_through() {
    let folder = tempfile::tempdir().unwrap();
    for at in 0..1_000 {
        let text = LOG_IN.replace("log-in", &format!("log-in-{at}"));
        fs::write(folder.path().join(format!("{at}.yaml")), text).unwrap();
    }
    let linted = ofp_sim_in(folder.path(), &["lint", "."]);
    assert_eq!(
        linted.stdout,
        "1000 files, 1000 scenarios, 3000 steps: nothing is wrong with them\n"
    );
}

/// One unfinished file stands in nobody's way who asks for something else, and in the way of who asks for it.
#[test]
fn a_broken_file_matters_to_who_asks_for_it() {
    let broken = "scenario: broken\ntitle: B\ntags: [later]\nsteps:\n  - dc.no_such_thing:\n";
    let folder = folder_with(&[("s/a.yaml", LOG_IN), ("s/b.yaml", broken)]);
    for arguments in [&["--filter", "s/log-in"][..], &["--tag", "mine"]] {
        let ran = run_in(folder.path(), &[&["s"], arguments].concat());
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("note: s/b.yaml cannot be used"), "{}", ran.stderr);
    }
    for arguments in [&["--filter", "tag(later)"][..], &["--filter", "broken"], &[]] {
        let ran = run_in(folder.path(), &[&["s"], arguments].concat());
        assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    }
    let listed = ofp_sim_in(folder.path(), &["list", "scenarios", "s", "--filter", "log*"]);
    assert_eq!((listed.code, listed.stdout.lines().count()), (0, 1), "{}", listed.stderr);
}

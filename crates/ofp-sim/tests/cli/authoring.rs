//! What a QA author does: start a scenario, look it through, play it, see why it failed, accept a snapshot.

use std::fs;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use crate::{command, finish, ofp_sim, ofp_sim_in, pki, run_in, stable};

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
    assert!(ofp_sim(&["explain", "ordr"]).stderr.contains("no requirement ordr"));
}

/// Nothing that can be expected is met by whatever comes.
const ALL_WRONG: &str = r#"scenario: all-wrong
title: Everything is expected otherwise
steps:
  - dc.request_consent:
  - customer.follow_authorization:
    expect: { screen: review, text: nothing like this, headers: { x-none: true } }
    continue: true
  - customer.log_in:
  - customer.select_accounts:
  - customer.approve:
  - customer.return_to_dc:
    expect: { redirect: { code: false, state: other } }
    continue: true
  - dc.exchange_code:
  - dc.read_balance:
    expect: { status: 403 }
    continue: true
  - dc.read_balance:
    expect:
      headers: { x-fapi-interaction-id: false }
      json: { data.account_id: other }
      json_exact: { data.current_balance: {} }
      json_absent: [data.current_balance]
      jwt: { header: { alg: RS256 }, claims: { iss: other } }
      jwe: { header: { enc: A128GCM } }
      tls: { version: TLSv1.2, alert: certificate_required }
      time: { at_most: 0ms }
      consent: revoked
    continue: true
  - dc.retrieve_consent:
    until: { json: { status: revoked } }
    every: 20ms
    for: 50ms
    continue: true
  - paynet.send_event: { event: consent_updated }
    expect: { refused: true }
    continue: true
  - paynet.send_event: { event: consent_updated }
    mutate: alg-none
    expect: { refused: JWE.DecryptionError }
    continue: true
  - dc.retrieve_consent:
    as: { gone: { json: nothing.here } }
    continue: true
  - name: says what was never captured
    dc.retrieve_consent:
    expect: { json: { status: "{{ gone }}" } }
    continue: true
  - dc.read_balance:
    expect: { requirements: { K-04: fail } }
"#;

#[test]
fn every_expectation_can_fail() {
    let folder = folder_with(&[("s/a.yaml", ALL_WRONG)]);
    let ran = run_in(folder.path(), &["s", "--snapshots", "off"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    for said in [
        "expected screen review, came screen login",
        "expected text \"nothing like this\"",
        "expected header x-none of the page: any value, came none",
        "expected redirect parameter code: none, came",
        "expected redirect parameter state: other, came",
        "expected status 403, came 200",
        "expected header x-fapi-interaction-id: none, came",
        "expected data.account_id: \"other\", came",
        "expected data.current_balance: {}, came",
        "expected nothing at data.current_balance, came",
        "expected header.alg: \"RS256\", came \"PS256\"",
        "expected claims.iss: \"other\", came",
        "expected enc: \"A128GCM\", came \"A256GCM\"",
        "expected TLS version TLSv1.2, came TLSv1.3",
        "expected TLS alert certificate_required, came the connection was accepted",
        "expected at most 0ns, came",
        "expected consent revoked within 5s, came",
        "expected status: \"revoked\" within 50ms (`until`), came \"authorized\"",
        "expected a refusal, came",
        "expected a refusal with JWE.DecryptionError",
        "came one with JWS.InvalidSignature",
        "expected something to capture as `gone`, came nothing at nothing.here",
        "nothing was captured as `gone`",
        "expected K-04: fail, came pass",
    ] {
        assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
    }
}

/// The lines that a failure prints lead on, also for a row of a table and a step of a fragment.
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

/// A secret that an author plants in a variable, in a password and in a capture.
const SECRET: &str = "Zk\"9/+&=secret word%ü";

/// Everything that could be read of it.
fn forms() -> Vec<String> {
    let mut forms = vec![SECRET.to_owned()];
    forms.push(url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect());
    forms.push(serde_json::to_string(SECRET).unwrap().trim_matches('"').to_owned());
    let percent: String = SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect();
    forms.extend([percent.to_uppercase(), percent]);
    forms.push(SECRET.replace('&', "&amp;").replace('"', "&quot;"));
    forms.push(SECRET.replace('&', "&#38;").replace('"', "&#34;"));
    for shift in 0..3 {
        let padded = [&b"xyz"[..shift], SECRET.as_bytes()].concat();
        for encoded in [STANDARD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            forms.push(encoded[4..20].to_owned());
        }
    }
    forms
}

#[test]
fn a_planted_secret_is_in_no_output_and_no_report() {
    let text = "scenario: planted\ntitle: Planted\nvars: { word: { secret: true } }\nsteps:\n  - dc.request_consent:\n    as: { kept: { consent: id, secret: true } }\n  \
                - customer.follow_authorization:\n  - customer.log_in: { username: paynet, password: \"{{ word }}\" }\n    \
                expect: { screen: login, text: \"says {{ word }}\" }\n    continue: true\n  \
                - dc.retrieve_consent:\n    expect: { json: { consent_id: \"not {{ kept }}\", status: \"{{ word }}\" } }\n    continue: true\n  \
                - expect.dc: { linked: true, message: \"{{ word }}\" }\n";
    let folder = folder_with(&[("s/a.yaml", text)]);
    let reports = ["json=o.json", "junit=o.xml", "html=o.html", "markdown=o.md", "ndjson=o.ndjson"];
    let mut play = command(folder.path());
    play.args(["run", "s", "--pki"]).arg(pki()).env("OFP_VAR_WORD", SECRET);
    reports.iter().for_each(|report| {
        play.args(["--report", report]);
    });
    let ran = finish(&play.output().unwrap());
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let mut outputs = vec![("stdout".to_owned(), ran.stdout), ("stderr".to_owned(), ran.stderr)];
    for file in ["o.json", "o.xml", "o.html", "o.md", "o.ndjson", ".ofp-sim/last-run.json"] {
        outputs.push((file.to_owned(), fs::read_to_string(folder.path().join(file)).unwrap()));
    }
    let mut step = command(folder.path());
    step.args(["explain", "step", "s/a.yaml:8", "--pki"]).arg(pki()).args(["--var"]);
    step.arg(format!("word={SECRET}"));
    let explained = finish(&step.output().unwrap());
    outputs.push(("explain".to_owned(), explained.stdout + &explained.stderr));
    // a scenario that is wrong besides
    fs::write(
        folder.path().join("s/b.yaml"),
        text.replace("screen: login", "screen: \"{{ word }}\""),
    )
    .unwrap();
    let mut lint = command(folder.path());
    lint.args(["lint", "s", "--var"]).arg(format!("word={SECRET}"));
    let linted = finish(&lint.output().unwrap());
    assert_eq!(linted.code, 2, "{}", linted.stdout);
    outputs.push(("lint".to_owned(), linted.stdout + &linted.stderr));

    let consent = {
        let (_, report) = outputs.iter().find(|(name, _)| name == "o.json").unwrap();
        let report: serde_json::Value = serde_json::from_str(report).unwrap();
        assert_eq!(report["scenarios"][0]["steps"][2]["status"], "failed", "{report}");
        report["scenarios"][0]["steps"][3]["findings"][0]["expected"].clone()
    };
    assert!(consent.as_str().unwrap().contains("[secret]"), "{consent}");
    for (name, text) in &outputs {
        for form in forms() {
            assert!(!text.contains(&form), "{name} shows {form}: {}", stable(text));
        }
    }
    assert!(outputs[0].1.contains("[secret]"), "{}", outputs[0].1);
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

//! JSON and JUnit: complete, resting on evidence, and without secrets.

use std::{collections::HashSet, fs};

use serde_json::Value;

use crate::{folder_with, run, run_in};

fn reports(arguments: &[&str]) -> (i32, Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let (json, junit) = (folder.path().join("out.json"), folder.path().join("out.xml"));
    let (asked_json, asked_junit) =
        (format!("json={}", json.display()), format!("junit={}", junit.display()));
    let mut all = vec!["--report", &asked_json, "--report", &asked_junit];
    all.extend(arguments);
    let ran = run(&all);
    let report = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    (ran.code, report, fs::read_to_string(junit).unwrap())
}

#[test]
fn the_json_report_has_a_verdict_for_every_requirement_and_evidence_for_every_pass() {
    let (code, report, _) = reports(&[]);
    assert_eq!(
        (code, &report["exit_code"], &report["schema_version"]),
        (0, &0.into(), &"1".into())
    );
    assert_eq!(report["profile"], "portal-1.2.2");
    let exchanges: HashSet<&str> =
        report["exchanges"].as_array().unwrap().iter().map(|x| x["id"].as_str().unwrap()).collect();
    let requirements = report["requirements"].as_array().unwrap();
    assert_eq!(requirements.len(), ofp_checks::catalogue().count());
    let mut passed_positives = 0;
    for requirement in requirements {
        let evidence = requirement["evidence"].as_array().unwrap();
        match requirement["verdict"].as_str().unwrap() {
            "pass" => {
                assert!(!evidence.is_empty(), "{requirement}");
                assert!(
                    evidence.iter().all(|id| exchanges.contains(id.as_str().unwrap())),
                    "{requirement}"
                );
                passed_positives += 1;
            }
            "not_tested" | "not_applicable" => {
                assert!(!requirement["because"].as_str().unwrap().is_empty(), "{requirement}");
            }
            other => panic!("{other}: {requirement}"),
        }
    }
    assert!(passed_positives >= 60, "{passed_positives}");
    for scenario in report["scenarios"].as_array().unwrap() {
        let of_oidc_dp = scenario["id"].as_str().unwrap().starts_with("token/");
        assert_eq!(scenario["status"], if of_oidc_dp { "skipped" } else { "passed" });
        assert!(!scenario["steps"].as_array().unwrap().is_empty());
    }
}

#[test]
fn a_failure_stands_in_both_reports_with_everything_it_needs() {
    let (code, report, junit) =
        reports(&["--fault", "balance-signature-flipped", "journey/approve"]);
    assert_eq!(code, 1);
    let requirements = report["requirements"].as_array().unwrap();
    let broken = requirements.iter().find(|r| r["id"] == "K-04").unwrap();
    assert_eq!((&broken["verdict"], &broken["cause"]), (&"fail".into(), &"dp".into()));
    let finding = &broken["findings"][0];
    for member in ["subject", "expected", "actual", "severity", "hint", "exchange"] {
        assert!(!finding[member].is_null(), "{member}: {finding}");
    }
    let step = report["scenarios"][0]["steps"].as_array().unwrap();
    let step = step.iter().find(|step| step["name"] == "dc.read_balance").unwrap();
    assert_eq!(step["status"], "failed");
    assert!(step["exchanges"].as_array().unwrap().contains(&finding["exchange"]));

    assert!(junit.contains(r#"<testsuite name="journey/approve""#), "{junit}");
    assert!(junit.contains(r#"<testsuite name="requirements""#), "{junit}");
    assert!(junit.contains("K-04 must The signature of the answer"), "{junit}");
    assert!(junit.contains("<failure message=\"K-04: expected "), "{junit}");
    assert!(junit.contains("<skipped message="), "{junit}");
}

#[test]
fn no_report_shows_a_token_a_code_or_an_assertion() {
    let (_, report, junit) = reports(&["journey/approve"]);
    let text = report.to_string() + &junit;
    // access tokens and codes are 64 hexadecimal digits behind these names
    for name in ["access_token\\\":\\\"", "Bearer ", "code=", "code_verifier=", "client_assertion="]
    {
        for (at, _) in text.match_indices(name) {
            let after = &text[at + name.len()..(at + name.len() + 8).min(text.len())];
            assert!(after.starts_with("[secret]"), "{name}{after}");
        }
    }
    assert!(text.contains("[secret]"));
    for exchange in report["exchanges"].as_array().unwrap() {
        for header in exchange["request"]["headers"].as_array().unwrap() {
            if matches!(header[0].as_str().unwrap(), "authorization" | "cookie") {
                assert_eq!(header[1], "[secret]");
            }
        }
    }
}

/// What fails a run without failing a requirement is in every report, where it is written.
#[test]
fn what_an_author_expected_in_vain_is_in_every_report_with_its_file() {
    let fragment = "fragment: asked\nsteps:\n  - dc.request_consent:\n  - dc.retrieve_consent:\n    expect: { json: { status: revoked } }\n";
    let scenario = "scenario: a\ntitle: A\nsteps:\n  - use: fragments/asked.yaml\n";
    let folder = folder_with(&[("s/a.yaml", scenario), ("s/fragments/asked.yaml", fragment)]);
    let files = ["junit=o.xml", "markdown=o.md", "ndjson=o.ndjson", "ndjson=p.ndjson"];
    let asked: Vec<&str> = files.iter().flat_map(|file| ["--report", *file]).collect();
    let ran = run_in(folder.path(), &[&["s"][..], &asked].concat());
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let junit = read("o.xml");
    let case = junit.lines().find(|line| line.contains("2 dc.retrieve_consent")).unwrap();
    assert!(case.contains("file=\"s/fragments/asked.yaml\" line=\"4\""), "{case}");
    let message = "message=\"s/fragments/asked.yaml:5: expected status: &quot;revoked&quot;, came";
    assert!(junit.contains(message), "{junit}");
    let markdown = read("o.md");
    assert!(markdown.contains("0 of 1 scenario passed, 1 expectation not met"), "{markdown}");
    assert!(markdown.contains("| s/a | s/fragments/asked.yaml:5 |"), "{markdown}");
    let lines = read("o.ndjson");
    assert!(lines.lines().count() > 3 && lines == read("p.ndjson"), "{lines}");
}

#[test]
fn no_report_takes_the_place_of_another_file() {
    let scenario = "scenario: a\ntitle: A\nsteps:\n  - paynet.check_health:\n";
    let folder = folder_with(&[("a.yaml", scenario)]);
    for (arguments, said) in [
        (&["--report", "json=o", "--report", "html=./o"][..], "would be written to ./o"),
        (&["--report", "json=o", "--evidence", "o"], "would be written to o"),
        (&["--report", "json=././a.yaml"], "a.yaml would be overwritten"),
    ] {
        let ran = run_in(folder.path(), &[&["a.yaml"], arguments].concat());
        assert_eq!(ran.code, 2, "{}", ran.stdout);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    assert_eq!(fs::read_to_string(folder.path().join("a.yaml")).unwrap(), scenario);
}

/// The verdict outweighs that something could not be written, and what could be written is.
#[test]
fn what_cannot_be_written_hides_no_verdict() {
    let scenario =
        "scenario: a\ntitle: A\nsteps:\n  - paynet.check_health:\n    expect: { status: 404 }\n";
    let folder = folder_with(&[("a.yaml", scenario)]);
    let unwritable = ["--report", "json=/nowhere/o", "--evidence", "evidence.json"];
    let ran = run_in(folder.path(), &[&["a.yaml"][..], &unwritable].concat());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("/nowhere/o"), "{}", ran.stderr);
    assert!(folder.path().join("evidence.json").is_file());
    fs::write(folder.path().join("a.yaml"), scenario.replace("404", "200")).unwrap();
    let ran = run_in(folder.path(), &[&["a.yaml"][..], &unwritable].concat());
    assert_eq!(ran.code, 3, "{}", ran.stderr);
}

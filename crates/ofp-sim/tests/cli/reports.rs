//! JSON and JUnit: complete, resting on evidence, and without secrets.

use std::{collections::HashSet, fs};

use serde_json::Value;

use crate::run;

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
    assert!(junit.contains("<failure message=\"K-04\""), "{junit}");
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

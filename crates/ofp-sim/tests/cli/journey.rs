//! The main job, and the proof that its checks notice.

use serde_json::Value;

use crate::{ofp_sim_in, run, run_in, sorted_scenarios, stable};

#[test]
fn the_journey_passes_against_the_reference_dp() {
    let ran = run(&[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    insta::assert_snapshot!("journey", sorted_scenarios(&stable(&ran.stdout)));
}

#[test]
fn a_scenario_is_found_by_the_id_that_the_output_shows() {
    for (name, scenarios) in [("event/kinds", "1 scenario\n"), ("life-cycle", "10 scenarios\n")] {
        let ran = run(&[name, "--snapshots", "off"]);
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        assert!(ran.stdout.contains(scenarios), "{}", ran.stdout);
    }
}

#[test]
fn what_a_profile_does_not_send_is_not_spoilt_and_said_to_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.yaml"), "name: mine\nsig_header: fapi\n").unwrap();
    let asked = ["balance/spoilt", "--profile", "p.yaml", "--report", "junit=out.xml"];
    let ran = run_in(folder.path(), &asked);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let reason = "x-signature-byte-flipped: PayNet sends no x-signature in this profile";
    let left_out = "these     balance/spoilt[x-signature-byte-flipped]";
    let shown = "because   PayNet sends no x-signature in this profile";
    for said in [left_out, shown, "31 of 31 scenarios passed, 1 left out"] {
        assert!(ran.stdout.contains(said), "no {said} in {}", ran.stdout);
    }
    assert!(ran.stdout.contains("J-37: PayNet sends no x-signature"), "{}", ran.stdout);
    let alone = ["--requirement", "J-37", "--profile", "p.yaml"];
    let ran = run_in(folder.path(), &alone);
    assert_eq!(ran.code, 5, "nothing was played: {}", ran.stdout);
    let junit = std::fs::read_to_string(folder.path().join("out.xml")).unwrap();
    assert!(junit.contains(&format!("<skipped message=\"{reason}\"/>")), "{junit}");
}

/// The requirements with this verdict in a run with a fault, and the exit code.
fn verdicts(fault: &str, verdict: &str) -> (i32, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("out.json");
    let asked = format!("json={}", report.display());
    let ran = run(&["--snapshots", "off", "--fault", fault, "--report", &asked]);
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let with = |requirement: &&Value| requirement["verdict"] == verdict;
    let requirements = report["requirements"].as_array().unwrap();
    let ids = requirements.iter().filter(with).map(|r| r["id"].as_str().unwrap().to_owned());
    (ran.code, ids.collect())
}

#[test]
fn a_fault_is_blamed_on_its_requirement_and_on_no_other() {
    // all of them are `just prove`; here it is the command that says so
    let cases: [(&str, &[&str]); 3] = [
        ("balance-signature-flipped", &["K-04"]),
        ("update-consent-all-accounts", &["E-06", "O-07"]),
        ("any-password", &["E-02"]),
    ];
    let runs: Vec<_> = cases
        .into_iter()
        .map(|(fault, expected)| {
            (fault, expected, std::thread::spawn(move || verdicts(fault, "fail")))
        })
        .collect();
    for (fault, expected, run) in runs {
        let (code, failed) = run.join().unwrap();
        assert_eq!(
            (code, failed),
            (1, expected.iter().map(|id| (*id).to_owned()).collect()),
            "{fault}"
        );
    }
}

#[test]
fn a_should_is_a_warning_unless_asked_for() {
    assert_eq!(
        verdicts("no-interaction-id-echo", "warn"),
        (0, vec!["C-03".into(), "K-22".into(), "L-08".into()])
    );
    assert_eq!(verdicts("update-consent-british-spelling", "warn"), (0, vec!["G-23".into()]));
    assert_eq!(verdicts("balance-in-json", "warn"), (0, vec!["K-01".into()]));
    let strict =
        run(&["--snapshots", "off", "--fault", "no-interaction-id-echo", "--fail-on", "should"]);
    assert_eq!(strict.code, 1, "{}", strict.stdout);
}

#[test]
fn a_flipped_signature_is_explained() {
    let ran = run(&["journey/approve", "--fault", "balance-signature-flipped"]);
    assert_eq!(ran.code, 1);
    for part in [
        "K-04 must  The signature of the answer verifies with the DP's registered key",
        "expected  a signature that verifies with the DP's registered key",
        "actual    the signature does not verify with key",
        "PayNet to DP, 200,",
        "whose     the DP",
        "mend      Sign the bytes that are sent",
        "curl      curl -sS -i --cacert",
        "/paynet/client-key.pem'",
        "error: expected status 200, came 503",
        "= note: PayNet: the DP's answer: the signature does not verify",
        "look      ofp-sim explain step journey/approve.yaml:",
        "stopped   dc.read_balance (journey/approve.yaml:",
        "rerun     ofp-sim run journey/approve.yaml",
    ] {
        assert!(ran.stdout.contains(part), "{part}\n{}", ran.stdout);
    }
}

/// A negative test shows what was spoilt, and that nothing else was.
#[test]
fn a_spoilt_request_is_shown_with_its_proof() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("out.json");
    let asked = format!("json={}", report.display());
    let fault = "event-alg-none-accepted";
    let ran = run(&["conformance/event", "--fault", fault, "--report", &asked]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    for part in [
        "C-13 must  An event with alg none is refused",
        "expected  a refusal: alg is none and the signature is empty",
        "spoilt    alg-none",
        "x-fapi-signature header.alg: \"none\" instead of \"PS256\"",
        "x-fapi-signature signed with: nobody's instead of PayNet's key",
        "in        event/spoilt[alg-none]",
        "event/spoilt[36 rows]",
    ] {
        assert!(ran.stdout.contains(part), "{part}\n{}", ran.stdout);
    }
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let spoilt: Vec<&Value> = report["exchanges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|exchange| &exchange["spoilt"])
        .filter(|spoilt| !spoilt.is_null())
        .collect();
    assert_eq!(spoilt.len(), 52, "one a row");
    let none = spoilt.iter().find(|spoilt| spoilt["mutation"] == "alg-none").unwrap();
    let changed: Vec<&str> = none["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["what"].as_str().unwrap())
        .collect();
    assert_eq!(changed, ["x-fapi-signature header.alg", "x-fapi-signature signed with"]);
}

#[test]
fn a_dp_that_talks_nonsense_never_answers_or_resets_fails_the_run_and_never_hangs_it() {
    for (fault, expected) in [("nonsense", "D-01"), ("reset", "C-01"), ("silent", "C-01")] {
        let ran = run(&["journey/drop-off", "--snapshots", "off", "--fault", fault]);
        assert_eq!(ran.code, 1, "{fault}\n{}", ran.stdout);
        assert!(ran.stdout.contains(&format!("  {expected} must")), "{fault}\n{}", ran.stdout);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
}

#[test]
fn a_step_has_a_deadline() {
    let ran =
        run(&["journey/drop-off", "--snapshots", "off", "--fault", "silent", "--timeout", "300ms"]);
    assert_eq!(ran.code, 4, "{}", ran.stdout);
    assert!(ran.stdout.contains("the step did not end within 300ms (--timeout)"), "{}", ran.stdout);
}

/// Legitimate differences pass; all of them are `just prove`.
#[test]
fn a_variant_is_green_and_an_unknown_one_is_refused() {
    let ran = run(&["journey/reject", "--snapshots", "off", "--variant", "rejection-redirects"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let ran = run(&["--variant", "event-205"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("did you mean event-20"), "{}", ran.stderr);
}

/// Where the DP was never reached, nobody waits for two hundred scenarios to find that out.
#[test]
fn a_dp_out_of_reach_ends_the_run_with_the_reason() {
    let ran = run(&["--snapshots", "off", "--fault", "webhooks-trust-another-ca"]);
    assert!(matches!(ran.code, 1 | 4), "{}", ran.stdout);
    for part in [
        "A-01 must  Webhooks complete a TLS 1.2 or 1.3 handshake",
        "whose     configuration",
        "Left out",
        "because   the DP cannot be reached: TLS handshake refused:",
        "0 passed, 1 failed, 0 warned",
    ] {
        assert!(ran.stdout.contains(part), "{part}\n{}", ran.stdout);
    }
}

/// The same verdicts from the file alone, and no more harm from what is no evidence.
#[test]
fn recorded_evidence_leads_to_the_same_verdicts() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let report = |name: &str| -> Value {
        let text = std::fs::read(folder.path().join(name)).unwrap();
        let report: Value = serde_json::from_slice(&text).unwrap();
        report["requirements"].clone()
    };
    let asked = [
        "journey",
        "--snapshots",
        "off",
        "--fault",
        "balance-signature-flipped",
        "--evidence",
        "run.evidence",
        "--report",
        "json=played.json",
    ];
    let played = run_in(folder.path(), &asked);
    assert_eq!(played.code, 1, "{}", played.stdout);
    let file = folder.path().join("run.evidence");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let judge =
        |file: &str| ofp_sim_in(folder.path(), &["judge", file, "--report", "json=judged.json"]);
    let judged = judge("run.evidence");
    assert_eq!(judged.code, 1, "{}", judged.stdout);
    assert_eq!(report("judged.json"), report("played.json"));
    let text = std::fs::read_to_string(&file).unwrap();
    let cases = [
        ("cut", text[..text.len() / 2].to_owned(), "is not evidence of a run"),
        ("text", "hello".to_owned(), "is not evidence of a run"),
        (
            "older",
            text.replace("ofp-sim evidence 1", "ofp-sim evidence 0"),
            "and this version reads",
        ),
    ];
    for (name, text, message) in cases {
        std::fs::write(folder.path().join(name), text).unwrap();
        let ran = judge(name);
        assert_eq!(ran.code, 2, "{name}");
        assert!(ran.stderr.contains(message), "{name}: {}", ran.stderr);
    }
    assert_eq!(judge("nothing").code, 2);
}

//! What no output shows.

use std::fs;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use crate::{LOG_IN, command, finish, folder_with, ofp_sim_in, pki, run_in, stable};

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

#[test]
fn a_secret_of_a_scenario_that_is_not_played_is_kept_nowhere_either() {
    let other = "scenario: other\ntitle: O\nvars: { word: { secret: true } }\nsteps:\n  - dc.request_consent:\n  \
                 - customer.follow_authorization:\n  - customer.log_in: { username: x, password: \"{{ word }}\" }\n";
    let wrong = LOG_IN.replace("account_selection", "review");
    let folder = folder_with(&[("s/a.yaml", &wrong), ("s/b.yaml", other)]);
    let given = ["--var", "word=first-secret", "--var", "word=other-secret", "--var", "who=paynet"];
    let ran = run_in(folder.path(), &[&["s", "--filter", "s/log-in"][..], &given].concat());
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let kept = || fs::read_to_string(folder.path().join(".ofp-sim/last-run.json")).unwrap();
    for text in [&kept(), &ran.stdout, &ran.stderr] {
        assert!(!text.contains("-secret"), "{text}");
    }
    // what is kept does not grow from one rerun to the next
    let first = kept();
    for _ in 0..3 {
        assert_eq!(ofp_sim_in(folder.path(), &["rerun"]).code, 1);
    }
    assert_eq!(kept(), first);
    assert_eq!(first.matches("--var=who=paynet").count(), 1, "{first}");
}

#[test]
fn what_is_too_short_to_be_masked_cannot_be_captured_as_a_secret() {
    let text = "scenario: a\ntitle: A\nsteps:\n  - paynet.check_health:\n    as: { up: { json: status, secret: true } }\n  \
                - paynet.check_health:\n    expect: { json: { status: \"{{ up }}\" } }\n";
    let folder = folder_with(&[("s/a.yaml", text)]);
    let ran = run_in(folder.path(), &["s"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("at least 4 characters to keep secret as `up`"), "{}", ran.stdout);
}

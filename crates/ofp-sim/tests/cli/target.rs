//! `init`, `doctor`, `run --target` without a DP, and `--baseline`.

use std::{fs, path::Path};

use crate::{command, finish, ofp_sim, ofp_sim_in, run, run_in};

fn init(folder: &Path) {
    let made = ofp_sim_in(folder, &["init", "bank"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
}

#[test]
fn init_writes_what_doctor_takes() {
    let folder = tempfile::tempdir().unwrap();
    let made = ofp_sim_in(folder.path(), &["init", "bank", "--name", "Bank \"of\" Tests"]);
    insta::assert_snapshot!(made.stdout);
    let target = fs::read_to_string(folder.path().join("bank/target.yaml")).unwrap();
    assert!(target.contains(r#"name: "Bank \"of\" Tests""#), "{target}");
    // nobody listens there, and ports may be taken by a test beside this one
    let target = target
        .replace("localhost:9443", "localhost:1")
        .replace("as: 8441, as_mtls: 8442, rs: 8443, dc: 8444", "as: 0, as_mtls: 0, rs: 0, dc: 0");
    fs::write(folder.path().join("bank/target.yaml"), target).unwrap();
    let asked = ["--target", "bank/target.yaml", "--pki", "bank/pki"];
    let checked = ofp_sim_in(folder.path(), &[&["doctor"][..], &asked].concat());
    assert_eq!(checked.code, 4, "{}", checked.stdout);
    let is_kid = |word: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        word.len() == 43 && word.bytes().all(plain)
    };
    let words = checked.stdout.split_inclusive(char::is_whitespace);
    let words = words.map(|word| match is_kid(word.trim_end()) {
        true => word.replace(word.trim_end(), "[kid]"),
        false => word.to_owned(),
    });
    insta::assert_snapshot!(words.collect::<String>());
    let played = ofp_sim_in(folder.path(), &[&["run"][..], &asked].concat());
    assert_eq!(played.code, 4);
    assert!(played.stdout.contains("nothing is said about its conformance"), "{}", played.stdout);
    assert!(!played.stdout.contains("PASS"), "{}", played.stdout);
}

#[test]
fn init_overwrites_nothing_and_refuses_what_it_cannot_use() {
    let folder = tempfile::tempdir().unwrap();
    init(folder.path());
    let again = ofp_sim_in(folder.path(), &["init", "bank"]);
    assert_eq!((again.code, again.stdout.as_str()), (2, ""));
    assert!(again.stderr.contains("bank/target.yaml is there already; nothing was written"));
    for (arguments, wanted) in [
        (["--csr", "signing=none.csr"], "none.csr: No such file"),
        (["--csr", "encryption=a.csr"], "expected server=FILE, client=FILE or signing=FILE"),
        (["--csr", "signing=bank/target.yaml"], "it is no certificate request"),
        (["--certificate", "client=bank/target.yaml"], "there is no PEM certificate in it"),
        (["--certificate", "clinet=x"], "expected server-ca=FILE, client=FILE"),
        (["--webhooks", "http://localhost:1"], "must be https"),
    ] {
        let refused = ofp_sim_in(folder.path(), &[&["init", "other"][..], &arguments].concat());
        assert_eq!(refused.code, 2, "{arguments:?}");
        assert!(refused.stderr.contains(wanted), "{arguments:?}: {}", refused.stderr);
        assert!(!folder.path().join("other/target.yaml").exists(), "{arguments:?}");
    }
}

#[test]
fn a_target_that_is_no_target_is_shown_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    init(folder.path());
    let path = folder.path().join("bank/target.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("webhooks:", "webhook:")).unwrap();
    let asked = ["--target", "bank/target.yaml", "--pki", "bank/pki"];
    for verb in ["doctor", "run", "up"] {
        let refused = ofp_sim_in(folder.path(), &[&[verb][..], &asked].concat());
        assert_eq!(refused.code, 2, "{verb}");
        assert!(refused.stdout.contains("did you mean `webhooks`?"), "{verb}: {}", refused.stdout);
        assert!(refused.stdout.contains("bank/target.yaml:11"), "{verb}: {}", refused.stdout);
    }
    let both = ofp_sim(&["run", "--target", "t.yaml", "--fault", "balance-signature-flipped"]);
    assert_eq!(both.code, 2);
    assert!(both.stderr.contains("cannot be used with"), "{}", both.stderr);
}

#[test]
fn a_secret_of_the_environment_is_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    init(folder.path());
    let path = folder.path().join("bank/target.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("password: paynet ", "password: { env: BANK_PASSWORD } "))
        .unwrap();
    let asked = ["doctor", "--target", "bank/target.yaml", "--pki", "bank/pki"];
    let without = ofp_sim_in(folder.path(), &asked);
    assert!(without.stdout.contains("the environment variable BANK_PASSWORD is not set"));
    assert_eq!(without.code, 2);
    let with = command(folder.path()).args(asked).env("BANK_PASSWORD", "correct-horse").output();
    let with = finish(&with.unwrap());
    assert!(!with.stdout.contains("correct-horse") && !with.stdout.contains("BANK_PASSWORD"));
}

#[test]
fn known_failures_pass_and_stale_ones_fail() {
    let folder = tempfile::tempdir().unwrap();
    let baseline = |text: &str| fs::write(folder.path().join("known.yaml"), text).unwrap();
    let faulty = ["journey", "--fault", "balance-signature-flipped", "--snapshots", "off"];
    let asked = [&faulty[..], &["--baseline", "known.yaml", "--report", "json=out.json"]].concat();
    let entry = "known_failures:\n  - requirement: K-04\n    comment: core team, until May\n";
    baseline(entry);
    let known = run_in(folder.path(), &asked);
    assert_eq!(known.code, 0, "{}", known.stdout);
    assert!(known.stdout.contains("known     core team, until May"), "{}", known.stdout);
    let json = fs::read_to_string(folder.path().join("out.json")).unwrap();
    assert!(json.contains(r#""baseline": "known""#));

    baseline(
        "known_failures:\n  - requirement: K-04\n    scenario: journey/approve\n    comment: x\n",
    );
    let elsewhere = run_in(folder.path(), &asked);
    assert_eq!(elsewhere.code, 1);
    let paste =
        "  - requirement: K-04\n    scenario: \"journey/several-accounts\"\n    comment: TODO\n";
    assert!(elsewhere.stdout.contains(paste), "{}", elsewhere.stdout);

    baseline(&format!("{entry}  - requirement: K-08\n    comment: was mended\n"));
    let healthy = run_in(folder.path(), &["journey", "--baseline", "known.yaml"]);
    assert_eq!(healthy.code, 1);
    assert!(healthy.stdout.contains("K-04: remove it from the baseline (core team, until May)"));

    baseline("known_failures:\n  - requirement: K-04\n");
    let bad = run_in(folder.path(), &asked);
    assert_eq!(bad.code, 2);
    assert!(bad.stderr.contains("key `comment` is missing") && bad.stderr.contains("known.yaml:2"));
}

#[test]
fn the_markdown_summary_has_the_failure() {
    let folder = tempfile::tempdir().unwrap();
    let report = ["--report", "markdown=out.md"];
    let faulty = ["journey/approve", "--fault", "balance-signature-flipped", "--snapshots", "off"];
    let ran = run_in(folder.path(), &[&faulty[..], &report].concat());
    assert_eq!(ran.code, 1);
    let text = fs::read_to_string(folder.path().join("out.md")).unwrap();
    assert!(text.starts_with("## ofp-sim: failed\n"), "{text}");
    assert!(text.contains("| K-04 | The signature of the answer"), "{text}");
    assert_eq!(run(&["--report", "pdf=x"]).code, 2);
}

//! `list`, `pki` and help.

use crate::ofp_sim;

#[test]
fn lists_have_the_name_first() {
    let scenarios = ofp_sim(&["list", "scenarios"]);
    insta::assert_snapshot!("scenarios", scenarios.stdout);
    insta::assert_snapshot!("requirements", ofp_sim(&["list", "requirements"]).stdout);
    insta::assert_snapshot!("profiles", ofp_sim(&["list", "profiles"]).stdout);
    assert!(ofp_sim(&["list", "faults"]).stdout.contains("\nbalance-expired  "));
    assert_eq!(scenarios.code, 0);
}

#[test]
fn help_says_the_exit_codes() {
    insta::assert_snapshot!("help", ofp_sim(&["--help"]).stdout);
    insta::assert_snapshot!("help-run", ofp_sim(&["run", "--help"]).stdout);
}

#[test]
fn pki_makes_shows_and_renews() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let path = path.to_str().unwrap();
    let missing = ofp_sim(&["pki", "show", "--pki", path]);
    assert_eq!(missing.code, 2);
    assert!(missing.stdout.contains("make them with `ofp-sim pki init`"), "{}", missing.stdout);
    let count = |stdout: &str, word: &str| stdout.lines().filter(|l| l.contains(word)).count();
    let made = ofp_sim(&["pki", "init", "--pki", path, "--name", "dp.paybank.test"]);
    assert_eq!((made.code, count(&made.stdout, "  created  ")), (0, 14), "{}", made.stdout);
    let shown = ofp_sim(&["pki", "show", "--pki", path]);
    assert_eq!((shown.code, count(&shown.stdout, "  kept  ")), (0, 14), "{}", shown.stdout);
    let renewed = ofp_sim(&["pki", "renew", "--pki", path]);
    assert_eq!(
        (renewed.code, count(&renewed.stdout, "  renewed  ")),
        (0, 14),
        "{}",
        renewed.stdout
    );
}

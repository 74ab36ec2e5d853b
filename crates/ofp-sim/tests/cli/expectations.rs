//! What a step's author expects, and what is taken for it.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{LOG_IN, command, finish, folder_with, pki, run_in};

/// The steps up to where the DC has tokens.
const LINKED: &str = "steps:\n  - dc.request_consent:\n  - customer.follow_authorization:\n  - customer.log_in:\n  \
                      - customer.select_accounts:\n  - customer.approve:\n  - dc.exchange_code:\n";

/// The JSON report of a run, and its exit code.
fn report(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let all = [&["s", "--snapshots", "off", "--report", "json=o.json"], arguments].concat();
    let ran = run_in(folder, &all);
    let text = fs::read_to_string(folder.join("o.json"));
    let text = text.unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr));
    (ran.code, serde_json::from_str(&text).unwrap())
}

fn one_scenario(steps: &str) -> tempfile::TempDir {
    folder_with(&[("s/a.yaml", &format!("scenario: a\ntitle: A\n{LINKED}{steps}"))])
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
  - paynet.send_event: { event: consent_updated }
    mutate: alg-none
    expect: { refused: false, redirect: { error: false } }
    continue: true
  - paynet.check_health:
    expect: { tls: { alert: certificate_required } }
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
        "expected jwt.header.alg: \"RS256\", came \"PS256\"",
        "expected jwt.claims.iss: \"other\", came",
        "expected jwe.header.enc: \"A128GCM\", came \"A256GCM\"",
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
        "expected no refusal",
        // where nothing is redirected, that a parameter is missing from the redirect says nothing
        "expected redirect parameter error: none, came no redirect",
        "expected K-04: fail, came pass",
    ] {
        assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
    }
}

/// The lines that a failure prints lead on, also for a row of a table and a step of a fragment.

#[test]
fn a_step_is_done_again_until_what_it_waits_for_holds() {
    let trouble = "  - paynet.inject: { at: token, status: 503, times: 2 }\n  - dc.refresh_token:\n    until: { status: 200 }\n    \
                   every: 20ms\n    for: TIME\n";
    let folder = one_scenario(&trouble.replace("TIME", "5s"));
    let (code, summary) = report(folder.path(), &[]);
    let step = &summary["scenarios"][0]["steps"][7];
    assert_eq!((code, &step["status"]), (0, &Value::from("passed")), "{step}");
    assert_eq!(step["exchanges"].as_array().unwrap().len(), 3, "{step}");
    // two tries are one too few
    let folder = one_scenario(&trouble.replace("TIME", "30ms"));
    let (code, summary) = report(folder.path(), &[]);
    assert_eq!(code, 1, "{summary}");
    // and the time of a step is that of all its tries
    let slow =
        format!("{}    expect: {{ time: {{ at_most: 30ms }} }}\n", trouble.replace("TIME", "5s"));
    let (code, summary) = report(one_scenario(&slow).path(), &[]);
    let expected = &summary["scenarios"][0]["steps"][7]["findings"][0]["expected"];
    assert_eq!((code, expected), (1, &Value::from("at most 30ms")), "{summary}");
}

#[test]
fn an_answer_that_cannot_be_decrypted_is_never_what_was_waited_for() {
    let folder = one_scenario(
        "  - dc.read_balance:\n    until: { status: 200 }\n    every: 20ms\n    for: 50ms\n",
    );
    let (code, summary) = report(folder.path(), &["--fault", "balance-for-own-key"]);
    let step = &summary["scenarios"][0]["steps"][6];
    assert_eq!((code, &step["status"]), (1, &Value::from("error")), "{step}");
    assert!(step["error"].as_str().unwrap().contains("encrypted data"), "{step}");
}

#[test]
fn of_several_statuses_any_will_do_and_no_other() {
    let steps = "  - dc.read_balance:\n    expect: { status: [200, 403] }\n  - dc.refresh_token:\n    expect: { status: [200, 400] }\n  \
                 - dc.revoke_consent:\n  - dc.read_balance:\n    expect: { status: [200, 403] }\n  - dc.refresh_token:\n    \
                 expect: { status: [200, 400] }\n  - dc.read_transactions: { account: each }\n    expect: { status: [200, 403] }\n";
    let (code, summary) = report(one_scenario(steps).path(), &[]);
    assert_eq!(code, 0, "{}", summary["scenarios"][0]);
    let wrong = steps.replace("[200, 403]", "[200, 404]");
    let (code, summary) = report(one_scenario(&wrong).path(), &[]);
    let expected = &summary["scenarios"][0]["steps"][9]["findings"][0]["expected"];
    assert_eq!((code, expected), (1, &Value::from("status 200 or 404")), "{summary}");
}

#[test]
fn the_way_back_is_seen_wherever_it_was_gone() {
    let steps = LINKED.replace(
        "  - dc.exchange_code:\n",
        "  - customer.return_to_dc:\n    expect: { redirect: { code: true, state: true, iss: true } }\n",
    );
    let folder = folder_with(&[("s/a.yaml", &format!("scenario: a\ntitle: A\n{steps}"))]);
    for variant in [&[][..], &["--variant", "approval-redirects"]] {
        let (code, summary) = report(folder.path(), variant);
        assert_eq!(code, 0, "{}", summary["scenarios"][0]);
    }
}

#[test]
fn a_header_of_a_page_can_be_kept_and_a_call_about_nothing_has_its_exchange() {
    let text = "scenario: a\ntitle: A\nsteps:\n  - paynet.check_health:\n    as: { kind: { header: content-type } }\n  - dc.request_consent:\n  \
                - customer.follow_authorization:\n    as: { page: { header: content-type } }\n  - paynet.check_health:\n    \
                expect: { headers: { content-type: \"{{ kind }}\", x-none: \"{{ page }}\" } }\n";
    let folder = folder_with(&[("s/a.yaml", text)]);
    let (code, summary) = report(folder.path(), &[]);
    let steps = &summary["scenarios"][0]["steps"];
    assert_eq!(steps[0]["exchanges"].as_array().unwrap().len(), 1, "{steps}");
    let missed = steps[3]["findings"].as_array().unwrap();
    assert_eq!((code, missed.len()), (1, 1), "{steps}");
    let expected = missed[0]["expected"].as_str().unwrap();
    assert!(expected.starts_with("header x-none: text/html"), "{expected}");
}

#[test]
fn what_a_step_leaves_out_is_told_and_a_scenario_without_the_rest_was_not_played() {
    let skip = "    skip: { when: { experimental: false }, because: the profile is PayNet's }\n";
    let none = format!("scenario: none\ntitle: N\nsteps:\n  - paynet.check_health:\n{skip}");
    let one = LOG_IN
        .replace("  - customer.log_in", "  - paynet.check_health:\n{skip}  - customer.log_in");
    let folder = folder_with(&[("s/a.yaml", &none), ("s/b.yaml", &one.replace("{skip}", skip))]);
    let (code, summary) = report(folder.path(), &[]);
    assert_eq!(code, 0, "{summary}");
    let (none, one) = (&summary["scenarios"][0], &summary["scenarios"][1]);
    assert_eq!((&none["status"], &one["status"]), (&"skipped".into(), &"passed".into()));
    assert_eq!(one["steps"][2]["status"], "not_applicable", "{one}");
    assert_eq!(one["steps"][2]["error"], "the profile is PayNet's", "{one}");
}

#[test]
fn a_step_that_is_explained_ends_as_it_did_itself() {
    // the fault strikes behind the step that is looked at
    let steps = "  - paynet.inject: { at: token, status: 503, times: 1 }\n  - dc.read_balance:\n  - dc.refresh_token:\n    \
                 expect: { status: 503 }\n";
    let folder = one_scenario(steps);
    assert_eq!(report(folder.path(), &[]).0, 0);
    let mut explain = command(folder.path());
    explain.args(["explain", "step", "s/a.yaml:11", "--pki"]).arg(pki());
    let explained = finish(&explain.output().unwrap());
    assert_eq!(explained.code, 0, "{}{}", explained.stdout, explained.stderr);
    assert!(explained.stdout.contains("the step passed"), "{}", explained.stdout);
}

#[test]
fn an_account_is_read_by_the_id_that_an_earlier_step_captured() {
    let linked = LINKED.replace("select_accounts:", "select_accounts: { pick: all }");
    let steps = "  - dc.read_balance: { account: last }\n    as: { account: { json: data.account_id } }\n  \
                 - dc.read_balance: { account: { id: \"{{ account }}\" } }\n    expect: { json: { data.account_id: \"{{ account }}\" } }\n  \
                 - dc.read_account: { account: { id: \"{{ account }}\" } }\n  \
                 - dc.read_balance: { account: { id: nobodys } }\n    expect: { status: 403 }\n";
    let folder = folder_with(&[("s/a.yaml", &format!("scenario: a\ntitle: A\n{linked}{steps}"))]);
    let (code, summary) = report(folder.path(), &[]);
    assert_eq!(code, 0, "{}", summary["scenarios"][0]);
}

//! Every step of the consent state machine over the wire, and who is told of it (`spec/ofp.md` section 3).

use jiff::SignedDuration;
use ofp_evidence::{Endpoint, Exchange, Record};
use ofp_net::Reply;
use ofp_types::{ConsentId, ConsentStatus, Policy, Trigger, uuid_v4};
use serde_json::{Value, json};

use crate::kit::{self, DEADLINE, Kit, Participant, error_of, json_of};

impl Kit {
    /// Revoke, suspend or reactivate, in the name of `who`.
    async fn change(
        &self,
        who: &Participant,
        consent: &ConsentId,
        verb: &str,
        body: &Value,
    ) -> Reply {
        let token = self.client_token(who).await;
        let url = format!("{}/v1/consents/{consent}/{verb}", self.rs);
        let mut request = ofp_net::Request::get(url, DEADLINE)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("x-fapi-interaction-id", uuid_v4(&ofp_net::OsEntropy).to_string());
        request.method = http::Method::POST;
        if !body.is_null() {
            request.body = body.to_string().into_bytes();
        }
        who.http.send(request).await.unwrap()
    }

    fn status(&self, consent: &ConsentId) -> ConsentStatus {
        self.paynet.consent(consent).unwrap().status
    }

    async fn at_rest(&self, consent: &ConsentId) {
        self.paynet.settled(consent, DEADLINE).await.unwrap();
    }

    /// A consent in a status.
    async fn consent_that_is(&self, status: ConsentStatus) -> ConsentId {
        let change =
            |consent: &ConsentId, trigger| drop(self.paynet.change(consent, trigger, None));
        match status {
            ConsentStatus::AwaitingAuthorization => self.pushed().await.1,
            ConsentStatus::Rejected => {
                let (_, consent) = self.pushed().await;
                let body = json!({ "status": "rejected", "status_reason": {
                    "reason_code": "not_allowed", "reason_description": "declined" } });
                assert_eq!(self.update(&consent, &body, |_| {}).await.status, 200);
                consent
            }
            ConsentStatus::Failed => {
                let (_, consent) = self.pushed().await;
                assert!(self.paynet.advance_clock(&consent, SignedDuration::from_secs(301)));
                consent
            }
            _ => {
                let (consent, _) = self.approved().await;
                match status {
                    ConsentStatus::Suspended => change(&consent, Trigger::Suspend),
                    ConsentStatus::Revoked => change(&consent, Trigger::Revoke),
                    ConsentStatus::Expired => {
                        assert!(
                            self.paynet.advance_clock(&consent, SignedDuration::from_hours(49))
                        );
                    }
                    _ => {}
                }
                consent
            }
        }
    }
}

fn suspicion() -> Value {
    json!({ "updated_by": "data_consumer",
        "status_reason": { "reason_code": "not_allowed", "reason_description": "suspected fraud" } })
}

/// The platform's table, every row and everything that is no row.
#[tokio::test]
async fn the_endpoints_allow_exactly_the_published_transitions() {
    let kit = Kit::start();
    let allowed = [
        ("authorized", "suspend", "suspended"),
        ("authorized", "revoke", "revoked"),
        ("suspended", "revoke", "revoked"),
        ("suspended", "reactivate", "authorized"),
    ];
    for from in ConsentStatus::ALL {
        for verb in ["suspend", "reactivate", "revoke"] {
            let consent = kit.consent_that_is(from).await;
            assert_eq!(kit.status(&consent), from);
            let reply = kit.change(&kit.dc, &consent, verb, &suspicion()).await;
            let row = allowed.iter().find(|(f, v, _)| (*f, *v) == (from.as_str(), verb));
            match row {
                Some((_, _, to)) => {
                    assert_eq!(reply.status, 201, "{from} {verb}: {}", kit.reason());
                    assert_eq!(json_of(&reply)["status"], *to);
                }
                None => {
                    assert_eq!(error_of(&reply), "403 Consent.Invalid", "{from} {verb}");
                    assert_eq!(kit.status(&consent), from, "nothing changed");
                }
            }
        }
        for body in [
            kit.approval(),
            json!({ "status": "rejected", "status_reason": {
            "reason_code": "internal_error", "reason_description": "another" } }),
        ] {
            let consent = kit.consent_that_is(from).await;
            let reply = kit.update(&consent, &body, |_| {}).await;
            // the same approval again is the same decision; the rejection gives another reason
            let decided_so = from == ConsentStatus::Authorized && body["status"] == "authorized";
            let open = from == ConsentStatus::AwaitingAuthorization;
            let expected = if open || decided_so { 200 } else { 403 };
            assert_eq!(reply.status, expected, "{from} to {}: {}", body["status"], kit.reason());
        }
    }
}

#[tokio::test]
async fn dp_and_dc_are_told_of_every_change_in_order() {
    let kit = Kit::start();
    let (consent, _) = kit.approved().await;
    kit.at_rest(&consent).await;
    for (who, verb) in [(&kit.dc, "suspend"), (&kit.dp, "reactivate"), (&kit.dp, "revoke")] {
        let body = if verb == "suspend" { suspicion() } else { Value::Null };
        assert_eq!(kit.change(who, &consent, verb, &body).await.status, 201, "{}", kit.reason());
        kit.at_rest(&consent).await;
    }
    let changes = ["authorized", "suspended", "authorized", "revoked"];
    let changed: Vec<String> =
        changes.iter().map(|status| format!("consent_status_updated {status}")).collect();
    let mut to_dp = vec!["consent_created awaiting_authorization".to_owned()];
    to_dp.extend(changed.clone());
    assert_eq!(kit.stub_dp.told(), to_dp);
    assert_eq!(kit.stub_dc.told(), changed, "the DC knows of its own request");
    let events = kit.stub_dc.events.lock().unwrap();
    let data = |at: usize, name: &str| events[at]["data"][name].clone();
    assert_eq!(data(0, "updated_by"), "data_provider_user");
    assert_eq!(data(1, "updated_by"), "data_consumer");
    assert_eq!(data(1, "status_reason")["reason_code"], "not_allowed");
    assert_eq!(data(2, "status_reason"), Value::Null, "cleared when authorized again");
    assert_eq!(data(3, "updated_by"), "data_provider");
    assert_eq!(data(0, "consent_type"), "urn:openfinance-ml:account-access-consent:v1.2");
}

#[tokio::test]
async fn a_party_changes_its_own_consents_in_its_own_name() {
    let kit = Kit::start();
    let (consent, code) = kit.approved().await;
    let bad = |by: &str| json!({ "updated_by": by });
    for (body, expected) in [
        (bad("data_provider"), "400 invalid_request"),
        (bad("ofp"), "400 invalid_request"),
        (bad("nobody"), "400 invalid_request"),
        (json!([]), "400 invalid_request"),
        (json!({ "status_reason": "because" }), "400 invalid_request"),
    ] {
        let reply = kit.change(&kit.dc, &consent, "revoke", &body).await;
        assert_eq!(error_of(&reply), expected, "{body}: {}", kit.reason());
    }
    let silent = kit.change(&kit.dc, &consent, "suspend", &Value::Null).await;
    assert_eq!(error_of(&silent), "400 invalid_request", "why is required to suspend");
    let foreign = kit.change(&kit.other_dc, &consent, "revoke", &Value::Null).await;
    assert_eq!(error_of(&foreign), "403 Consent.Invalid");
    let nobody = ConsentId::parse("nobody").unwrap();
    let unknown = kit.change(&kit.dc, &nobody, "revoke", &Value::Null).await;
    assert_eq!(error_of(&unknown), "404 Consent.Invalid");

    let token = kit::access_token(&kit.token(&kit.dc, &kit.redemption(&code)).await);
    let url = format!("{}/v1/consents/{consent}/revoke", kit.rs);
    let post = |token: &str, signature: Option<String>| {
        let mut request = ofp_net::Request::get(&url, DEADLINE)
            .header("authorization", format!("Bearer {token}"))
            .header("x-fapi-interaction-id", uuid_v4(&ofp_net::OsEntropy).to_string());
        request.headers.extend(signature.map(|signature| ("x-fapi-signature", signature)));
        request.method = http::Method::POST;
        request.body = b"{}".to_vec();
        request
    };
    let reply = kit.dc.http.send(post(&token, None)).await.unwrap();
    assert_eq!(error_of(&reply), "403 AccessToken.InvalidScope", "a customer's token");
    let dps = kit.dp_token().await;
    let signed = |body: &[u8]| Some(kit.dp.signing.sign_detached(Default::default(), body));
    let reply = kit.dp.http.send(post(&dps, signed(b"{ }"))).await.unwrap();
    assert_eq!(error_of(&reply), "400 JWS.InvalidSignature", "over another body");
    let reply = kit.dp.http.send(post(&dps, signed(b"{}"))).await.unwrap();
    assert_eq!(reply.status, 201);
    assert_eq!(json_of(&reply)["updated_by"], "data_provider");
}

#[tokio::test]
async fn a_consent_is_read_by_its_own_dc_and_dp_alone() {
    let kit = Kit::start();
    let (consent, _) = kit.approved().await;
    let read = async |who: &Participant| {
        let token = kit.client_token(who).await;
        let request = ofp_net::Request::get(format!("{}/v1/consents/{consent}", kit.rs), DEADLINE)
            .header("authorization", format!("Bearer {token}"));
        who.http.send(request).await.unwrap()
    };
    let (dc, dp) = (json_of(&read(&kit.dc).await), json_of(&read(&kit.dp).await));
    assert_eq!((&dc["status"], &dp["status"]), (&json!("authorized"), &json!("authorized")));
    assert_eq!(dp["consent_type"], "account_access_consent");
    assert_eq!(dc["consent_type"], "urn:openfinance-ml:account-access-consent:v1.2");
    assert_eq!(error_of(&read(&kit.other_dc).await), "403 Consent.Invalid");
}

/// the answer first, then the event; three tries more, each freshly signed.
#[tokio::test]
async fn update_consent_is_answered_before_the_event_and_events_are_retried() {
    let kit = Kit::start();
    let (_, consent) = kit.pushed().await;
    kit.stub_dp.event_answers.lock().unwrap().extend([500, 503]);
    assert_eq!(kit.update(&consent, &kit.approval(), |_| {}).await.status, 200);
    kit.at_rest(&consent).await;
    let records = kit.journal.records();
    let exchanges: Vec<&Exchange> = records
        .iter()
        .filter_map(|record| match &**record {
            Record::Exchange(exchange) if exchange.consent.as_ref() == Some(&consent) => {
                Some(exchange)
            }
            _ => None,
        })
        .collect();
    let patch = exchanges.iter().find(|x| x.endpoint == Endpoint::UpdateConsent).unwrap();
    let answered = patch.at + SignedDuration::try_from(patch.took).unwrap();
    let tries: Vec<&&Exchange> = exchanges
        .iter()
        .filter(|x| x.endpoint == Endpoint::ConsentEvent && x.cause == Some(patch.id))
        .collect();
    assert_eq!(
        tries.iter().map(|x| x.status()).collect::<Vec<_>>(),
        [Some(500), Some(503), Some(200)]
    );
    assert!(tries.iter().all(|x| x.at >= answered), "the answer went first");
    let mut signatures: Vec<_> =
        tries.iter().map(|x| x.request.header("x-fapi-signature").unwrap()).collect();
    signatures.dedup();
    assert_eq!(signatures.len(), 3, "each freshly signed");
}

#[tokio::test]
async fn a_dp_that_never_takes_consent_created_fails_the_consent() {
    let kit = Kit::start();
    kit.stub_dp.event_answers.lock().unwrap().extend([500; 4]);
    let (request_uri, consent) = kit.pushed().await;
    kit.paynet.wait_for(&consent, ConsentStatus::Failed, DEADLINE).await.unwrap();
    let reason = kit.paynet.consent(&consent).unwrap().status_reason.unwrap();
    assert_eq!(reason.reason_code, "provider_error");
    let back = kit.authorize(kit::DC, &request_uri).await;
    assert_eq!(kit::parameter(&back, "error").as_deref(), Some("temporarily_unavailable"));
    let created = kit.stub_dp.told();
    let tries = created.iter().filter(|told| told.starts_with("consent_created")).count();
    assert_eq!(tries, 4, "once, and three times again");
}

#[tokio::test]
async fn a_newer_consent_supersedes_an_older_one_of_the_same_purpose() {
    let kit = Kit::start_with(kit::Options {
        policies: [Policy::Duplicates].into(),
        ..Default::default()
    });
    let (first, _) = kit.approved().await;
    let other_purpose = {
        let mut object = kit.object();
        object["authorization_details"][0]["consent"]["consent_purpose"] =
            json!("credit_underwriting");
        let (request_uri, consent) = kit.pushed_object(&object).await;
        kit.approve(&request_uri, &consent).await;
        consent
    };
    let (second, _) = kit.approved().await;
    assert_eq!(kit.status(&first), ConsentStatus::Revoked);
    let superseded = kit.paynet.consent(&first).unwrap();
    assert_eq!(superseded.status_reason.unwrap().reason_code, "duplicate");
    assert_eq!(superseded.updated_by.as_str(), "ofp");
    assert_eq!(kit.status(&second), ConsentStatus::Authorized);
    assert_eq!(kit.status(&other_purpose), ConsentStatus::Authorized, "another purpose stays");
    kit.at_rest(&first).await;
    assert!(kit.stub_dc.told().contains(&"consent_status_updated revoked".to_owned()));
    // a suspended one counts as well
    let _ = kit.paynet.change(&second, Trigger::Suspend, None).unwrap();
    kit.approved().await;
    assert_eq!(kit.status(&second), ConsentStatus::Revoked);
}

#[tokio::test]
async fn time_alone_expires_authorized_and_suspended_consents() {
    let kit = Kit::start();
    for status in [ConsentStatus::Authorized, ConsentStatus::Suspended] {
        let consent = kit.consent_that_is(status).await;
        assert!(kit.paynet.advance_clock(&consent, SignedDuration::from_hours(49)));
        assert_eq!(kit.status(&consent), ConsentStatus::Expired);
        assert_eq!(kit.paynet.consent(&consent).unwrap().updated_by.as_str(), "ofp");
    }
}

/// `docs/platform.md` has one row for each step, and names what shows it.
#[tokio::test]
async fn every_step_is_documented_with_a_test_and_every_other_is_refused() {
    let kit = Kit::start();
    let document = include_str!("../../../../docs/platform.md");
    let (scenarios, tests) = (shown_by_scenarios(), include_str!("life_cycle.rs"));
    let mut rows: Vec<Vec<&str>> = document
        .lines()
        .filter(|line| line.starts_with("| `") && line.contains(" → "))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    for from in ConsentStatus::ALL {
        for trigger in Trigger::ALL {
            let consent = kit.consent_that_is(from).await;
            let changed = kit.paynet.change(&consent, trigger, None);
            match (from.apply(trigger), changed) {
                (Ok(to), Ok(now)) => {
                    assert_eq!(now.status, to);
                    let (step, cause) =
                        (format!("`{from}` → `{to}`"), format!("`{}`", name(trigger)));
                    let at = rows.iter().position(|row| row[1] == step && row[2] == cause);
                    let row = rows.remove(at.unwrap_or_else(|| panic!("no row {step} {cause}")));
                    for shown in row[4].split(", ").map(|text| text.trim_matches('`')) {
                        let known = scenarios.contains(&shown.to_owned())
                            || tests.contains(&format!("async fn {shown}("));
                        assert!(known, "{shown} is neither a scenario nor a test");
                    }
                }
                (Err(_), Err(_)) => assert_eq!(kit.status(&consent), from, "{trigger:?}"),
                (machine, platform) => panic!("{from} {trigger:?}: {machine:?}, {platform:?}"),
            }
            if from.is_final() {
                assert!(kit.paynet.advance_clock(&consent, SignedDuration::from_hours(999)));
                assert_eq!(kit.status(&consent), from, "time does nothing to what is over");
            }
        }
    }
    assert!(rows.is_empty(), "rows of no step: {rows:?}");
}

fn name(trigger: Trigger) -> String {
    serde_json::to_value(trigger).unwrap().as_str().unwrap().to_owned()
}

/// `folder/file` of every scenario, without its ending.
fn shown_by_scenarios() -> Vec<String> {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios"));
    let folders = root.read_dir().unwrap().map(|folder| folder.unwrap().path());
    let files =
        folders.flat_map(|folder| folder.read_dir().unwrap()).map(|file| file.unwrap().path());
    let yaml = files.filter(|file| file.extension().is_some_and(|ending| ending == "yaml"));
    yaml.map(|file| file.strip_prefix(root).unwrap().with_extension("").display().to_string())
        .collect()
}

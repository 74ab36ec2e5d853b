//! Faults of the platform strike their scope, and only it.

use ofp_evidence::Stage;
use ofp_jose::CompactJws;
use ofp_paynet::FaultScope;
use ofp_types::{ClientId, InteractionId, PlatformFault, uuid_v4};
use serde_json::{Value, json};

use crate::kit::{self, DEADLINE, Kit, access_token, error_of, json_of};

fn fault(value: Value) -> PlatformFault {
    serde_json::from_value(value).unwrap()
}

fn client(id: &str) -> FaultScope {
    FaultScope::Client(ClientId::parse(id).unwrap())
}

impl Kit {
    fn inject(&self, scope: FaultScope, what: Value) {
        let _ = self.paynet.inject(scope, fault(what));
    }

    async fn ask_token(
        &self,
        who: &kit::Participant,
    ) -> Result<ofp_net::Reply, ofp_evidence::Failure> {
        let mut form = who.authenticated();
        form.insert("grant_type".into(), "client_credentials".into());
        let fields: Vec<(&str, &str)> =
            form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let url = format!("{}/v1/oauth/token", self.mtls);
        who.http.send(ofp_net::Request::form(url, &fields, DEADLINE)).await
    }
}

#[tokio::test]
async fn answers_are_struck_for_one_client_as_often_as_it_says() {
    let kit = Kit::start();
    let dc = || client(kit::DC);
    kit.inject(dc(), json!({ "at": "token", "status": 503, "times": 2 }));
    for _ in 0..2 {
        let reply = kit.ask_token(&kit.dc).await.unwrap();
        assert_eq!(error_of(&reply), "503 temporarily_unavailable");
        assert!(kit.reason().contains("an injected fault: status"), "{}", kit.reason());
    }
    assert_eq!(kit.ask_token(&kit.dc).await.unwrap().status, 200);

    kit.inject(dc(), json!({ "at": "token", "status": 500, "until_reset": true }));
    assert_eq!(kit.ask_token(&kit.dp).await.unwrap().status, 200, "another client");
    assert_eq!(error_of(&kit.ask_token(&kit.dc).await.unwrap()), "500 server_error");
    assert_eq!((kit.paynet.faults().len(), kit.paynet.reset_faults(Some(&dc()))), (1, 1));
    assert_eq!(kit.ask_token(&kit.dc).await.unwrap().status, 200);

    kit.inject(dc(), json!({ "at": "token", "reset": true }));
    assert_eq!(kit.ask_token(&kit.dc).await.unwrap_err().stage, Stage::Receive);
    let bodies = [("empty", ""), ("malformed", "<<<"), ("truncated", "{\"access_token\"")];
    for (effect, start) in bodies {
        kit.inject(dc(), json!({ "at": "token", effect: true }));
        let reply = kit.ask_token(&kit.dc).await.unwrap();
        assert_eq!(reply.status, 200);
        let text = reply.message.text().into_owned();
        assert!(text.starts_with(start), "{effect}: {text}");
        assert!(serde_json::from_str::<Value>(&text).is_err(), "{effect}");
    }
    kit.inject(dc(), json!({ "at": "token", "content_type": true }));
    let reply = kit.ask_token(&kit.dc).await.unwrap();
    assert_eq!(reply.message.media_type().as_deref(), Some("text/html"));
    kit.inject(dc(), json!({ "at": "token", "delay": "300ms" }));
    let started = std::time::Instant::now();
    assert_eq!(kit.ask_token(&kit.dc).await.unwrap().status, 200);
    assert!(started.elapsed().as_millis() >= 300);
}

#[tokio::test]
async fn a_fault_may_strike_one_consent_or_one_interaction() {
    let kit = Kit::start();
    let (_, code) = kit.approved().await;
    let (other, other_code) = kit.approved().await;
    kit.inject(FaultScope::Consent(other), json!({ "at": "token", "status": 500 }));
    assert_eq!(kit.token(&kit.dc, &kit.redemption(&code)).await.status, 200);
    assert_eq!(kit.token(&kit.dc, &kit.redemption(&other_code)).await.status, 500);
    let reply = kit.token(&kit.dc, &kit.redemption(&other_code)).await;
    assert_eq!(reply.status, 200, "nothing was carried out");
    let token = access_token(&reply);

    let id = uuid_v4(&ofp_net::OsEntropy).to_string();
    let interaction = FaultScope::Interaction(InteractionId::parse(id.clone()).unwrap());
    kit.inject(interaction, json!({ "at": "balances", "status": 502 }));
    assert_eq!(
        error_of(&kit.balances(&kit.dc, Some(&token), "").await),
        "400 JWS.InvalidSignature"
    );
    let request = ofp_net::Request::get(format!("{}/v1/accounts/acc-1/balances", kit.rs), DEADLINE)
        .header("authorization", format!("Bearer {token}"))
        .header("x-fapi-interaction-id", id);
    assert_eq!(kit.dc.http.send(request).await.unwrap().status, 502);
}

#[tokio::test]
async fn signatures_of_the_platform_are_spoilt() {
    let kit = Kit::start();
    let (consent, code) = kit.approved().await;
    kit.inject(FaultScope::Consent(consent.clone()), json!({ "at": "token", "jose": "alg_none" }));
    let body = json_of(&kit.token(&kit.dc, &kit.redemption(&code)).await);
    let id_token = body["id_token"].as_str().unwrap();
    assert!(id_token.ends_with('.'), "no signature");
    let header = ofp_jose::base64url_decode(id_token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["alg"], "none");

    for jose in ["bad_signature", "unknown_kid"] {
        kit.inject(
            FaultScope::Consent(consent.clone()),
            json!({ "at": "consent_event", "jose": jose }),
        );
        kit.paynet.change(&consent, ofp_types::Trigger::Suspend, None).unwrap();
        kit.paynet.settled(&consent, DEADLINE).await.unwrap();
        let signature = kit.last_event_signature();
        let keys = kit.get(&format!("{}/v1/oauth/jwks", kit.issuer), None).await;
        let keys = serde_json::from_slice(&keys.message.body).unwrap();
        let keys = ofp_jose::KeySet::of_jwks("PayNet", &keys).0;
        let event = kit.stub_dp.events.lock().unwrap().last().unwrap().to_string();
        let verified = CompactJws::parse(&signature).unwrap().verify_over(&keys, event.as_bytes());
        assert!(verified.is_err(), "{jose}");
        kit.paynet.change(&consent, ofp_types::Trigger::Reactivate, None).unwrap();
        kit.paynet.settled(&consent, DEADLINE).await.unwrap();
        let signature = kit.last_event_signature();
        let event = kit.stub_dp.events.lock().unwrap().last().unwrap().to_string();
        CompactJws::parse(&signature).unwrap().verify_over(&keys, event.as_bytes()).unwrap();
    }
}

impl Kit {
    fn last_event_signature(&self) -> String {
        let newest = self.journal.newest(|record| match record {
            ofp_evidence::Record::Exchange(x)
                if x.endpoint == ofp_evidence::Endpoint::ConsentEvent =>
            {
                x.request.header("x-fapi-signature").map(str::to_owned)
            }
            _ => None,
        });
        newest.unwrap()
    }
}

#[tokio::test]
async fn events_are_sent_twice_out_of_order_or_never() {
    let kit = Kit::start();
    let (consent, _) = kit.approved().await;
    kit.paynet.settled(&consent, DEADLINE).await.unwrap();
    let scope = || FaultScope::Consent(consent.clone());
    let told = |trigger| {
        kit.stub_dp.events.lock().unwrap().clear();
        kit.paynet.change(&consent, trigger, None).unwrap();
    };
    use ofp_types::Trigger::{Reactivate, Revoke, Suspend};
    kit.inject(scope(), json!({ "at": "consent_event", "duplicate": true }));
    told(Suspend);
    kit.paynet.settled(&consent, DEADLINE).await.unwrap();
    assert_eq!(kit.stub_dp.told(), ["consent_status_updated suspended"; 2]);
    kit.inject(scope(), json!({ "at": "consent_event", "lost": true }));
    told(Reactivate);
    kit.paynet.settled(&consent, DEADLINE).await.unwrap();
    assert!(kit.stub_dp.told().is_empty());
    kit.inject(scope(), json!({ "at": "consent_event", "out_of_order": true }));
    told(Suspend);
    kit.paynet.settled(&consent, DEADLINE).await.unwrap();
    assert!(kit.stub_dp.told().is_empty(), "held back");
    told(Revoke);
    kit.paynet.settled(&consent, DEADLINE).await.unwrap();
    assert_eq!(
        kit.stub_dp.told(),
        ["consent_status_updated revoked", "consent_status_updated suspended"]
    );
    assert_eq!(kit.stub_dc.told().len(), 5, "the DC was told as usual");
}

#[tokio::test]
async fn a_fault_for_everyone_reaches_the_listener_that_knows_nobody() {
    let kit = Kit::start();
    let keys = format!("{}/v1/oauth/jwks", kit.issuer);
    kit.inject(FaultScope::Everyone, json!({ "at": "jwks", "status": 503, "until_reset": true }));
    assert_eq!(kit.get(&keys, None).await.status, 503);
    assert_eq!(kit.paynet.reset_faults(None), 1);
    assert_eq!(kit.get(&keys, None).await.status, 200);
}

#[tokio::test]
async fn what_a_fault_held_back_leaves_when_it_is_reset() {
    let kit = Kit::start();
    let (consent, _) = kit.approved().await;
    kit.paynet.settled(&consent, DEADLINE).await.unwrap();
    let scope = || FaultScope::Consent(consent.clone());
    kit.inject(scope(), json!({ "at": "consent_event", "out_of_order": true }));
    kit.stub_dp.events.lock().unwrap().clear();
    kit.paynet.change(&consent, ofp_types::Trigger::Suspend, None).unwrap();
    kit.paynet.settled(&consent, DEADLINE).await.unwrap();
    let _ = kit.paynet.reset_faults(Some(&client("nobody")));
    assert!(kit.stub_dp.told().is_empty(), "another scope's faults");
    let _ = kit.paynet.reset_faults(Some(&scope()));
    kit.paynet.settled(&consent, DEADLINE).await.unwrap();
    assert_eq!(kit.stub_dp.told(), ["consent_status_updated suspended"]);
    assert_eq!(kit.stub_dc.told().len(), 2, "the DC was told as usual, once");
}

/// A platform that stops waits for what is on its way.
#[tokio::test]
async fn an_event_on_its_way_arrives_although_the_platform_stops() {
    let kit = Kit::start();
    let (consent, _) = kit.approved().await;
    kit.paynet.settled(&consent, DEADLINE).await.unwrap();
    kit.stub_dp.events.lock().unwrap().clear();
    kit.inject(
        FaultScope::Consent(consent.clone()),
        json!({ "at": "consent_event", "delay": "300ms" }),
    );
    // caused by a request, so that it comes about on a listener's own thread
    let token = kit.client_token(&kit.dc).await;
    let url = format!("{}/v1/consents/{consent}/revoke", kit.rs);
    let mut request = ofp_net::Request::get(url, DEADLINE)
        .header("authorization", format!("Bearer {token}"))
        .header("x-fapi-interaction-id", uuid_v4(&ofp_net::OsEntropy).to_string());
    request.method = http::Method::POST;
    assert_eq!(kit.dc.http.send(request).await.unwrap().status, 201, "{}", kit.reason());
    kit.paynet.stop().await;
    assert_eq!(kit.stub_dp.told(), ["consent_status_updated revoked"]);
}

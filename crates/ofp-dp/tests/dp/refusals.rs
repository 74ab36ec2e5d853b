//! What a careful bank refuses.

use crate::kit::{Balance, DC_ID, Kit, OTHER_DC_ID, cookie_of, csrf_of, error_of, pki};
use ofp_jose::{SigningKey, base64url, corrupt, thumbprint};
use ofp_net::{SystemClock, encode_form};
use ofp_types::Clock;
use serde_json::{Map, Value, json};

const CONSENT: &str = "a7cb03ff-4c70-4eaa-87f4-f2a4c4c87b0d";

#[tokio::test]
async fn only_paynet_may_call_the_webhooks() {
    let kit = Kit::start();
    for path in ["/v1/health", "/v1/consents/events", "/v1/oauth/authorize", "/v1/nope"] {
        let reply = kit.get(&kit.stranger, &format!("{}{path}", kit.webhooks), &[]).await;
        assert_eq!(reply.status, 403, "{path}");
        let request = ofp_net::Request::get(
            format!("{}{path}", kit.webhooks),
            std::time::Duration::from_secs(5),
        );
        let refused = kit.browser.send(request).await.unwrap_err();
        // the server's reset may overtake its alert
        use ofp_evidence::Stage;
        assert!(matches!(refused.stage, Stage::Tls | Stage::Receive), "{path}: {refused}");
    }
    let health = kit.get(&kit.paynet, &format!("{}/v1/health", kit.webhooks), &[]).await;
    assert_eq!(health.status, 200);
    let wrong_verb =
        kit.get(&kit.paynet, &format!("{}/v1/consents/events", kit.webhooks), &[]).await;
    assert_eq!((wrong_verb.status, wrong_verb.message.header("allow")), (405, Some("POST")));
    let traversal = format!("{}/v1/accounts/..%2f..%2fhealth/balances", kit.webhooks);
    assert!((400..500).contains(&kit.get(&kit.paynet, &traversal, &[]).await.status));
}

#[tokio::test]
async fn events_need_paynets_signature_over_the_bytes_received() {
    let kit = Kit::start();
    let body = kit.event(CONSENT, "awaiting_authorization").to_string();
    let bytes = body.as_bytes();
    let good = kit.signed(&kit.signing, bytes);
    let spaced = body.replacen(':', ": ", 1);
    assert_eq!(error_of(&kit.send_event(bytes, None).await), "400 JWS.InvalidSignature");
    let altered = kit.send_event(spaced.as_bytes(), Some(&good)).await;
    assert_eq!(error_of(&altered), "400 JWS.InvalidSignature", "re-spaced after signing");

    let kid = kit.signing.kid().clone();
    let dp = pki().dp.signing.signing_key().unwrap();
    let foreign = SigningKey::with_kid(&pki().dcs[1].kit.signing.key, kid.clone()).unwrap();
    let unknown = thumbprint(&pki().ca).unwrap();
    let unknown = SigningKey::with_kid(&pki().paynet.signing.key, unknown).unwrap();
    let headed = |header: Value| {
        let (_, rest) = good.split_once('.').unwrap();
        format!("{}.{rest}", base64url(header.to_string().as_bytes()))
    };
    let old = Map::from_iter([("iat".to_owned(), json!(SystemClock.now().as_second() - 600))]);
    let ahead = Map::from_iter([("iat".to_owned(), json!(SystemClock.now().as_second() + 120))]);
    let signatures = [
        ("empty", String::new(), "400 JWS.InvalidSignature"),
        ("two parts", "a.b".into(), "400 JWS.InvalidSignature"),
        ("flipped", corrupt::flip_signature_bit(&good), "400 JWS.InvalidSignature"),
        ("the DC's key", kit.signed(&kit.dc_signing, bytes), "400 JWS.InvalidSignature"),
        ("the DP's key", kit.signed(&dp, bytes), "400 JWS.InvalidSignature"),
        (
            "a foreign key under PayNet's kid",
            kit.signed(&foreign, bytes),
            "400 JWS.InvalidSignature",
        ),
        ("an unknown kid", kit.signed(&unknown, bytes), "400 JWS.InvalidSignature"),
        ("none", headed(json!({"alg": "none", "kid": kid})), "400 JWS.InvalidSignature"),
        ("RS256", headed(json!({"alg": "RS256", "kid": kid})), "400 JWS.InvalidSignature"),
        (
            "crit",
            headed(json!({"alg": "PS256", "kid": kid, "crit": ["x"], "x": 1})),
            "400 JWS.InvalidSignature",
        ),
        ("ten minutes old", kit.signing.sign_detached(old, bytes), "400 JWS.InvalidClaim"),
        ("two minutes ahead", kit.signing.sign_detached(ahead, bytes), "400 JWS.InvalidClaim"),
    ];
    for (name, signature, expected) in signatures {
        assert_eq!(error_of(&kit.send_event(bytes, Some(&signature)).await), expected, "{name}");
    }
    assert_eq!(kit.send_event(bytes, Some(&good)).await.status, 200);
    assert_eq!(kit.send_event(bytes, Some(&good)).await.status, 200, "redelivered as it was");

    for (name, text) in [("malformed", "{"), ("no data", "{\"event_type\":\"consent_created\"}")] {
        let signature = kit.signed(&kit.signing, text.as_bytes());
        let reply = kit.send_event(text.as_bytes(), Some(&signature)).await;
        assert_eq!(error_of(&reply), "400 invalid_request", "{name}");
    }
}

#[tokio::test]
async fn links_are_for_one_consent_and_lead_back_to_paynet_only() {
    let kit = Kit::start();
    kit.tell(CONSENT, "awaiting_authorization").await;
    let good = kit.signing.sign(CONSENT.as_bytes());
    let other = kit.signing.sign(b"another");
    let by_dc = kit.dc_signing.sign(CONSENT.as_bytes());
    let flipped = corrupt::flip_signature_bit(&good);
    let long = format!("{}?{}", kit.callback, "x".repeat(300));
    let deeper = format!("{}/more", kit.callback);
    let tricked = kit.callback.replace("https://", "https://localhost@evil.test/");
    let plain = kit.callback.replace("https", "http");
    let callback = kit.callback.as_str();
    let cases = [
        ("no signature", CONSENT, callback, "", "400 JWS.InvalidSignature"),
        ("over another", CONSENT, callback, other.as_str(), "400 JWS.InvalidSignature"),
        ("by the DC", CONSENT, callback, by_dc.as_str(), "400 JWS.InvalidSignature"),
        ("flipped", CONSENT, callback, flipped.as_str(), "400 JWS.InvalidSignature"),
        ("unknown consent", "another", callback, other.as_str(), "404 Consent.Invalid"),
        ("foreign host", CONSENT, "https://evil.test/", good.as_str(), "400 invalid_request"),
        ("extra path", CONSENT, deeper.as_str(), good.as_str(), "400 invalid_request"),
        ("userinfo", CONSENT, tricked.as_str(), good.as_str(), "400 invalid_request"),
        ("http", CONSENT, plain.as_str(), good.as_str(), "400 invalid_request"),
        ("too long", CONSENT, long.as_str(), good.as_str(), "400 invalid_request"),
    ];
    for (name, consent, redirect_uri, signature, expected) in cases {
        let query =
            [("consent_id", consent), ("redirect_uri", redirect_uri), ("signature", signature)];
        assert_eq!(error_of(&kit.authorize(&query).await), expected, "{name}");
    }
    let twice = [
        ("consent_id", CONSENT),
        ("consent_id", "another"),
        ("redirect_uri", callback),
        ("signature", &good),
    ];
    assert_eq!(
        error_of(&kit.authorize(&twice).await),
        "400 invalid_request",
        "{}",
        encode_form(&twice)
    );
    kit.tell(CONSENT, "failed").await;
    let query = [("consent_id", CONSENT), ("redirect_uri", callback), ("signature", &good)];
    assert_eq!(error_of(&kit.authorize(&query).await), "403 Consent.Invalid", "after it failed");
}

#[tokio::test]
async fn screens_keep_customers_apart_and_forms_to_their_session() {
    let kit = Kit::start();
    kit.tell(CONSENT, "awaiting_authorization").await;
    let page = kit.get(&kit.browser, &kit.link(CONSENT).await, &[]).await;
    let (cookie, csrf) = (cookie_of(&page), csrf_of(&page));
    let wrong = [("csrf", csrf.as_str()), ("username", "paynet"), ("password", "wrong")];
    let reply = kit.submit("/login", &cookie, &wrong).await;
    assert!(reply.message.text().contains("role=\"alert\""), "an error is shown");
    let skipped =
        kit.get(&kit.browser, &format!("{}/review", kit.public), &[("cookie", cookie)]).await;
    assert_eq!(skipped.status, 403, "review without login");

    let (aisyah, _) = kit.logged_in(CONSENT, "aisyah").await;
    let hers = kit.offered(&aisyah).await.remove(0);
    let (cookie, csrf) = kit.logged_in(CONSENT, "paynet").await;
    let mine = kit.offered(&cookie).await;
    assert!(!mine.contains(&hers) && mine.len() == 3, "closed accounts are not offered: {mine:?}");
    let csrf = csrf.as_str();
    let forged = kit.submit("/accounts", &cookie, &[("csrf", csrf), ("account", &hers)]).await;
    assert_eq!(forged.status, 403, "another customer's account");
    let none = kit.submit("/accounts", &cookie, &[("csrf", csrf)]).await;
    assert!(none.message.text().contains("Choose at least one account"), "no account");
    let foreign = kit.submit("/accounts", &cookie, &[("csrf", "x"), ("account", &mine[0])]).await;
    assert_eq!(foreign.status, 403, "a foreign form token");

    kit.submit("/accounts", &cookie, &[("csrf", csrf), ("account", &mine[0])]).await;
    let approve = [("csrf", csrf), ("decision", "approve")];
    assert_eq!(
        kit.submit("/review", &cookie, &approve).await.message.header("location"),
        Some("/result")
    );
    kit.submit("/review", &cookie, &approve).await;
    assert_eq!(kit.updates().len(), 1, "approved twice, told once");
}

#[tokio::test]
async fn balances_need_every_signature_a_live_consent_and_the_dcs_key() {
    let kit = Kit::start();
    let account = kit.authorized(CONSENT).await;
    let good = kit.balance(CONSENT, &account, |_| {}).await;
    assert_eq!(good.status, 200, "{}", good.message.text());

    let signed = |key: &SigningKey, iss: &str, amend: &dyn Fn(&mut Value)| {
        let mut claims = kit.claims(iss, CONSENT, &account);
        amend(&mut claims);
        key.sign_claims(&claims)
    };
    let dcs = |amend: &dyn Fn(&mut Value)| signed(&kit.dc_signing, DC_ID, amend);
    let now = SystemClock.now().as_second();
    let other_dc = pki().dcs[1].kit.signing.signing_key().unwrap();
    let x_signatures = [
        ("missing", String::new(), "400 JWS.InvalidSignature"),
        ("flipped", corrupt::flip_signature_bit(&dcs(&|_| {})), "400 JWS.InvalidSignature"),
        ("another DC's", signed(&other_dc, DC_ID, &|_| {}), "400 JWS.InvalidSignature"),
        ("PayNet's", signed(&kit.signing, DC_ID, &|_| {}), "400 JWS.InvalidSignature"),
        ("expired", dcs(&|c| c["exp"] = json!(now - 60)), "400 JWS.InvalidClaim"),
        ("not yet", dcs(&|c| c["nbf"] = json!(now + 120)), "400 JWS.InvalidClaim"),
        ("old", dcs(&|c| c["iat"] = json!(now - 600)), "400 JWS.InvalidClaim"),
        ("for another DP", dcs(&|c| c["aud"] = json!(["Paynet OFP"])), "400 JWS.InvalidClaim"),
        ("of another DC", dcs(&|c| c["iss"] = json!(OTHER_DC_ID)), "400 JWS.InvalidClaim"),
        (
            "another path",
            dcs(&|c| c["url"] = json!("https://x/transactions")),
            "400 JWS.InvalidClaim",
        ),
        ("another query", dcs(&|c| c["qpm"] = json!({"page_size": "5"})), "400 JWS.InvalidClaim"),
        ("exp as text", dcs(&|c| c["exp"] = json!("1769")), "400 JWS.InvalidClaim"),
    ];
    for (name, signature, expected) in x_signatures {
        let reply = kit.balance(CONSENT, &account, |balance| balance.x = signature).await;
        assert_eq!(error_of(&reply), expected, "{name}");
    }
    let fractional = dcs(&|c| c["iat"] = json!(f64::from(u32::try_from(now).unwrap()) + 0.5));
    let reply = kit.balance(CONSENT, &account, |balance| balance.x = fractional).await;
    assert_eq!(reply.status, 200, "fractions of a second are legal");
    let once = dcs(&|_| {});
    let again = once.clone();
    assert_eq!(kit.balance(CONSENT, &account, |b| b.x = once).await.status, 200);
    let replayed = kit.balance(CONSENT, &account, |b| b.x = again).await;
    assert_eq!(error_of(&replayed), "400 JWS.InvalidClaim", "replayed");

    let dc2 = &pki().dcs[1];
    let (sig, foreign) = (kit.dc_signing.kid().to_string(), dc2.encryption.thumbprint().unwrap());
    type Amend = Box<dyn Fn(&mut Balance)>;
    let cases: [(&str, Amend, &str); 5] = [
        ("no x-enc-kid", Box::new(|b| b.enc_kid.clear()), "400 invalid_request"),
        ("unknown x-enc-kid", Box::new(|b| b.enc_kid = "x".into()), "400 JWE.DecryptionError"),
        (
            "a signing key's",
            Box::new(move |b| b.enc_kid.clone_from(&sig)),
            "400 JWE.DecryptionError",
        ),
        (
            "another DC's",
            Box::new(move |b| b.enc_kid = foreign.to_string()),
            "400 JWE.DecryptionError",
        ),
        ("unknown consent", Box::new(|b| b.consent = "x".into()), "404 Consent.Invalid"),
    ];
    for (name, amend, expected) in cases {
        let reply = kit.balance(CONSENT, &account, amend).await;
        assert_eq!(error_of(&reply), expected, "{name}");
    }
    kit.tell(CONSENT, "suspended").await;
    assert_eq!(error_of(&kit.balance(CONSENT, &account, |_| {}).await), "403 Consent.Invalid");
    kit.tell(CONSENT, "authorized").await;
    assert_eq!(kit.balance(CONSENT, &account, |_| {}).await.status, 200, "reactivated");
    kit.tell(CONSENT, "revoked").await;
    assert_eq!(error_of(&kit.balance(CONSENT, &account, |_| {}).await), "403 Consent.Invalid");
}

#[tokio::test]
async fn accounts_outside_the_consent_and_consents_without_decision_give_nothing() {
    let kit = Kit::start();
    let account = kit.authorized(CONSENT).await;
    let closed = ofp_dp::Books::with_test_data();
    let others = closed.customer("aisyah").unwrap().accounts[0].id.to_string();
    for (name, id) in [("another customer's", others.as_str()), ("unknown", "nobody")] {
        let reply = kit.balance(CONSENT, id, |_| {}).await;
        assert_eq!(error_of(&reply), "403 Consent.PermanentAccountAccessFailure", "{name}");
    }
    kit.tell("undecided", "awaiting_authorization").await;
    assert_eq!(error_of(&kit.balance("undecided", &account, |_| {}).await), "403 Consent.Invalid");
}

#[tokio::test]
async fn a_customer_may_cancel_before_logging_in() {
    let kit = Kit::start();
    kit.tell(CONSENT, "awaiting_authorization").await;
    let page = kit.get(&kit.browser, &kit.link(CONSENT).await, &[]).await;
    let (cookie, csrf) = (cookie_of(&page), csrf_of(&page));
    assert_eq!(kit.submit("/cancel", &cookie, &[("csrf", "x")]).await.status, 403);
    let reply = kit.submit("/cancel", &cookie, &[("csrf", &csrf)]).await;
    assert_eq!(reply.message.header("location"), Some("/result"));
    let updates = kit.updates();
    assert_eq!((updates.len(), &updates[0]["status"]), (1, &json!("rejected")));
}

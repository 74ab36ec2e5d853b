//! The rules of `spec/requirements.md` section 3, by the words on the wire and the reason in the
//! journal.

use crate::kit::{
    self, DC, Kit, OTHER_DC, VERIFIER, access_token, cookie_of, error_of, now, parameter,
};
use jiff::SignedDuration;
use ofp_paynet::AuthMethod;
use ofp_types::ConsentStatus;
use serde_json::{Value, json};

#[tokio::test]
async fn metadata_and_keys_are_published() {
    let kit = Kit::start();
    let metadata = kit.get(&format!("{}/.well-known/openid-configuration", kit.issuer), None).await;
    let metadata: Value = serde_json::from_slice(&metadata.message.body).unwrap();
    assert_eq!(metadata["issuer"], json!(kit.issuer));
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    for path in ["jwks", "jwks/paynet", "jwks/ofp"] {
        let set = kit.get(&format!("{}/v1/oauth/{path}", kit.issuer), None).await;
        assert!(set.message.text().contains("x5t#S256"), "{path}");
    }
    assert_eq!(kit.get(&format!("{}/v1/oauth/jwks/nobody", kit.issuer), None).await.status, 404);
    assert_eq!(kit.get(&format!("{}/v1/nope", kit.issuer), None).await.status, 404);
    let (url, empty) = (format!("{}/v1/oauth/jwks", kit.issuer), kit::Form::new());
    let wrong_verb = kit.post(&kit.dc, &url, &empty).await;
    assert_eq!((wrong_verb.status, wrong_verb.message.header("allow")), (405, Some("GET")));
}

#[tokio::test]
async fn client_authentication_is_held_to_every_rule() {
    let kit = Kit::start();
    type Amend = fn(&mut Value);
    let cases: [(&str, Amend, &str); 9] = [
        ("aud as a list", |c| c["aud"] = json!([c["aud"]]), "aud must be the single string"),
        ("aud of the endpoint", |c| c["aud"] = json!("https://x/token"), "aud must be"),
        ("iss of another", |c| c["iss"] = json!(OTHER_DC), "claim iss must be dc-client"),
        ("sub of another", |c| c["sub"] = json!(OTHER_DC), "claim sub must be dc-client"),
        ("expired", |c| c["exp"] = json!(now() - 1), "expired"),
        ("no exp", |c| drop(c.as_object_mut().unwrap().remove("exp")), "claim exp is missing"),
        ("eleven minutes", |c| c["exp"] = json!(now() + 660), "lives too long"),
        ("from the future", |c| c["iat"] = json!(now() + 120), "issued in the future"),
        ("no jti", |c| drop(c.as_object_mut().unwrap().remove("jti")), "claim jti is missing"),
    ];
    for (name, amend, reason) in cases {
        let form = kit.dc.with_assertion(kit.dc.assertion(amend));
        let reply = kit.par(&kit.dc, &form).await;
        assert_eq!(error_of(&reply), "401 invalid_client", "{name}");
        assert!(kit.reason().contains(reason), "{name}: {}", kit.reason());
        assert!(!reply.message.text().contains(reason), "{name}: the wire does not explain");
    }
    let replayed = kit.dc.authenticated();
    assert_eq!(error_of(&kit.par(&kit.dc, &replayed).await), "400 invalid_request");
    assert_eq!(error_of(&kit.par(&kit.dc, &replayed).await), "401 invalid_client", "jti replayed");

    let mut none = kit.dc.authenticated();
    none.remove("client_assertion");
    assert_eq!(error_of(&kit.par(&kit.dc, &none).await), "401 invalid_client");
    let stolen = kit.dc.authenticated();
    assert_eq!(error_of(&kit.par(&kit.other_dc, &stolen).await), "401 invalid_client");
    assert!(kit.reason().contains("is not one that Mock DC One registered"), "{}", kit.reason());
    let foreign = kit.dc.with_assertion(kit.other_dc.assertion(|c| {
        c["iss"] = json!(DC);
        c["sub"] = json!(DC);
    }));
    assert_eq!(error_of(&kit.par(&kit.dc, &foreign).await), "401 invalid_client");
    assert!(kit.reason().contains("is not in the key set of"), "{}", kit.reason());
}

#[tokio::test]
async fn tls_client_auth_needs_the_certificate_and_nothing_else() {
    let kit =
        Kit::start_with(kit::Options { auth: AuthMethod::TlsClientAuth, ..Default::default() });
    let form = |client_id: &str| {
        kit::Form::from([
            ("client_id".into(), client_id.into()),
            ("grant_type".into(), "client_credentials".into()),
        ])
    };
    assert_eq!(kit.token(&kit.dc, &form(DC)).await.status, 200);
    assert_eq!(error_of(&kit.token(&kit.dc, &form(OTHER_DC)).await), "401 invalid_client");
    let mut both = kit.dc.authenticated();
    both.insert("grant_type".into(), "client_credentials".into());
    assert_eq!(error_of(&kit.token(&kit.dc, &both).await), "401 invalid_client");
}

#[tokio::test]
async fn nobody_without_a_certificate_reaches_the_token_endpoint() {
    let kit = Kit::start();
    let request = ofp_net::Request::get(
        format!("{}/v1/oauth/token", kit.mtls),
        std::time::Duration::from_secs(5),
    );
    let failure = kit.browser.send(request).await.unwrap_err();
    // the server's reset may overtake its alert
    use ofp_evidence::Stage;
    assert!(matches!(failure.stage, Stage::Tls | Stage::Receive), "{failure}");
}

#[tokio::test]
async fn request_objects_are_held_to_every_rule() {
    let kit = Kit::start();
    let detail = |object: &mut Value, name: &str, value: Value| {
        object["authorization_details"][0]["consent"][name] = value;
    };
    type Amend = Box<dyn Fn(&mut Value)>;
    let cases: Vec<(&str, Amend, &str)> = vec![
        ("aud", Box::new(|o| o["aud"] = json!("https://elsewhere")), "400 invalid_request_object"),
        (
            "61 minutes old",
            Box::new(|o| o["nbf"] = json!(now() - 3660)),
            "400 invalid_request_object",
        ),
        ("too long", Box::new(|o| o["exp"] = json!(now() + 3700)), "400 invalid_request_object"),
        ("expired", Box::new(|o| o["exp"] = json!(now() - 1)), "400 invalid_request_object"),
        ("iss", Box::new(|o| o["iss"] = json!(OTHER_DC)), "400 invalid_request_object"),
        ("client_id", Box::new(|o| o["client_id"] = json!(OTHER_DC)), "400 invalid_request_object"),
        (
            "response_type",
            Box::new(|o| o["response_type"] = json!("token")),
            "400 invalid_request_object",
        ),
        (
            "redirect_uri",
            Box::new(|o| o["redirect_uri"] = json!("https://evil.test/")),
            "400 invalid_request",
        ),
        (
            "plain PKCE",
            Box::new(|o| o["code_challenge_method"] = json!("plain")),
            "400 invalid_request",
        ),
        (
            "short challenge",
            Box::new(|o| o["code_challenge"] = json!("abc")),
            "400 invalid_request",
        ),
        ("long nonce", Box::new(|o| o["nonce"] = json!("n".repeat(65))), "400 invalid_request"),
        (
            "no details",
            Box::new(|o| o["authorization_details"] = json!([])),
            "400 invalid_authorization_details",
        ),
        (
            "type",
            Box::new(|o| o["authorization_details"][0]["type"] = json!("x")),
            "400 invalid_authorization_details",
        ),
        (
            "dp_id",
            Box::new(move |o| detail(o, "dp_id", json!("DP0"))),
            "400 invalid_authorization_details",
        ),
        (
            "dc_id",
            Box::new(move |o| detail(o, "dc_id", json!("other"))),
            "400 invalid_authorization_details",
        ),
        (
            "permission",
            Box::new(move |o| detail(o, "permissions", json!(["read_all"]))),
            "400 invalid_authorization_details",
        ),
        (
            "past",
            Box::new(move |o| detail(o, "expiration_datetime", json!("2020-01-01T00:00:00Z"))),
            "400 invalid_authorization_details",
        ),
    ];
    for (name, amend, expected) in cases {
        let mut object = kit.object();
        amend(&mut object);
        let mut form = kit.dc.authenticated();
        form.insert("request".into(), kit.dc.signing.sign_claims(&object));
        assert_eq!(error_of(&kit.par(&kit.dc, &form).await), expected, "{name}: {}", kit.reason());
    }
    let object = kit.object().to_string();
    let unsigned = format!(
        "{}.{}.",
        ofp_jose::base64url(br#"{"alg":"none"}"#),
        ofp_jose::base64url(object.as_bytes())
    );
    let signed = kit.dc.signing.sign(object.as_bytes());
    let flipped = ofp_jose::corrupt::flip_signature_bit(&signed);
    let foreign = kit.other_dc.signing.sign(object.as_bytes());
    let rs256 = signed_with_rs256(ofp_pki::Party::Dc1, &object);
    for (name, request) in
        [("none", unsigned), ("flipped", flipped), ("foreign", foreign), ("RS256", rs256.clone())]
    {
        let mut form = kit.dc.authenticated();
        form.insert("request".into(), request);
        let reply = kit.par(&kit.dc, &form).await;
        assert_eq!(error_of(&reply), "400 invalid_request_object", "{name}");
    }
    assert!(kit.reason().contains("RS256"), "{}", kit.reason());
    let mut form = kit.dc.with_assertion(rs256);
    form.insert("request".into(), signed);
    assert_eq!(error_of(&kit.par(&kit.dc, &form).await), "401 invalid_client", "RS256");
    let mut form = kit.dc.authenticated();
    form.insert("request_uri".into(), "urn:x".into());
    assert_eq!(error_of(&kit.par(&kit.dc, &form).await), "400 invalid_request", "request_uri");
    let dp = kit.dp.authenticated();
    assert_eq!(error_of(&kit.par(&kit.dp, &dp).await), "400 unauthorized_client");
}

/// A good signature by an algorithm that FAPI 2.0 does not allow (SP §5.4.1).
pub(crate) fn signed_with_rs256(party: ofp_pki::Party, payload: &str) -> String {
    let signing = &kit::pki().kit(party).signing;
    let kid = signing.signing_key().unwrap().kid().to_string();
    let header = json!({ "alg": "RS256", "kid": kid }).to_string();
    let input = [header.as_bytes(), payload.as_bytes()].map(ofp_jose::base64url).join(".");
    let digest = openssl::hash::MessageDigest::sha256();
    let mut signer = openssl::sign::Signer::new(digest, &signing.key).unwrap();
    let signature = signer.sign_oneshot_to_vec(input.as_bytes()).unwrap();
    format!("{input}.{}", ofp_jose::base64url(&signature))
}

#[tokio::test]
async fn a_request_uri_works_once_in_time_for_its_client() {
    let kit = Kit::start();
    let (request_uri, _) = kit.pushed().await;
    assert_eq!(error_of(&kit.authorize(OTHER_DC, &request_uri).await), "400 invalid_request");
    let sent = kit.authorize(DC, &request_uri).await;
    assert_eq!(
        (sent.status, sent.message.header("location")),
        (303, Some("https://dp.test/login"))
    );
    assert_eq!(error_of(&kit.authorize(DC, &request_uri).await), "400 invalid_request", "used");
    let (late, consent) = kit.pushed().await;
    assert!(kit.paynet.advance_clock(&consent, SignedDuration::from_secs(91)));
    assert_eq!(error_of(&kit.authorize(DC, &late).await), "400 invalid_request", "expired");
    assert!(kit.reason().contains("has expired"), "{}", kit.reason());
}

#[tokio::test]
async fn a_browser_that_returns_undecided_brings_no_code() {
    let kit = Kit::start();
    let (request_uri, consent) = kit.pushed().await;
    let cookie = cookie_of(&kit.authorize(DC, &request_uri).await);
    let callback = format!("{}/v1/oauth/callback?consent_id={consent}", kit.issuer);
    assert_eq!(kit.get(&callback, None).await.status, 400, "a forged callback changes nothing");
    assert_eq!(kit.paynet.consent(&consent).unwrap().status, ConsentStatus::AwaitingAuthorization);
    let back = kit.get(&callback, Some(&cookie)).await;
    assert_eq!(parameter(&back, "code"), None);
    assert_eq!(parameter(&back, "error").as_deref(), Some("server_error"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("the-state"));
    assert_eq!(parameter(&back, "iss").as_deref(), Some(kit.issuer.as_str()));
    assert_eq!(kit.paynet.consent(&consent).unwrap().status, ConsentStatus::Failed);
}

#[tokio::test]
async fn codes_are_bound_used_once_and_short_lived() {
    let kit = Kit::start();
    let (_, code) = kit.approved().await;
    let mut wrong = kit.redemption(&code);
    wrong.insert("code_verifier".into(), VERIFIER.to_uppercase());
    assert_eq!(error_of(&kit.token(&kit.dc, &wrong).await), "400 invalid_grant", "verifier");
    let mut wrong = kit.redemption(&code);
    wrong.insert("redirect_uri".into(), "https://evil.test/".into());
    assert_eq!(error_of(&kit.token(&kit.dc, &wrong).await), "400 invalid_grant", "redirect_uri");
    let mut foreign = kit.redemption(&code);
    foreign.extend(kit.other_dc.authenticated());
    assert_eq!(error_of(&kit.token(&kit.other_dc, &foreign).await), "400 invalid_grant", "client");

    let token = access_token(&kit.token(&kit.dc, &kit.redemption(&code)).await);
    let live = kit.balances(&kit.dc, Some(&token), "").await;
    assert_eq!(
        error_of(&live),
        "400 JWS.InvalidSignature",
        "the token is good, the request unsigned"
    );
    assert_eq!(error_of(&kit.token(&kit.dc, &kit.redemption(&code)).await), "400 invalid_grant");
    let dead = kit.balances(&kit.dc, Some(&token), "").await;
    assert_eq!(error_of(&dead), "401 invalid_token", "a code used twice takes its token along");

    let (consent, code) = kit.approved().await;
    assert!(kit.paynet.advance_clock(&consent, SignedDuration::from_secs(61)));
    assert_eq!(error_of(&kit.token(&kit.dc, &kit.redemption(&code)).await), "400 invalid_grant");
    assert!(kit.reason().contains("expired"), "{}", kit.reason());
}

#[tokio::test]
async fn grants_and_scopes_are_limited() {
    let kit = Kit::start();
    for (grant, scope, expected) in [
        ("password", "accounts", "400 unsupported_grant_type"),
        ("client_credentials", "everything", "400 invalid_scope"),
    ] {
        let mut form = kit.dc.authenticated();
        form.insert("grant_type".into(), grant.into());
        form.insert("scope".into(), scope.into());
        assert_eq!(error_of(&kit.token(&kit.dc, &form).await), expected);
    }
    assert_eq!(error_of(&kit.token(&kit.dc, &kit.dc.authenticated()).await), "400 invalid_request");
}

#[tokio::test]
async fn access_tokens_are_bound_and_belong_to_one_role() {
    let kit = Kit::start();
    let (consent, code) = kit.approved().await;
    let token = access_token(&kit.token(&kit.dc, &kit.redemption(&code)).await);

    let none = kit.balances(&kit.dc, None, "").await;
    assert_eq!((none.status, none.message.header("www-authenticate")), (401, Some("Bearer")));
    let in_query = kit.balances(&kit.dc, None, &format!("?access_token={token}")).await;
    assert_eq!(error_of(&in_query), "400 invalid_request");
    let stolen = kit.balances(&kit.other_dc, Some(&token), "").await;
    assert_eq!(error_of(&stolen), "401 invalid_token");
    assert!(kit.reason().contains("is bound to certificate"), "{}", kit.reason());
    let unknown = kit.balances(&kit.dc, Some("nonsense"), "").await;
    assert_eq!(error_of(&unknown), "401 invalid_token");
    let dps = kit.dp_token().await;
    assert_eq!(
        error_of(&kit.balances(&kit.dp, Some(&dps), "").await),
        "403 AccessToken.InvalidScope"
    );

    let mut form = kit.dc.authenticated();
    form.insert("grant_type".into(), "client_credentials".into());
    let dcs = access_token(&kit.token(&kit.dc, &form).await);
    let body = kit.approval();
    let reply = kit.update(&consent, &body, |request| {
        request.headers.retain(|(name, _)| *name != "authorization");
        request.headers.push(("authorization", format!("Bearer {dcs}")));
    });
    assert_eq!(
        error_of(&reply.await),
        "401 invalid_token",
        "the DC's token over the DP's certificate"
    );

    assert!(kit.paynet.advance_clock(&consent, SignedDuration::from_secs(601)));
    assert_eq!(
        error_of(&kit.balances(&kit.dc, Some(&token), "").await),
        "401 invalid_token",
        "expired"
    );
}

#[tokio::test]
async fn a_revoked_consent_gives_nothing() {
    let kit = Kit::start();
    let (consent, code) = kit.approved().await;
    let token = access_token(&kit.token(&kit.dc, &kit.redemption(&code)).await);
    assert!(kit.paynet.revoke(&consent));
    assert_eq!(error_of(&kit.balances(&kit.dc, Some(&token), "").await), "403 Consent.Invalid");
    assert!(!kit.paynet.revoke(&consent), "revoked is final");
}

#[tokio::test]
async fn update_consent_is_held_to_every_rule() {
    let kit = Kit::start();
    let (_, consent) = kit.pushed().await;
    let without = |name: &str| {
        let mut body = kit.approval();
        body.as_object_mut().unwrap().remove(name);
        body
    };
    let with = |name: &str, value: Value| {
        let mut body = kit.approval();
        body[name] = value;
        body
    };
    let bodies = [
        (without("id_token"), "400 invalid_request"),
        (without("user_identity"), "400 invalid_request"),
        (without("accounts"), "400 invalid_request"),
        (with("accounts", json!([])), "400 invalid_request"),
        (with("status", json!("approved")), "400 invalid_request"),
        (with("consent_id", json!("another")), "400 invalid_request"),
        (with("id_token", json!("x".repeat(3001))), "400 invalid_request"),
        (with("accounts", json!([good_account(), good_account()])), "400 invalid_request"),
        (
            with("user_identity", json!({"id_type": "passport", "hashed_id_number": hashed()})),
            "400 JWS.InvalidClaim",
        ),
        (with("id_token", json!("not a jws")), "400 JWS.InvalidSignature"),
        (with("id_token", json!(kit.dc.signing.sign(b"{}"))), "400 JWS.InvalidSignature"),
        (with("id_token", json!(kit.dp.signing.sign(b"{}"))), "400 JWS.InvalidClaim"),
        (json!({"status": "rejected"}), "400 invalid_request"),
        (json!([]), "400 invalid_request"),
    ];
    for (body, expected) in bodies {
        let reply = kit.update(&consent, &body, |_| {}).await;
        let start: String = body.to_string().chars().take(80).collect();
        assert_eq!(error_of(&reply), expected, "{start}: {}", kit.reason());
    }
    let good = kit.approval();
    type Amend = fn(&mut ofp_net::Request);
    let headers: [(&str, Amend, &str); 5] = [
        (
            "no signature",
            |r| r.headers.retain(|(n, _)| *n != "x-fapi-signature"),
            "400 JWS.InvalidSignature",
        ),
        ("altered body", |r| r.body.push(b' '), "400 JWS.InvalidSignature"),
        // RFC 6750 §3.1: no error code for a request that carries no authentication.
        ("no token", |r| r.headers.retain(|(n, _)| *n != "authorization"), "401 "),
        (
            "no interaction id",
            |r| r.headers.retain(|(n, _)| *n != "x-fapi-interaction-id"),
            "400 invalid_request",
        ),
        (
            "no media type",
            |r| r.headers.retain(|(n, _)| *n != "content-type"),
            "400 invalid_request",
        ),
    ];
    for (name, amend, expected) in headers {
        let reply = kit.update(&consent, &good, amend).await;
        assert_eq!(error_of(&reply), expected, "{name}: {}", kit.reason());
    }
    assert_eq!(kit.paynet.consent(&consent).unwrap().status, ConsentStatus::AwaitingAuthorization);

    assert_eq!(kit.update(&consent, &good, |r| r.method = http::Method::POST).await.status, 200);
    assert_eq!(kit.update(&consent, &good, |_| {}).await.status, 200, "the same decision again");
    let hashed = openssl::base64::encode_block(&openssl::sha::sha256(b"800101145678"));
    let somebody_else = kit.approval_by(&hashed);
    let reply = kit.update(&consent, &somebody_else, |_| {}).await;
    assert_eq!(error_of(&reply), "403 Consent.Invalid", "another customer's approval");
    let other = json!({"status": "rejected", "status_reason": {"reason_code": "not_allowed", "reason_description": "x"}});
    assert_eq!(error_of(&kit.update(&consent, &other, |_| {}).await), "403 Consent.Invalid");
    let deleted = kit.update(&consent, &good, |r| r.method = http::Method::DELETE).await;
    assert_eq!((deleted.status, deleted.message.header("allow")), (405, Some("GET, PATCH, POST")));
    let unknown = ofp_types::ConsentId::parse("nobody").unwrap();
    assert_eq!(error_of(&kit.update(&unknown, &good, |_| {}).await), "404 Consent.Invalid");
}

fn good_account() -> Value {
    json!({ "account_id": "acc-1", "account_number": "1", "account_name": "One" })
}

fn hashed() -> String {
    openssl::base64::encode_block(&openssl::sha::sha256(b"900101145678"))
}

#[tokio::test]
async fn update_consent_belongs_to_the_consents_own_dp_and_its_signature_to_its_time() {
    let kit = Kit::start();
    let mut object = kit.object();
    object["authorization_details"][0]["consent"]["dp_id"] = json!("DP0000000002");
    let (_, others) = kit.pushed_object(&object).await;
    let reply = kit.update(&others, &kit.approval(), |_| {}).await;
    assert_eq!(error_of(&reply), "403 Consent.Invalid", "another DP's");

    let (_, consent) = kit.pushed().await;
    let body = kit.approval();
    let sign = |iat: i64, jti: &str| {
        let header = serde_json::Map::from_iter([
            ("iat".to_owned(), json!(iat)),
            ("jti".to_owned(), json!(jti)),
        ]);
        kit.dp.signing.sign_detached(header, body.to_string().as_bytes())
    };
    let send = async |signature: String| {
        let reply = kit.update(&consent, &body, |request| {
            request.headers.retain(|(name, _)| *name != "x-fapi-signature");
            request.headers.push(("x-fapi-signature", signature));
        });
        error_of(&reply.await)
    };
    assert_eq!(send(sign(now() - 400, "a")).await, "400 JWS.InvalidClaim", "old");
    assert_eq!(send(sign(now() + 120, "b")).await, "400 JWS.InvalidClaim", "from the future");
    assert_eq!(send(sign(now(), "c")).await, "200 ");
    assert_eq!(send(sign(now(), "c")).await, "400 JWS.InvalidClaim", "replayed");
}

#[tokio::test]
async fn clocks_may_differ_by_ten_seconds_and_not_by_more_than_sixty() {
    let kit = Kit::start();
    let ahead = |seconds: i64| {
        kit.dc.with_assertion(kit.dc.assertion(|claims| {
            claims["iat"] = json!(now() + seconds);
            claims["nbf"] = json!(now() + seconds);
        }))
    };
    let token = async |mut form: kit::Form| {
        form.insert("grant_type".into(), "client_credentials".into());
        kit.token(&kit.dc, &form).await.status
    };
    assert_eq!((token(ahead(10)).await, token(ahead(70)).await), (200, 401));
    let push = async |amend: &dyn Fn(&mut Value)| {
        let mut object = kit.object();
        amend(&mut object);
        let mut form = kit.dc.authenticated();
        form.insert("request".into(), kit.dc.signing.sign_claims(&object));
        error_of(&kit.par(&kit.dc, &form).await)
    };
    let good = "201 ";
    let bad = "400 invalid_request_object";
    assert_eq!(push(&|o| o["nbf"] = json!(now() + 10)).await, good);
    assert_eq!(push(&|o| o["nbf"] = json!(now() + 70)).await, bad);
    assert_eq!(push(&|o| o["iat"] = json!(now() + 10)).await, good);
    assert_eq!(push(&|o| o["iat"] = json!(now() + 70)).await, bad);
    assert_eq!(push(&|o| o["aud"] = json!([kit.issuer])).await, good, "a list with the issuer");
    assert_eq!(push(&|o| o["request_uri"] = json!("urn:x")).await, bad);
    assert_eq!(push(&|o| o["request"] = json!("x")).await, bad);
    let detail =
        |o: &mut Value| o["authorization_details"][0]["consent"]["consent_type"] = json!("x");
    assert_eq!(push(&detail).await, "400 invalid_authorization_details");
    for (typ, expected) in [("oauth-authz-req+jwt", good), ("JWT", good), ("secevent+jwt", bad)] {
        let header = serde_json::Map::from_iter([("typ".to_owned(), json!(typ))]);
        let object = kit.object().to_string();
        let mut form = kit.dc.authenticated();
        form.insert("request".into(), kit.dc.signing.sign_with(header, object.as_bytes()));
        assert_eq!(error_of(&kit.par(&kit.dc, &form).await), expected, "{typ}");
    }
}

#[tokio::test]
async fn forms_are_forms_and_nothing_secret_is_stored() {
    let kit = Kit::start();
    let form = kit.dc.authenticated();
    let fields: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    for path in ["par", "token", "introspect", "revoke"] {
        let url = format!("{}/v1/oauth/{path}", kit.mtls);
        let mut request = ofp_net::Request::form(url, &fields, kit::DEADLINE);
        request.headers = vec![("content-type", "application/json".to_owned())];
        let reply = kit.dc.http.send(request).await.unwrap();
        assert_eq!(error_of(&reply), "400 invalid_request", "{path}");
        assert_eq!(reply.message.header("cache-control"), Some("no-store"), "{path}");
        assert!(kit.reason().contains("Content-Type must be"), "{}", kit.reason());
    }
    let (request_uri, _) = kit.pushed().await;
    let sent = kit.authorize(DC, &request_uri).await;
    assert_eq!(sent.message.header("cache-control"), Some("no-store"));
    assert_eq!(sent.message.header("access-control-allow-origin"), None, "FAPI 2.0 SP §5.2.3");
}

#[tokio::test]
async fn a_verifier_has_43_to_128_characters() {
    let kit = Kit::start();
    for (length, expected) in
        [(42, "400 invalid_grant"), (43, "200 "), (128, "200 "), (129, "400 invalid_grant")]
    {
        let verifier = "v".repeat(length);
        let mut object = kit.object();
        let challenge = ofp_jose::base64url(&openssl::sha::sha256(verifier.as_bytes()));
        object["code_challenge"] = json!(challenge);
        let (request_uri, consent) = kit.pushed_object(&object).await;
        let code = kit.approve(&request_uri, &consent).await;
        let mut form = kit.redemption(&code);
        form.insert("code_verifier".into(), verifier);
        assert_eq!(error_of(&kit.token(&kit.dc, &form).await), expected, "{length}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_changes_nothing_about_what_happens() {
    let kit = Kit::start();
    let (_, consent) = kit.pushed().await;
    let fault = serde_json::from_value(json!({ "at": "update_consent", "delay": "3s" })).unwrap();
    let _ = kit.paynet.inject(ofp_paynet::FaultScope::Consent(consent.clone()), fault);
    let body = kit.approval();
    let gone = tokio::time::timeout(
        std::time::Duration::from_secs(1),
        kit.update(&consent, &body, |_| {}),
    );
    assert!(gone.await.is_err(), "the DP gave up");
    kit.paynet.wait_for(&consent, ConsentStatus::Authorized, kit::DEADLINE).await.unwrap();
    kit.paynet.settled(&consent, kit::DEADLINE).await.unwrap();
    assert_eq!(kit.stub_dp.told().last().unwrap(), "consent_status_updated authorized");
    let recorded = kit.journal.newest(|record| match record {
        ofp_evidence::Record::Exchange(x)
            if x.endpoint == ofp_evidence::Endpoint::UpdateConsent =>
        {
            x.status()
        }
        _ => None,
    });
    assert_eq!(recorded, Some(200), "and it stands in the journal");
}

#[tokio::test]
async fn metadata_say_what_fapi_2_wants_to_know() {
    let kit = Kit::start();
    let oidc = kit.get(&format!("{}/.well-known/openid-configuration", kit.issuer), None).await;
    let oauth =
        kit.get(&format!("{}/.well-known/oauth-authorization-server", kit.issuer), None).await;
    assert_eq!(oidc.message.body, oauth.message.body);
    let metadata = kit::json_of(&oidc);
    for (name, value) in [
        ("require_signed_request_object", json!(true)),
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("tls_client_certificate_bound_access_tokens", json!(true)),
        ("response_modes_supported", json!(["query", "query.jwt", "jwt"])),
        (
            "grant_types_supported",
            json!(["authorization_code", "client_credentials", "refresh_token"]),
        ),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("token_endpoint_auth_signing_alg_values_supported", json!(["PS256"])),
        ("introspection_endpoint_auth_signing_alg_values_supported", json!(["PS256"])),
        ("revocation_endpoint_auth_signing_alg_values_supported", json!(["PS256"])),
        ("authorization_signing_alg_values_supported", json!(["PS256"])),
    ] {
        assert_eq!(metadata[name], value, "{name}");
    }
    for name in ["token", "pushed_authorization_request", "introspection", "revocation", "userinfo"]
    {
        let name = format!("{name}_endpoint");
        assert_eq!(metadata[&name], metadata["mtls_endpoint_aliases"][&name], "{name}");
        assert!(metadata[&name].as_str().unwrap().starts_with(&kit.mtls), "{name}");
    }
}

#[tokio::test]
async fn an_undecided_consent_fails_when_its_window_ends() {
    let kit = Kit::start();
    let (_, consent) = kit.pushed().await;
    let (_, other) = kit.pushed().await;
    assert!(kit.paynet.advance_clock(&consent, SignedDuration::from_secs(301)));
    let failed = kit.paynet.consent(&consent).unwrap();
    assert_eq!(failed.status, ConsentStatus::Failed);
    assert_eq!(failed.status_reason.unwrap().reason_code, "timeout");
    let late = kit.update(&consent, &kit.approval(), |_| {}).await;
    assert_eq!(error_of(&late), "403 Consent.Invalid");
    let status = kit.paynet.consent(&other).unwrap().status;
    assert_eq!(
        status,
        ConsentStatus::AwaitingAuthorization,
        "another consent's clock stands still"
    );
}

#[tokio::test]
async fn a_dc_cannot_update_a_consent_with_a_token_of_its_own() {
    let kit = Kit::start();
    let (_, consent) = kit.pushed().await;
    let mut form = kit.dc.authenticated();
    form.insert("grant_type".into(), "client_credentials".into());
    let token = access_token(&kit.token(&kit.dc, &form).await);
    let body = kit.approval().to_string().into_bytes();
    let url = format!("{}/v1/consents/{consent}", kit.rs);
    let mut request = ofp_net::Request::get(url, std::time::Duration::from_secs(5))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    request.method = http::Method::PATCH;
    request.body = body;
    let reply = kit.dc.http.send(request).await.unwrap();
    assert_eq!(error_of(&reply), "403 AccessToken.InvalidScope");
    let twice = kit.balances(&kit.dc, Some(&token), "?access_token=a&access_token=b").await;
    assert_eq!(error_of(&twice), "400 invalid_request", "a repeated parameter hides nothing");
}

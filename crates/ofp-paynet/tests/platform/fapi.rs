//! Rows of the FAPI 2.0 Security Profile and Message Signing that no other test holds.

use ofp_net::{OsEntropy, Reply, Request};
use ofp_pki::Party;
use ofp_types::uuid_v4;
use serde_json::{Value, json};

use crate::{
    kit::{
        self, CALLBACK, DC, DC_ID, DEADLINE, Kit, VERIFIER, access_token, error_of, json_of, now,
    },
    rules::signed_with_rs256,
};

impl Kit {
    async fn pushed_with(&self, amend: impl FnOnce(&mut Value)) -> Reply {
        let mut object = self.object();
        amend(&mut object);
        let mut form = self.dc.authenticated();
        form.insert("request".into(), self.dc.signing.sign_claims(&object));
        self.par(&self.dc, &form).await
    }

    /// A customer's token of a request with this scope.
    async fn token_for(&self, scope: &str) -> String {
        let mut object = self.object();
        object["scope"] = json!(scope);
        let (request_uri, consent) = self.pushed_object(&object).await;
        let code = self.approve(&request_uri, &consent).await;
        access_token(&self.token(&self.dc, &self.redemption(&code)).await)
    }

    async fn ask(&self, request: Request) -> Reply {
        self.dc.http.send(request).await.unwrap()
    }
}

fn removed(claims: &mut Value, name: &str) {
    claims.as_object_mut().unwrap().remove(name);
}

#[tokio::test]
async fn a_request_object_has_its_dates_its_audience_and_where_to_return() {
    let kit = Kit::start();
    for name in ["nbf", "exp", "aud", "redirect_uri"] {
        let reply = kit.pushed_with(|object| removed(object, name)).await;
        assert_eq!(reply.status, 400, "{name}: {}", kit.reason());
        assert!(kit.reason().contains(name), "{name}: {}", kit.reason());
    }
    let old = kit.pushed_with(|object| object["nbf"] = json!(now() - 3_660)).await;
    assert_eq!(error_of(&old), "400 invalid_request_object");
    assert!(kit.reason().contains("nbf"), "for its age: {}", kit.reason());
    let nonce = |length| move |object: &mut Value| object["nonce"] = json!("n".repeat(length));
    assert_eq!(kit.pushed_with(nonce(64)).await.status, 201, "64 characters are enough");
    assert_eq!(kit.pushed_with(nonce(65)).await.status, 400);
}

/// RFC 9101 §6.3: what stands beside the request object does not count.
#[tokio::test]
async fn only_the_parameters_of_the_request_object_count() {
    let kit = Kit::start();
    let mut form = kit.dc.authenticated();
    form.insert("request".into(), kit.dc.signing.sign_claims(&kit.object()));
    for (name, value) in
        [("redirect_uri", "https://evil.test/"), ("state", "x"), ("scope", "openid")]
    {
        form.insert(name.into(), value.into());
    }
    let reply = kit.par(&kit.dc, &form).await;
    assert_eq!(reply.status, 201, "{}", kit.reason());
    let request_uri = json_of(&reply)["request_uri"].as_str().unwrap().to_owned();
    let consent = kit.last_consent();
    let query = ofp_net::encode_form(&[
        ("client_id", DC),
        ("request_uri", &request_uri),
        ("redirect_uri", "https://evil.test/"),
        ("state", "y"),
    ]);
    let sent = kit.get(&format!("{}/v1/oauth/authorize?{query}", kit.issuer), None).await;
    let cookie = kit::cookie_of(&sent);
    assert_eq!(kit.update(&consent, &kit.approval(), |_| {}).await.status, 200);
    let back = kit.get(&format!("{}/v1/oauth/callback", kit.issuer), Some(&cookie)).await;
    assert!(back.message.header("location").unwrap().starts_with(CALLBACK));
    assert_eq!(kit::parameter(&back, "state").as_deref(), Some("the-state"));
}

#[tokio::test]
async fn authorization_begins_with_a_pushed_request_and_nothing_else() {
    let kit = Kit::start();
    let object = kit.dc.signing.sign_claims(&kit.object());
    let classic = [
        ("client_id", DC),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", VERIFIER),
        ("code_challenge_method", "S256"),
    ];
    for query in [&classic[..], &[("client_id", DC), ("request", &object)]] {
        let url = format!("{}/v1/oauth/authorize?{}", kit.issuer, ofp_net::encode_form(query));
        let reply = kit.get(&url, None).await;
        assert_eq!((reply.status, reply.message.header("location")), (400, None));
    }
    assert!(kit.paynet.consents().is_empty(), "no consent came of it");
    let origin = format!("{}/v1/oauth/authorize", kit.issuer);
    let cross = Request::get(&origin, DEADLINE).header("origin", "https://evil.test");
    let mut preflight = Request::get(&origin, DEADLINE)
        .header("origin", "https://evil.test")
        .header("access-control-request-method", "GET");
    preflight.method = http::Method::OPTIONS;
    for request in [cross, preflight] {
        let reply = kit.browser.send(request).await.unwrap();
        assert_eq!(reply.message.header("access-control-allow-origin"), None, "SP §5.2.3");
    }
}

#[tokio::test]
async fn what_needs_a_certificate_is_not_on_the_public_listener() {
    let kit = Kit::start();
    for path in ["par", "token", "introspect", "revoke", "userinfo"] {
        let url = format!("{}/v1/oauth/{path}", kit.issuer);
        let reply = kit.post(&kit.dc, &url, &kit.dc.authenticated()).await;
        assert_eq!(reply.status, 404, "{path}");
    }
}

#[tokio::test]
async fn every_endpoint_of_clients_authenticates_them() {
    let kit = Kit::start();
    let token = kit.client_token(&kit.dc).await;
    type Amend = fn(&mut kit::Form);
    let cases: [(&str, Amend); 4] = [
        ("no assertion", |form| drop(form.remove("client_assertion"))),
        ("no type", |form| drop(form.remove("client_assertion_type"))),
        ("another type", |form| drop(form.insert("client_assertion_type".into(), "saml".into()))),
        ("nobody", |form| drop(form.insert("client_id".into(), "nobody".into()))),
    ];
    for path in ["par", "token", "introspect", "revoke"] {
        for (name, amend) in cases {
            let mut form = kit.dc.authenticated();
            form.insert("token".into(), token.clone());
            form.insert("grant_type".into(), "client_credentials".into());
            amend(&mut form);
            let url = format!("{}/v1/oauth/{path}", kit.mtls);
            let reply = kit.post(&kit.dc, &url, &form).await;
            assert_eq!(error_of(&reply), "401 invalid_client", "{path}, {name}: {}", kit.reason());
        }
    }
    let live = kit.balances(&kit.dc, Some(&token), "").await;
    assert_ne!(live.status, 401, "nothing was revoked");
    let ahead = kit.dc.assertion(|claims| claims["nbf"] = json!(now() + 70));
    let reply = kit.par(&kit.dc, &kit.dc.with_assertion(ahead)).await;
    assert_eq!(error_of(&reply), "401 invalid_client", "nbf in the future");
}

#[tokio::test]
async fn a_token_is_for_the_certificate_it_was_issued_to() {
    let kit = Kit::start();
    let (_, code) = kit.approved().await;
    let body = json_of(&kit.token(&kit.dc, &kit.redemption(&code)).await);
    let mut form = kit.dc.authenticated();
    form.insert("grant_type".into(), "refresh_token".into());
    form.insert("refresh_token".into(), body["refresh_token"].as_str().unwrap().into());
    let fresh = access_token(&kit.token(&kit.dc, &form).await);
    let mut form = kit.dc.authenticated();
    form.insert("token".into(), fresh.clone());
    let seen = kit.post(&kit.dc, &format!("{}/v1/oauth/introspect", kit.mtls), &form).await;
    let own = kit::pki().kit(Party::Dc1).client.thumbprint().unwrap();
    assert_eq!(json_of(&seen)["cnf"]["x5t#S256"], json!(own.as_str()), "RFC 8705 §3.1");
    let stolen = kit.balances(&kit.other_dc, Some(&fresh), "").await;
    assert_eq!(error_of(&stolen), "401 invalid_token");
    let userinfo = Request::get(format!("{}/userinfo", kit.mtls), DEADLINE)
        .header("authorization", format!("Bearer {fresh}"));
    assert_eq!(error_of(&kit.other_dc.http.send(userinfo).await.unwrap()), "401 invalid_token");
    assert!(fresh.len() >= 43 && body["refresh_token"].as_str().unwrap().len() >= 43);
    assert!(code.len() >= 43, "RFC 6749 §10.10: 128 bits and more");
}

#[tokio::test]
async fn a_token_travels_in_its_header_and_suffices_for_its_scope() {
    let kit = Kit::start();
    let (openid, accounts) = (kit.token_for("openid").await, kit.token_for("accounts").await);
    let reply = kit.balances(&kit.dc, Some(&openid), "").await;
    assert_eq!(error_of(&reply), "403 AccessToken.InvalidScope", "{}", kit.reason());
    let challenge = reply.message.header("www-authenticate").unwrap();
    assert!(challenge.contains("insufficient_scope"), "{challenge}");
    let userinfo = format!("{}/userinfo", kit.mtls);
    let bearer =
        Request::get(&userinfo, DEADLINE).header("authorization", format!("Bearer {accounts}"));
    assert_eq!(error_of(&kit.ask(bearer).await), "403 insufficient_scope");
    let posted = Request::form(&userinfo, &[("access_token", &accounts)], DEADLINE);
    let reply = kit.ask(posted).await;
    assert_eq!((reply.status, reply.message.header("www-authenticate")), (401, Some("Bearer")));
    let basic = Request::get(format!("{}/v1/providers", kit.rs), DEADLINE)
        .header("authorization", "Basic ZGM6c2VjcmV0");
    let reply = kit.ask(basic).await;
    assert_eq!((reply.status, reply.message.header("www-authenticate")), (401, Some("Bearer")));
    assert!(reply.message.body.is_empty(), "RFC 6750 §3.1");
}

#[tokio::test]
async fn a_picker_form_is_no_request_uri() {
    let kit = Kit::start();
    let reply = kit
        .pushed_with(|object| {
            let consent = object["authorization_details"][0]["consent"].as_object_mut().unwrap();
            consent.remove("dp_id");
        })
        .await;
    let request_uri = json_of(&reply)["request_uri"].as_str().unwrap().to_owned();
    let page = kit.authorize(DC, &request_uri).await;
    let text = page.message.text();
    let pick = text.split_once("name=\"pick\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let again = kit.authorize(DC, pick).await;
    assert_eq!(error_of(&again), "400 invalid_request", "a request lives no longer for it");
}

/// Message Signing and X-19: a request for data is what the DC signed, with its key, by PS256.
#[tokio::test]
async fn a_request_for_data_is_signed_by_the_dc_itself() {
    let kit = Kit::start();
    let token = kit.token_for("accounts").await;
    let path = "/v1/accounts/acc-1/balances";
    let url = format!("{}{path}", kit.rs);
    let claims = || {
        json!({
            "iss": DC_ID, "sub": kit.last_consent(), "aud": ["DP9876543210", "Paynet OFP"],
            "iat": now(), "nbf": now(), "exp": now() + 300, "jti": uuid_v4(&OsEntropy), "url": url,
            "qpm": {},
        })
    };
    let good = kit.dc.signing.sign_claims(&claims());
    let (header, rest) = good.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let foreign = kit.other_dc.signing.sign_claims(&claims());
    let swapped = format!("{header}.{}", foreign.split_once('.').unwrap().1);
    let none = ofp_jose::base64url(br#"{"alg":"none"}"#);
    let embedded = {
        let jwk = serde_json::to_value(&kit::pki().jwks(Party::Dc2).unwrap().keys[0]).unwrap();
        let (attacker, text) = (&kit.other_dc.signing, claims().to_string());
        let extra = serde_json::Map::from_iter([
            ("jwk".to_owned(), jwk),
            ("jku".to_owned(), json!("https://evil.test/jwks")),
            ("x5u".to_owned(), json!("https://evil.test/x5u")),
        ]);
        attacker.sign_with(extra, text.as_bytes())
    };
    let cases = [
        ("flipped", ofp_jose::corrupt::flip_signature_bit(&good)),
        ("another DC's key", foreign),
        ("another DC's key under our kid", swapped),
        ("none", format!("{none}.{payload}.")),
        ("RS256", signed_with_rs256(Party::Dc1, &claims().to_string())),
        ("a key of its own", embedded),
        ("two segments", format!("{header}.{payload}")),
        ("no payload", format!("{header}..{signature}")),
    ];
    for (name, signature) in cases {
        let request = Request::get(&url, DEADLINE)
            .header("authorization", format!("Bearer {token}"))
            .header("x-fapi-interaction-id", uuid_v4(&OsEntropy).to_string())
            .header("x-signature", signature);
        let reply = kit.ask(request).await;
        assert_eq!(error_of(&reply), "400 JWS.InvalidSignature", "{name}: {}", kit.reason());
    }
    assert!(kit.stub_dp.asked.lock().unwrap().is_empty(), "nothing reached the DP");
}

#[tokio::test]
async fn update_consent_is_signed_by_the_dp_itself() {
    let kit = Kit::start();
    let (_, consent) = kit.pushed().await;
    let body = kit.approval().to_string();
    let detached = |jws: String| {
        let parts: Vec<&str> = jws.split('.').collect();
        format!("{}..{}", parts[0], parts[2])
    };
    let none = ofp_jose::base64url(br#"{"alg":"none"}"#);
    let cases = [
        ("the DC's", kit.dc.signing.sign_detached(Default::default(), body.as_bytes())),
        ("RS256", detached(signed_with_rs256(Party::Dp, &body))),
        ("none", format!("{none}..")),
    ];
    for (name, signature) in cases {
        let approval = serde_json::from_str(&body).unwrap();
        let reply = kit
            .update(&consent, &approval, |request| {
                request.headers.retain(|(header, _)| *header != "x-fapi-signature");
                request.headers.push(("x-fapi-signature", signature));
            })
            .await;
        assert_eq!(error_of(&reply), "400 JWS.InvalidSignature", "{name}: {}", kit.reason());
    }
    // and its id_token is held to what it says of itself
    type Amend = fn(&mut Value);
    let cases: [(&str, Amend); 5] = [
        ("expired", |c| c["exp"] = json!(now() - 5)),
        ("ahead", |c| c["iat"] = json!(now() + 120)),
        ("for nobody", |c| c["aud"] = json!("nobody")),
        ("another customer", |c| c["hashed_id_number"] = json!("A".repeat(44))),
        ("another issuer", |c| c["iss"] = json!("https://evil.test")),
    ];
    for (name, amend) in cases {
        let mut approval = kit.approval();
        let token = approval["id_token"].as_str().unwrap().to_owned();
        let payload = ofp_jose::base64url_decode(token.split('.').nth(1).unwrap()).unwrap();
        let mut claims: Value = serde_json::from_slice(&payload).unwrap();
        amend(&mut claims);
        approval["id_token"] = json!(kit.dp.signing.sign_claims(&claims));
        let reply = kit.update(&consent, &approval, |_| {}).await;
        assert_eq!(error_of(&reply), "400 JWS.InvalidClaim", "{name}: {}", kit.reason());
    }
    assert_eq!(kit.update(&consent, &kit.approval(), |_| {}).await.status, 200, "{}", kit.reason());
}

#[tokio::test]
async fn a_code_is_worth_nothing_once_its_consent_is_over() {
    let kit = Kit::start();
    let (consent, code) = kit.approved().await;
    kit.paynet.change(&consent, ofp_types::Trigger::Suspend, None).unwrap();
    let reply = kit.token(&kit.dc, &kit.redemption(&code)).await;
    assert_eq!(error_of(&reply), "400 invalid_grant", "{}", kit.reason());
}

#[tokio::test]
async fn signed_introspection_says_who_when_and_for_whom() {
    let kit = Kit::start();
    let mut form = kit.dc.authenticated();
    form.insert("token".into(), "nobody's".into());
    let fields: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let request = Request::form(format!("{}/v1/oauth/introspect", kit.mtls), &fields, DEADLINE)
        .header("accept", "application/json;q=0.1, application/token-introspection+jwt;q=1");
    let reply = kit.ask(request).await;
    assert_eq!(
        reply.message.media_type().as_deref(),
        Some("application/token-introspection+jwt"),
        "weights are no part of a media type"
    );
    assert_eq!(reply.message.header("cache-control"), Some("no-store"));
    let text = reply.message.text();
    let payload = ofp_jose::base64url_decode(text.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(kit.issuer), &json!(DC)));
    assert!(claims["iat"].as_i64().unwrap() <= now());
    assert_eq!(claims["token_introspection"], json!({ "active": false }));
}

/// RFC 8725 §3.5: whoever sends a key has not shown whose it is.
#[tokio::test]
async fn a_key_that_comes_along_is_nobodys() {
    let kit = Kit::start();
    let jwk = serde_json::to_value(&kit::pki().jwks(Party::Dc2).unwrap().keys[0]).unwrap();
    let mine = kit.dc.signing.kid().to_string();
    let signed = |claims: &Value| {
        ["jwk", "jku", "x5u"].map(|member| {
            let value = if member == "jwk" { jwk.clone() } else { json!("https://evil.test/keys") };
            let header = serde_json::Map::from_iter([
                ("alg".to_owned(), json!("PS256")),
                ("kid".to_owned(), json!(mine)),
                (member.to_owned(), value),
            ]);
            let attacker = &kit::pki().kit(Party::Dc2).signing.key;
            let signer = ofp_jose::corrupt::RawSigner::Ps256(attacker);
            ofp_jose::corrupt::compact(&header, claims.to_string().as_bytes(), false, &signer)
                .unwrap()
        })
    };
    for request in signed(&kit.object()) {
        let mut form = kit.dc.authenticated();
        form.insert("request".into(), request);
        let reply = kit.par(&kit.dc, &form).await;
        assert_eq!(error_of(&reply), "400 invalid_request_object", "{}", kit.reason());
    }
    let claims = json!({ "iss": DC, "sub": DC, "aud": kit.issuer, "iat": now(), "exp": now() + 300,
        "jti": uuid_v4(&OsEntropy) });
    for assertion in signed(&claims) {
        let reply = kit.par(&kit.dc, &kit.dc.with_assertion(assertion)).await;
        assert_eq!(error_of(&reply), "401 invalid_client", "{}", kit.reason());
    }
}

#[tokio::test]
async fn published_keys_have_their_own_kid_and_point_nowhere() {
    let kit = Kit::start();
    let next = kit::pki().next_signing(Party::PayNet, ofp_types::Clock::now(&ofp_net::SystemClock));
    kit.paynet.rotate_signing_key(&next.unwrap(), false).unwrap();
    for path in ["jwks", &format!("jwks/{DC_ID}")] {
        let set = json_of(&kit.get(&format!("{}/v1/oauth/{path}", kit.issuer), None).await);
        let keys = set["keys"].as_array().unwrap();
        let mut kids: Vec<&str> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
        kids.sort_unstable();
        kids.dedup();
        assert_eq!((kids.len(), keys.len()), (2, 2), "FAPI 2.0 SP §5.4.3");
        assert!(keys.iter().all(|key| key["x5u"].is_null() && key["d"].is_null()));
    }
}

#[tokio::test]
async fn a_clock_may_be_a_few_seconds_ahead() {
    let kit = Kit::start();
    let (_, consent) = kit.pushed().await;
    let body = kit.approval();
    let reply = kit
        .update(&consent, &body, |request| {
            let header = serde_json::Map::from_iter([("iat".to_owned(), json!(now() + 10))]);
            let signature = kit.dp.signing.sign_detached(header, &request.body);
            request.headers.retain(|(name, _)| *name != "x-fapi-signature");
            request.headers.push(("x-fapi-signature", signature));
        })
        .await;
    assert_eq!(reply.status, 200, "FAPI 2.0 SP §5.3.2.1: {}", kit.reason());
}

/// X-14 read the other way: the certificate alone tells who updates a consent.
#[tokio::test]
async fn without_bearer_tokens_the_certificate_says_who_updates() {
    let profile = ofp_types::Profile { require_bearer_on_patch: false, ..Default::default() };
    let kit = Kit::start_with(kit::Options { profile, ..Default::default() });
    let (_, consent) = kit.pushed().await;
    let body = kit.approval();
    let unarmed = |request: &mut Request| request.headers.retain(|(n, _)| *n != "authorization");
    let mut foreign = None;
    let reply = kit
        .update(&consent, &body, |request| {
            unarmed(request);
            foreign = Some(request.clone());
        })
        .await;
    assert_eq!(reply.status, 200, "{}", kit.reason());
    let reply = kit.dc.http.send(foreign.unwrap()).await.unwrap();
    assert_eq!(error_of(&reply), "403 AccessToken.InvalidScope", "a DC's certificate");
}

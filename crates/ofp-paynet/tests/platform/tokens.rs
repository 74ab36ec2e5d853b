//! Refresh, introspection, revocation, JARM.

use jiff::SignedDuration;
use ofp_jose::{CompactJws, KeySet};
use ofp_types::{ConsentStatus, Trigger};
use serde_json::{Value, json};

use crate::kit::{self, DC, Form, Kit, access_token, cookie_of, error_of, json_of, parameter};

impl Kit {
    /// A linked consent: its id, an access and a refresh token.
    async fn linked(&self) -> (ofp_types::ConsentId, String, String) {
        let (consent, code) = self.approved().await;
        let reply = self.token(&self.dc, &self.redemption(&code)).await;
        let body = json_of(&reply);
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        (consent, text("access_token"), text("refresh_token"))
    }

    fn refresh_form(&self, token: &str) -> Form {
        let mut form = self.dc.authenticated();
        form.insert("grant_type".into(), "refresh_token".into());
        form.insert("refresh_token".into(), token.into());
        form
    }

    async fn introspect(&self, who: &kit::Participant, token: &str) -> Value {
        let mut form = who.authenticated();
        form.insert("token".into(), token.into());
        let reply = self.post(who, &format!("{}/v1/oauth/introspect", self.mtls), &form).await;
        assert_eq!(reply.status, 200, "{}", reply.message.text());
        json_of(&reply)
    }

    async fn revoke_token(&self, who: &kit::Participant, token: &str) -> u16 {
        let mut form = who.authenticated();
        form.insert("token".into(), token.into());
        self.post(who, &format!("{}/v1/oauth/revoke", self.mtls), &form).await.status
    }
}

#[tokio::test]
async fn a_refresh_token_stays_the_same_as_long_as_the_consent() {
    let kit = Kit::start();
    let (consent, first, refresh) = kit.linked().await;
    let reply = kit.token(&kit.dc, &kit.refresh_form(&refresh)).await;
    let body = json_of(&reply);
    assert_eq!(body["refresh_token"], json!(refresh), "not rotated");
    assert_eq!(body["expires_in"], 600);
    assert_eq!(body["authorization_details"][0]["consent"]["consent_id"], json!(consent.as_str()));
    assert_ne!(body["access_token"], json!(first));
    assert_eq!(reply.message.header("cache-control"), Some("no-store"));

    let mut narrow = kit.refresh_form(&refresh);
    narrow.insert("scope".into(), "accounts".into());
    assert_eq!(json_of(&kit.token(&kit.dc, &narrow).await)["scope"], "accounts");
    narrow.extend(kit.dc.authenticated());
    narrow.insert("scope".into(), "openid".into());
    assert_eq!(error_of(&kit.token(&kit.dc, &narrow).await), "400 invalid_scope", "not granted");

    let mut foreign = kit.refresh_form(&refresh);
    foreign.extend(kit.other_dc.authenticated());
    assert_eq!(error_of(&kit.token(&kit.other_dc, &foreign).await), "400 invalid_grant");
    let mut dps = kit.refresh_form(&refresh);
    dps.extend(kit.dp.authenticated());
    assert_eq!(error_of(&kit.token(&kit.dp, &dps).await), "400 unauthorized_client");
    let unknown = kit.token(&kit.dc, &kit.refresh_form("nonsense")).await;
    assert_eq!(error_of(&unknown), "400 invalid_grant");
    let mut without = kit.refresh_form(&refresh);
    without.remove("refresh_token");
    assert_eq!(error_of(&kit.token(&kit.dc, &without).await), "400 invalid_request");

    // long after the first access token, and the day after tomorrow it is over
    assert!(kit.paynet.advance_clock(&consent, SignedDuration::from_hours(24)));
    assert_eq!(error_of(&kit.balances(&kit.dc, Some(&first), "").await), "401 invalid_token");
    let reply = kit.token(&kit.dc, &kit.refresh_form(&refresh)).await;
    let fresh = access_token(&reply);
    let live = kit.balances(&kit.dc, Some(&fresh), "").await;
    assert_eq!(error_of(&live), "400 JWS.InvalidSignature", "the token is good");
    assert!(kit.paynet.advance_clock(&consent, SignedDuration::from_hours(24)));
    assert_eq!(kit.paynet.consent(&consent).unwrap().status, ConsentStatus::Expired);
    let over = kit.token(&kit.dc, &kit.refresh_form(&refresh)).await;
    assert_eq!(error_of(&over), "400 invalid_grant", "dies with the consent");
    assert!(kit.reason().contains("is expired"), "{}", kit.reason());
}

#[tokio::test]
async fn a_suspended_consent_refreshes_nothing_until_it_is_reactivated() {
    let kit = Kit::start();
    let (consent, _, refresh) = kit.linked().await;
    let _ = kit.paynet.change(&consent, Trigger::Suspend, None).unwrap();
    let refused = kit.token(&kit.dc, &kit.refresh_form(&refresh)).await;
    assert_eq!(error_of(&refused), "400 invalid_grant");
    let _ = kit.paynet.change(&consent, Trigger::Reactivate, None).unwrap();
    assert_eq!(kit.token(&kit.dc, &kit.refresh_form(&refresh)).await.status, 200);
}

#[tokio::test]
async fn a_code_used_twice_takes_access_and_refresh_token_along() {
    let kit = Kit::start();
    let (_, code) = kit.approved().await;
    let body = json_of(&kit.token(&kit.dc, &kit.redemption(&code)).await);
    assert_eq!(error_of(&kit.token(&kit.dc, &kit.redemption(&code)).await), "400 invalid_grant");
    let refresh = body["refresh_token"].as_str().unwrap();
    let refused = kit.token(&kit.dc, &kit.refresh_form(refresh)).await;
    assert_eq!(error_of(&refused), "400 invalid_grant");
    let access = body["access_token"].as_str().unwrap();
    assert_eq!(kit.introspect(&kit.dc, access).await, json!({ "active": false }));
}

#[tokio::test]
async fn introspection_tells_a_client_about_its_own_tokens_alone() {
    let kit = Kit::start();
    let (consent, access, refresh) = kit.linked().await;
    let seen = kit.introspect(&kit.dc, &access).await;
    assert_eq!(seen["active"], true);
    assert_eq!(seen["client_id"], DC);
    assert_eq!(seen["token_type"], "Bearer");
    assert_eq!(seen["consent_id"], json!(consent.as_str()));
    assert_eq!(seen["cnf"]["x5t#S256"].as_str().unwrap().len(), 43);
    assert_eq!(seen["exp"].as_i64().unwrap() - seen["iat"].as_i64().unwrap(), 600);
    assert_eq!(seen["authorization_details"][0]["consent"]["status"], "authorized");
    let seen = kit.introspect(&kit.dc, &refresh).await;
    assert_eq!((&seen["active"], &seen["token_type"]), (&json!(true), &Value::Null));
    for (who, token) in [(&kit.other_dc, access.as_str()), (&kit.dc, "nonsense")] {
        assert_eq!(kit.introspect(who, token).await, json!({ "active": false }));
    }
    let own = kit.dp_token().await;
    assert_eq!(kit.introspect(&kit.dp, &own).await["scope"], "accounts");
    let _ = kit.paynet.change(&consent, Trigger::Suspend, None).unwrap();
    assert_eq!(kit.introspect(&kit.dc, &access).await, json!({ "active": false }));

    let form = kit.dc.authenticated();
    let url = format!("{}/v1/oauth/introspect", kit.mtls);
    assert_eq!(error_of(&kit.post(&kit.dc, &url, &form).await), "400 invalid_request", "no token");
    let mut anonymous = Form::from([("token".to_owned(), access)]);
    assert_eq!(error_of(&kit.post(&kit.dc, &url, &anonymous).await), "401 invalid_client");
    anonymous.insert("client_id".into(), DC.into());
    assert_eq!(error_of(&kit.post(&kit.dc, &url, &anonymous).await), "401 invalid_client");
}

#[tokio::test]
async fn a_client_does_not_choose_what_reports_mask() {
    let kit = Kit::start();
    let (_, access, refresh) = kit.linked().await;
    kit.introspect(&kit.dc, "authorized").await;
    assert_eq!(kit.revoke_token(&kit.dc, "authorized").await, 200);
    kit.token(&kit.dc, &kit.refresh_form("authorized")).await;
    let secrets = kit.journal.secrets();
    assert_eq!(secrets.mask("authorized"), "authorized");
    for token in [access, refresh] {
        assert_eq!(secrets.mask(&token), "[secret]");
    }
}

#[tokio::test]
async fn introspection_is_signed_for_whoever_asks() {
    let kit = Kit::start();
    let (_, access, _) = kit.linked().await;
    let mut form = kit.dc.authenticated();
    form.insert("token".into(), access);
    let fields: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let url = format!("{}/v1/oauth/introspect", kit.mtls);
    let request = ofp_net::Request::form(url, &fields, kit::DEADLINE)
        .header("accept", "application/token-introspection+jwt");
    let reply = kit.dc.http.send(request).await.unwrap();
    let media_type = reply.message.media_type().unwrap();
    assert_eq!(media_type, "application/token-introspection+jwt");
    let text = reply.message.text();
    let jws = CompactJws::parse(&text).unwrap();
    let verified = jws.verify(&kit.paynet_keys().await).unwrap();
    assert_eq!(verified.header["typ"], "token-introspection+jwt");
    let claims = verified.claims().unwrap();
    claims.equals("aud", DC).unwrap();
    assert_eq!(claims.0["token_introspection"]["active"], true);
}

#[tokio::test]
async fn a_revoked_token_is_gone_and_the_consent_stays() {
    let kit = Kit::start();
    let (consent, access, refresh) = kit.linked().await;
    assert_eq!(
        kit.revoke_token(&kit.other_dc, &access).await,
        200,
        "another client learns nothing"
    );
    assert_eq!(kit.introspect(&kit.dc, &access).await["active"], true, "and changes nothing");
    assert_eq!(kit.revoke_token(&kit.dc, &access).await, 200);
    assert_eq!(error_of(&kit.balances(&kit.dc, Some(&access), "").await), "401 invalid_token");
    assert_eq!(kit.revoke_token(&kit.dc, &access).await, 200, "unknown is no error");
    let again = access_token(&kit.token(&kit.dc, &kit.refresh_form(&refresh)).await);
    assert_eq!(kit.revoke_token(&kit.dc, &refresh).await, 200);
    assert_eq!(kit.introspect(&kit.dc, &again).await, json!({ "active": false }), "goes along");
    let refused = kit.token(&kit.dc, &kit.refresh_form(&refresh)).await;
    assert_eq!(error_of(&refused), "400 invalid_grant");
    assert_eq!(kit.paynet.consent(&consent).unwrap().status, ConsentStatus::Authorized);
}

#[tokio::test]
async fn an_authorization_response_is_a_jwt_where_asked_for() {
    let kit = Kit::start();
    for mode in ["jwt", "query.jwt"] {
        let mut object = kit.object();
        object["response_mode"] = json!(mode);
        let (request_uri, consent) = kit.pushed_object(&object).await;
        let cookie = cookie_of(&kit.authorize(DC, &request_uri).await);
        assert_eq!(kit.update(&consent, &kit.approval(), |_| {}).await.status, 200);
        let back = kit.get(&format!("{}/v1/oauth/callback", kit.issuer), Some(&cookie)).await;
        assert_eq!(parameter(&back, "code"), None, "only inside");
        let claims = kit.jarm(&parameter(&back, "response").unwrap()).await;
        claims.equals("state", "the-state").unwrap();
        let code = claims.text("code").unwrap();
        assert_eq!(kit.token(&kit.dc, &kit.redemption(code)).await.status, 200);
    }
    let mut object = kit.object();
    object["response_mode"] = json!("jwt");
    let (request_uri, _) = kit.pushed_object(&object).await;
    let cookie = cookie_of(&kit.authorize(DC, &request_uri).await);
    let back = kit.get(&format!("{}/v1/oauth/callback", kit.issuer), Some(&cookie)).await;
    let claims = kit.jarm(&parameter(&back, "response").unwrap()).await;
    claims.equals("error", "server_error").unwrap();
    claims.text("error_description").unwrap();

    object["response_mode"] = json!("fragment.jwt");
    let mut form = kit.dc.authenticated();
    form.insert("request".into(), kit.dc.signing.sign_claims(&object));
    assert_eq!(error_of(&kit.par(&kit.dc, &form).await), "400 invalid_request");
}

#[tokio::test]
async fn the_profile_may_want_every_response_as_a_jwt() {
    let profile = ofp_types::Profile { jarm: true, ..Default::default() };
    let kit = Kit::start_with(kit::Options { profile, ..Default::default() });
    let (request_uri, _) = kit.pushed().await;
    let cookie = cookie_of(&kit.authorize(DC, &request_uri).await);
    let back = kit.get(&format!("{}/v1/oauth/callback", kit.issuer), Some(&cookie)).await;
    assert!(parameter(&back, "response").is_some());
}

impl Kit {
    async fn paynet_keys(&self) -> KeySet {
        let set = self.get(&format!("{}/v1/oauth/jwks", self.issuer), None).await;
        KeySet::of_jwks("PayNet", &serde_json::from_slice(&set.message.body).unwrap()).0
    }

    /// The claims of a response in a JWT, verified as JARM §2.4 wants.
    async fn jarm(&self, response: &str) -> ofp_jose::Claims {
        let jws = CompactJws::parse(response).unwrap();
        let claims = jws.verify(&self.paynet_keys().await).unwrap().claims().unwrap();
        claims.equals("iss", &self.issuer).unwrap();
        claims.equals("aud", DC).unwrap();
        let exp = claims.required_date("exp").unwrap();
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a double")]
        let now = kit::now() as f64;
        assert!(exp > now && exp <= now + 600.0, "at most ten minutes");
        claims
    }
}

#[tokio::test]
async fn a_client_may_leave_its_id_to_its_assertion() {
    let kit = Kit::start();
    let mut form = kit.dc.authenticated();
    form.remove("client_id");
    form.insert("grant_type".into(), "client_credentials".into());
    assert_eq!(kit.token(&kit.dc, &form).await.status, 200);
    let mut foreign = kit.other_dc.authenticated();
    foreign.remove("client_id");
    foreign.insert("grant_type".into(), "client_credentials".into());
    assert_eq!(error_of(&kit.token(&kit.dc, &foreign).await), "401 invalid_client");
}

#[tokio::test]
async fn a_rotated_key_signs_and_the_old_one_stays_published() {
    let kit = Kit::start();
    let count = async || {
        let set = kit.get(&format!("{}/v1/oauth/jwks", kit.issuer), None).await;
        json_of(&set)["keys"].as_array().unwrap().len()
    };
    let before = kit.paynet_keys().await;
    assert_eq!(count().await, 1);
    let next = kit::pki()
        .next_signing(ofp_pki::Party::PayNet, ofp_types::Clock::now(&ofp_net::SystemClock))
        .unwrap();
    let kid = kit.paynet.rotate_signing_key(&next, false).unwrap();
    assert_eq!(count().await, 2);
    let (_, code) = kit.approved().await;
    let body = json_of(&kit.token(&kit.dc, &kit.redemption(&code)).await);
    let id_token = body["id_token"].as_str().unwrap();
    let jws = CompactJws::parse(id_token).unwrap();
    assert_eq!(jws.kid(), Some(kid.as_str()));
    assert!(jws.verify(&before).is_err() && jws.verify(&kit.paynet_keys().await).is_ok());
    let next = kit::pki()
        .next_signing(ofp_pki::Party::PayNet, ofp_types::Clock::now(&ofp_net::SystemClock))
        .unwrap();
    kit.paynet.rotate_signing_key(&next, true).unwrap();
    assert_eq!(count().await, 1, "alone");
}

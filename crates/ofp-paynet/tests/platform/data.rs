//! The directory, userinfo, and data on its way from the DP to the DC.

use ofp_net::Reply;
use ofp_pki::Party;
use ofp_types::{Policy, Profile, uuid_v4};
use serde_json::{Value, json};

use crate::kit::{self, DC_ID, DEADLINE, Kit, access_token, error_of, json_of, now};

/// How a request for data is spoilt.
type Amend = fn(&mut Value);

impl Kit {
    async fn reading(&self) -> String {
        let (_, code) = self.approved().await;
        access_token(&self.token(&self.dc, &self.redemption(&code)).await)
    }

    /// A request for data with everything right but what `amend` changes in the signature's claims.
    async fn data(&self, token: &str, path: &str, query: &str, amend: Amend) -> Reply {
        let request = self.data_request(token, path, query, amend);
        self.dc.http.send(request).await.unwrap()
    }

    fn data_request(&self, token: &str, path: &str, query: &str, amend: Amend) -> ofp_net::Request {
        let now = now();
        let mut claims = json!({
            "iss": DC_ID, "sub": self.last_consent(), "aud": ["DP9876543210", "Paynet OFP"],
            "iat": now, "nbf": now, "exp": now + 300, "jti": uuid_v4(&ofp_net::OsEntropy),
            "url": format!("{}{path}", self.rs),
            "qpm": ofp_net::parse_form(query.as_bytes()).unwrap(),
        });
        amend(&mut claims);
        let url = match query {
            "" => format!("{}{path}", self.rs),
            query => format!("{}{path}?{query}", self.rs),
        };
        ofp_net::Request::get(url, DEADLINE)
            .header("authorization", format!("Bearer {token}"))
            .header("x-fapi-interaction-id", uuid_v4(&ofp_net::OsEntropy).to_string())
            .header("x-signature", self.dc.signing.sign_claims(&claims))
    }

    /// The DP answers next with a JWS.
    fn dp_signs(&self) -> String {
        let jws = self.dp.signing.sign_claims(&json!({ "exp": now() + 300, "data": "a.b.c.d.e" }));
        self.dp_answers(200, "application/jwt", &jws);
        jws
    }

    fn dp_answers(&self, status: u16, media_type: &'static str, body: &str) {
        self.stub_dp.answers.lock().unwrap().push_back((status, media_type, body.to_owned()));
    }
}

/// The id of a party's encryption key.
fn enc_kid(party: Party) -> String {
    let jwks = kit::pki().jwks(party).unwrap();
    let keys = ofp_jose::KeySet::of_jwks("test", &jwks).0;
    keys.first(ofp_jose::KeyUse::Enc).unwrap().kid().to_owned()
}

const BALANCES: &str = "/v1/accounts/acc-1/balances";

#[tokio::test]
async fn every_resource_is_asked_of_the_dp_and_passed_on_byte_for_byte() {
    let kit = Kit::start();
    let (request_uri, consent) = {
        let mut object = kit.object();
        object["authorization_details"][0]["consent"]["permissions"] =
            json!(["read_accounts", "read_balances", "read_transactions"]);
        kit.pushed_object(&object).await
    };
    let code = kit.approve(&request_uri, &consent).await;
    let token = access_token(&kit.token(&kit.dc, &kit.redemption(&code)).await);
    for (path, query) in [
        ("/v1/accounts/acc-1", ""),
        (BALANCES, ""),
        ("/v1/accounts/acc-1/transactions", "page_size=5&from_date=2026-01-01&to_date=2026-02-01"),
    ] {
        let jws = kit.dp_signs();
        let reply = kit.data(&token, path, query, |_| {}).await;
        assert_eq!(reply.status, 200, "{path}: {}", kit.reason());
        assert_eq!(reply.message.media_type().as_deref(), Some("application/jose"));
        assert_eq!(reply.message.text(), jws);
        let asked = kit.stub_dp.asked.lock().unwrap().pop().unwrap();
        let and = if query.is_empty() { "" } else { "&" };
        // the platform sends the parameters in alphabetical order, its own last
        let sorted: Vec<String> = {
            let form = ofp_net::parse_form(query.as_bytes()).unwrap();
            form.iter().map(|(name, value)| format!("{name}={value}")).collect()
        };
        assert_eq!(asked, format!("{path}?{}{and}consent_id={consent}", sorted.join("&")));
    }
}

#[tokio::test]
async fn a_request_for_data_is_held_to_every_rule() {
    let kit = Kit::start();
    let token = kit.reading().await;
    let cases: [(&str, Amend, &str); 12] = [
        ("iss", |c| c["iss"] = json!("other"), "400 JWS.InvalidClaim"),
        ("sub", |c| c["sub"] = json!("another-consent"), "400 JWS.InvalidClaim"),
        (
            "aud without the platform",
            |c| c["aud"] = json!(["DP9876543210"]),
            "400 JWS.InvalidClaim",
        ),
        ("aud without the DP", |c| c["aud"] = json!(["Paynet OFP"]), "400 JWS.InvalidClaim"),
        ("expired", |c| c["exp"] = json!(now() - 1), "400 JWS.InvalidClaim"),
        ("not yet", |c| c["nbf"] = json!(now() + 120), "400 JWS.InvalidClaim"),
        ("old", |c| c["iat"] = json!(now() - 400), "400 JWS.InvalidClaim"),
        ("too long", |c| c["exp"] = json!(now() + 900), "400 JWS.InvalidClaim"),
        (
            "url",
            |c| c["url"] = json!("https://rs/v1/accounts/acc-2/balances"),
            "400 JWS.InvalidClaim",
        ),
        (
            "host",
            |c| c["url"] = json!("https://evil.test/v1/accounts/acc-1/balances"),
            "400 JWS.InvalidClaim",
        ),
        ("qpm", |c| c["qpm"] = json!({ "page_size": "5" }), "400 JWS.InvalidClaim"),
        ("jti", |c| drop(c.as_object_mut().unwrap().remove("jti")), "400 JWS.InvalidClaim"),
    ];
    for (name, amend, expected) in cases {
        let reply = kit.data(&token, BALANCES, "", amend).await;
        assert_eq!(error_of(&reply), expected, "{name}: {}", kit.reason());
    }
    for (path, query, expected) in [
        ("/v1/accounts/acc-2/balances", "", "403 Consent.PermanentAccountAccessFailure"),
        ("/v1/accounts/acc-1/transactions", "", "403 AccessToken.InvalidScope"),
        (BALANCES, "consent_id=another", "400 invalid_request"),
    ] {
        let reply = kit.data(&token, path, query, |_| {}).await;
        assert_eq!(error_of(&reply), expected, "{path}: {}", kit.reason());
    }
    for (whose, kid) in [
        ("nobody's", "nobody".to_owned()),
        ("another DC's", enc_kid(Party::Dc2)),
        ("a signing", kit.dc.signing.kid().to_string()),
    ] {
        let request = kit.data_request(&token, BALANCES, "", |_| {}).header("x-enc-kid", kid);
        let reply = kit.dc.http.send(request).await.unwrap();
        assert_eq!(error_of(&reply), "400 JWE.DecryptionError", "{whose} key");
    }
    kit.dp_signs();
    let mine =
        kit.data_request(&token, BALANCES, "", |_| {}).header("x-enc-kid", enc_kid(Party::Dc1));
    assert_eq!(kit.dc.http.send(mine).await.unwrap().status, 200, "{}", kit.reason());
    kit.dp_signs();
    let as_dc: Amend = |c| c["sub"] = json!(DC_ID);
    assert_eq!(kit.data(&token, BALANCES, "", as_dc).await.status, 200, "the guide's sub (X-19)");
    let fixed: Amend = |c| c["jti"] = json!("5d7a8f8e-0000-4000-8000-000000000001");
    kit.dp_signs();
    assert_eq!(kit.data(&token, BALANCES, "", fixed).await.status, 200);
    assert_eq!(
        error_of(&kit.data(&token, BALANCES, "", fixed).await),
        "400 JWS.InvalidClaim",
        "replayed"
    );
    let asked = kit.stub_dp.asked.lock().unwrap();
    assert_eq!(asked.len(), 3, "nothing that was refused reached the DP");
}

#[tokio::test]
async fn a_token_without_a_consent_reads_nothing() {
    let kit = Kit::start();
    kit.approved().await;
    let paths = ["/v1/accounts/acc-1", BALANCES, "/v1/accounts/acc-1/transactions"];
    for who in [&kit.dc, &kit.dp] {
        let token = kit.client_token(who).await;
        for path in paths {
            let request = ofp_net::Request::get(format!("{}{path}", kit.rs), DEADLINE)
                .header("authorization", format!("Bearer {token}"))
                .header("x-fapi-interaction-id", uuid_v4(&ofp_net::OsEntropy).to_string());
            let reply = who.http.send(request).await.unwrap();
            assert_eq!(
                error_of(&reply),
                "403 AccessToken.InvalidScope",
                "{path}: {}",
                kit.reason()
            );
        }
    }
    assert!(kit.stub_dp.asked.lock().unwrap().is_empty(), "nothing reached the DP");
}

#[tokio::test]
async fn what_the_dp_answers_is_verified_before_it_passes() {
    let kit = Kit::start();
    let token = kit.reading().await;
    let foreign = kit.dc.signing.sign_claims(&json!({ "exp": now() + 300, "data": "x" }));
    let old = kit.dp.signing.sign_claims(&json!({ "exp": now() - 1, "data": "x" }));
    let good = kit.dp.signing.sign_claims(&json!({ "exp": now() + 300, "data": "x" }));
    let flipped = ofp_jose::corrupt::flip_signature_bit(&good);
    let error = |code: &str| json!({ "error": code }).to_string();
    let unacceptable = "503 Upstream.InvalidResponse";
    for (status, media_type, body, expected) in [
        (200, "application/jwt", foreign, unacceptable),
        (200, "application/jwt", old, unacceptable),
        (200, "application/jwt", flipped, unacceptable),
        (200, "text/plain", good.clone(), unacceptable),
        (200, "application/json", "{}".into(), unacceptable),
        (201, "application/jwt", good, unacceptable),
        (500, "application/json", error("server_error"), unacceptable),
        (302, "text/html", String::new(), unacceptable),
        (403, "application/json", error("Consent.Invalid"), "403 Consent.Invalid"),
        (
            403,
            "application/json",
            error("Consent.AccountTemporarilyBlocked"),
            "403 Consent.AccountTemporarilyBlocked",
        ),
        (
            503,
            "application/json",
            error("Consent.TransientAccountAccessFailure"),
            "503 Consent.TransientAccountAccessFailure",
        ),
        (403, "text/html", "<h1>no</h1>".into(), "403 Consent.Invalid"),
        (404, "application/json", error("made_up"), "404 invalid_request"),
    ] {
        kit.dp_answers(status, media_type, &body);
        let reply = kit.data(&token, BALANCES, "", |_| {}).await;
        assert_eq!(error_of(&reply), expected, "{status} {media_type}: {}", kit.reason());
    }
}

#[tokio::test]
async fn a_dp_that_takes_too_long_is_a_timeout_by_profile() {
    for (timeout_status, expected) in
        [(504, "504 Upstream.Timeout"), (503, "503 temporarily_unavailable")]
    {
        let dp_timeout = jiff::SignedDuration::from_millis(200);
        let profile = Profile { timeout_status, dp_timeout, ..Default::default() };
        let kit = Kit::start_with(kit::Options { profile, ..Default::default() });
        let token = kit.reading().await;
        assert_eq!(error_of(&kit.data(&token, BALANCES, "", |_| {}).await), expected);
    }
}

#[tokio::test]
async fn more_than_so_many_requests_a_minute_are_too_many() {
    let profile = Profile { rate_limit: 2, ..Default::default() };
    let policies = [Policy::RateLimit].into();
    let kit = Kit::start_with(kit::Options { profile, policies, ..Default::default() });
    let token = kit.reading().await;
    for _ in 0..2 {
        kit.dp_signs();
        assert_eq!(kit.data(&token, BALANCES, "", |_| {}).await.status, 200);
    }
    let reply = kit.data(&token, BALANCES, "", |_| {}).await;
    assert_eq!(error_of(&reply), "429 Request.RateLimited");
    let seconds: u32 = reply.message.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=61).contains(&seconds));
}

#[tokio::test]
async fn userinfo_is_asked_of_the_dp() {
    let kit = Kit::start();
    let token = kit.reading().await;
    let ask = async |token: Option<String>, path: &str| {
        let mut request = ofp_net::Request::get(format!("{}{path}", kit.mtls), DEADLINE);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        kit.dc.http.send(request).await.unwrap()
    };
    let good = json!({ "sub": "customer-1", "name": "Tan Mei Ling" }).to_string();
    for path in ["/v1/oauth/userinfo", "/userinfo"] {
        kit.dp_answers(200, "application/json", &good);
        let reply = ask(Some(token.clone()), path).await;
        assert_eq!(reply.status, 200, "{}", kit.reason());
        assert_eq!(json_of(&reply)["name"], "Tan Mei Ling");
    }
    for body in [json!({ "sub": "another" }).to_string(), json!({}).to_string(), "no".into()] {
        kit.dp_answers(200, "application/json", &body);
        let reply = ask(Some(token.clone()), "/userinfo").await;
        assert_eq!(error_of(&reply), "503 Upstream.InvalidResponse", "{body}");
    }
    assert_eq!(ask(None, "/userinfo").await.status, 401);
    let clients = kit.client_token(&kit.dc).await;
    assert_eq!(error_of(&ask(Some(clients), "/userinfo").await), "403 insufficient_scope");
}

#[tokio::test]
async fn the_directory_is_for_dcs_and_has_pages() {
    let kit = Kit::start();
    let ask = async |who: &kit::Participant, query: &str| {
        let token = kit.client_token(who).await;
        let request = ofp_net::Request::get(format!("{}/v1/providers{query}", kit.rs), DEADLINE)
            .header("authorization", format!("Bearer {token}"));
        who.http.send(request).await.unwrap()
    };
    let all = json_of(&ask(&kit.dc, "").await);
    let ids: Vec<&str> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["provider_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["DP9876543210", "DP0000000002"]);
    assert_eq!(all["data"][0]["provider_type"], "bank");
    assert_eq!(all["data"][0]["status"], "online");
    assert_eq!(all["meta"], json!({}));
    let first = json_of(&ask(&kit.dc, "?page_size=1").await);
    let next = first["meta"]["next_page_params"].as_str().unwrap();
    let second = json_of(&ask(&kit.dc, &format!("?page_size=1&next_page_params={next}")).await);
    assert_eq!(second["data"][0]["provider_id"], "DP0000000002");
    assert_eq!(second["meta"], json!({}));
    for query in ["?page_size=0", "?next_page_params=%21", "?next_page_params=RFA"] {
        assert_eq!(error_of(&ask(&kit.dc, query).await), "400 invalid_request", "{query}");
    }
    assert_eq!(error_of(&ask(&kit.dp, "").await), "403 AccessToken.InvalidScope");
    let token = kit.reading().await;
    let request = ofp_net::Request::get(format!("{}/v1/providers", kit.rs), DEADLINE)
        .header("authorization", format!("Bearer {token}"));
    let reply = kit.dc.http.send(request).await.unwrap();
    assert_eq!(error_of(&reply), "403 AccessToken.InvalidScope", "a customer's token");
}

//! What a browser sees of the platform: the provider picker, and the end of the road.

use ofp_net::Request;
use serde_json::{Value, json};

use crate::kit::{DC, DEADLINE, Kit, cookie_of, error_of, parameter};

impl Kit {
    /// A pushed request that names no DP, or a blank one.
    async fn pushed_without_dp(&self, blank: bool) -> String {
        let mut object = self.object();
        let consent = object["authorization_details"][0]["consent"].as_object_mut().unwrap();
        match blank {
            true => drop(consent.insert("dp_id".into(), json!(""))),
            false => drop(consent.remove("dp_id")),
        }
        let mut form = self.dc.authenticated();
        form.insert("request".into(), self.dc.signing.sign_claims(&object));
        let reply = self.par(&self.dc, &form).await;
        assert_eq!(reply.status, 201, "{}", reply.message.text());
        let body: Value = serde_json::from_slice(&reply.message.body).unwrap();
        body["request_uri"].as_str().unwrap().to_owned()
    }

    async fn pick(&self, pick: &str, dp: &str, cookie: Option<&str>) -> ofp_net::Reply {
        let url = format!("{}/v1/oauth/authorize/provider", self.issuer);
        let mut request = Request::form(url, &[("pick", pick), ("dp_id", dp)], DEADLINE);
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        self.browser.send(request).await.unwrap()
    }
}

#[tokio::test]
async fn a_customer_picks_the_dp_where_the_request_names_none() {
    let kit = Kit::start();
    for blank in [false, true] {
        let request_uri = kit.pushed_without_dp(blank).await;
        assert!(kit.stub_dp.events.lock().unwrap().is_empty(), "nobody to tell yet");
        let page = kit.authorize(DC, &request_uri).await;
        let text = page.message.text();
        assert_eq!(page.status, 200);
        assert!(text.contains("Mock DC One") && text.contains("Reference DP"), "{text}");
        assert_eq!(page.message.header("x-frame-options"), Some("DENY"));
        let cookie = cookie_of(&page);
        let pick = text.split_once("name=\"pick\" value=\"").unwrap().1;
        let pick = pick.split_once('"').unwrap().0;
        assert_eq!(kit.authorize(DC, &request_uri).await.status, 400, "used");

        assert_eq!(error_of(&kit.pick(pick, "DP9876543210", None).await), "400 invalid_request");
        assert_eq!(error_of(&kit.pick(pick, "DP0", Some(&cookie)).await), "400 invalid_request");
        let sent = kit.pick(pick, "DP9876543210", Some(&cookie)).await;
        assert_eq!(
            (sent.status, sent.message.header("location")),
            (303, Some("https://dp.test/login"))
        );
        assert_eq!(kit.stub_dp.told(), ["consent_created awaiting_authorization"]);
        kit.stub_dp.events.lock().unwrap().clear();
        let again = kit.pick(pick, "DP9876543210", Some(&cookie)).await;
        assert_eq!(error_of(&again), "400 invalid_request", "once");
        // and the journey goes on as usual
        let consent = kit.last_consent();
        assert_eq!(kit.update(&consent, &kit.approval(), |_| {}).await.status, 200);
        kit.paynet.settled(&consent, DEADLINE).await.unwrap();
        kit.stub_dp.events.lock().unwrap().clear();
        let callback = format!("{}/v1/oauth/callback", kit.issuer);
        let back = kit.get(&callback, Some(&cookie_of(&sent))).await;
        let code = parameter(&back, "code").unwrap();
        assert_eq!(kit.token(&kit.dc, &kit.redemption(&code)).await.status, 200);
    }
}

#[tokio::test]
async fn a_browser_gets_a_page_and_a_program_json() {
    let kit = Kit::start();
    let url = format!("{}/v1/oauth/authorize?client_id={DC}&request_uri=urn:x", kit.issuer);
    let page = Request::get(&url, DEADLINE).header("accept", "text/html,application/xhtml+xml");
    let page = kit.browser.send(page).await.unwrap();
    assert_eq!(page.status, 400);
    assert!(page.message.text().contains("request_uri is unknown or has been used before"));
    assert_eq!(error_of(&kit.get(&url, None).await), "400 invalid_request");
    let hostile = format!("{}/v1/oauth/authorize?client_id=%3Cscript%3E", kit.issuer);
    let page = Request::get(&hostile, DEADLINE).header("accept", "text/html");
    let page = kit.browser.send(page).await.unwrap();
    assert!(!page.message.text().contains("<script>"));
    let style = kit.get(&format!("{}/style.css", kit.issuer), None).await;
    assert_eq!(style.message.media_type().as_deref(), Some("text/css"));
}

/// Two tabs of one browser, and the first to be sent away is the last to come back.
#[tokio::test]
async fn a_browser_may_authorize_several_consents_at_once() {
    let kit = Kit::start();
    let authorize = async |cookie: Option<&str>| {
        let (request_uri, consent) = kit.pushed().await;
        let query = ofp_net::encode_form(&[("client_id", DC), ("request_uri", &request_uri)]);
        let url = format!("{}/v1/oauth/authorize?{query}", kit.issuer);
        let sent = kit.get(&url, cookie).await;
        assert_eq!(sent.status, 303, "{}", kit.reason());
        (consent, cookie_of(&sent))
    };
    let (first, cookie) = authorize(None).await;
    let (second, same) = authorize(Some(&cookie)).await;
    assert_eq!(cookie, same, "one browser, one cookie");
    let (foreign, _) = authorize(None).await;
    for consent in [&first, &second, &foreign] {
        assert_eq!(kit.update(consent, &kit.approval(), |_| {}).await.status, 200);
    }
    let back = async |consent: &str| {
        kit.get(&format!("{}/v1/oauth/callback{consent}", kit.issuer), Some(&cookie)).await
    };
    let swapped = back(&format!("?consent_id={foreign}")).await;
    assert_eq!(error_of(&swapped), "400 invalid_request", "another browser's consent");
    assert!(kit.reason().contains("but this browser is authorizing"), "{}", kit.reason());
    let ambiguous = back("").await;
    assert_eq!(error_of(&ambiguous), "400 invalid_request");
    assert!(kit.reason().contains("must say which"), "{}", kit.reason());
    let code = parameter(&back(&format!("?consent_id={first}")).await, "code").unwrap();
    assert_eq!(kit.token(&kit.dc, &kit.redemption(&code)).await.status, 200);
    let code = parameter(&back("").await, "code").unwrap();
    assert_eq!(kit.token(&kit.dc, &kit.redemption(&code)).await.status, 200, "the only one left");
    assert_eq!(error_of(&back("").await), "400 invalid_request");
    assert!(kit.reason().contains("completed before"), "{}", kit.reason());
    let (third, _) = authorize(Some(&cookie)).await;
    let (fourth, _) = authorize(Some(&cookie)).await;
    assert_eq!(kit.update(&fourth, &kit.approval(), |_| {}).await.status, 200);
    assert!(parameter(&back("").await, "code").is_some(), "the one that the DP decided");
    let open = kit.paynet.consent(&third).unwrap().status;
    assert_eq!(open, ofp_types::ConsentStatus::AwaitingAuthorization, "the other tab goes on");
}

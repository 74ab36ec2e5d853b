//! The consent dashboard: a customer sees and withdraws their own consents, and nobody else's.

use serde_json::json;

use crate::kit::{Kit, cookie_of, csrf_of, error_of};

const CONSENT: &str = "d7cb03ff-4c70-4eaa-87f4-f2a4c4c87b0d";

impl Kit {
    async fn page(&self, cookie: Option<&str>) -> ofp_net::Reply {
        let headers: Vec<_> = cookie.map(|c| ("cookie", c.to_owned())).into_iter().collect();
        self.get(&self.browser, &format!("{}/dashboard", self.public), &headers).await
    }

    /// A browser that is logged in on the dashboard: its cookie and form token.
    async fn entered(&self, username: &str) -> (String, String) {
        let page = self.page(None).await;
        let (cookie, csrf) = (cookie_of(&page), csrf_of(&page));
        let fields = [("csrf", csrf.as_str()), ("username", username), ("password", username)];
        let reply = self.submit("/dashboard/login", &cookie, &fields).await;
        assert_eq!(reply.status, 303, "{}", reply.message.text());
        let cookie = cookie_of(&reply);
        let csrf = csrf_of(&self.page(Some(&cookie)).await);
        (cookie, csrf)
    }
}

#[tokio::test]
async fn a_customer_withdraws_a_consent() {
    let kit = Kit::start();
    let account = kit.authorized(CONSENT).await;
    let (cookie, csrf) = kit.entered("paynet").await;
    let page = kit.page(Some(&cookie)).await.message.text().into_owned();
    for text in
        ["Tan Mei Ling", CONSENT, "Personal finance management", "Everyday Savings", "authorized"]
    {
        assert!(page.contains(text), "{text}");
    }
    let fields = [("csrf", csrf.as_str()), ("consent_id", CONSENT)];
    assert_eq!(kit.submit("/dashboard/revoke", &cookie, &fields).await.status, 303);
    assert_eq!(
        kit.revoked(),
        [(CONSENT.to_owned(), json!({ "updated_by": "data_provider_user" }))]
    );
    let page = kit.page(Some(&cookie)).await.message.text().into_owned();
    assert!(page.contains("You share nothing") && !page.contains(CONSENT));
    let refused = kit.balance(CONSENT, &account, |_| {}).await;
    assert_eq!(error_of(&refused), "403 Consent.Invalid", "at once");
    assert_eq!(kit.submit("/dashboard/revoke", &cookie, &fields).await.status, 403, "once");
    assert_eq!(kit.submit("/dashboard/leave", &cookie, &fields).await.status, 303);
    assert!(!kit.page(Some(&cookie)).await.message.text().contains("Tan Mei Ling"));
}

#[tokio::test]
async fn nobody_withdraws_anothers_consent() {
    let kit = Kit::start();
    kit.authorized(CONSENT).await;
    let (cookie, csrf) = kit.entered("aisyah").await;
    assert!(!kit.page(Some(&cookie)).await.message.text().contains(CONSENT));
    let theirs = [("csrf", csrf.as_str()), ("consent_id", CONSENT)];
    assert_eq!(kit.submit("/dashboard/revoke", &cookie, &theirs).await.status, 403);
    let forged = [("csrf", "forged"), ("consent_id", CONSENT)];
    assert_eq!(kit.submit("/dashboard/revoke", &cookie, &forged).await.status, 403);
    assert_eq!(kit.submit("/dashboard/revoke", "__Host-dp-dashboard=x", &theirs).await.status, 403);
    // a browser that has not logged in has a form token, but nothing to withdraw with it
    let page = kit.page(None).await;
    let (cookie, csrf) = (cookie_of(&page), csrf_of(&page));
    let stranger = [("csrf", csrf.as_str()), ("consent_id", CONSENT)];
    assert_eq!(kit.submit("/dashboard/revoke", &cookie, &stranger).await.status, 403);
    let wrong = [("csrf", csrf.as_str()), ("username", "paynet"), ("password", "wrong")];
    let page = kit.submit("/dashboard/login", &cookie, &wrong).await;
    assert!(page.message.text().contains("incorrect"));
    assert!(kit.revoked().is_empty());
}

//! Blocked and closed accounts, accounts without a balance, and pages of transactions.

use ofp_dp::AccountStatus;
use ofp_jose::CompactJws;
use ofp_net::Reply;
use ofp_types::AccountId;
use serde_json::{Value, json};

use crate::kit::{Balance, DC_ID, Kit, error_of, pki};

const CONSENT: &str = "c7cb03ff-4c70-4eaa-87f4-f2a4c4c87b0d";

impl Kit {
    async fn transactions(&self, account: &str, query: &str) -> Reply {
        let sign = |key: &ofp_jose::SigningKey, iss| {
            let mut claims = self.claims(iss, CONSENT, account);
            claims["url"] = json!(format!("{}/v1/accounts/{account}/transactions", self.rs));
            claims["qpm"] = json!(ofp_net::parse_form(query.as_bytes()).unwrap());
            key.sign_claims(&claims)
        };
        let (fapi, x) = (sign(&self.signing, "Paynet OFP"), sign(&self.dc_signing, DC_ID));
        let what = format!("transactions?{query}{}", if query.is_empty() { "" } else { "&" });
        let amend = |balance: &mut Balance| {
            (balance.what, balance.fapi, balance.x) = (what, fapi, x);
        };
        self.balance(CONSENT, account, amend).await
    }
}

/// What is inside the JWS and the JWE.
fn opened(reply: &Reply) -> Value {
    let text = reply.message.text();
    let payload = CompactJws::parse(&text).unwrap().payload;
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let jwe = ofp_jose::CompactJwe::parse(claims["data"].as_str().unwrap()).unwrap();
    let key = pki().dcs[0].encryption.decryption_key().unwrap();
    serde_json::from_slice(&key.decrypt(&jwe).unwrap()).unwrap()
}

#[tokio::test]
async fn an_account_may_be_blocked_or_closed_after_it_was_shared() {
    let kit = Kit::start();
    let account = kit.authorized(CONSENT).await;
    let id = AccountId::parse(account.as_str()).unwrap();
    for (status, expected) in [
        (AccountStatus::Blocked, "403 Consent.AccountTemporarilyBlocked"),
        (AccountStatus::Closed, "403 Consent.PermanentAccountAccessFailure"),
    ] {
        assert!(kit.dp.bank().set_status(&id, status));
        assert_eq!(error_of(&kit.balance(CONSENT, &account, |_| {}).await), expected);
    }
    assert!(kit.dp.bank().set_status(&id, AccountStatus::Active));
    assert_eq!(kit.balance(CONSENT, &account, |_| {}).await.status, 200);
    assert!(!kit.dp.bank().set_status(&AccountId::parse("nobody").unwrap(), AccountStatus::Closed));
}

#[tokio::test]
async fn a_pension_has_no_balance_and_a_mortgage_is_owed() {
    let kit = Kit::start();
    let pension = kit.authorized_by(CONSENT, "siti", 1).await;
    let refused = kit.balance(CONSENT, &pension, |_| {}).await;
    assert_eq!(error_of(&refused), "400 Consent.BusinessRuleViolation");
    let kit = Kit::start();
    let mortgage = kit.authorized_by(CONSENT, "farid", 2).await;
    let balance = opened(&kit.balance(CONSENT, &mortgage, |_| {}).await);
    assert_eq!(balance["data"]["current_balance"]["credit_debit_indicator"], "debit");
    assert_eq!(balance["data"]["current_balance"]["amount"]["amount"], "487300.55");
}

#[tokio::test]
async fn transactions_come_in_pages() {
    let kit = Kit::start();
    let account = kit.authorized(CONSENT).await;
    let all = opened(&kit.transactions(&account, "page_size=500").await);
    let all = all["data"].as_array().unwrap();
    assert!(all.len() > 100);
    let first = opened(&kit.transactions(&account, "page_size=30").await);
    assert_eq!(first["data"].as_array().unwrap(), &all[..30]);
    let next = first["meta"]["next_page_params"].as_str().unwrap();
    let second = opened(&kit.transactions(&account, &format!("next_page_params={next}")).await);
    assert_eq!(second["data"].as_array().unwrap(), &all[30..60]);
    for query in ["page_size=0", "page_size=x", "next_page_params=x", "from_date=yesterday"] {
        let reply = kit.transactions(&account, query).await;
        assert_eq!(error_of(&reply), "400 invalid_request", "{query}");
    }
}

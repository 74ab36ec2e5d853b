//! What a state file keeps over a restart.

use ofp_net::Store;
use ofp_types::{Clock as _, ConsentStatus};
use serde_json::json;

use crate::kit::{self, Kit, Options, access_token, error_of, json_of};

#[tokio::test]
async fn consents_tokens_codes_and_keys_survive() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let (consent, access, refresh, open_code, kid) = {
        let kit =
            Kit::start_with(Options { store: Store::open(&path).unwrap(), ..Default::default() });
        let now = ofp_net::SystemClock.now();
        let next = kit::pki().next_signing(ofp_pki::Party::PayNet, now).unwrap();
        let kid = kit.paynet.rotate_signing_key(&next, false).unwrap();
        let (consent, code) = kit.approved().await;
        let body = json_of(&kit.token(&kit.dc, &kit.redemption(&code)).await);
        let (_, open_code) = kit.approved().await;
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        let kept = (consent, text("access_token"), text("refresh_token"), open_code, kid);
        kit.paynet.stop().await;
        kept
    };
    let kit = Kit::start_with(Options { store: reopened(&path), ..Default::default() });
    let held = kit.paynet.consent(&consent).unwrap();
    assert_eq!(held.status, ConsentStatus::Authorized);
    assert_eq!(held.accounts.len(), 1);
    let live = kit.balances(&kit.dc, Some(&access), "").await;
    assert_eq!(error_of(&live), "400 JWS.InvalidSignature", "the token is good");
    let mut form = kit.dc.authenticated();
    form.insert("grant_type".into(), "refresh_token".into());
    form.insert("refresh_token".into(), refresh);
    access_token(&kit.token(&kit.dc, &form).await);
    assert_eq!(kit.token(&kit.dc, &kit.redemption(&open_code)).await.status, 200);
    let again = kit.token(&kit.dc, &kit.redemption(&open_code)).await;
    assert_eq!(error_of(&again), "400 invalid_grant", "used is used");
    let set = json_of(&kit.get(&format!("{}/v1/oauth/jwks", kit.issuer), None).await);
    assert_eq!(set["keys"].as_array().unwrap().len(), 2);
    assert_eq!(set["keys"][0]["kid"], json!(kid.as_str()), "the newest first");
}

/// The writer's thread lets go of the file a moment after the platform.
fn reopened(path: &std::path::Path) -> Store {
    loop {
        if let Ok(store) = Store::open(path) {
            return store;
        }
        std::thread::yield_now();
    }
}

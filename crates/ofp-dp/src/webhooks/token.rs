//! D9: the token endpoint, where the DP is an OpenID provider of its own (profile switch `oidc_at_dp`).

use std::collections::BTreeMap;

use jiff::SignedDuration;
use ofp_jose::{CompactJws, JoseError};
use ofp_net::{Answer, Inbound, parse_form};
use ofp_types::{DpFault, ErrorCode, PAYNET_CLIENT_ID, token, wire::ASSERTION_TYPE};
use serde_json::json;

use crate::{core::Core, refusal::Refusal};

/// A client assertion lives at most 10 minutes.
const ASSERTION_LIFE: i64 = 600;
const AHEAD: i64 = 60;
/// Life of the access token, in seconds; it opens userinfo at most.
const LIFE: u32 = 600;

impl Core {
    pub(super) async fn token_for_code(&self, inbound: &Inbound) -> Result<Answer, Refusal> {
        if !self.config.profile.oidc_at_dp {
            return Err(Refusal::new(404, ErrorCode::InvalidRequest, "there is nothing here"));
        }
        let form = parse_form(&inbound.body).map_err(|e| Refusal::bad_request(e.to_string()))?;
        self.is_paynet_as_client(&form).await?;
        if form.get("grant_type").map(String::as_str) != Some("authorization_code") {
            let reason = "grant_type must be authorization_code";
            return Err(Refusal::new(400, ErrorCode::UnsupportedGrantType, reason));
        }
        let refused = |reason| Refusal::new(400, ErrorCode::InvalidGrant, reason);
        let text = form.get("code").ok_or_else(|| Refusal::bad_request("the form has no code"))?;
        let code = match self.faulty(DpFault::CodeTakenAgain) {
            true => self.sessions().look_at_code(text, self.now()),
            false => self.sessions().take_code(text, self.now()),
        };
        let code = code.ok_or_else(|| refused("the code is unknown, used or too old"))?;
        if form.get("redirect_uri") != Some(&code.redirect_uri) {
            return Err(refused("redirect_uri is not the one of the authorization request"));
        }
        let consent = self.consents().get(&code.consent).cloned();
        let consent = consent.ok_or_else(|| refused("the consent is no longer known"))?;
        let books = self.bank.books();
        let customer = books.customer(&code.username);
        let customer = customer.ok_or_else(|| refused("the customer is no longer known"))?;
        let nonce = Some(code.nonce.as_str());
        let id_token = self.id_token(&consent, customer, code.authenticated_at, nonce);
        let mut answer = json!({
            "access_token": token(&*self.entropy),
            "token_type": "Bearer",
            "expires_in": LIFE,
            "scope": "openid",
            "id_token": id_token,
        });
        if self.faulty(DpFault::NoAccessToken) {
            answer["access_token"] = json!(null);
        }
        Ok(Answer::json(200, &answer).header("cache-control", "no-store"))
    }

    /// private_key_jwt (RFC 7523 §3), before anything else is looked at.
    async fn is_paynet_as_client(&self, form: &BTreeMap<String, String>) -> Result<(), Refusal> {
        if self.faulty(DpFault::ClientAssertionUnchecked) {
            return Ok(());
        }
        let invalid = |reason: String| Refusal::new(401, ErrorCode::InvalidClient, reason);
        if form.get("client_assertion_type").map(String::as_str) != Some(ASSERTION_TYPE) {
            return Err(invalid(format!("client_assertion_type must be {ASSERTION_TYPE}")));
        }
        let missing = || invalid("the form has no client_assertion".into());
        let text = form.get("client_assertion").ok_or_else(missing)?;
        self.check_assertion(text).await.map_err(|e| invalid(format!("client_assertion: {e}")))
    }

    async fn check_assertion(&self, text: &str) -> Result<(), JoseError> {
        let jws = CompactJws::parse(text)?;
        let kid = jws.kid().ok_or(JoseError::KidMissing)?;
        let claims = jws.verify(&*self.paynet_keys_for(kid).await?)?.claims()?;
        let now = self.now();
        claims.equals("iss", PAYNET_CLIENT_ID)?;
        claims.equals("sub", PAYNET_CLIENT_ID)?;
        claims.addressed_only_to(&self.config.issuer)?;
        claims.not_expired(now)?;
        claims.valid_from(now, AHEAD)?;
        claims.issued_within("iat", now, ASSERTION_LIFE, AHEAD)?;
        let keep = SignedDuration::from_secs(ASSERTION_LIFE + AHEAD);
        self.seen().assertion(claims.text("jti")?, now, keep)
    }
}

//! What the DP calls at PayNet: a token, then Update Consent or revoke, with its own certificate.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use ofp_net::{Reply, Request};
use ofp_types::{
    DpFault, DpVariant, NumericDateForm, PLATFORM_AUDIENCE, RequestClaims, SigBody, UpdatedBy,
    uuid_v4,
    wire::{ASSERTION_TYPE, LifeCycleRequest, TokenResponse, UpdateConsent},
};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::core::Core;

/// A token is not used in its last half minute.
const MARGIN: SignedDuration = SignedDuration::from_secs(30);
/// Life of a client assertion; at most 10 minutes are allowed (S1:L139).
const ASSERTION_LIFE: i64 = 300;

/// The access token in use: one for all customers, until it expires.
#[derive(Default)]
pub(crate) struct TokenCache(Mutex<Option<(String, Timestamp)>>);

impl TokenCache {
    pub(crate) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

/// Why PayNet does not know of a decision.
#[derive(Debug)]
pub(crate) enum NotTold {
    /// PayNet refused for good: the consent timed out or was decided elsewhere.
    Refused,
    /// PayNet could not be reached, twice.
    Unreachable,
}

impl Core {
    /// Tells PayNet of a decision (B5).
    pub(crate) async fn update_consent(
        &self,
        consent_id: &str,
        update: &UpdateConsent,
    ) -> Result<(), NotTold> {
        let body = self.written(update);
        let path = format!("/v1/consents/{consent_id}");
        self.tell_paynet(http::Method::PATCH, &path, &body).await
    }

    /// Tells PayNet that the customer, or the bank itself, ended a consent (B7).
    pub(crate) async fn revoke_consent(
        &self,
        consent_id: &str,
        by: UpdatedBy,
    ) -> Result<(), NotTold> {
        let request = LifeCycleRequest { updated_by: Some(by), status_reason: None };
        let body = serde_json::to_vec(&request).unwrap_or_default();
        let path = format!("/v1/consents/{consent_id}/revoke");
        self.tell_paynet(http::Method::POST, &path, &body).await
    }

    /// Once more with a fresh token when the token was refused, once more as it is when PayNet failed.
    async fn tell_paynet(
        &self,
        method: http::Method,
        path: &str,
        body: &[u8],
    ) -> Result<(), NotTold> {
        let mut tried = HashSet::new();
        loop {
            let reply = match self.token().await {
                Some(token) => self.call(method.clone(), path, body.to_vec(), &token).await,
                None => None,
            };
            let status = reply.map_or(0, |reply| reply.status);
            match status {
                200..=299 => return Ok(()),
                401 if self.faulty(DpFault::RefusedTokenKept) => {}
                401 => self.token.0.lock().await.take().map(drop).unwrap_or_default(),
                0 | 500..=599 => {}
                _ => return Err(NotTold::Refused),
            }
            if !tried.insert(status / 100) {
                return Err(NotTold::Unreachable);
            }
        }
    }

    async fn call(
        &self,
        method: http::Method,
        path: &str,
        mut body: Vec<u8>,
        token: &str,
    ) -> Option<Reply> {
        if self.faulty(DpFault::TokenInBody) {
            body = with_token(&body, token);
        }
        let signature = self.signature_of(path, &body);
        if self.faulty(DpFault::UpdateConsentBodyAltered) {
            body.push(b' ');
        }
        let interaction = uuid_v4(&*self.entropy).to_string();
        let mut request = Request::get(self.config.paynet_rs.join(path), self.config.patience)
            .header("authorization", format!("Bearer {token}"))
            .header(
                "content-type",
                self.or(DpFault::UpdateAsText, "text/plain", "application/json"),
            )
            .header(
                "x-fapi-interaction-id",
                self.or(DpFault::UpdateInteractionId, "1", &interaction),
            )
            .header("x-fapi-signature", signature);
        request.method = method;
        request.body = body;
        self.client.send(request).await.ok()
    }

    /// A signature over a body; a careless DP has it still from the last try.
    fn signature_of(&self, path: &str, body: &[u8]) -> String {
        let mut state = self.careless.state();
        let kept = state.signed.as_ref().filter(|(signed, _)| signed == body);
        if let Some((_, signature)) = kept.filter(|_| self.faulty(DpFault::RetrySignatureKept)) {
            return signature.clone();
        }
        let signature = self.sign_body(path, body);
        if self.faulty(DpFault::RetrySignatureKept) {
            state.signed = Some((body.to_vec(), signature.clone()));
        }
        signature
    }

    /// In the profile's form: over the body, or claims with the body.
    fn sign_body(&self, path: &str, body: &[u8]) -> String {
        let (now, jti) = (self.now(), uuid_v4(&*self.entropy).to_string());
        if self.config.profile.sig_body == SigBody::Detached {
            let header = [("iat", json!(now.as_second())), ("jti", json!(jti))];
            let header = header.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            return self.signing.sign_detached(header, body);
        }
        let url = self.config.paynet_rs.join(path);
        let claims = RequestClaims {
            iss: self.config.dp_id.as_str(),
            sub: path.split('/').nth(3).unwrap_or_default(),
            aud: &[PLATFORM_AUDIENCE],
            url: &url,
            qpm: &[],
            jti,
            body: std::str::from_utf8(body).ok(),
            now,
        };
        self.signing.sign_claims(&Value::Object(claims.in_form(NumericDateForm::Int)))
    }

    /// `careful`, unless a fault says otherwise.
    fn or<'a>(&self, fault: DpFault, careless: &'a str, careful: &'a str) -> &'a str {
        if self.faulty(fault) { careless } else { careful }
    }

    async fn token(&self) -> Option<String> {
        let mut kept = self.token.0.lock().await;
        let now = self.now();
        if let Some((token, expires)) = &*kept
            && now + MARGIN < *expires
        {
            return Some(token.clone());
        }
        let fresh = self.fetch_token().await?;
        let life = SignedDuration::from_secs(i64::try_from(fresh.expires_in).unwrap_or(0));
        *kept = Some((fresh.access_token.clone(), now + life));
        Some(fresh.access_token)
    }

    async fn fetch_token(&self) -> Option<TokenResponse> {
        let assertion = self.client_assertion();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.config.client_id.as_str()),
            ("scope", "accounts"),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &assertion),
        ];
        let form: Vec<(&str, &str)> = form
            .into_iter()
            .filter(|(name, _)| *name != "client_id" || !self.faulty(DpFault::TokenWithoutClientId))
            .filter(|(name, _)| {
                !name.starts_with("client_assertion") || !self.varies(DpVariant::TlsClientAuth)
            })
            .collect();
        let request =
            Request::form(&self.config.paynet_token_endpoint, &form, self.config.patience)
                .header("x-fapi-interaction-id", uuid_v4(&*self.entropy).to_string());
        let reply = self.client.send(request).await.ok().filter(|reply| reply.status == 200)?;
        serde_json::from_slice(&reply.message.body).ok()
    }

    fn client_assertion(&self) -> String {
        let now = self.now();
        let audience = if self.faulty(DpFault::AssertionAudienceTokenEndpoint) {
            &self.config.paynet_token_endpoint
        } else {
            self.config.paynet_as.as_str()
        };
        let assertion = self.signing.sign_claims(&self.word_assertion(json!({
            "iss": self.config.client_id,
            "sub": self.config.client_id,
            "aud": audience,
            "iat": self.numeric_date(now),
            "exp": self.numeric_date(now + SignedDuration::from_secs(ASSERTION_LIFE)),
            "jti": uuid_v4(&*self.entropy),
        })));
        match self.faulty(DpFault::AssertionKidUnknown) {
            true => ofp_jose::corrupt::with_unknown_kid(&assertion),
            false => assertion,
        }
    }
}

/// The body with the access token in it.
fn with_token(body: &[u8], token: &str) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(body).unwrap_or_default();
    json["access_token"] = json!(token);
    json.to_string().into_bytes()
}

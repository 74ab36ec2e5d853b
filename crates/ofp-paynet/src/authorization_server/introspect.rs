//! A10: introspection (RFC 7662), signed where the caller asks for it (RFC 9701; FAPI 2.0 MS §5.5).

use std::sync::Arc;

use ofp_net::{Answer, Inbound};
use ofp_types::{
    ConsentStatus,
    wire::{CONSENT_RAR_TYPE, consent_object},
};
use serde_json::{Map, Value, json};

use super::{posted, required};
use crate::{
    config::Client,
    platform::Platform,
    refusal::Refusal,
    serve::Context,
    state::{Grant, Held},
};

/// What a client asks for to get the answer signed (RFC 9701 §4).
const SIGNED: &str = "application/token-introspection+jwt";

impl Platform {
    pub(crate) fn introspect(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let form = posted(inbound)?;
        let (participant, _) = self.authenticate(&form, &inbound.peer)?;
        let token = required(&form, "token")?;
        self.keep_secret(token);
        let client = participant.client();
        // RFC 7662 §2.2: about what is not its own, a client learns nothing
        let found =
            self.access_claims(client, token).or_else(|| self.refresh_claims(client, token));
        if found.is_none() {
            context.note = Some("the token is unknown, over, or another client's".into());
        }
        let claims = found.unwrap_or_else(|| json!({ "active": false }));
        let accept = inbound.header("accept").unwrap_or_default();
        let wanted = |one: &str| one.split(';').next().unwrap_or_default().trim().to_owned();
        if accept.split(',').any(|one| wanted(one).eq_ignore_ascii_case(SIGNED)) {
            return Ok(self.signed_introspection(client, &claims));
        }
        Ok(Answer::json(200, &claims).header("cache-control", "no-store"))
    }

    fn access_claims(self: &Arc<Self>, client: &Client, text: &str) -> Option<Value> {
        let token = self.state().tokens.access(text).cloned()?;
        let held = match &token.grant {
            Grant::Client => None,
            Grant::Consent(id) => Some(self.held(id)?),
        };
        let now = held.as_ref().map_or(self.now(), |held| held.now(self.now()));
        if token.client_id != client.client_id || token.expires <= now || !is_live(held.as_ref()) {
            return None;
        }
        let mut claims = self.common_claims(&token.scope, client, held.as_ref());
        claims.extend([
            ("exp".to_owned(), json!(token.expires.as_second())),
            ("iat".to_owned(), json!(token.issued.as_second())),
            ("token_type".to_owned(), json!("Bearer")),
            // RFC 8705 §3.2
            ("cnf".to_owned(), json!({ "x5t#S256": token.certificate })),
        ]);
        Some(Value::Object(claims))
    }

    fn refresh_claims(self: &Arc<Self>, client: &Client, text: &str) -> Option<Value> {
        let token = self.state().tokens.refresh(text).cloned()?;
        let held = self.held(&token.consent)?;
        let over = token.expires <= held.now(self.now());
        if token.client_id != client.client_id || over || !is_live(Some(&held)) {
            return None;
        }
        let mut claims = self.common_claims(&token.scope, client, Some(&held));
        claims.extend([
            ("exp".to_owned(), json!(token.expires.as_second())),
            ("iat".to_owned(), json!(token.issued.as_second())),
        ]);
        Some(Value::Object(claims))
    }

    fn common_claims(
        &self,
        scope: &str,
        client: &Client,
        held: Option<&Held>,
    ) -> Map<String, Value> {
        let mut claims = Map::from_iter([
            ("active".to_owned(), json!(true)),
            ("iss".to_owned(), json!(self.issuer)),
            ("client_id".to_owned(), json!(client.client_id)),
            ("scope".to_owned(), json!(scope)),
        ]);
        if let Some(held) = held {
            let consent = consent_object(&held.consent, CONSENT_RAR_TYPE, &self.profile);
            let details = json!([{ "type": CONSENT_RAR_TYPE, "consent": consent }]);
            claims.insert("sub".into(), json!(held.subject));
            claims.insert("consent_id".into(), json!(held.consent.consent_id));
            claims.insert("authorization_details".into(), details);
        }
        claims
    }

    /// RFC 9701 §5.
    fn signed_introspection(&self, client: &Client, claims: &Value) -> Answer {
        let kind = Map::from_iter([("typ".to_owned(), json!("token-introspection+jwt"))]);
        let payload = json!({
            "iss": self.issuer,
            "aud": client.client_id,
            "iat": self.now().as_second(),
            "token_introspection": claims,
        });
        let jwt = self.keys.signing().sign_with(kind, payload.to_string().as_bytes());
        Answer::new(200, SIGNED, jwt).header("cache-control", "no-store")
    }
}

/// A token works only while the consent behind it does (S3:L62, L81).
fn is_live(held: Option<&Held>) -> bool {
    held.is_none_or(|held| held.consent.status == ConsentStatus::Authorized)
}

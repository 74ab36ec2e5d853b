//! A9: the token endpoint. Grants: client_credentials and authorization_code.

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;
use ofp_net::{Answer, Inbound, parse_form};
use ofp_types::{
    ConsentStatus, ErrorCode, Kid, token, uuid_v4,
    wire::{CONSENT_RAR_TYPE, TokenResponse, consent_object},
};
use openssl::sha::sha256;
use serde_json::json;

use crate::{
    config::Client,
    platform::{Participant, Platform},
    refusal::Refusal,
    serve::Context,
    state::{CodeError, Grant, Held, Token},
};

/// Life of the id_token for the DC.
const ID_TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(10);
const SCOPES: [&str; 3] = ["openid", "accounts", "profile"];

impl Platform {
    pub(crate) fn token(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let form = parse_form(&inbound.body).map_err(|e| Refusal::bad_request(e.to_string()))?;
        if let Some(assertion) = form.get("client_assertion") {
            self.journal.secret(assertion);
        }
        let (participant, certificate) = self.authenticate(&form, &inbound.peer)?;
        let response = match form.get("grant_type").map(String::as_str) {
            Some("client_credentials") => {
                self.client_credentials(participant, certificate, &form)?
            }
            Some("authorization_code") => {
                self.authorization_code(participant, certificate, &form, context)?
            }
            Some(other) => {
                let reason = format!("grant_type `{other}` is not supported");
                return Err(Refusal::new(400, ErrorCode::UnsupportedGrantType, reason));
            }
            None => return Err(Refusal::bad_request("the form has no grant_type")),
        };
        let body = serde_json::to_vec(&response).unwrap_or_default();
        Ok(Answer::new(200, "application/json", body).header("cache-control", "no-store"))
    }

    /// For the client itself; no refresh token (RFC 6749 §4.4.3).
    fn client_credentials(
        &self,
        participant: Participant<'_>,
        certificate: Kid,
        form: &BTreeMap<String, String>,
    ) -> Result<TokenResponse, Refusal> {
        let scope = form.get("scope").map_or("accounts", String::as_str);
        known_scope(scope)?;
        let access_token = self.issue(participant.client(), Grant::Client, scope, certificate);
        Ok(self.response(access_token, scope))
    }

    /// For a consent; the code dies with its first use.
    fn authorization_code(
        self: &Arc<Self>,
        participant: Participant<'_>,
        certificate: Kid,
        form: &BTreeMap<String, String>,
        context: &mut Context,
    ) -> Result<TokenResponse, Refusal> {
        let Participant::Dc(dc) = participant else {
            let reason = "only a DC may redeem authorization codes";
            return Err(Refusal::new(400, ErrorCode::UnauthorizedClient, reason));
        };
        let parameter = |name: &str| {
            let missing = || Refusal::bad_request(format!("the form has no {name}"));
            form.get(name).ok_or_else(missing)
        };
        let (code, verifier) = (parameter("code")?, parameter("code_verifier")?);
        let redirect_uri = parameter("redirect_uri")?;
        self.journal.secret(verifier);
        let held = self.redeemable(code, &dc.client, context)?;
        check_pkce(verifier, &held)?;
        if *redirect_uri != held.request.redirect_uri {
            let expected = &held.request.redirect_uri;
            let reason = format!("redirect_uri must be {expected}, not {redirect_uri}");
            return Err(Refusal::invalid_grant(reason));
        }
        if held.consent.status != ConsentStatus::Authorized {
            let reason = format!("the consent is {}", held.consent.status);
            return Err(Refusal::invalid_grant(reason));
        }
        let grant = Grant::Consent(held.consent.consent_id.clone());
        let access_token = self.issue(&dc.client, grant, &held.request.scope, certificate);
        self.state().codes.used(code, access_token.clone());
        let consent = consent_object(&held.consent, CONSENT_RAR_TYPE, &self.profile);
        Ok(TokenResponse {
            state: held.request.state.clone(),
            id_token: Some(self.id_token(&dc.client, &held)),
            authorization_details: Some(json!([{ "type": CONSENT_RAR_TYPE, "consent": consent }])),
            ..self.response(access_token, &held.request.scope)
        })
    }

    fn redeemable(
        self: &Arc<Self>,
        code: &str,
        client: &Client,
        context: &mut Context,
    ) -> Result<Held, Refusal> {
        let consent = self.state().codes.get(code).map(|code| code.consent.clone());
        context.consent.clone_from(&consent);
        let held = consent.and_then(|id| self.held(&id));
        let held = held.ok_or_else(|| Refusal::invalid_grant("the code is unknown"))?;
        let now = held.now(self.now());
        let mut state = self.state();
        match state.codes.check(code, &client.client_id, now) {
            Ok(_) => Ok(held),
            Err(error) => {
                if let CodeError::Used { token } = &error {
                    state.tokens.revoke(token);
                }
                Err(Refusal::invalid_grant(error.to_string()))
            }
        }
    }

    /// A new access token, bound to the certificate that asked for it (RFC 8705 §3).
    fn issue(&self, client: &Client, grant: Grant, scope: &str, certificate: Kid) -> String {
        let text = token(&*self.entropy);
        self.journal.secret(&text);
        let wall = self.now();
        let mut state = self.state();
        let now = match &grant {
            Grant::Client => wall,
            Grant::Consent(id) => state.consents.get(id).map_or(wall, |held| held.now(wall)),
        };
        let expires = now + self.profile.access_ttl;
        let client_id = client.client_id.clone();
        state.tokens.issue(
            text.clone(),
            Token { client_id, grant, scope: scope.to_owned(), expires, certificate },
            wall,
        );
        text
    }

    fn response(&self, access_token: String, scope: &str) -> TokenResponse {
        TokenResponse {
            access_token,
            token_type: "Bearer".into(),
            expires_in: self.profile.access_ttl.as_secs().unsigned_abs(),
            scope: Some(scope.to_owned()),
            state: None,
            id_token: None,
            authorization_details: None,
        }
    }

    /// The platform's id_token for the DC (`spec/ofp.md` 5.8).
    fn id_token(&self, client: &Client, held: &Held) -> String {
        let now = self.now().as_second();
        let mut claims = json!({
            "iss": self.issuer,
            "sub": held.subject,
            "aud": client.client_id,
            "iat": now,
            "exp": now + ID_TOKEN_LIFE.as_secs(),
            "jti": uuid_v4(&*self.entropy),
        });
        if let Some(nonce) = &held.request.nonce {
            claims["nonce"] = json!(nonce);
        }
        if let Some((id_type, hashed)) = &held.consent.identity {
            claims["id_type"] = json!(id_type);
            claims["hashed_id_number"] = json!(hashed);
        }
        self.signing.sign_claims(&claims)
    }
}

/// RFC 6749 §3.3: nothing but known scopes.
pub(super) fn known_scope(scope: &str) -> Result<(), Refusal> {
    match scope.split(' ').find(|each| !SCOPES.contains(each)) {
        None => Ok(()),
        Some(unknown) => {
            let reason = format!("scope `{unknown}` is unknown");
            Err(Refusal::new(400, ErrorCode::InvalidScope, reason))
        }
    }
}

/// RFC 7636 §4.6.
fn check_pkce(verifier: &str, held: &Held) -> Result<(), Refusal> {
    let computed = ofp_jose::base64url(&sha256(verifier.as_bytes()));
    if (43..=128).contains(&verifier.len()) && computed == held.request.code_challenge {
        Ok(())
    } else {
        Err(Refusal::invalid_grant("code_verifier does not match the code_challenge"))
    }
}

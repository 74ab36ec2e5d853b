//! A9: the token endpoint. Grants: client_credentials, authorization_code and refresh_token.

use std::{collections::BTreeMap, sync::Arc};

use ofp_net::{Answer, Inbound};
use ofp_types::{
    ConsentStatus, ErrorCode, Kid, token,
    wire::{CONSENT_RAR_TYPE, TokenResponse, consent_object},
};
use openssl::sha::sha256;
use serde_json::json;

use super::{posted, required};
use crate::{
    config::Client,
    platform::{Participant, Platform},
    refusal::Refusal,
    serve::Context,
    state::{CodeError, Grant, Held, RefreshToken, Token},
};

const SCOPES: [&str; 3] = ["openid", "accounts", "profile"];

impl Platform {
    pub(crate) fn token(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let form = posted(inbound)?;
        let (participant, certificate) = self.authenticate(&form, &inbound.peer)?;
        let response = match form.get("grant_type").map(String::as_str) {
            Some("client_credentials") => {
                self.client_credentials(participant, certificate, &form)?
            }
            Some("authorization_code") => {
                self.authorization_code(participant, certificate, &form, context)?
            }
            Some("refresh_token") => {
                self.refresh_token(participant, certificate, &form, context)?
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
        Ok(self.token_response(access_token, scope))
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
            return Err(Refusal::unauthorized_client("only a DC may redeem authorization codes"));
        };
        let (code, verifier) = (required(form, "code")?, required(form, "code_verifier")?);
        let redirect_uri = required(form, "redirect_uri")?;
        let held = self.redeemable(code, &dc.client, context)?;
        check_pkce(verifier, &held)?;
        self.journal.secret(verifier);
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
        let refresh_token = self.issue_refresh(&dc.client, &held);
        self.state().codes.used(code);
        Ok(TokenResponse {
            state: held.request.state.clone(),
            refresh_token: Some(refresh_token),
            id_token: Some(self.id_token(&dc.client.client_id, &held, context)),
            authorization_details: Some(self.details(&held)),
            ..self.token_response(access_token, &held.request.scope)
        })
    }

    /// RFC 6749 §6. The refresh token stays the same for as long as the consent (S3:L103; FAPI 2.0
    /// SP §5.3.2.1: no rotation).
    fn refresh_token(
        self: &Arc<Self>,
        participant: Participant<'_>,
        certificate: Kid,
        form: &BTreeMap<String, String>,
        context: &mut Context,
    ) -> Result<TokenResponse, Refusal> {
        let Participant::Dc(dc) = participant else {
            return Err(Refusal::unauthorized_client("only a DC has refresh tokens"));
        };
        let text = required(form, "refresh_token")?;
        self.keep_secret(text);
        let token = self.state().tokens.refresh(text).cloned();
        let token =
            token.filter(|token| token.client_id == dc.client.client_id).ok_or_else(|| {
                Refusal::invalid_grant("the refresh token is unknown, revoked or another client's")
            })?;
        context.consent = Some(token.consent.clone());
        let gone = || Refusal::invalid_grant("the consent behind the refresh token is unknown");
        let held = self.held(&token.consent).ok_or_else(gone)?;
        if held.consent.status != ConsentStatus::Authorized {
            let reason = format!("the consent behind the refresh token is {}", held.consent.status);
            return Err(Refusal::invalid_grant(reason));
        }
        let scope = narrowed(form.get("scope"), &token.scope)?;
        let grant = Grant::Consent(token.consent.clone());
        let access_token = self.issue(&dc.client, grant, &scope, certificate);
        Ok(TokenResponse {
            refresh_token: Some(text.clone()),
            authorization_details: Some(self.details(&held)),
            ..self.token_response(access_token, &scope)
        })
    }

    /// A token that somebody sent stays out of reports, if it is one: a peer must not choose which words are masked.
    pub(super) fn keep_secret(&self, text: &str) {
        let known = {
            let state = self.state();
            state.tokens.access(text).is_some() || state.tokens.refresh(text).is_some()
        };
        if known {
            self.journal.secret(text);
        }
    }

    /// What was granted (RFC 9396 §7).
    fn details(&self, held: &Held) -> serde_json::Value {
        let consent = consent_object(&held.consent, CONSENT_RAR_TYPE, &self.profile);
        json!([{ "type": CONSENT_RAR_TYPE, "consent": consent }])
    }

    fn issue_refresh(&self, client: &Client, held: &Held) -> String {
        let text = token(&*self.entropy);
        self.journal.secret(&text);
        let wall = self.now();
        let token = RefreshToken {
            client_id: client.client_id.clone(),
            consent: held.consent.consent_id.clone(),
            scope: held.request.scope.clone(),
            issued: held.now(wall),
            expires: held.consent.expiration,
        };
        self.state().tokens.issue_refresh(&text, token);
        text
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
                if error == CodeError::Used {
                    state.tokens.revoke_all_of(&held.consent.consent_id);
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
        let expires = now.saturating_add(self.profile.access_ttl).unwrap_or(now);
        let client_id = client.client_id.clone();
        let scope = scope.to_owned();
        let token = Token { client_id, grant, scope, issued: now, expires, certificate };
        state.tokens.issue(&text, token);
        text
    }

    fn token_response(&self, access_token: String, scope: &str) -> TokenResponse {
        TokenResponse {
            access_token,
            token_type: "Bearer".into(),
            expires_in: self.profile.access_ttl.as_secs().unsigned_abs(),
            scope: Some(scope.to_owned()),
            state: None,
            refresh_token: None,
            id_token: None,
            authorization_details: None,
        }
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

/// RFC 6749 §6: no more than was granted.
fn narrowed(asked: Option<&String>, granted: &str) -> Result<String, Refusal> {
    let Some(asked) = asked else { return Ok(granted.to_owned()) };
    match asked.split(' ').find(|each| !granted.split(' ').any(|one| one == *each)) {
        None => Ok(asked.clone()),
        Some(more) => {
            let reason = format!("scope `{more}` was not granted, only `{granted}`");
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

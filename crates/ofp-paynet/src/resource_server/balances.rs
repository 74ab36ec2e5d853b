//! B3: balances. Everything is checked here before the DP is asked, and the DP's answer is
//! verified before it passes.

use std::sync::Arc;

use jiff::SignedDuration;
use ofp_evidence::{Failure, Message, Stage};
use ofp_jose::{Claims, CompactJws, JoseError, KeyUse};
use ofp_net::{Answer, Inbound, parse_form};
use ofp_types::{
    AccountId, ConsentStatus, ErrorCode, InteractionId, PLATFORM_AUDIENCE, Permission,
    wire::{ErrorBody, wrapped_jws},
};

use crate::{
    DcRegistration,
    bearer::insufficient,
    client_auth::AHEAD,
    platform::{Participant, Platform},
    provider::Forward,
    refusal::Refusal,
    serve::Context,
    state::{Grant, Held, Token},
};

/// A request signature lives 5 minutes.
const SIGNATURE_LIFE: i64 = 300;

impl Platform {
    pub(crate) async fn balances(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let (token, participant) = self.bearer(inbound)?;
        let (held, dc) = self.granted(&token, participant, context)?;
        let interaction = inbound.header("x-fapi-interaction-id").unwrap_or_default();
        let interaction =
            InteractionId::parse(interaction).map_err(|e| Refusal::bad_request(e.to_string()))?;
        let account = covered(&held, &inbound.parameter)?;
        let signature = inbound.header("x-signature").ok_or_else(|| {
            Refusal::new(400, ErrorCode::JwsInvalidSignature, "x-signature is missing")
        })?;
        self.check_request_signature(dc, &held, inbound, signature)
            .map_err(|e| Refusal::jws("x-signature", &e))?;
        let enc_kid = encryption_kid(dc, inbound)?;
        let forward = Forward {
            consent: &held.consent,
            account: &account,
            interaction: &interaction,
            enc_kid: &enc_kid,
            dc_signature: Some(signature),
            cause: Some(context.exchange),
        };
        let (_, result) = self.forward_balances(&forward).await;
        let message = self.accept(result)?;
        self.verify_dp_answer(&held, &message)?;
        // passed on byte for byte
        let is_json = message.media_type().as_deref() == Some("application/json");
        let media_type = if is_json { "application/json" } else { "application/jose" };
        Ok(Answer::new(200, media_type, message.body).header("cache-control", "no-store"))
    }

    /// The consent behind a token, if it lets its DC read balances now.
    fn granted<'a>(
        self: &Arc<Self>,
        token: &Token,
        participant: Participant<'a>,
        context: &mut Context,
    ) -> Result<(Held, &'a DcRegistration), Refusal> {
        let (Grant::Consent(id), Participant::Dc(dc)) = (&token.grant, participant) else {
            return Err(insufficient("a token that a customer's consent stands behind is needed"));
        };
        context.consent = Some(id.clone());
        let gone = || Refusal::consent(403, "the consent is unknown");
        let held = self.held(id).ok_or_else(gone)?;
        if held.consent.status != ConsentStatus::Authorized {
            return Err(Refusal::consent(403, format!("the consent is {}", held.consent.status)));
        }
        if held.consent.permissions.contains(&Permission::ReadBalances) {
            return Ok((held, dc));
        }
        let reason = "the consent does not grant read_balances";
        Err(Refusal::new(403, ErrorCode::AccessTokenInvalidScope, reason))
    }

    /// The DC's end-to-end signature (`spec/ofp.md` 5.3).
    fn check_request_signature(
        &self,
        dc: &DcRegistration,
        held: &Held,
        inbound: &Inbound,
        signature: &str,
    ) -> Result<(), JoseError> {
        let claims = CompactJws::parse(signature)?.verify(&dc.client.keys)?.claims()?;
        let now = self.now();
        claims.equals("iss", dc.dc_id.as_str())?;
        claims.addressed_to(PLATFORM_AUDIENCE)?;
        claims.addressed_to(held.consent.dp_id.as_str())?;
        claims.not_expired(now)?;
        claims.valid_from(now, AHEAD)?;
        claims.issued_within("iat", now, SIGNATURE_LIFE, AHEAD)?;
        claims.lives_at_most("iat", SIGNATURE_LIFE)?;
        same_request(&claims, inbound)?;
        let keep = SignedDuration::from_secs(SIGNATURE_LIFE + AHEAD);
        self.state().replay.first_use(dc.dc_id.as_str(), claims.text("jti")?, now, keep)
    }

    /// What the DP's answer, or its absence, means to the DC.
    fn accept(&self, result: Result<(u16, Message), Failure>) -> Result<Message, Refusal> {
        let unavailable = |reason: String| {
            let description = "the Data Provider's answer is not acceptable";
            Refusal::discreet(503, ErrorCode::UpstreamInvalidResponse, description, reason)
        };
        match result {
            Ok((200, message)) => Ok(message),
            Ok((status @ 400..=499, message)) => {
                let body: Option<ErrorBody> = serde_json::from_slice(&message.body).ok();
                let code = body.map_or_else(|| "no code".into(), |body| body.error);
                let reason = format!("the DP refused: {status} {code}");
                let code = if status == 403 {
                    ErrorCode::ConsentInvalid
                } else {
                    ErrorCode::InvalidRequest
                };
                Err(Refusal::discreet(
                    status,
                    code,
                    "the Data Provider refused the request",
                    reason,
                ))
            }
            Ok((status, _)) => {
                Err(unavailable(format!("the DP answered {status}, 200 is required")))
            }
            Err(failure) if failure.stage == Stage::Timeout => {
                let status = self.profile.timeout_status;
                let code = if status == 503 {
                    ErrorCode::TemporarilyUnavailable
                } else {
                    ErrorCode::UpstreamTimeout
                };
                let description = "the Data Provider did not answer in time";
                Err(Refusal::discreet(status, code, description, failure.to_string()))
            }
            Err(failure) => Err(unavailable(failure.to_string())),
        }
    }

    fn verify_dp_answer(&self, held: &Held, message: &Message) -> Result<(), Refusal> {
        let refuse = |reason: String| {
            let description = "the Data Provider's answer is not acceptable";
            Refusal::discreet(503, ErrorCode::UpstreamInvalidResponse, description, reason)
        };
        let media_type = message.media_type().unwrap_or_default();
        let wrapped = wrapped_jws(&media_type, &message.body);
        if wrapped.is_none() && !self.profile.response_types_accepted.contains(&media_type) {
            return Err(refuse(format!("the DP's answer is {media_type}, a JWS is required")));
        }
        let dp = self.dp(&held.consent.dp_id).ok_or_else(|| refuse("the DP is unknown".into()))?;
        let text = wrapped.unwrap_or_else(|| message.text().into_owned());
        CompactJws::parse(&text)
            .and_then(|jws| jws.verify(&dp.client.keys))
            .and_then(|verified| verified.claims())
            .and_then(|claims| claims.not_expired(self.now()).map(drop))
            .map_err(|e| refuse(format!("the DP's answer: {e}")))
    }
}

/// The account that a path names, if the customer chose it.
fn covered(held: &Held, path: &str) -> Result<AccountId, Refusal> {
    let chosen = held.consent.accounts.iter().find(|account| account.account_id.as_str() == path);
    chosen.map(|account| account.account_id.clone()).ok_or_else(|| {
        let reason = format!("account {path} is not part of the consent");
        Refusal::new(403, ErrorCode::PermanentAccountAccessFailure, reason)
    })
}

/// The DC's choice of its own encryption key, or the registered one.
fn encryption_kid(dc: &DcRegistration, inbound: &Inbound) -> Result<String, Refusal> {
    match inbound.header("x-enc-kid") {
        Some(kid) => {
            let found = dc.client.keys.find(kid, KeyUse::Enc);
            found.map(|key| key.kid().to_owned()).map_err(|e| {
                let description = "x-enc-kid names no encryption key of this DC";
                Refusal::discreet(400, ErrorCode::JweDecryptionError, description, e.to_string())
            })
        }
        None => dc
            .client
            .keys
            .first(KeyUse::Enc)
            .map(|key| key.kid().to_owned())
            .ok_or_else(|| Refusal::bad_request("the DC has no encryption key registered")),
    }
}

/// `url` names this path, and `qpm` this query.
fn same_request(claims: &Claims, inbound: &Inbound) -> Result<(), JoseError> {
    let url = claims.text("url")?;
    if !url.ends_with(&inbound.path) {
        let (expected, actual) = (format!("a URL of {}", inbound.path), url.to_owned());
        return Err(JoseError::ClaimValue { claim: "url", expected, actual });
    }
    let query = parse_form(inbound.query.as_bytes()).unwrap_or_default();
    let query = serde_json::json!(query);
    let qpm = claims.0.get("qpm").ok_or(JoseError::ClaimMissing { claim: "qpm" })?;
    if *qpm == query {
        return Ok(());
    }
    let (expected, actual) = (query.to_string(), qpm.to_string());
    Err(JoseError::ClaimValue { claim: "qpm", expected, actual })
}

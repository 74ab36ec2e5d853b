//! B5: Update Consent, by which a DP tells the customer's decision.

use std::sync::Arc;

use jiff::SignedDuration;
use ofp_jose::{Claims, CompactJws, JoseError};
use ofp_net::{Answer, Inbound};
use ofp_types::{
    ConsentStatus, InteractionId, PLATFORM_AUDIENCE, SigBody, Trigger, UpdateVerb, UpdatedBy,
    wire::UpdateConsent,
};

use crate::{
    DpRegistration,
    bearer::insufficient,
    client_auth::AHEAD,
    platform::{Change, Participant, Platform},
    refusal::Refusal,
    serve::Context,
    state::{Grant, Held},
};

/// A signature's `iat` is at most 5 minutes old (`spec/ofp.md` X-23).
const SIGNATURE_LIFE: i64 = 300;

impl Platform {
    pub(crate) fn update_consent(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let verb = if inbound.method == "POST" { UpdateVerb::Post } else { UpdateVerb::Patch };
        if !self.profile.update_verbs.contains(&verb) {
            return Ok(Answer::empty(405).header("allow", "GET, PATCH"));
        }
        // found before anything is checked, so that a refused call is filed under its consent too
        let held = self.named_consent(&inbound.parameter, context);
        let dp = self.calling_dp(inbound)?;
        let held = held?;
        if held.consent.dp_id != dp.dp_id {
            return Err(Refusal::consent(403, "the consent is another DP's"));
        }
        self.check_headers(inbound)?;
        self.check_update_signature(dp, inbound)?;
        let (update, status) = self.parse_update(&held, &inbound.body)?;
        match status {
            ConsentStatus::Authorized => self.approve(dp, &held, update, context)?,
            _ => self.reject(&held, update, context)?,
        }
        Ok(Answer::json(200, &serde_json::json!({})))
    }

    fn calling_dp(&self, inbound: &Inbound) -> Result<&DpRegistration, Refusal> {
        let participant = if self.profile.require_bearer_on_patch {
            let (token, participant) = self.bearer_for_accounts(inbound)?;
            if token.grant != Grant::Client {
                return Err(insufficient("a client_credentials token is needed"));
            }
            participant
        } else {
            let presented = inbound.peer.certificate.as_ref();
            presented
                .and_then(|certificate| self.participant_by_certificate(&certificate.thumbprint))
                .ok_or_else(|| Refusal::invalid_client("the certificate is no participant's"))?
        };
        match participant {
            Participant::Dp(dp) => Ok(dp),
            Participant::Dc(_) => Err(insufficient("only a DP may update a consent")),
        }
    }

    fn check_headers(&self, inbound: &Inbound) -> Result<(), Refusal> {
        let id = inbound.header("x-fapi-interaction-id").unwrap_or_default();
        InteractionId::parse(id).map_err(|e| Refusal::bad_request(e.to_string()))?;
        let media_type = inbound.header("content-type").unwrap_or("missing");
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/json") {
            return Ok(());
        }
        let reason = format!("Content-Type must be application/json, not {media_type}");
        Err(Refusal::bad_request(reason))
    }

    /// Either header name will do, detached or attached over the same bytes.
    fn check_update_signature(
        &self,
        dp: &DpRegistration,
        inbound: &Inbound,
    ) -> Result<(), Refusal> {
        let named = |name| inbound.header(name).map(|value| (name, value));
        let (name, value) =
            named("x-fapi-signature").or_else(|| named("x-signature")).ok_or_else(|| {
                let code = ofp_types::ErrorCode::JwsInvalidSignature;
                Refusal::new(400, code, "x-fapi-signature is missing")
            })?;
        self.check_body_signature(Participant::Dp(dp), inbound, name, value)
    }

    /// A participant's signature over the body, detached or attached over the same bytes.
    pub(super) fn check_body_signature(
        &self,
        participant: Participant<'_>,
        inbound: &Inbound,
        name: &str,
        value: &str,
    ) -> Result<(), Refusal> {
        let form = self.profile.sig_body;
        CompactJws::parse(value)
            .and_then(|jws| jws.verify_body(&participant.client().keys, &inbound.body, form))
            .and_then(|verified| match form {
                SigBody::Detached => self.check_signature_header(participant, verified.header),
                SigBody::Claims => self.check_body_claims(participant, inbound, verified.claims()?),
            })
            .map_err(|e| Refusal::jws(name, &e))
    }

    /// The claims of a signature on a message with a body: from this participant, for the platform, about this URL,
    /// of now.
    fn check_body_claims(
        &self,
        participant: Participant<'_>,
        inbound: &Inbound,
        claims: Claims,
    ) -> Result<(), JoseError> {
        let now = self.now();
        claims.equals("iss", participant.name())?;
        claims.addressed_to(PLATFORM_AUDIENCE)?;
        claims.not_expired(now)?;
        claims.valid_from(now, AHEAD)?;
        let (url, ours) = (claims.text("url")?, self.rs.join(&inbound.path));
        if !url.ends_with(inbound.path.as_str()) {
            let actual = url.to_owned();
            return Err(JoseError::ClaimValue { claim: "url", expected: ours, actual });
        }
        self.check_signature_header(participant, claims.0)
    }

    /// `{alg, kid}` is enough; what else is in the header (or among the claims) must hold.
    pub(super) fn check_signature_header(
        &self,
        participant: Participant<'_>,
        header: serde_json::Map<String, serde_json::Value>,
    ) -> Result<(), JoseError> {
        let header = Claims(header);
        let now = self.now();
        if header.0.contains_key("iat") {
            header.issued_within("iat", now, SIGNATURE_LIFE, AHEAD)?;
        }
        if header.0.contains_key("jti") {
            let keep = SignedDuration::from_secs(SIGNATURE_LIFE + AHEAD);
            let (signer, jti) = (participant.client().client_id.as_str(), header.text("jti")?);
            self.state().replay.first_use(&format!("body:{signer}"), jti, now, keep)?;
        }
        Ok(())
    }

    fn approve(
        self: &Arc<Self>,
        dp: &DpRegistration,
        held: &Held,
        update: UpdateConsent,
        context: &Context,
    ) -> Result<(), Refusal> {
        let approval = self.check_approval(dp, held, update)?;
        let identity = Some((approval.identity.id_type, approval.identity.hashed_id_number));
        let same = held.consent.accounts == approval.accounts
            && held.consent.identity == identity
            && (approval.subject.is_none() || held.subject == approval.subject);
        if held.consent.status == ConsentStatus::Authorized && same {
            return Ok(()); // the same decision again
        }
        self.decide(held, Trigger::Approve, None, context, |held| {
            held.consent.accounts = approval.accounts;
            held.consent.identity = identity;
            if approval.subject.is_some() {
                held.subject = approval.subject;
                held.auth_time = approval.auth_time;
            }
        })
    }

    fn reject(
        self: &Arc<Self>,
        held: &Held,
        update: UpdateConsent,
        context: &Context,
    ) -> Result<(), Refusal> {
        let reason = update.status_reason.filter(|reason| !reason.reason_code.is_empty());
        let missing = || Refusal::bad_request("status_reason is required when rejected");
        let reason = reason.ok_or_else(missing)?;
        let same = held.consent.status_reason.as_ref() == Some(&reason);
        if held.consent.status == ConsentStatus::Rejected && same {
            return Ok(()); // the same decision again
        }
        self.decide(held, Trigger::Reject, Some(reason), context, |_| {})
    }

    fn decide(
        self: &Arc<Self>,
        held: &Held,
        trigger: Trigger,
        reason: Option<ofp_types::StatusReason>,
        context: &Context,
        amend: impl FnOnce(&mut Held),
    ) -> Result<(), Refusal> {
        let by = UpdatedBy::DataProviderUser;
        let change = Change { trigger, by, reason, cause: Some(context.exchange) };
        self.transition(&held.consent.consent_id, change, amend)
            .map(drop)
            .map_err(|e| Refusal::consent(403, e.to_string()))
    }
}

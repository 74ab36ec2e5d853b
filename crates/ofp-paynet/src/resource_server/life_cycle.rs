//! B7 and B8: revoke, suspend, reactivate, by the consent's own DC or DP.

use std::sync::Arc;

use ofp_net::{Answer, Inbound};
use ofp_types::{
    InteractionId, Trigger, UpdatedBy,
    wire::{CONSENT_RAR_TYPE, LifeCycleRequest, consent_object},
};

use crate::{
    platform::{Change, Participant, Platform},
    refusal::Refusal,
    serve::Context,
    state::Held,
};

impl Platform {
    pub(crate) fn change_consent(
        self: &Arc<Self>,
        trigger: Trigger,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let (participant, held) = self.own_consent(inbound, context)?;
        let id = inbound.header("x-fapi-interaction-id").unwrap_or_default();
        InteractionId::parse(id).map_err(|e| Refusal::bad_request(e.to_string()))?;
        self.check_life_cycle_signature(participant, inbound)?;
        let request = parse(&inbound.body)?;
        let by = updated_by(participant, request.updated_by)?;
        let reason = request.status_reason.filter(|reason| !reason.reason_code.is_empty());
        if trigger == Trigger::Suspend && reason.is_none() {
            return Err(Refusal::bad_request("status_reason is required to suspend"));
        }
        // `spec/ofp.md` section 3: cleared when authorized again
        let reason = reason.filter(|_| trigger != Trigger::Reactivate);
        let change = Change { trigger, by, reason, cause: Some(context.exchange) };
        let consent = self
            .transition(&held.consent.consent_id, change, |_| {})
            .map_err(|e| Refusal::consent(403, e.to_string()))?;
        let kind = match participant {
            Participant::Dc(_) => CONSENT_RAR_TYPE,
            Participant::Dp(_) => &self.profile.consent_type_value,
        };
        Ok(Answer::json(201, &consent_object(&consent, kind, &self.profile)))
    }

    /// A DP's or DC's signature over the body holds, where there is one: whether it must be there is
    /// said nowhere (`spec/ofp.md` 5.2).
    fn check_life_cycle_signature(
        &self,
        participant: Participant<'_>,
        inbound: &Inbound,
    ) -> Result<(), Refusal> {
        match inbound.header("x-fapi-signature") {
            None => Ok(()),
            Some(signature) => {
                self.check_body_signature(participant, inbound, "x-fapi-signature", signature)
            }
        }
    }

    /// The consent that a path names, if it is the caller's own.
    pub(super) fn own_consent(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<(Participant<'_>, Held), Refusal> {
        let (token, participant) = self.bearer_for_accounts(inbound)?;
        let held = self.named_consent(&inbound.parameter, context)?;
        if token.grant != crate::state::Grant::Client {
            return Err(crate::bearer::insufficient("a client_credentials token is needed"));
        }
        let own = match participant {
            Participant::Dc(dc) => dc.dc_id == held.consent.dc_id,
            Participant::Dp(dp) => dp.dp_id == held.consent.dp_id,
        };
        if own {
            Ok((participant, held))
        } else {
            Err(Refusal::consent(403, "the consent is another participant's"))
        }
    }
}

/// No body says nothing.
fn parse(body: &[u8]) -> Result<LifeCycleRequest, Refusal> {
    if body.is_empty() {
        return Ok(LifeCycleRequest::default());
    }
    let object = ofp_jose::strict_object(body)
        .map_err(|e| Refusal::bad_request(format!("the body is not a JSON object: {e}")))?;
    serde_json::from_value(object.into())
        .map_err(|e| Refusal::bad_request(format!("the body: {e}")))
}

/// A party speaks for itself or for its own customer.
fn updated_by(participant: Participant<'_>, said: Option<UpdatedBy>) -> Result<UpdatedBy, Refusal> {
    let (own, customers) = match participant {
        Participant::Dc(_) => (UpdatedBy::DataConsumer, UpdatedBy::DataConsumerUser),
        Participant::Dp(_) => (UpdatedBy::DataProvider, UpdatedBy::DataProviderUser),
    };
    match said {
        None => Ok(own),
        Some(by) if by == own || by == customers => Ok(by),
        Some(by) => Err(Refusal::bad_request(format!(
            "updated_by must be {} or {}, not {}",
            own.as_str(),
            customers.as_str(),
            by.as_str()
        ))),
    }
}

//! A12: userinfo (OpenID Connect Core §5.3): the platform asks the DP (D3).

use std::sync::Arc;

use ofp_evidence::Message;
use ofp_net::{Answer, Inbound};
use ofp_types::{ErrorCode, InteractionId, uuid_v4};
use serde_json::Value;

use crate::{
    bearer::insufficient_at_as,
    platform::Platform,
    refusal::Refusal,
    serve::Context,
    state::{Grant, Held},
};

impl Platform {
    pub(crate) async fn userinfo(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let (token, participant) = self.bearer(inbound)?;
        let covered = token.scope.split(' ').any(|scope| matches!(scope, "openid" | "profile"));
        if token.grant == Grant::Client || !covered {
            let reason = "a customer's token with scope openid or profile is needed";
            return Err(insufficient_at_as(reason));
        }
        let (held, _) = self.consent_behind(&token, participant, context)?;
        let interaction = self.interaction(inbound)?;
        let cause = Some(context.exchange);
        let called = self.call_userinfo(&held.consent, &interaction, cause).await;
        let (_, result) = called
            .map_err(|e| Refusal::new(503, ErrorCode::TemporarilyUnavailable, e.to_string()))?;
        let message = self.accept(result)?;
        let claims = claims_of(&held, &message)?;
        Ok(Answer::json(200, &claims).header("cache-control", "no-store"))
    }

    /// The caller's `x-fapi-interaction-id`, or one of ours where it may be left out.
    fn interaction(&self, inbound: &Inbound) -> Result<InteractionId, Refusal> {
        let ours = uuid_v4(&*self.entropy).to_string();
        let id = inbound.header("x-fapi-interaction-id").unwrap_or(&ours);
        InteractionId::parse(id).map_err(|e| Refusal::bad_request(e.to_string()))
    }
}

/// What the DP said, if it is about this customer (OpenID Connect Core §5.3.2).
fn claims_of(held: &Held, message: &Message) -> Result<Value, Refusal> {
    let refuse = |reason: String| {
        let description = "the Data Provider's answer is not acceptable";
        Refusal::discreet(503, ErrorCode::UpstreamInvalidResponse, description, reason)
    };
    let claims = ofp_jose::strict_object(&message.body)
        .map_err(|e| refuse(format!("the DP's userinfo is not a JSON object: {e}")))?;
    let sub = claims.get("sub").and_then(Value::as_str);
    if sub.is_none() || sub != held.subject.as_deref() {
        return Err(refuse("the DP's userinfo has another sub than its id_token".into()));
    }
    Ok(Value::Object(claims))
}

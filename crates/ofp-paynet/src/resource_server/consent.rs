//! B6: Retrieve Consent, for the consent's own DC and DP.

use std::sync::Arc;

use ofp_net::{Answer, Inbound};
use ofp_types::{ConsentId, wire::consent_object};

use crate::{
    bearer::insufficient,
    platform::{Participant, Platform},
    refusal::Refusal,
    serve::Context,
    state::{Grant, Held},
};

impl Platform {
    pub(crate) fn retrieve_consent(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let (token, participant) = self.bearer(inbound)?;
        let held = self.named_consent(&inbound.parameter, context)?;
        if token.grant != Grant::Client {
            return Err(insufficient("a client_credentials token is needed"));
        }
        let own = match participant {
            Participant::Dc(dc) => dc.dc_id == held.consent.dc_id,
            Participant::Dp(dp) => dp.dp_id == held.consent.dp_id,
        };
        if !own {
            return Err(Refusal::consent(403, "the consent is another participant's"));
        }
        let kind = &self.profile.consent_type_value;
        Ok(Answer::json(200, &consent_object(&held.consent, kind, &self.profile)))
    }

    /// The consent that a path names.
    pub(super) fn named_consent(
        self: &Arc<Self>,
        id: &str,
        context: &mut Context,
    ) -> Result<Held, Refusal> {
        let unknown = || Refusal::consent(404, format!("there is no consent {id}"));
        let id = ConsentId::parse(id).map_err(|_| unknown())?;
        let held = self.held(&id).ok_or_else(unknown)?;
        context.consent = Some(id);
        Ok(held)
    }
}

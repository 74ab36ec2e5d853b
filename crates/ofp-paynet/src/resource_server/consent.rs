//! B6: Retrieve Consent, for the consent's own DC and DP.

use std::sync::Arc;

use ofp_net::{Answer, Inbound};
use ofp_types::{
    ConsentId,
    wire::{CONSENT_RAR_TYPE, consent_object},
};

use crate::{
    platform::{Participant, Platform},
    refusal::Refusal,
    serve::Context,
    state::Held,
};

impl Platform {
    pub(crate) fn retrieve_consent(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let (participant, held) = self.own_consent(inbound, context)?;
        let kind = match participant {
            Participant::Dc(_) => CONSENT_RAR_TYPE,
            Participant::Dp(_) => &self.profile.consent_type_value,
        };
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

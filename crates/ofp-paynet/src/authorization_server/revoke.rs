//! A11: revocation of a token (RFC 7009). The consent behind it stays; B7 revokes that.

use std::sync::Arc;

use ofp_net::{Answer, Inbound};

use super::{posted, required};
use crate::{platform::Platform, refusal::Refusal, serve::Context, state::Grant};

impl Platform {
    pub(crate) fn revoke_token(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let form = posted(inbound)?;
        let (participant, _) = self.authenticate(&form, &inbound.peer)?;
        let text = required(&form, "token")?;
        self.keep_secret(text);
        let client = &participant.client().client_id;
        let mut state = self.state();
        let refresh = state.tokens.refresh(text).filter(|token| token.client_id == *client);
        if let Some(consent) = refresh.map(|token| token.consent.clone()) {
            // RFC 7009 §2.1: with the refresh token go the access tokens of the same grant
            state.tokens.revoke_all_of(&consent);
        } else if state.tokens.access(text).is_some_and(|token| token.client_id == *client) {
            if let Some(Grant::Consent(consent)) = state.tokens.access(text).map(|t| &t.grant) {
                context.consent = Some(consent.clone());
            }
            state.tokens.revoke(text);
        } else {
            // RFC 7009 §2.2: an unknown token is no error
            context.note = Some("the token is unknown, or another client's".into());
        }
        Ok(Answer::empty(200).header("cache-control", "no-store"))
    }
}

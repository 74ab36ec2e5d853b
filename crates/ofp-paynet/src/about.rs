//! Which consent a request is about, before anything of it has been checked: for the record, and
//! for faults that strike one consent.

use ofp_evidence::Endpoint;
use ofp_net::{Inbound, parse_form};
use ofp_types::ConsentId;

use crate::{
    authorization_server::{cookie, returning},
    platform::Platform,
    state::{Grant, State},
};

impl Platform {
    /// The consent that a request names, if the platform knows it.
    pub(crate) fn about(&self, endpoint: Endpoint, inbound: &Inbound) -> Option<ConsentId> {
        let state = self.state();
        let named = match endpoint {
            Endpoint::UpdateConsent
            | Endpoint::RetrieveConsent
            | Endpoint::RevokeConsent
            | Endpoint::SuspendConsent
            | Endpoint::ReactivateConsent => ConsentId::parse(inbound.parameter.as_str()).ok(),
            Endpoint::PaynetAccount
            | Endpoint::PaynetBalances
            | Endpoint::PaynetTransactions
            | Endpoint::PaynetUserinfo => {
                let (_, token) = inbound.header("authorization")?.split_once(' ')?;
                of_token(&state, token.trim())
            }
            Endpoint::Token | Endpoint::Introspection | Endpoint::Revocation => {
                let form = parse_form(&inbound.body).ok()?;
                let code = form.get("code").and_then(|code| state.codes.get(code));
                let code = code.map(|code| code.consent.clone());
                let token = form.get("refresh_token").or_else(|| form.get("token"));
                code.or_else(|| token.and_then(|token| of_token(&state, token)))
            }
            Endpoint::PaynetAuthorize => {
                let query = parse_form(inbound.query.as_bytes()).ok()?;
                state.requests.consent(query.get("request_uri")?).cloned()
            }
            Endpoint::Callback => {
                let query = parse_form(inbound.query.as_bytes()).ok()?;
                let named =
                    query.get("consent_id").and_then(|id| ConsentId::parse(id.as_str()).ok());
                let browser =
                    || returning(&state, state.browsers.get(cookie(inbound)?, self.now())?).ok();
                named.or_else(browser)
            }
            _ => None,
        };
        named.filter(|id| state.consents.get(id).is_some())
    }
}

fn of_token(state: &State, text: &str) -> Option<ConsentId> {
    let access = state.tokens.access(text).and_then(|token| match &token.grant {
        Grant::Consent(consent) => Some(consent.clone()),
        Grant::Client => None,
    });
    access.or_else(|| state.tokens.refresh(text).map(|token| token.consent.clone()))
}

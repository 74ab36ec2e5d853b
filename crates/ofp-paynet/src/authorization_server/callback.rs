//! A8: the DP returns the browser here, and the platform takes it back to the DC.
//!
//! What counts is the consent's status, set by Update Consent, never the query that the DP chose.

use std::sync::Arc;

use ofp_net::{Answer, Inbound, parse_form};
use ofp_types::{
    ConsentId, ConsentStatus, ErrorCode, ReasonCode, StatusReason, Trigger, UpdatedBy, token,
};

use super::cookie;
use crate::{
    platform::{Change, Platform},
    refusal::Refusal,
    serve::Context,
    state::{Code, Held},
};

impl Platform {
    pub(crate) fn callback(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let (id, from_our_browser) = self.correlate(inbound)?;
        context.consent = Some(id.clone());
        let unknown = || Refusal::bad_request("no authorization is under way for this browser");
        let held = self.held(&id).ok_or_else(unknown)?;
        if held.answered {
            return Err(Refusal::bad_request("this authorization has been completed before"));
        }
        match held.consent.status {
            ConsentStatus::Authorized => Ok(self.give_code(&held, context)),
            ConsentStatus::AwaitingAuthorization if from_our_browser => {
                context.note =
                    Some("the browser came back before any Update Consent: no code".into());
                self.undecided(&id, context);
                let held = self.held(&id).unwrap_or(held);
                Ok(self.refuse_at_dc(&held, ErrorCode::ServerError, context))
            }
            ConsentStatus::AwaitingAuthorization => {
                Err(Refusal::bad_request("the customer has not decided yet"))
            }
            ConsentStatus::Failed => {
                Ok(self.refuse_at_dc(&held, ErrorCode::TemporarilyUnavailable, context))
            }
            _ => Ok(self.refuse_at_dc(&held, ErrorCode::AccessDenied, context)),
        }
    }

    /// Which consent a returning browser is about, and whether it is the browser that was sent away.
    /// `consent_id` tells, which must be one that a browser with our cookie is authorizing;
    /// without it, the consent that it was sent away with last. A browser without our cookie may
    /// come from a bank's app.
    fn correlate(&self, inbound: &Inbound) -> Result<(ConsentId, bool), Refusal> {
        let query = parse_form(inbound.query.as_bytes())
            .map_err(|e| Refusal::bad_request(e.to_string()))?;
        let nothing = || Refusal::bad_request("no authorization is under way for this browser");
        let named = query.get("consent_id").map(|id| ConsentId::parse(id.as_str()));
        let named = named.transpose().map_err(|e| Refusal::bad_request(e.to_string()))?;
        let (state, now) = (self.state(), self.now());
        let browser = cookie(inbound).and_then(|value| state.browsers.get(value, now));
        let newest = browser.and_then(|browser| browser.newest());
        match (named, browser, newest) {
            (Some(named), Some(browser), _) if browser.authorizes(&named) => Ok((named, true)),
            (Some(named), Some(_), Some(newest)) => Err(Refusal::bad_request(format!(
                "consent_id is {named}, but this browser is authorizing {newest}"
            ))),
            (Some(named), _, _) => Ok((named, false)),
            (None, _, Some(newest)) => Ok((newest.clone(), true)),
            (None, _, None) => Err(nothing()),
        }
    }

    fn undecided(self: &Arc<Self>, id: &ConsentId, context: &Context) {
        let reason = StatusReason::new(
            ReasonCode::ProviderError,
            "the Data Provider returned the customer without a decision",
        );
        let change = Change {
            trigger: Trigger::ProviderFailure,
            by: UpdatedBy::Ofp,
            reason: Some(reason),
            cause: Some(context.exchange),
        };
        // refused only when a decision arrived meanwhile, which then stands
        let _ = self.transition(id, change, |_| {});
    }

    fn give_code(&self, held: &Held, context: &Context) -> Answer {
        let text = token(&*self.entropy);
        self.journal.secret(&text);
        let id = &held.consent.consent_id;
        let client = self.dc(&held.consent.dc_id).map(|dc| dc.client.client_id.clone());
        let Some(client_id) = client else {
            return Answer::empty(500);
        };
        let code = Code {
            consent: id.clone(),
            client_id,
            expires: {
                let now = held.now(self.now());
                now.saturating_add(self.profile.code_ttl).unwrap_or(now)
            },
            used: false,
        };
        self.state().codes.issue(&text, code, self.now());
        self.respond(held, &[("code", &text)], context)
    }
}

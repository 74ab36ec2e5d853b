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
    state::{Browser, Code, Held, State, Upstream},
};

impl Platform {
    pub(crate) async fn callback(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        if let Ok(Some(code)) = parse_form(inbound.query.as_bytes()).map(|mut q| q.remove("code")) {
            // a DP's own, whatever becomes of it
            self.journal.secret_of_peer(&code);
        }
        let (id, from_our_browser) = self.correlate(inbound)?;
        context.consent = Some(id.clone());
        let unknown = || Refusal::bad_request("no authorization is under way for this browser");
        let held = self.held(&id).ok_or_else(unknown)?;
        if held.answered {
            return Err(Refusal::bad_request("this authorization has been completed before"));
        }
        match held.consent.status {
            ConsentStatus::Authorized if self.profile.oidc_at_dp => {
                self.redeem_and_answer(&held, inbound, from_our_browser, context).await
            }
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
    /// `consent_id` tells, which must be one that a browser with our cookie is authorizing.
    /// A browser without our cookie may come from a bank's app.
    fn correlate(&self, inbound: &Inbound) -> Result<(ConsentId, bool), Refusal> {
        let query = parse_form(inbound.query.as_bytes())
            .map_err(|e| Refusal::bad_request(e.to_string()))?;
        let named = query.get("consent_id").map(|id| ConsentId::parse(id.as_str()));
        let named = named.transpose().map_err(|e| Refusal::bad_request(e.to_string()))?;
        let (state, now) = (self.state(), self.now());
        let browser = cookie(inbound).and_then(|value| state.browsers.get(value, now));
        match (named, browser) {
            (Some(named), None) => Ok((named, false)),
            (Some(named), Some(browser)) if browser.authorizes(&named) => Ok((named, true)),
            (Some(named), Some(browser)) => {
                let own: Vec<&str> = browser.consents().iter().map(ConsentId::as_str).collect();
                Err(Refusal::bad_request(format!(
                    "consent_id is {named}, but this browser is authorizing {}",
                    own.join(" and ")
                )))
            }
            (None, Some(browser)) => returning(&state, browser).map(|id| (id, true)),
            (None, None) => {
                Err(Refusal::bad_request("no authorization is under way for this browser"))
            }
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

    /// A code of PayNet's for one of the DP's, where the DP is an OpenID provider.
    async fn redeem_and_answer(
        self: &Arc<Self>,
        held: &Held,
        inbound: &Inbound,
        from_our_browser: bool,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let id = &held.consent.consent_id;
        let stated = parse_form(inbound.query.as_bytes()).ok().and_then(|mut q| q.remove("state"));
        // taken, so that a browser that comes twice redeems once; and left alone by whoever knows the consent_id only
        let upstream = self.state().consents.change(id, |held| {
            let is_it = |upstream: &mut Upstream| stated.as_ref() == Some(&upstream.state);
            // a DP that sends our browser back without one has no more to say; a wrong one is a stranger's link
            match from_our_browser && stated.is_none() {
                true => held.upstream.take(),
                false => held.upstream.take_if(is_it),
            }
        });
        let again = || {
            Refusal::bad_request("this authorization is not this browser's, or is being completed")
        };
        let upstream = upstream.flatten().ok_or_else(again)?;
        let redeemed = self.redeem_at_dp(held, &upstream, inbound, context).await;
        let now = self.held(id).unwrap_or_else(|| held.clone());
        match redeemed {
            Ok(()) if now.consent.status == ConsentStatus::Authorized && !now.answered => {
                Ok(self.give_code(&now, context))
            }
            // something ended it while the DP answered
            Ok(()) => Ok(self.refuse_at_dc(&now, ErrorCode::AccessDenied, context)),
            Err(reason) => {
                self.unproven(id, context);
                context.note = Some(reason);
                let now = self.held(id).unwrap_or(now);
                Ok(self.refuse_at_dc(&now, ErrorCode::ServerError, context))
            }
        }
    }

    /// The DP said who approved, and could not prove it: nothing may flow.
    fn unproven(self: &Arc<Self>, id: &ConsentId, context: &Context) {
        let reason = StatusReason::new(
            ReasonCode::ProviderError,
            "the Data Provider's token endpoint gave no id_token for the approval",
        );
        let (trigger, by, cause) = (Trigger::Revoke, UpdatedBy::Ofp, Some(context.exchange));
        // refused only when something else ended it meanwhile
        let _ = self.transition(id, Change { trigger, by, reason: Some(reason), cause }, |_| {});
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

/// What a browser that names nothing comes back with: the one authorization that is under way, or the
/// one of several that the DP has decided.
pub(crate) fn returning(state: &State, browser: &Browser) -> Result<ConsentId, Refusal> {
    let held = browser.consents().iter().filter_map(|id| state.consents.get(id));
    let open: Vec<&Held> = held.filter(|held| !held.answered).collect();
    let decided = |held: &&&Held| {
        matches!(held.consent.status, ConsentStatus::Authorized | ConsentStatus::Rejected)
    };
    let decided: Vec<&Held> = open.iter().filter(decided).copied().collect();
    let reason = match (&open[..], &decided[..]) {
        ([one], _) | (_, [one]) => return Ok(one.consent.consent_id.clone()),
        ([], _) if browser.consents().is_empty() => {
            "no authorization is under way for this browser"
        }
        ([], _) => "this authorization has been completed before",
        _ => {
            "several authorizations are under way in this browser: the DP must say which, by consent_id"
        }
    };
    Err(Refusal::bad_request(reason))
}

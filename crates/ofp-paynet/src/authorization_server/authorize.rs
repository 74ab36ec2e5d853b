//! A7: the authorization endpoint, which takes the browser on to the DP.

use std::sync::Arc;

use ofp_net::{Answer, Inbound, encode_form, parse_form};
use ofp_types::{
    AuthorizeMode, Consent, ConsentId, ConsentStatus, Effect, ErrorCode, FaultPoint, ReasonCode,
    StatusReason, Trigger, UpdatedBy, token, wire::REQUEST_URI_PREFIX,
};

use super::picker::stopped;
use crate::{
    faults::spoil,
    platform::{Change, Platform},
    refusal::Refusal,
    serve::Context,
    state::{Browser, Held, RequestError, Target},
};

/// The cookie by which the callback knows the browser again.
/// `__Host-`: no other host or page in clear may have set it (RFC 6265bis §4.1.3.2).
const COOKIE: &str = "__Host-ofp-authorization";

/// The value of our cookie.
pub(crate) fn cookie(inbound: &Inbound) -> Option<&str> {
    let pairs = inbound.header("cookie")?.split(';');
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(n, _)| *n == COOKIE).map(|(_, v)| v)
}

impl Platform {
    pub(crate) async fn authorize(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        match self.redeem(inbound, context) {
            Err(refusal) => {
                context.note = Some(refusal.reason.clone());
                stopped(inbound, refusal)
            }
            Ok(Target::Unchosen(dc, object)) => self.picker(dc, object, inbound),
            Ok(Target::Consent(consent)) => self.take_to_dp(&consent, inbound, context).await,
        }
    }

    /// Uses up a `request_uri` and returns what it was for.
    fn redeem(self: &Arc<Self>, inbound: &Inbound, context: &Context) -> Result<Target, Refusal> {
        let query = parse_form(inbound.query.as_bytes())
            .map_err(|e| Refusal::bad_request(e.to_string()))?;
        let parameter = |name: &str| {
            let missing = || Refusal::bad_request(format!("the query has no {name}"));
            query.get(name).ok_or_else(missing)
        };
        let (client_id, request_uri) = (parameter("client_id")?, parameter("request_uri")?);
        // the same shelf holds the forms of the picker, which are nobody's request_uri
        if !request_uri.starts_with(REQUEST_URI_PREFIX) {
            return Err(Refusal::bad_request(RequestError::Unknown.to_string()));
        }
        let held = context.consent.as_ref().and_then(|id| self.held(id));
        let now = held.map_or(self.now(), |held| held.now(self.now()));
        let redeemed = self.state().requests.redeem(request_uri, client_id, now);
        redeemed.map(|request| request.target).map_err(|e| Refusal::bad_request(e.to_string()))
    }

    /// On to the DP, or back to the DC with an error.
    pub(super) async fn take_to_dp(
        self: &Arc<Self>,
        id: &ConsentId,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let gone = || Refusal::bad_request("the consent is no longer known");
        let held = self.held(id).ok_or_else(gone)?;
        match held.consent.status {
            ConsentStatus::AwaitingAuthorization => {}
            ConsentStatus::Failed => {
                return Ok(self.refuse_at_dc(&held, ErrorCode::TemporarilyUnavailable, context));
            }
            _ => return Ok(self.refuse_at_dc(&held, ErrorCode::AccessDenied, context)),
        }
        let effect = self.call_fault(FaultPoint::DpAuthorize, &held.consent, None).await;
        let link = self.dp_link(&held.consent, effect);
        let location = match self.profile.authorize_mode {
            AuthorizeMode::Browser => Ok(link),
            AuthorizeMode::Relay => self.relay(&held.consent, link, effect, context).await,
        };
        match location {
            Ok(location) => Ok(self.send_to_dp(&held.consent, location, inbound)),
            Err(reason) => {
                context.note = Some(reason);
                self.fail(&held.consent, context);
                let held = self.held(id).unwrap_or(held);
                Ok(self.refuse_at_dc(&held, ErrorCode::TemporarilyUnavailable, context))
            }
        }
    }

    /// The DP's authorize endpoint with its three parameters (S1:L388-404).
    fn dp_link(&self, consent: &Consent, effect: Option<Effect>) -> String {
        let mut signature = self.keys.signing().sign(consent.consent_id.as_str().as_bytes());
        if let Some(Effect::Jose(fault)) = effect {
            signature = spoil(fault, &signature);
        }
        let callback = self.callback_uri();
        let mut query = vec![
            ("consent_id", consent.consent_id.as_str()),
            ("redirect_uri", &callback),
            ("signature", &signature),
        ];
        let upstream = self.profile.oidc_at_dp.then(|| self.upstream(&consent.consent_id));
        if let Some(upstream) = &upstream {
            query.extend(upstream.parameters());
        }
        let query = encode_form(&query);
        let dp = self.dp(&consent.dp_id);
        let origin = dp.map(|dp| dp.as_webhooks.join("/v1/oauth/authorize")).unwrap_or_default();
        format!("{origin}?{query}")
    }

    /// Where DPs return the browser to.
    pub(crate) fn callback_uri(&self) -> String {
        self.issuer.join("/v1/oauth/callback")
    }

    fn send_to_dp(&self, consent: &Consent, location: String, inbound: &Inbound) -> Answer {
        let id = consent.consent_id.clone();
        let cookie = self.remember(inbound, |browser| browser.sent_away(id));
        Answer::empty(303)
            .header("location", location)
            .header("cache-control", "no-store")
            .header("set-cookie", cookie)
    }

    /// Writes something down about a browser: under the cookie that it has, or under a new one. The
    /// header that says so.
    pub(super) fn remember(&self, inbound: &Inbound, mark: impl FnOnce(&mut Browser)) -> String {
        let (life, now) = (self.profile.consent_auth_ttl, self.now());
        let new = token(&*self.entropy);
        let mut state = self.state();
        let known = cookie(inbound).filter(|value| state.browsers.get(value, now).is_some());
        let value = known.unwrap_or(&new);
        state.browsers.mark(value, (now, now + life), mark);
        let life = life.as_secs();
        format!("{COOKIE}={value}; Path=/; Max-Age={life}; Secure; HttpOnly; SameSite=Lax")
    }

    fn fail(self: &Arc<Self>, consent: &Consent, context: &Context) {
        let reason = StatusReason::new(
            ReasonCode::ProviderError,
            "the Data Provider could not take the customer through authorization",
        );
        let change = Change {
            trigger: Trigger::ProviderFailure,
            by: UpdatedBy::Ofp,
            reason: Some(reason),
            cause: Some(context.exchange),
        };
        // refused only when something else decided meanwhile, which then stands
        let _ = self.transition(&consent.consent_id, change, |_| {});
    }

    /// Back to the DC with an error, and with why the consent stands where it does.
    pub(super) fn refuse_at_dc(
        &self,
        held: &Held,
        code: ErrorCode,
        context: &mut Context,
    ) -> Answer {
        let description = match &held.consent.status_reason {
            Some(reason) => reason.reason_description.clone(),
            None => format!("the consent is {}", held.consent.status),
        };
        if context.note.is_none() {
            context.note = Some(format!("the consent is {}", held.consent.status));
        }
        self.respond(
            held,
            &[("error", code.as_str()), ("error_description", &description)],
            context,
        )
    }

    /// The authorization response, which a browser gets once.
    pub(super) fn respond(
        &self,
        held: &Held,
        parameters: &[(&str, &str)],
        context: &Context,
    ) -> Answer {
        self.state().consents.change(&held.consent.consent_id, |held| held.answered = true);
        let dc = self.dc(&held.consent.dc_id);
        let client = dc.map(|dc| dc.client.client_id.as_str()).unwrap_or_default();
        self.response(&held.request, client, parameters, context)
    }
}

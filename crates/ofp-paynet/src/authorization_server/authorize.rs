//! A7: the authorization endpoint, which takes the browser on to the DP.

use std::sync::Arc;

use ofp_net::{Answer, Inbound, encode_form, parse_form};
use ofp_types::{
    AuthorizeMode, Consent, ConsentStatus, ErrorCode, ReasonCode, StatusReason, Trigger, UpdatedBy,
    token,
};

use crate::{
    platform::{Change, Platform},
    refusal::Refusal,
    serve::Context,
    state::Held,
};

/// The cookie by which the callback knows the browser again.
pub(super) const COOKIE: &str = "ofp-authorization";

impl Platform {
    pub(crate) async fn authorize(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let query = parse_form(inbound.query.as_bytes())
            .map_err(|e| Refusal::bad_request(e.to_string()))?;
        let parameter = |name: &str| {
            let missing = || Refusal::bad_request(format!("the query has no {name}"));
            query.get(name).ok_or_else(missing)
        };
        let (client_id, request_uri) = (parameter("client_id")?, parameter("request_uri")?);
        let held = self.redeem(request_uri, client_id, context)?;
        if held.consent.status != ConsentStatus::AwaitingAuthorization {
            return Ok(self.refuse_at_dc(&held, ErrorCode::AccessDenied, context));
        }
        let link = self.dp_link(&held.consent);
        let location = match self.profile.authorize_mode {
            AuthorizeMode::Browser => Ok(link),
            AuthorizeMode::Relay => self.relay(&held.consent, link, context).await,
        };
        match location {
            Ok(location) => Ok(self.send_to_dp(&held.consent, location)),
            Err(reason) => {
                context.note = Some(reason);
                self.fail(&held.consent, context);
                let held = self.held(&held.consent.consent_id).unwrap_or(held);
                Ok(self.refuse_at_dc(&held, ErrorCode::TemporarilyUnavailable, context))
            }
        }
    }

    /// Uses up a `request_uri` and returns the consent that it was for.
    fn redeem(
        self: &Arc<Self>,
        request_uri: &str,
        client_id: &str,
        context: &mut Context,
    ) -> Result<Held, Refusal> {
        let unknown = || Refusal::bad_request("request_uri is unknown or has been used before");
        let consent = self.state().requests.consent(request_uri).cloned().ok_or_else(unknown)?;
        context.consent = Some(consent.clone());
        let held = self.held(&consent).ok_or_else(unknown)?;
        let now = held.now(self.now());
        self.state()
            .requests
            .redeem(request_uri, client_id, now)
            .map_err(|e| Refusal::bad_request(e.to_string()))?;
        Ok(held)
    }

    /// The DP's authorize endpoint with its three parameters (S1:L388-404).
    fn dp_link(&self, consent: &Consent) -> String {
        let signature = self.signing.sign(consent.consent_id.as_str().as_bytes());
        let callback = self.callback_uri();
        let query = encode_form(&[
            ("consent_id", consent.consent_id.as_str()),
            ("redirect_uri", &callback),
            ("signature", &signature),
        ]);
        let dp = self.dp(&consent.dp_id);
        let origin = dp.map(|dp| dp.as_webhooks.join("/v1/oauth/authorize")).unwrap_or_default();
        format!("{origin}?{query}")
    }

    /// Where DPs return the browser to.
    pub(crate) fn callback_uri(&self) -> String {
        self.issuer.join("/v1/oauth/callback")
    }

    fn send_to_dp(&self, consent: &Consent, location: String) -> Answer {
        let cookie = token(&*self.entropy);
        self.state().browsers.insert(cookie.clone(), consent.consent_id.clone());
        let life = self.profile.consent_auth_ttl.as_secs();
        Answer::empty(303).header("location", location).header("cache-control", "no-store").header(
            "set-cookie",
            format!(
                "{COOKIE}={cookie}; Path=/v1/oauth; Max-Age={life}; Secure; HttpOnly; SameSite=Lax"
            ),
        )
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
}

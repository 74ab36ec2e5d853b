//! A7, where the request named no DP: the customer picks one (PayNet's Postman guide).

use std::sync::Arc;

use askama::Template;
use ofp_net::{Answer, Inbound};
use ofp_types::{DcId, DpId, token};

use super::{RequestObject, cookie, posted, required};
use crate::{
    platform::Platform,
    refusal::Refusal,
    serve::Context,
    state::{PushedRequest, Target},
};

/// One bank in the list.
struct Provider<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "picker.html")]
struct PickerPage<'a> {
    dc: &'a str,
    pick: &'a str,
    providers: Vec<Provider<'a>>,
}

#[derive(Template)]
#[template(path = "stopped.html")]
struct StoppedPage<'a> {
    reason: &'a str,
}

/// The style sheet of the platform's pages.
pub(crate) fn style() -> Answer {
    Answer::new(200, "text/css; charset=utf-8", include_str!("../../templates/style.css"))
        .header("cache-control", "max-age=3600")
}

/// A page that nobody may frame and that runs no script.
fn html(status: u16, page: &impl Template) -> Answer {
    // a template over plain values renders unless memory runs out
    let Ok(body) = page.render() else { return Answer::empty(500) };
    Answer::new(status, "text/html; charset=utf-8", body)
        .header("cache-control", "no-store")
        .header("x-frame-options", "DENY")
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer")
        .header(
            "content-security-policy",
            "default-src 'none'; style-src 'self'; form-action https:; frame-ancestors 'none'; base-uri 'none'",
        )
}

/// What a person sees where a browser cannot be sent on. Programs get JSON.
pub(super) fn stopped(inbound: &Inbound, refusal: Refusal) -> Result<Answer, Refusal> {
    let is_browser = inbound.header("accept").is_some_and(|accept| accept.contains("text/html"));
    if is_browser { Ok(html(400, &StoppedPage { reason: &refusal.reason })) } else { Err(refusal) }
}

impl Platform {
    /// The page, under a one-time name that only this browser has.
    pub(super) fn picker(
        &self,
        dc: DcId,
        object: Box<RequestObject>,
        inbound: &Inbound,
    ) -> Result<Answer, Refusal> {
        let registered = self.dc(&dc).ok_or_else(|| Refusal::bad_request("the DC is gone"))?;
        let pick = token(&*self.entropy);
        let page = html(
            200,
            &PickerPage {
                dc: &registered.client.name,
                pick: &pick,
                providers: self
                    .dps
                    .iter()
                    .map(|dp| Provider { id: dp.dp_id.as_str(), name: &dp.client.name })
                    .collect(),
            },
        );
        let request = PushedRequest {
            client_id: registered.client.client_id.clone(),
            target: Target::Unchosen(dc, object),
            expires: self.now() + self.profile.consent_auth_ttl,
        };
        self.state().requests.push(&pick, request, self.now());
        let cookie = self.remember(inbound, |browser| browser.shown_form(pick));
        Ok(page.header("set-cookie", cookie))
    }

    /// The customer's pick: only now is there a consent, and the DP learns of it.
    pub(crate) async fn pick_provider(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let form = posted(inbound)?;
        let pick = required(&form, "pick")?;
        let now = self.now();
        let shown = |value| {
            self.state().browsers.get(value, now).is_some_and(|browser| browser.has_form(pick))
        };
        if !cookie(inbound).is_some_and(shown) {
            return Err(Refusal::bad_request("the form was not shown to this browser"));
        }
        let chosen = required(&form, "dp_id")?;
        let dp = DpId::parse(chosen.as_str()).ok().and_then(|id| self.dp(&id));
        let dp =
            dp.ok_or_else(|| Refusal::bad_request(format!("no DP `{chosen}` is registered")))?;
        let (dc, object) = self.picked_request(pick)?;
        let registered = self.dc(&dc).ok_or_else(|| Refusal::bad_request("the DC is gone"))?;
        let held = self.new_consent(registered, *object, dp.dp_id.clone())?;
        context.consent = Some(held.consent.consent_id.clone());
        let consent = held.consent.clone();
        self.create(held, context.exchange);
        self.announce(&consent, context.exchange).await;
        self.take_to_dp(&consent.consent_id, inbound, context).await
    }

    fn picked_request(&self, pick: &str) -> Result<(DcId, Box<RequestObject>), Refusal> {
        let over = || Refusal::bad_request("this choice was made before, or took too long");
        let now = self.now();
        let mut state = self.state();
        let client = state.requests.client(pick).cloned().ok_or_else(over)?;
        match state.requests.redeem(pick, client.as_str(), now).map_err(|_| over())?.target {
            Target::Unchosen(dc, object) => Ok((dc, object)),
            Target::Consent(_) => Err(over()),
        }
    }
}

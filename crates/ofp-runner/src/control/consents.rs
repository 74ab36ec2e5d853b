//! Consents: ask for one, read them, move their clocks, change them.

use std::time::Duration;

use ofp_dc::ConsentRequest;
use ofp_net::{Answer, Inbound};
use ofp_scenario::Span;
use ofp_types::{Consent, StatusReason, Trigger};

use super::{
    Control,
    bodies::{
        ChangeWord, ClockAdvance, ConsentAsked, ConsentList, ConsentView, ConsentWish, Done,
        ErrorAnswer, LinkWish, LinkedView, StatusChange,
    },
    problem::{Problem, body, consent_id, unknown_consent},
};
use crate::{LinkError, play::end_of_day};

/// How long `settle` waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// Make the DC ask for a consent
///
/// The DC pushes an authorization request to PayNet; PayNet tells the DP. Send a browser to
/// `authorize_url` next.
#[utoipa::path(post, path = "/v1/consents", tag = "consents", operation_id = "requestConsent",
    request_body = ConsentWish,
    responses((status = 201, description = "asked", body = ConsentAsked),
        (status = 400, description = "the wish makes no sense", body = ErrorAnswer),
        (status = 401, description = "no token", body = ErrorAnswer),
        (status = 502, description = "PayNet refused the DC", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) async fn request_consent(
    control: &Control,
    inbound: &Inbound,
) -> Result<Answer, Problem> {
    let wish: ConsentWish = body(inbound)?;
    let world = &control.world;
    let pending = world.dc.request_consent(&control.wanted(wish)?).await;
    let pending = pending.map_err(|e| Problem::new(502, "server_error", e.to_string()))?;
    let asked = ConsentAsked {
        consent_id: world.paynet.consent_of_request(&pending.state).map(String::from),
        authorize_url: pending.authorize_url.clone(),
        state: pending.state.clone(),
    };
    control.remember(pending).await;
    Ok(json(201, &asked))
}

/// Make a consent in one go
///
/// The DC asks, the customer logs in at the reference DP, shares every eligible account and approves,
/// the DC redeems the code.
#[utoipa::path(post, path = "/v1/links", tag = "consents", operation_id = "link",
    request_body = LinkWish,
    responses((status = 201, description = "linked", body = LinkedView),
        (status = 400, description = "the wish makes no sense", body = ErrorAnswer),
        (status = 401, description = "no token", body = ErrorAnswer),
        (status = 502, description = "the journey did not come to its end", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) async fn link(control: &Control, inbound: &Inbound) -> Result<Answer, Problem> {
    let wish: LinkWish = body(inbound)?;
    if wish.consent.pick_provider {
        return Err(Problem::bad_request("pick_provider needs a browser: POST /v1/consents"));
    }
    let request = control.wanted(wish.consent)?;
    let linked = control.world.link(&wish.username, &request).await;
    let linked = linked.map_err(|e| match e {
        LinkError::NoCustomer(_) => Problem::bad_request(e.to_string()),
        _ => Problem::new(502, "server_error", e.to_string()),
    })?;
    Ok(json(201, &LinkedView::of(&linked)))
}

/// Every consent that PayNet holds
#[utoipa::path(get, path = "/v1/consents", tag = "consents", operation_id = "listConsents",
    responses((status = 200, description = "the consents", body = ConsentList),
        (status = 401, description = "no token", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) fn list_consents(control: &Control) -> Result<Answer, Problem> {
    let all = control.world.paynet.consents();
    let consents = all.iter().map(|consent| control.consent_view(consent)).collect();
    Ok(json(200, &ConsentList { consents }))
}

/// A consent
#[utoipa::path(get, path = "/v1/consents/{consent_id}", tag = "consents", operation_id = "readConsent",
    params(("consent_id" = String, Path, description = "the consent")),
    responses((status = 200, description = "the consent", body = ConsentView),
        (status = 401, description = "no token", body = ErrorAnswer),
        (status = 404, description = "no such consent", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) fn read_consent(control: &Control, inbound: &Inbound) -> Result<Answer, Problem> {
    let consent = control.consent(inbound)?;
    Ok(json(200, &control.consent_view(&consent)))
}

/// Move a consent's clock
///
/// PayNet and the reference DP judge this consent's window, code, tokens and validity at wall time
/// plus the offset. Nothing else is disturbed, and everything signed keeps true time.
#[utoipa::path(post, path = "/v1/consents/{consent_id}/clock", tag = "consents", operation_id = "advanceClock",
    params(("consent_id" = String, Path, description = "the consent")),
    request_body = ClockAdvance,
    responses((status = 200, description = "the consent at its new time", body = ConsentView),
        (status = 400, description = "no length of time", body = ErrorAnswer),
        (status = 401, description = "no token", body = ErrorAnswer),
        (status = 404, description = "no such consent", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) fn advance_clock(control: &Control, inbound: &Inbound) -> Result<Answer, Problem> {
    let consent = control.consent(inbound)?;
    let advance: ClockAdvance = body(inbound)?;
    let span = Span::parse(&advance.by).ok_or_else(|| {
        let expected = "a length of time such as 500ms, 5s, 11m, 2h or 180d, at most 3660d";
        Problem::bad_request(format!("by must be {expected}, not `{}`", advance.by))
    })?;
    let world = &control.world;
    world.dp.advance_clock(&consent.consent_id, span.0);
    if !world.paynet.advance_clock(&consent.consent_id, span.0) {
        return Err(unknown_consent(&inbound.parameter));
    }
    read_consent(control, inbound)
}

/// Change a consent in the platform's own name
#[utoipa::path(post, path = "/v1/consents/{consent_id}/status", tag = "consents", operation_id = "changeStatus",
    params(("consent_id" = String, Path, description = "the consent")),
    request_body = StatusChange,
    responses((status = 200, description = "the consent", body = ConsentView),
        (status = 400, description = "no such change", body = ErrorAnswer),
        (status = 401, description = "no token", body = ErrorAnswer),
        (status = 404, description = "no such consent", body = ErrorAnswer),
        (status = 409, description = "the state machine has no such step", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) fn change_status(control: &Control, inbound: &Inbound) -> Result<Answer, Problem> {
    let consent = control.consent(inbound)?;
    let wish: StatusChange = body(inbound)?;
    let trigger = match wish.change {
        ChangeWord::Revoke => Trigger::Revoke,
        ChangeWord::Suspend => Trigger::Suspend,
        ChangeWord::Reactivate => Trigger::Reactivate,
    };
    if trigger == Trigger::Suspend && wish.reason_code.is_none() {
        return Err(Problem::bad_request("reason_code is required to suspend"));
    }
    let reason = wish.reason_code.map(|reason_code| StatusReason {
        reason_code,
        reason_description: "by the control surface".into(),
    });
    let changed = control.world.paynet.change(&consent.consent_id, trigger, reason);
    changed.map_err(|e| Problem::new(409, "Consent.Invalid", e.to_string()))?;
    read_consent(control, inbound)
}

/// Wait until no event about a consent is on its way
#[utoipa::path(post, path = "/v1/consents/{consent_id}/settle", tag = "consents", operation_id = "settle",
    params(("consent_id" = String, Path, description = "the consent")),
    responses((status = 200, description = "DP and DC have been told, or could not be", body = Done),
        (status = 401, description = "no token", body = ErrorAnswer),
        (status = 404, description = "no such consent", body = ErrorAnswer),
        (status = 504, description = "an event is still on its way", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) async fn settle(control: &Control, inbound: &Inbound) -> Result<Answer, Problem> {
    let consent = control.consent(inbound)?;
    let settled = control.world.paynet.settled(&consent.consent_id, PATIENCE).await;
    settled.map_err(|e| Problem::new(504, "temporarily_unavailable", e.to_string()))?;
    Ok(json(200, &Done { done: true }))
}

impl Control {
    /// What the DC is to ask for.
    fn wanted(&self, wish: ConsentWish) -> Result<ConsentRequest, Problem> {
        if !(1..=3660).contains(&wish.valid_for_days) {
            return Err(Problem::bad_request(format!(
                "valid_for_days must be from 1 to 3660, not {}",
                wish.valid_for_days
            )));
        }
        if wish.permissions.is_empty() {
            return Err(Problem::bad_request("permissions must not be empty"));
        }
        let days = jiff::SignedDuration::from_hours(24 * i64::from(wish.valid_for_days));
        Ok(ConsentRequest {
            dp_id: (!wish.pick_provider).then(|| self.world.dp_id.clone()),
            purpose: wish.purpose,
            permissions: wish.permissions,
            expiration: end_of_day(self.world.clock.now() + days),
            as_jwt: wish.response_as_jwt,
        })
    }

    /// The consent that a path names.
    pub(super) fn consent(&self, inbound: &Inbound) -> Result<Consent, Problem> {
        let id = consent_id(inbound)?;
        self.world.paynet.consent(&id).ok_or_else(|| unknown_consent(&inbound.parameter))
    }

    fn consent_view(&self, consent: &Consent) -> ConsentView {
        let (id, world) = (&consent.consent_id, &self.world);
        let offset = world.paynet.clock_offset(id).unwrap_or_default();
        ConsentView::of(consent, offset, world.dc.linked(id).is_some(), world.dc.told(id))
    }
}

pub(super) fn json(status: u16, body: &impl serde::Serialize) -> Answer {
    Answer::json(status, &serde_json::to_value(body).unwrap_or_default())
}

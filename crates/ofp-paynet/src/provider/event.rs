//! D1 and C1: consent events, to the DP and to the DC.
//!
//! Each is freshly signed at every try, up to three times again with a growing pause. The
//! outbox says when.

use std::time::Duration;

use ofp_evidence::Endpoint;
use ofp_net::{Call, Caller, Request};
use ofp_types::{
    ClientId, Effect, FaultPoint, Origin, PLATFORM_AUDIENCE, RequestClaims, SigBody,
    signature_header, uuid_v4,
    wire::{EventType, consent_event, dc_consent_event},
};
use serde_json::Value;

use super::forward::excused;
use crate::{
    faults::{FaultScope, Struck, spoil},
    platform::Platform,
    state::Owed,
};

/// How long to wait before each try after the first.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_millis(1000)];

/// Who is told.
struct Recipient<'a> {
    at: FaultPoint,
    endpoint: Endpoint,
    caller: &'a Caller,
    client: &'a ClientId,
    /// Its id as a participant.
    name: &'a str,
    origin: &'a Origin,
    body: Value,
}

impl Platform {
    /// Sends an event to the DP and to the DC. False when the DP did not take it.
    pub(super) async fn send(&self, due: &Owed) -> bool {
        let is_for = |at| due.only.is_none_or(|only| only == at);
        let dp = self.dp_recipient(due).filter(|to| is_for(to.at));
        let dc = self.dc_recipient(due).filter(|to| is_for(to.at));
        let deliver = async |to: Option<Recipient<'_>>| match to {
            Some(to) => self.deliver(&to, due).await,
            None => false,
        };
        tokio::join!(deliver(dp), deliver(dc)).0
    }

    fn dp_recipient(&self, due: &Owed) -> Option<Recipient<'_>> {
        let dp = self.dp(&due.consent.dp_id)?;
        Some(Recipient {
            at: FaultPoint::ConsentEvent,
            endpoint: Endpoint::ConsentEvent,
            caller: self.dp_callers.get(&dp.dp_id)?,
            client: &dp.client.client_id,
            name: dp.dp_id.as_str(),
            origin: &dp.as_webhooks,
            body: consent_event(due.event, &due.consent, &self.profile),
        })
    }

    /// The DC knows of `consent_created` from its own request.
    fn dc_recipient(&self, due: &Owed) -> Option<Recipient<'_>> {
        let dc = self.dc(&due.consent.dc_id).filter(|_| due.event != EventType::ConsentCreated)?;
        Some(Recipient {
            at: FaultPoint::DcEvent,
            endpoint: Endpoint::DcEvent,
            caller: self.dc_callers.get(&dc.dc_id)?,
            client: &dc.client.client_id,
            name: dc.dc_id.as_str(),
            origin: &dc.webhooks.as_ref()?.origin,
            body: dc_consent_event(due.event, &due.consent, &self.profile),
        })
    }

    /// Whether a fault's scope covers an event on its way to DP or DC.
    pub(crate) fn strikes_event(&self, scope: &FaultScope, at: FaultPoint, owed: &Owed) -> bool {
        let client = match at {
            FaultPoint::DcEvent => self.dc(&owed.consent.dc_id).map(|dc| &dc.client.client_id),
            _ => self.dp(&owed.consent.dp_id).map(|dp| &dp.client.client_id),
        };
        let consent = Some(&owed.consent.consent_id);
        scope.covers(&Struck { at, consent, client, interaction: None })
    }

    /// As the faults that strike want it.
    async fn deliver(&self, to: &Recipient<'_>, due: &Owed) -> bool {
        let effect = self.strike(&Struck {
            at: to.at,
            consent: Some(&due.consent.consent_id),
            client: Some(to.client),
            interaction: None,
        });
        match effect {
            Some(Effect::Lost) => return true,
            Some(Effect::OutOfOrder) => {
                self.state().faults.hold_back(to.at, due.clone());
                return true;
            }
            Some(Effect::Delay(delay)) => tokio::time::sleep(delay.unsigned_abs()).await,
            _ => {}
        }
        let taken = self.try_again(to, due, &to.body, effect).await;
        if effect == Some(Effect::Duplicate) {
            self.try_again(to, due, &to.body, None).await;
        }
        let held_back = self.state().faults.let_go(to.at, &due.consent.consent_id);
        for late in held_back {
            let body = match to.at {
                FaultPoint::DcEvent => dc_consent_event(late.event, &late.consent, &self.profile),
                _ => consent_event(late.event, &late.consent, &self.profile),
            };
            self.try_again(to, &late, &body, None).await;
        }
        taken
    }

    async fn try_again(
        &self,
        to: &Recipient<'_>,
        due: &Owed,
        body: &Value,
        effect: Option<Effect>,
    ) -> bool {
        let body = body.to_string().into_bytes();
        let mut pauses = PAUSES.into_iter();
        loop {
            if self.try_once(to, due, &body, effect).await {
                return true;
            }
            let Some(pause) = pauses.next() else { return false };
            tokio::time::sleep(pause).await;
        }
    }

    async fn try_once(
        &self,
        to: &Recipient<'_>,
        due: &Owed,
        body: &[u8],
        effect: Option<Effect>,
    ) -> bool {
        let url = to.origin.join("/v1/consents/events");
        let signature = self.event_signature(to, due, &url, body);
        let signature = match effect {
            Some(Effect::Jose(fault)) => spoil(fault, &signature),
            _ => signature,
        };
        let mut request = Request::get(url, self.profile.dp_deadline())
            .header("content-type", "application/json")
            .header("x-fapi-interaction-id", uuid_v4(&*self.entropy).to_string())
            .header("x-fapi-signature", signature);
        request.method = http::Method::POST;
        request.body = body.to_vec();
        let consent = Some(due.consent.consent_id.clone());
        let call = Call { endpoint: to.endpoint, request, consent, cause: due.cause };
        let (_, result) = excused(to.caller, to.caller.call(call).await, effect);
        result.is_ok_and(|(status, _)| self.profile.event_response_codes.contains(&status))
    }

    /// Over the body, in the profile's form.
    fn event_signature(&self, to: &Recipient<'_>, due: &Owed, url: &str, body: &[u8]) -> String {
        let (now, jti) = (self.now(), uuid_v4(&*self.entropy).to_string());
        let form = self.profile.numericdate;
        if self.profile.sig_body == SigBody::Detached {
            let header = signature_header(PLATFORM_AUDIENCE, now, jti, form);
            return self.keys.signing().sign_detached(header, body);
        }
        let claims = RequestClaims {
            iss: PLATFORM_AUDIENCE,
            sub: due.consent.consent_id.as_str(),
            aud: &[to.name],
            url,
            qpm: &[],
            jti,
            body: std::str::from_utf8(body).ok(),
            now,
        };
        self.keys.signing().sign_claims(&Value::Object(claims.in_form(form)))
    }
}

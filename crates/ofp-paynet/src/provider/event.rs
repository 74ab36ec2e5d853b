//! D1: consent events.

use jiff::Timestamp;
use ofp_evidence::{Endpoint, ExchangeId};
use ofp_net::{Call, Request};
use ofp_types::{
    Consent, ConsentId, NumericDateForm, PLATFORM_AUDIENCE, uuid_v4,
    wire::{EventType, consent_event},
};
use serde_json::{Map, Value, json};

use crate::platform::Platform;

impl Platform {
    /// Sends an event to the consent's DP, signed over the body as sent. True when it was taken.
    pub(crate) async fn deliver_event(
        &self,
        event: EventType,
        consent: &Consent,
        cause: Option<ExchangeId>,
    ) -> bool {
        let (Some(dp), Some(caller)) = (self.dp(&consent.dp_id), self.callers.get(&consent.dp_id))
        else {
            return false;
        };
        let body = consent_event(event, consent, &self.profile).to_string().into_bytes();
        let signature = self.signing.sign_detached(self.signature_header(), &body);
        let url = dp.as_webhooks.join("/v1/consents/events");
        let mut request = Request::get(url, self.profile.dp_deadline())
            .header("content-type", "application/json")
            .header("x-fapi-interaction-id", uuid_v4(&*self.entropy).to_string())
            .header("x-fapi-signature", signature);
        request.method = http::Method::POST;
        request.body = body;
        let consent = Some(consent.consent_id.clone());
        let call = Call { endpoint: Endpoint::ConsentEvent, request, consent, cause };
        let (_, result) = caller.call(call).await;
        result.is_ok_and(|(status, _)| self.profile.event_response_codes.contains(&status))
    }

    /// What goes into a detached signature's header beside `alg` and `kid` (`spec/ofp.md` 5.2).
    fn signature_header(&self) -> Map<String, Value> {
        Map::from_iter([
            ("iss".to_owned(), json!(PLATFORM_AUDIENCE)),
            ("iat".to_owned(), self.numeric_date(self.now())),
            ("jti".to_owned(), json!(uuid_v4(&*self.entropy))),
        ])
    }

    /// `time` in the profile's form.
    pub(crate) fn numeric_date(&self, time: Timestamp) -> Value {
        match self.profile.numericdate {
            NumericDateForm::Int => json!(time.as_second()),
            #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a double")]
            NumericDateForm::Float => json!(time.as_millisecond() as f64 / 1000.0),
        }
    }

    /// How many events to the DP are still under way for a consent.
    pub(crate) fn events_in_flight(&self, id: &ConsentId) -> usize {
        self.state().consents.get(id).map_or(0, |held| held.events_in_flight)
    }
}

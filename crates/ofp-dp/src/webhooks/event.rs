//! D1: consent events.

use jiff::{SignedDuration, Timestamp};
use ofp_net::{Answer, Inbound};
use ofp_types::{ConsentId, ConsentStatus, DcId, DpFault, DpId, ErrorCode};
use serde::Deserialize;
use serde_json::json;

use crate::{
    consents::{Decision, DpConsent},
    core::Core,
    refusal::Refusal,
};

/// The members of an event that matter here; others are ignored (C-26, C-27).
#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    event_type: String,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    consent_id: ConsentId,
    dc_id: DcId,
    dp_id: DpId,
    #[serde(default)]
    consent_purpose: String,
    #[serde(default)]
    permissions: Vec<String>,
    expiration_datetime: Timestamp,
    status: String,
    updated_at: Option<Timestamp>,
    hashed_id_number: Option<String>,
}

impl Core {
    pub(super) async fn event(&self, inbound: &Inbound) -> Result<Answer, Refusal> {
        let media_type = inbound.header("content-type").unwrap_or_default();
        if !media_type.to_ascii_lowercase().starts_with("application/json")
            && !self.faulty(DpFault::ContentTypeUnchecked)
        {
            let reason = format!("Content-Type is `{media_type}`, not application/json");
            return Err(Refusal::new(415, ErrorCode::InvalidRequest, reason));
        }
        self.follow_header(inbound).await;
        self.check_event_signature(inbound).await?;
        if let Some(refusal) = self.misjudge_event(inbound) {
            return Err(refusal);
        }
        let Event { event_type, data } = match parse(&inbound.body) {
            Err(_)
                if self.faulty(DpFault::EventMalformedAccepted)
                    || self.overlooks_missing_id(&inbound.body) =>
            {
                return Ok(Answer::json(200, &json!({})));
            }
            event => event?,
        };
        if data.dp_id != self.config.dp_id && !self.faulty(DpFault::EventOfAnotherDp) {
            let reason = format!("dp_id {} is another Data Provider", data.dp_id);
            return Err(Refusal::bad_request(reason));
        }
        if self.dislikes(&event_type, &data.status) {
            return Err(Refusal::bad_request("this event is not supported"));
        }
        let told = self.told(data)?;
        // the type that says nothing changes nothing; any other is as its status says (C-28, C-41)
        if event_type != "consent_event_type_unspecified" && !self.take_carelessly(&told) {
            self.consents().take_event(self.redated(told), self.now());
        }
        let created = event_type == "consent_created" && self.faulty(DpFault::CreatedAnswered203);
        Ok(if created { Answer::json(203, &json!({})) } else { self.taken() })
    }

    /// News is of now, for a DP that does not look at the date.
    fn redated(&self, mut told: DpConsent) -> DpConsent {
        if self.faulty(DpFault::OldNewsTaken) {
            told.updated_at = self.now();
        }
        told
    }

    fn told(&self, data: EventData) -> Result<DpConsent, Refusal> {
        let status = ConsentStatus::lenient(&data.status)
            .ok_or_else(|| Refusal::bad_request(format!("status `{}` is unknown", data.status)))?;
        Ok(DpConsent {
            id: data.consent_id,
            dc_id: data.dc_id,
            purpose: data.consent_purpose,
            permissions: data.permissions,
            expiration: data.expiration_datetime,
            status,
            updated_at: data.updated_at.unwrap_or_else(|| self.now()),
            hashed_id_number: data.hashed_id_number,
            username: None,
            accounts: Vec::new(),
            offset: SignedDuration::ZERO,
            decision: Decision::Open,
        })
    }
}

fn parse(body: &[u8]) -> Result<Event, Refusal> {
    let object = ofp_jose::strict_object(body)
        .map_err(|e| Refusal::bad_request(format!("the body is not a JSON object: {e}")))?;
    serde_json::from_value(object.into())
        .map_err(|e| Refusal::bad_request(format!("the body: {e}")))
}

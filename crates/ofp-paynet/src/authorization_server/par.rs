//! A6: pushed authorization requests (RFC 9126), which create the consent.

use std::{collections::VecDeque, sync::Arc};

use jiff::SignedDuration;
use ofp_net::{Answer, Inbound};
use ofp_types::{
    Consent, ConsentId, ConsentStatus, DpId, UpdatedBy, token, uuid_v4,
    wire::{ParResponse, REQUEST_URI_PREFIX},
};

use super::posted;
use super::request_object::RequestObject;
use crate::{
    platform::{Participant, Platform},
    refusal::Refusal,
    serve::Context,
    state::{Held, PushedRequest, Target},
};

/// Life of a `request_uri`: less than 600 s (FAPI 2.0 SP §5.3.2.2).
const REQUEST_URI_LIFE: SignedDuration = SignedDuration::from_secs(90);

impl Platform {
    pub(crate) async fn par(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let form = posted(inbound)?;
        let (participant, _) = self.authenticate(&form, &inbound.peer)?;
        let Participant::Dc(dc) = participant else {
            return Err(Refusal::unauthorized_client("only a DC may push authorization requests"));
        };
        if form.contains_key("request_uri") {
            return Err(Refusal::bad_request("request_uri must not be pushed (RFC 9126 §2.1)"));
        }
        let object = form.get("request").ok_or_else(|| {
            Refusal::bad_request("the form has no `request`: a signed request object is required")
        })?;
        let mut object = self.request_object(dc, object)?;
        let request_uri = format!("{REQUEST_URI_PREFIX}{}", token(&*self.entropy));
        let now = self.now();
        let pushed = |target| PushedRequest {
            client_id: dc.client.client_id.clone(),
            target,
            expires: now + REQUEST_URI_LIFE,
        };
        match object.dp_id.take() {
            None => {
                let target = Target::Unchosen(dc.dc_id.clone(), Box::new(object));
                self.state().requests.push(&request_uri, pushed(target), now);
            }
            Some(dp) => {
                let held = self.new_consent(dc, object, dp)?;
                let consent = held.consent.clone();
                context.consent = Some(consent.consent_id.clone());
                self.create(held, context.exchange);
                let target = Target::Consent(consent.consent_id.clone());
                self.state().requests.push(&request_uri, pushed(target), now);
                // the DP must know the consent before the browser arrives; 201 regardless
                self.announce(&consent, context.exchange).await;
            }
        }
        let expires_in = REQUEST_URI_LIFE.as_secs().unsigned_abs();
        let body = serde_json::to_vec(&ParResponse { request_uri, expires_in }).unwrap_or_default();
        Ok(Answer::new(201, "application/json", body).header("cache-control", "no-store"))
    }

    pub(super) fn new_consent(
        &self,
        dc: &crate::DcRegistration,
        object: RequestObject,
        dp_id: DpId,
    ) -> Result<Held, Refusal> {
        let now = self.now();
        let consent_id = ConsentId::parse(uuid_v4(&*self.entropy).to_string())
            .map_err(|e| Refusal::bad_request(e.to_string()))?;
        let consent = Consent {
            consent_id,
            dc_id: dc.dc_id.clone(),
            dp_id,
            purpose: object.purpose,
            permissions: object.permissions,
            expiration: object.expiration,
            status: ConsentStatus::AwaitingAuthorization,
            status_reason: None,
            accounts: Vec::new(),
            identity: None,
            created_at: now,
            updated_at: now,
            updated_by: UpdatedBy::DataConsumer,
        };
        Ok(Held {
            consent,
            request: object.request,
            offset: SignedDuration::ZERO,
            upstream: None,
            window_ends: now + self.profile.consent_auth_ttl,
            subject: None,
            auth_time: None,
            answered: false,
            policies: self.policies.clone(),
            owed: VecDeque::new(),
        })
    }
}

//! A6: pushed authorization requests (RFC 9126), which create the consent.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use ofp_evidence::ExchangeId;
use ofp_net::{Answer, Inbound};
use ofp_types::{
    Consent, ConsentId, ConsentStatus, DpId, ReasonCode, StatusReason, Trigger, UpdatedBy, token,
    uuid_v4,
    wire::{EventType, ParResponse, REQUEST_URI_PREFIX},
};

use super::posted;
use super::request_object::RequestObject;
use crate::{
    platform::{Change, Participant, Platform},
    provider::EventDue,
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
            window_ends: now + self.profile.consent_auth_ttl,
            subject: None,
            auth_time: None,
            answered: false,
            policies: self.policies.clone(),
            in_order: Arc::default(),
            owed: Vec::new(),
        })
    }

    /// `consent_created` to the DP. PAR waits for at most 5 s of it; what is under way then goes on.
    /// A DP that never takes it fails the consent.
    pub(super) async fn announce(self: &Arc<Self>, consent: &Consent, cause: ExchangeId) {
        let id = &consent.consent_id;
        let in_order = self.state().consents.get(id).map(|held| Arc::clone(&held.in_order));
        let due = EventDue {
            event: EventType::ConsentCreated,
            consent: consent.clone(),
            cause: Some(cause),
            in_order: in_order.unwrap_or_default(),
        };
        self.event_begins(due.event, consent);
        let platform = Arc::clone(self);
        let tries = tokio::spawn(async move {
            let taken = platform.send(&due).await;
            if !taken {
                platform.never_announced(&due.consent.consent_id, cause);
            }
            platform.event_landed(&due.consent.consent_id);
        });
        let _ = tokio::time::timeout(Duration::from_secs(5), tries).await;
    }

    fn never_announced(self: &Arc<Self>, id: &ConsentId, cause: ExchangeId) {
        let description = "the Data Provider did not take the event consent_created";
        let change = Change {
            trigger: Trigger::ProviderFailure,
            by: UpdatedBy::Ofp,
            reason: Some(StatusReason::new(ReasonCode::ProviderError, description)),
            cause: Some(cause),
        };
        // refused only when the consent was decided all the same, which then stands
        let _ = self.transition(id, change, |_| {});
    }
}

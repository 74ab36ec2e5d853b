//! A6: pushed authorization requests (RFC 9126), which create the consent.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use ofp_evidence::ExchangeId;
use ofp_net::{Answer, Inbound, parse_form};
use ofp_types::{
    Consent, ConsentId, ConsentStatus, UpdatedBy, token, uuid_v4,
    wire::{EventType, ParResponse, REQUEST_URI_PREFIX},
};

use super::request_object::RequestObject;
use crate::{
    platform::{Participant, Platform},
    refusal::Refusal,
    serve::Context,
    state::{Held, PkceRequest, PushedRequest},
};

/// Life of a `request_uri`: less than 600 s (FAPI 2.0 SP §5.3.2.2).
const REQUEST_URI_LIFE: SignedDuration = SignedDuration::from_secs(90);

impl Platform {
    pub(crate) async fn par(
        self: &Arc<Self>,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Result<Answer, Refusal> {
        let form = parse_form(&inbound.body).map_err(|e| Refusal::bad_request(e.to_string()))?;
        let (participant, _) = self.authenticate(&form, &inbound.peer)?;
        let Participant::Dc(dc) = participant else {
            let reason = "only a DC may push authorization requests";
            return Err(Refusal::new(400, ofp_types::ErrorCode::UnauthorizedClient, reason));
        };
        if form.contains_key("request_uri") {
            return Err(Refusal::bad_request("request_uri must not be pushed (RFC 9126 §2.1)"));
        }
        let object = form.get("request").ok_or_else(|| {
            Refusal::bad_request("the form has no `request`: a signed request object is required")
        })?;
        let request = self.request_object(dc, object)?;
        let held = self.new_consent(dc, request)?;
        let consent = held.consent.clone();
        context.consent = Some(consent.consent_id.clone());
        let request_uri = format!("{REQUEST_URI_PREFIX}{}", token(&*self.entropy));
        let pushed = PushedRequest {
            client_id: dc.client.client_id.clone(),
            consent: consent.consent_id.clone(),
            expires: consent.created_at + REQUEST_URI_LIFE,
        };
        self.create(held, context.exchange);
        self.state().requests.push(request_uri.clone(), pushed);
        // the DP must know the consent before the browser arrives; 201 regardless
        self.announce(&consent, context.exchange).await;
        let expires_in = REQUEST_URI_LIFE.as_secs().unsigned_abs();
        let body = serde_json::to_vec(&ParResponse { request_uri, expires_in }).unwrap_or_default();
        Ok(Answer::new(201, "application/json", body).header("cache-control", "no-store"))
    }

    fn new_consent(
        &self,
        dc: &crate::DcRegistration,
        request: RequestObject,
    ) -> Result<Held, Refusal> {
        let now = self.now();
        let consent_id = ConsentId::parse(uuid_v4(&*self.entropy).to_string())
            .map_err(|e| Refusal::bad_request(e.to_string()))?;
        let consent = Consent {
            consent_id,
            dc_id: dc.dc_id.clone(),
            dp_id: request.dp_id,
            purpose: request.purpose,
            permissions: request.permissions,
            expiration: request.expiration,
            status: ConsentStatus::AwaitingAuthorization,
            status_reason: None,
            accounts: Vec::new(),
            identity: None,
            created_at: now,
            updated_at: now,
            updated_by: UpdatedBy::DataConsumer,
        };
        let request = PkceRequest {
            redirect_uri: request.redirect_uri,
            state: request.state,
            nonce: request.nonce,
            code_challenge: request.code_challenge,
            scope: request.scope,
        };
        Ok(Held {
            consent,
            request,
            offset: SignedDuration::ZERO,
            window_ends: now + self.profile.consent_auth_ttl,
            subject: None,
            answered: false,
            in_order: Arc::default(),
            events_in_flight: 0,
        })
    }

    /// `consent_created` to the DP: three tries with a growing pause. PAR waits for at most 5 s of
    /// it; what is under way then goes on and is recorded.
    async fn announce(self: &Arc<Self>, consent: &Consent, cause: ExchangeId) {
        let (platform, consent) = (Arc::clone(self), consent.clone());
        self.event_begins(&consent.consent_id);
        let tries = tokio::spawn(async move {
            for pause_ms in [100, 400, 0] {
                let event = EventType::ConsentCreated;
                if platform.deliver_event(event, &consent, Some(cause)).await {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
            platform.event_landed(&consent.consent_id);
        });
        let _ = tokio::time::timeout(Duration::from_secs(5), tries).await;
    }
}

//! C1: what PayNet tells the DC about consents, behind mutual TLS.

use std::sync::{Arc, Mutex, PoisonError};

use ofp_jose::{CompactJws, JoseError, KeyUse};
use ofp_net::{Answer, App, Inbound, JwksCache, Matched, Route, Shelf};
use ofp_types::{ConsentId, ConsentStatus, Kid, SigBody};
use serde::Deserialize;
use serde_json::json;

/// How many consents are remembered; above it, those go that ended.
const MOST: usize = 10_000;

/// What the DC has been told, by consent.
pub(crate) type Told = Arc<Mutex<Shelf<ConsentStatus>>>;

/// The listener of the DC's webhook.
pub(crate) struct EventsApp {
    pub(crate) paynet_keys: Arc<JwksCache>,
    pub(crate) paynet_certificates: Vec<Kid>,
    pub(crate) told: Told,
    pub(crate) sig_body: SigBody,
}

#[derive(Clone, Copy)]
pub(crate) enum Webhook {
    Event,
}

static ROUTES: [Route<Webhook>; 1] =
    [Route { path: "/v1/consents/events", verbs: &[("POST", Webhook::Event)] }];

/// The members of an event that matter here.
#[derive(Deserialize)]
struct Event {
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    consent_id: ConsentId,
    status: ConsentStatus,
}

impl App for EventsApp {
    type Endpoint = Webhook;

    fn routes(&self) -> &'static [Route<Webhook>] {
        &ROUTES
    }

    async fn answer(self: Arc<Self>, matched: Matched<Webhook>, inbound: Inbound) -> Answer {
        match matched {
            Matched::Endpoint(Webhook::Event) => match self.take(&inbound).await {
                Ok(()) => Answer::json(200, &json!({})),
                Err((status, reason)) => {
                    let body = json!({ "error": "invalid_request", "error_description": reason });
                    Answer::json(status, &body)
                }
            },
            Matched::WrongVerb(allow) => Answer::empty(405).header("allow", allow),
            Matched::Unreadable(status) => Answer::empty(status),
            Matched::Unknown => Answer::empty(404),
        }
    }
}

impl EventsApp {
    async fn take(&self, inbound: &Inbound) -> Result<(), (u16, String)> {
        let presented = inbound.peer.certificate.as_ref().map(|c| &c.thumbprint);
        if !presented.is_some_and(|kid| self.paynet_certificates.contains(kid)) {
            return Err((403, "the client certificate is not PayNet's".into()));
        }
        self.verify(inbound).await.map_err(|e| (400, e.to_string()))?;
        let event: Event = serde_json::from_slice(&inbound.body)
            .map_err(|e| (400, format!("the body is no consent event: {e}")))?;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST && told.get(event.data.consent_id.as_str()).is_none() {
            told.retain(|_, status| !status.is_final());
            let any = told.iter().next().map(|(id, _)| id.to_owned());
            any.filter(|_| told.len() >= MOST).and_then(|any| told.remove(&any));
        }
        told.insert(event.data.consent_id.as_str(), event.data.status);
        Ok(())
    }

    async fn verify(&self, inbound: &Inbound) -> Result<(), JoseError> {
        let text = inbound.header("x-fapi-signature").unwrap_or_default();
        let jws = CompactJws::parse(text)?;
        let kid = jws.kid().ok_or(JoseError::KidMissing)?;
        let keys = self.paynet_keys.holding(kid, KeyUse::Sig).await?;
        jws.verify_body(&keys, &inbound.body, self.sig_body).map(drop)
    }
}

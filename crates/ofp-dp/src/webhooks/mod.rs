//! What PayNet calls, behind mutual TLS.

mod authorize;
mod event;
mod resources;
mod token;
mod userinfo;

use std::sync::Arc;

use ofp_net::{Answer, App, Inbound, Matched, Route};
use ofp_types::{AuthorizeMode, DpFault, ErrorCode, InteractionId};

use crate::{careless_words::injected, core::Core, refusal::Refusal};

/// The webhooks' listener.
pub(crate) struct Webhooks(pub(crate) Arc<Core>);

/// One of PayNet's calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Webhook {
    Event,
    Authorize,
    Userinfo,
    Token,
    Health,
    Resource(Resource),
}

/// What of an account is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    Account,
    Balances,
    Transactions,
}

static ROUTES: [Route<Webhook>; 9] = [
    Route { path: "/v1/consents/events", verbs: &[("POST", Webhook::Event)] },
    Route { path: "/v1/oauth/authorize", verbs: &[("GET", Webhook::Authorize)] },
    // where the Universal Link leads
    Route { path: "/OFM/MY/Authorize/AIS", verbs: &[("GET", Webhook::Authorize)] },
    Route { path: "/v1/oauth/userinfo", verbs: &[("GET", Webhook::Userinfo)] },
    Route { path: "/v1/oauth/token", verbs: &[("POST", Webhook::Token)] },
    Route { path: "/v1/health", verbs: &[("GET", Webhook::Health)] },
    Route {
        path: "/v1/accounts/{account_id}",
        verbs: &[("GET", Webhook::Resource(Resource::Account))],
    },
    Route {
        path: "/v1/accounts/{account_id}/balances",
        verbs: &[("GET", Webhook::Resource(Resource::Balances))],
    },
    Route {
        path: "/v1/accounts/{account_id}/transactions",
        verbs: &[("GET", Webhook::Resource(Resource::Transactions))],
    },
];

impl App for Webhooks {
    type Endpoint = Webhook;

    fn routes(&self) -> &'static [Route<Webhook>] {
        &ROUTES
    }

    async fn answer(self: Arc<Self>, matched: Matched<Webhook>, inbound: Inbound) -> Answer {
        let core = &self.0;
        if core.faulty(DpFault::Silent) {
            std::future::pending::<()>().await;
        }
        if core.faulty(DpFault::Nonsense) {
            return Answer::new(200, "text/html", "<h1>It works!</h1>");
        }
        let answer = match core.webhook(matched, &inbound).await {
            Ok(answer) => answer,
            Err(refusal) => core.refuse(&refusal),
        };
        // an event that was taken must not be forgotten
        let answer = match core.config.store.settled().await {
            Ok(()) => answer,
            Err(_) => Answer::empty(500),
        };
        let mut answer = core.sent(core.echo(answer, &inbound));
        answer.cut_short = core.faulty(DpFault::Reset);
        answer
    }
}

impl Core {
    async fn webhook(
        &self,
        matched: Matched<Webhook>,
        inbound: &Inbound,
    ) -> Result<Answer, Refusal> {
        self.is_paynet(matched.clone(), inbound)?;
        if let Some(careless) = self.misroute(&matched, inbound).await {
            return careless;
        }
        match matched {
            Matched::Endpoint(Webhook::Health) if self.faulty(DpFault::HealthDown) => {
                Ok(Answer::empty(503))
            }
            Matched::Endpoint(Webhook::Health) => {
                Ok(Answer::json(200, &serde_json::json!({ "status": "up" })))
            }
            Matched::Endpoint(Webhook::Event) => self.event(inbound).await,
            Matched::Endpoint(Webhook::Authorize) => self.authorize(inbound).await,
            Matched::Endpoint(Webhook::Userinfo) => self.userinfo(inbound).await,
            Matched::Endpoint(Webhook::Token) => self.token_for_code(inbound).await,
            Matched::Endpoint(Webhook::Resource(resource)) => {
                self.resource(resource, inbound).await
            }
            Matched::WrongVerb(allow) => Ok(Answer::empty(405).header("allow", allow)),
            Matched::Unreadable(status) => {
                let reason = "the body could not be read";
                Err(Refusal::new(status, ErrorCode::InvalidRequest, reason))
            }
            Matched::Unknown => {
                Err(Refusal::new(404, ErrorCode::InvalidRequest, "there is nothing here"))
            }
        }
    }

    /// Only PayNet may call: a certificate from the right CA is not enough. A customer's browser, where PayNet
    /// sends it to authorize, has none.
    fn is_paynet(&self, matched: Matched<Webhook>, inbound: &Inbound) -> Result<(), Refusal> {
        let presented = inbound.peer.certificate.as_ref();
        let known = match self.faulty(DpFault::OneCertificateAlone) {
            true => self.config.paynet_certificates.get(..1).unwrap_or_default(),
            false => &self.config.paynet_certificates,
        };
        let for_browsers = matched == Matched::Endpoint(Webhook::Authorize)
            && self.config.profile.authorize_mode == AuthorizeMode::Browser;
        match presented {
            Some(certificate) if known.contains(&certificate.thumbprint) => Ok(()),
            None if for_browsers => Ok(()),
            presented if self.overlooks_caller(&matched, presented.map(|c| c.subject.as_str())) => {
                Ok(())
            }
            _ => {
                let description = "the client certificate is not PayNet's";
                Err(Refusal::new(403, ErrorCode::AccessDenied, description))
            }
        }
    }

    fn echo(&self, answer: Answer, inbound: &Inbound) -> Answer {
        let id = inbound.header("x-fapi-interaction-id");
        if let Some(id) = id.filter(|_| self.faulty(DpFault::InteractionIdInjected)) {
            return injected(answer, id);
        }
        match id.filter(|id| InteractionId::parse(*id).is_ok()) {
            Some(id) if !self.faulty(DpFault::NoInteractionIdEcho) => {
                answer.header("x-fapi-interaction-id", id)
            }
            _ => answer,
        }
    }
}

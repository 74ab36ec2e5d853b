//! The three listeners: which endpoint is where, and the record of what came and went.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ofp_evidence::{
    Endpoint, Exchange, ExchangeId, Failure, Message, Outcome, Record, Role, Stage,
};
use ofp_net::{After, Answer, App, Inbound, Matched, Route, Trouble};
use ofp_types::{ConsentId, Effect, ErrorCode, InteractionId, JoseFault, Origin, Trigger};

use crate::{
    faults::{Struck, answer_instead, answer_struck, point_of},
    platform::Platform,
    refusal::Refusal,
    resource_server::Resource,
};

/// What a handler knows about the request that it answers, and what it tells the record.
pub(crate) struct Context {
    /// The number under which the exchange will stand in the journal.
    pub(crate) exchange: ExchangeId,
    /// The consent that it turned out to be about.
    pub(crate) consent: Option<ConsentId>,
    /// Why it was answered as it was.
    pub(crate) note: Option<String>,
    /// How to spoil what is signed in the answer.
    pub(crate) jose: Option<JoseFault>,
}

/// One of the platform's listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerKind {
    /// The public AS.
    AsPublic,
    /// The AS behind mutual TLS.
    AsMtls,
    /// The RS behind mutual TLS.
    Rs,
}

/// A listener of the platform.
pub(crate) struct Listener {
    pub(crate) platform: Arc<Platform>,
    pub(crate) kind: ListenerKind,
}

const fn at(path: &'static str, verbs: &'static [(&'static str, Endpoint)]) -> Route<Endpoint> {
    Route { path, verbs }
}

static AS_PUBLIC: [Route<Endpoint>; 8] = [
    at("/.well-known/openid-configuration", &[("GET", Endpoint::Discovery)]),
    at("/.well-known/oauth-authorization-server", &[("GET", Endpoint::Discovery)]),
    at("/v1/oauth/jwks", &[("GET", Endpoint::Jwks)]),
    at("/v1/oauth/jwks/{owner}", &[("GET", Endpoint::Jwks)]),
    at("/v1/oauth/authorize", &[("GET", Endpoint::PaynetAuthorize)]),
    at("/v1/oauth/authorize/provider", &[("POST", Endpoint::PaynetAuthorize)]),
    at("/v1/oauth/callback", &[("GET", Endpoint::Callback)]),
    at("/style.css", &[("GET", Endpoint::Unknown)]),
];
static AS_MTLS: [Route<Endpoint>; 9] = [
    at("/v1/oauth/par", &[("POST", Endpoint::Par)]),
    at("/v1/oauth/token", &[("POST", Endpoint::Token)]),
    at("/token", &[("POST", Endpoint::Token)]),
    at("/v1/oauth/introspect", &[("POST", Endpoint::Introspection)]),
    at("/v1/oauth/revoke", &[("POST", Endpoint::Revocation)]),
    at(
        "/v1/oauth/userinfo",
        &[("GET", Endpoint::PaynetUserinfo), ("POST", Endpoint::PaynetUserinfo)],
    ),
    at("/userinfo", &[("GET", Endpoint::PaynetUserinfo), ("POST", Endpoint::PaynetUserinfo)]),
    at("/v1/oauth/jwks", &[("GET", Endpoint::Jwks)]),
    at("/v1/oauth/jwks/{owner}", &[("GET", Endpoint::Jwks)]),
];
static RS: [Route<Endpoint>; 8] = [
    at("/v1/providers", &[("GET", Endpoint::Providers)]),
    at("/v1/accounts/{account_id}", &[("GET", Endpoint::PaynetAccount)]),
    at("/v1/accounts/{account_id}/balances", &[("GET", Endpoint::PaynetBalances)]),
    at("/v1/accounts/{account_id}/transactions", &[("GET", Endpoint::PaynetTransactions)]),
    at(
        "/v1/consents/{consent_id}",
        &[
            ("GET", Endpoint::RetrieveConsent),
            ("PATCH", Endpoint::UpdateConsent),
            ("POST", Endpoint::UpdateConsent),
        ],
    ),
    at("/v1/consents/{consent_id}/revoke", &[("POST", Endpoint::RevokeConsent)]),
    at("/v1/consents/{consent_id}/suspend", &[("POST", Endpoint::SuspendConsent)]),
    at("/v1/consents/{consent_id}/reactivate", &[("POST", Endpoint::ReactivateConsent)]),
];

impl ListenerKind {
    /// Every listener.
    pub const ALL: [Self; 3] = [Self::AsPublic, Self::AsMtls, Self::Rs];

    /// Its paths, with what each verb means.
    #[must_use]
    pub fn routes(self) -> &'static [Route<Endpoint>] {
        match self {
            Self::AsPublic => &AS_PUBLIC,
            Self::AsMtls => &AS_MTLS,
            Self::Rs => &RS,
        }
    }

    /// Who calls when no certificate tells.
    fn stranger(self) -> Role {
        match self {
            Self::AsPublic => Role::Customer,
            Self::AsMtls | Self::Rs => Role::Dp,
        }
    }
}

impl App for Listener {
    type Endpoint = Endpoint;

    fn routes(&self) -> &'static [Route<Endpoint>] {
        self.kind.routes()
    }

    /// Answers one request and writes it down. An answer leaves only when everything that it rests on
    /// has been stored; events that it caused leave after it.
    async fn answer(self: Arc<Self>, matched: Matched<Endpoint>, inbound: Inbound) -> Answer {
        let platform = &self.platform;
        let (at, started) = (platform.now(), Instant::now());
        let endpoint = match &matched {
            Matched::Endpoint(endpoint) => *endpoint,
            Matched::WrongVerb(_) | Matched::Unknown | Matched::Unreadable(_) => Endpoint::Unknown,
        };
        let mut context = Context {
            exchange: platform.journal.next_exchange(),
            consent: platform.about(endpoint, &inbound),
            note: None,
            jose: None,
        };
        platform.request_begins(context.exchange);
        let ended = {
            let (platform, id) = (Arc::clone(platform), context.exchange);
            // also when the handler never gets to its end
            After::new(move || platform.request_ended(id))
        };
        let answer = platform.answer_with_faults(matched, endpoint, &inbound, &mut context).await;
        let mut answer = self.not_to_be_stored(echo_interaction_id(answer, &inbound));
        if let Err(error) = platform.store.settled().await {
            context.note = Some(error.to_string());
            answer =
                Refusal::new(500, ErrorCode::ServerError, "the state could not be kept").answer();
        }
        answer.after = ended;
        let exchange = Exchange {
            at,
            took: started.elapsed(),
            ..self.exchange(endpoint, inbound, context, &answer)
        };
        self.platform.journal.add(Record::Exchange(exchange));
        answer
    }

    fn trouble(&self, trouble: Trouble) {
        let (outcome, note) = match trouble {
            Trouble::Handshake { reason } => {
                (Outcome::Failed(Failure { stage: Stage::Tls, detail: reason }), None)
            }
            Trouble::Http { status, reason } => {
                (Outcome::Answered { status, message: Message::default() }, Some(reason))
            }
        };
        let platform = &self.platform;
        platform.journal.add(Record::Exchange(Exchange {
            id: platform.journal.next_exchange(),
            at: platform.now(),
            took: Duration::ZERO,
            from: self.kind.stranger(),
            to: Role::PayNet,
            endpoint: Endpoint::Unknown,
            method: String::new(),
            url: self.origin().to_string(),
            request: Message::default(),
            outcome,
            connection: None,
            client_certificate: None,
            consent: None,
            cause: None,
            note,
        }));
    }
}

impl Listener {
    /// Nothing behind mutual TLS is for a cache, unless it says so itself.
    fn not_to_be_stored(&self, answer: Answer) -> Answer {
        let says = answer.headers.iter().any(|(name, _)| *name == "cache-control");
        if says || self.kind == ListenerKind::AsPublic {
            return answer;
        }
        answer.header("cache-control", "no-store")
    }

    fn origin(&self) -> &Origin {
        match self.kind {
            ListenerKind::AsPublic => &self.platform.issuer,
            ListenerKind::AsMtls => &self.platform.as_mtls,
            ListenerKind::Rs => &self.platform.rs,
        }
    }

    fn exchange(
        &self,
        endpoint: Endpoint,
        inbound: Inbound,
        context: Context,
        answer: &Answer,
    ) -> Exchange {
        let platform = &self.platform;
        let certificate = inbound.peer.certificate.clone();
        let caller =
            certificate.as_ref().and_then(|c| platform.participant_by_certificate(&c.thumbprint));
        let query = match inbound.query.as_str() {
            "" => String::new(),
            query => format!("?{query}"),
        };
        Exchange {
            id: context.exchange,
            at: platform.now(),
            took: Duration::ZERO,
            from: caller.map_or(self.kind.stranger(), crate::platform::Participant::role),
            to: Role::PayNet,
            endpoint,
            method: inbound.method,
            url: format!("{}{}{query}", self.origin(), inbound.path),
            request: Message { headers: inbound.headers, body: inbound.body },
            outcome: outcome(answer),
            connection: None,
            client_certificate: certificate,
            consent: context.consent,
            cause: None,
            note: context.note,
        }
    }
}

fn outcome(answer: &Answer) -> Outcome {
    if answer.withheld {
        let detail = "PayNet kept its answer to itself".to_owned();
        return Outcome::Failed(Failure { stage: Stage::Timeout, detail });
    }
    Outcome::Answered { status: answer.status, message: message(answer) }
}

impl Platform {
    /// The answer, or what the fault that strikes makes of it.
    async fn answer_with_faults(
        self: &Arc<Self>,
        matched: Matched<Endpoint>,
        endpoint: Endpoint,
        inbound: &Inbound,
        context: &mut Context,
    ) -> Answer {
        let effect = self.inbound_fault(endpoint, inbound, context);
        if let Some(effect) = effect {
            context.note = Some(format!("an injected fault: {}", effect.key()));
            if let Some(answer) = answer_instead(effect) {
                return answer;
            }
            match effect {
                Effect::Delay(delay) => tokio::time::sleep(delay.unsigned_abs()).await,
                Effect::Jose(fault) => context.jose = Some(fault),
                _ => {}
            }
        }
        let answer = match dispatch(self, matched, inbound, context).await {
            Ok(answer) => answer,
            Err(refusal) => {
                context.note = Some(refusal.reason.clone());
                refusal.answer()
            }
        };
        match effect {
            Some(effect) => answer_struck(effect, answer),
            None => answer,
        }
    }

    fn inbound_fault(
        &self,
        endpoint: Endpoint,
        inbound: &Inbound,
        context: &Context,
    ) -> Option<Effect> {
        let presented = inbound.peer.certificate.as_ref();
        self.strike(&Struck {
            at: point_of(endpoint)?,
            consent: context.consent.as_ref(),
            client: presented.and_then(|c| self.client_of(&c.thumbprint)),
            interaction: inbound.header("x-fapi-interaction-id"),
        })
    }
}

async fn dispatch(
    platform: &Arc<Platform>,
    matched: Matched<Endpoint>,
    inbound: &Inbound,
    context: &mut Context,
) -> Result<Answer, Refusal> {
    let endpoint = match matched {
        Matched::Endpoint(endpoint) => endpoint,
        Matched::WrongVerb(allow) => {
            context.note = Some(format!("{} is not allowed here, only {allow}", inbound.method));
            return Ok(Answer::empty(405).header("allow", allow));
        }
        Matched::Unreadable(status) => {
            let reason = "the body could not be read: too long, or cut short";
            return Err(Refusal::new(status, ErrorCode::InvalidRequest, reason));
        }
        Matched::Unknown => {
            let reason = format!("the platform has no {} {}", inbound.method, inbound.path);
            return Err(Refusal::new(404, ErrorCode::InvalidRequest, reason));
        }
    };
    match endpoint {
        Endpoint::Discovery => Ok(platform.discovery()),
        Endpoint::Jwks => platform.jwks(inbound),
        Endpoint::Par => platform.par(inbound, context).await,
        Endpoint::PaynetAuthorize if inbound.method == "POST" => {
            platform.pick_provider(inbound, context).await
        }
        Endpoint::PaynetAuthorize => platform.authorize(inbound, context).await,
        Endpoint::Callback => platform.callback(inbound, context).await,
        Endpoint::Token => platform.token(inbound, context),
        Endpoint::Introspection => platform.introspect(inbound, context),
        Endpoint::Revocation => platform.revoke_token(inbound, context),
        Endpoint::PaynetUserinfo => platform.userinfo(inbound, context).await,
        Endpoint::Providers => platform.providers(inbound),
        Endpoint::PaynetAccount => platform.resource(Resource::Account, inbound, context).await,
        Endpoint::PaynetBalances => platform.resource(Resource::Balances, inbound, context).await,
        Endpoint::PaynetTransactions => {
            platform.resource(Resource::Transactions, inbound, context).await
        }
        Endpoint::UpdateConsent => platform.update_consent(inbound, context),
        Endpoint::RetrieveConsent => platform.retrieve_consent(inbound, context),
        Endpoint::RevokeConsent => platform.change_consent(Trigger::Revoke, inbound, context),
        Endpoint::SuspendConsent => platform.change_consent(Trigger::Suspend, inbound, context),
        Endpoint::ReactivateConsent => {
            platform.change_consent(Trigger::Reactivate, inbound, context)
        }
        _ => Ok(crate::authorization_server::style()),
    }
}

/// The platform echoes the correlation id of every call that has one.
fn echo_interaction_id(answer: Answer, inbound: &Inbound) -> Answer {
    let id = inbound.header("x-fapi-interaction-id");
    match id.filter(|id| InteractionId::parse(*id).is_ok()) {
        Some(id) => answer.header("x-fapi-interaction-id", id),
        None => answer,
    }
}

fn message(answer: &Answer) -> Message {
    let headers = answer.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    Message { headers, body: answer.body.clone() }
}

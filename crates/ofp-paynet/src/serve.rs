//! The three listeners: routing, and the record of what came and went.

use std::{sync::Arc, time::Instant};

use ofp_evidence::{Endpoint, Exchange, ExchangeId, Message, Outcome, Record, Role};
use ofp_net::{Answer, App, Inbound, Matched, Route};
use ofp_types::{ConsentId, ErrorCode, Origin};

use crate::{platform::Platform, refusal::Refusal};

/// What a handler knows about the request that it answers, and what it tells the record.
pub(crate) struct Context {
    /// The number under which the exchange will stand in the journal.
    pub(crate) exchange: ExchangeId,
    /// The consent that it turned out to be about.
    pub(crate) consent: Option<ConsentId>,
    /// Why it was answered as it was.
    pub(crate) note: Option<String>,
}

/// The public AS.
pub(crate) struct PublicAs(pub(crate) Arc<Platform>);
/// The AS behind mutual TLS.
pub(crate) struct MtlsAs(pub(crate) Arc<Platform>);
/// The RS behind mutual TLS.
pub(crate) struct Rs(pub(crate) Arc<Platform>);

const JWKS_ROUTES: [Route<Endpoint>; 2] = [
    Route { path: "/v1/oauth/jwks", verbs: &[("GET", Endpoint::Jwks)] },
    Route { path: "/v1/oauth/jwks/{owner}", verbs: &[("GET", Endpoint::Jwks)] },
];
static PUBLIC_AS: [Route<Endpoint>; 6] = {
    let [jwks, jwks_of] = JWKS_ROUTES;
    [
        Route { path: "/.well-known/openid-configuration", verbs: &[("GET", Endpoint::Discovery)] },
        Route {
            path: "/.well-known/oauth-authorization-server",
            verbs: &[("GET", Endpoint::Discovery)],
        },
        jwks,
        jwks_of,
        Route { path: "/v1/oauth/authorize", verbs: &[("GET", Endpoint::PaynetAuthorize)] },
        Route { path: "/v1/oauth/callback", verbs: &[("GET", Endpoint::Callback)] },
    ]
};
static MTLS_AS: [Route<Endpoint>; 5] = {
    let [jwks, jwks_of] = JWKS_ROUTES;
    [
        Route { path: "/v1/oauth/par", verbs: &[("POST", Endpoint::Par)] },
        Route { path: "/v1/oauth/token", verbs: &[("POST", Endpoint::Token)] },
        Route { path: "/token", verbs: &[("POST", Endpoint::Token)] },
        jwks,
        jwks_of,
    ]
};
static RS: [Route<Endpoint>; 2] = [
    Route {
        path: "/v1/consents/{consent_id}",
        verbs: &[
            ("GET", Endpoint::RetrieveConsent),
            ("PATCH", Endpoint::UpdateConsent),
            ("POST", Endpoint::UpdateConsent),
        ],
    },
    Route {
        path: "/v1/accounts/{account_id}/balances",
        verbs: &[("GET", Endpoint::PaynetBalances)],
    },
];

impl App for PublicAs {
    type Endpoint = Endpoint;

    fn routes(&self) -> &'static [Route<Endpoint>] {
        &PUBLIC_AS
    }

    async fn answer(self: Arc<Self>, matched: Matched<Endpoint>, inbound: Inbound) -> Answer {
        handle(&self.0, &self.0.issuer, Role::Customer, matched, inbound).await
    }
}

impl App for MtlsAs {
    type Endpoint = Endpoint;

    fn routes(&self) -> &'static [Route<Endpoint>] {
        &MTLS_AS
    }

    async fn answer(self: Arc<Self>, matched: Matched<Endpoint>, inbound: Inbound) -> Answer {
        handle(&self.0, &self.0.as_mtls, Role::Dp, matched, inbound).await
    }
}

impl App for Rs {
    type Endpoint = Endpoint;

    fn routes(&self) -> &'static [Route<Endpoint>] {
        &RS
    }

    async fn answer(self: Arc<Self>, matched: Matched<Endpoint>, inbound: Inbound) -> Answer {
        handle(&self.0, &self.0.rs, Role::Dp, matched, inbound).await
    }
}

/// Answers one request and writes it down. `stranger` is who calls when no certificate tells.
async fn handle(
    platform: &Arc<Platform>,
    origin: &Origin,
    stranger: Role,
    matched: Matched<Endpoint>,
    inbound: Inbound,
) -> Answer {
    let mut context =
        Context { exchange: platform.journal.next_exchange(), consent: None, note: None };
    let (at, started) = (platform.now(), Instant::now());
    let answer = match dispatch(platform, matched, &inbound, &mut context).await {
        Ok(answer) => answer,
        Err(refusal) => {
            context.note = Some(refusal.reason.clone());
            refusal.answer()
        }
    };
    let answer = echo_interaction_id(answer, &inbound);
    let certificate = inbound.peer.certificate.clone();
    let caller =
        certificate.as_ref().and_then(|c| platform.participant_by_certificate(&c.thumbprint));
    let query =
        if inbound.query.is_empty() { String::new() } else { format!("?{}", inbound.query) };
    platform.journal.add(Record::Exchange(Exchange {
        id: context.exchange,
        at,
        took: started.elapsed(),
        from: caller.map_or(stranger, super::platform::Participant::role),
        to: Role::PayNet,
        endpoint: match matched {
            Matched::Endpoint(endpoint) => endpoint,
            Matched::WrongVerb(_) | Matched::Unknown => Endpoint::Unknown,
        },
        method: inbound.method,
        url: format!("{origin}{}{query}", inbound.path),
        request: Message { headers: inbound.headers, body: inbound.body },
        outcome: Outcome::Answered { status: answer.status, message: message(&answer) },
        connection: None,
        client_certificate: certificate,
        consent: context.consent,
        cause: None,
        note: context.note,
    }));
    answer
}

async fn dispatch(
    platform: &Arc<Platform>,
    matched: Matched<Endpoint>,
    inbound: &Inbound,
    context: &mut Context,
) -> Result<Answer, Refusal> {
    let endpoint = match matched {
        Matched::Endpoint(endpoint) => endpoint,
        Matched::WrongVerb(allow) => return Ok(Answer::empty(405).header("allow", allow)),
        Matched::Unknown => {
            let reason = format!("the platform has no {} {}", inbound.method, inbound.path);
            return Err(Refusal::new(404, ErrorCode::InvalidRequest, reason));
        }
    };
    match endpoint {
        Endpoint::Discovery => Ok(platform.discovery()),
        Endpoint::Jwks => platform.jwks(inbound),
        Endpoint::Par => platform.par(inbound, context).await,
        Endpoint::PaynetAuthorize => platform.authorize(inbound, context).await,
        Endpoint::Callback => platform.callback(inbound, context),
        Endpoint::Token => platform.token(inbound, context),
        Endpoint::UpdateConsent => platform.update_consent(inbound, context),
        Endpoint::RetrieveConsent => platform.retrieve_consent(inbound, context),
        Endpoint::PaynetBalances => platform.balances(inbound, context).await,
        _ => Ok(Answer::empty(404)),
    }
}

/// The platform echoes the correlation id of every call that has one.
fn echo_interaction_id(answer: Answer, inbound: &Inbound) -> Answer {
    let id = inbound.header("x-fapi-interaction-id");
    match id.filter(|id| ofp_types::InteractionId::parse(*id).is_ok()) {
        Some(id) => answer.header("x-fapi-interaction-id", id),
        None => answer,
    }
}

fn message(answer: &Answer) -> Message {
    let headers = answer.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    Message { headers, body: answer.body.clone() }
}

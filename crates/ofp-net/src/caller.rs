//! A client whose every exchange is written to the journal.

use std::{sync::Arc, time::Instant};

use ofp_evidence::{
    ConnectionId, Endpoint, Exchange, ExchangeId, Failure, Journal, Message, Outcome, Record, Role,
    Stage,
};
use ofp_types::{Clock, ConsentId};

use crate::{
    ClientTls, Hello, HttpClient, Reply, Request, Watcher, client::send_plain, parse_form,
};

/// A client whose every exchange, and every handshake, is written to the journal.
#[derive(Clone)]
pub struct Caller {
    client: HttpClient,
    watcher: Watcher,
}

/// What carries a call.
#[derive(Debug, Clone, Copy)]
pub enum Transport {
    /// TLS, as it should be.
    Tls,
    /// Nothing but TCP.
    Plain,
    /// A hand-built ClientHello with this randomness, and nothing after it.
    HelloOnly(Hello, [u8; 32]),
}

/// What to call, and what for.
pub struct Call {
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// The request.
    pub request: Request,
    /// The consent that it is about.
    pub consent: Option<ConsentId>,
    /// The exchange that makes us call.
    pub cause: Option<ExchangeId>,
}

impl Caller {
    /// A caller with the identity and trust of `tls`.
    #[must_use]
    pub fn new(
        tls: ClientTls,
        from: Role,
        to: Role,
        journal: Arc<Journal>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let watcher = Watcher { journal, clock, from, to };
        Self { client: HttpClient::new(tls, Some(watcher.clone())), watcher }
    }

    /// The same with header names In-Title-Case, on connections of its own.
    #[must_use]
    pub fn in_title_case(&self, tls: ClientTls) -> Self {
        let watcher = self.watcher.clone();
        Self { client: HttpClient::spelling(tls, Some(watcher.clone()), true), watcher }
    }

    /// The journal that it writes to.
    #[must_use]
    pub fn journal(&self) -> &Arc<Journal> {
        &self.watcher.journal
    }

    /// Makes the call, writes it down, and returns the number under which it stands there.
    pub async fn call(&self, call: Call) -> (ExchangeId, Result<(u16, Message), Failure>) {
        let exchange = self.exchange(call).await;
        let result = match exchange.outcome {
            Outcome::Answered { status, message } => Ok((status, message)),
            Outcome::Failed(failure) => Err(failure),
        };
        (exchange.id, result)
    }

    /// Makes the call, writes it down, and returns what it wrote.
    pub async fn exchange(&self, call: Call) -> Exchange {
        self.exchange_over(call, Transport::Tls).await
    }

    /// The same over what carries it.
    pub async fn exchange_over(&self, call: Call, transport: Transport) -> Exchange {
        let id = self.watcher.journal.next_exchange();
        let (at, started) = (self.watcher.clock.now(), Instant::now());
        let request = call.request;
        let sent = Message {
            headers: request.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
            body: request.body.clone(),
        };
        let (method, url) = (request.method.to_string(), request.url.clone());
        let (outcome, connection) = match transport {
            Transport::Tls => answered(self.client.send(request).await),
            Transport::Plain => answered(send_plain(request).await),
            Transport::HelloOnly(hello, random) => (greeted(hello, random, &request).await, None),
        };
        let exchange = Exchange {
            id,
            at,
            took: started.elapsed(),
            from: self.watcher.from,
            to: self.watcher.to,
            endpoint: call.endpoint,
            method,
            url,
            request: sent,
            outcome,
            connection,
            client_certificate: None,
            consent: call.consent,
            cause: call.cause,
            note: None,
        };
        if exchange.endpoint == Endpoint::DpToken {
            self.keep_tokens(&exchange);
        }
        self.watcher.journal.add(Record::Exchange(exchange.clone()));
        exchange
    }

    /// What a DP's token endpoint was sent and gives is a secret, whatever it gives it for.
    fn keep_tokens(&self, exchange: &Exchange) {
        let journal = &self.watcher.journal;
        let form = parse_form(&exchange.request.body).unwrap_or_default();
        form.get("code").into_iter().for_each(|code| journal.secret_of_peer(code));
        let answer = exchange.response().map(|response| serde_json::from_slice(&response.body));
        let Some(Ok(serde_json::Value::Object(answer))) = answer else { return };
        for name in ["access_token", "refresh_token", "id_token"] {
            let token = answer.get(name).and_then(serde_json::Value::as_str);
            token.into_iter().for_each(|token| journal.secret_of_peer(token));
        }
    }
}

fn answered(result: Result<Reply, Failure>) -> (Outcome, Option<ConnectionId>) {
    match result {
        Ok(Reply { status, message, connection }) => {
            (Outcome::Answered { status, message }, connection)
        }
        Err(failure) => (Outcome::Failed(failure), None),
    }
}

async fn greeted(hello: Hello, random: [u8; 32], request: &Request) -> Outcome {
    let uri: http::Uri = request.url.parse().unwrap_or_default();
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    match hello.greet(host, uri.port_u16().unwrap_or(443), random, request.deadline).await {
        Ok(server) => {
            let detail = format!("ServerHello with {}, {}", server.version, server.cipher);
            Outcome::Failed(Failure { stage: Stage::Greeted, detail })
        }
        Err(failure) => Outcome::Failed(failure),
    }
}

//! A client whose every exchange is written to the journal.

use std::{sync::Arc, time::Instant};

use ofp_evidence::{
    Endpoint, Exchange, ExchangeId, Failure, Journal, Message, Outcome, Record, Role,
};
use ofp_types::{Clock, ConsentId};

use crate::{ClientTls, HttpClient, Request, Watcher};

/// A client whose every exchange, and every handshake, is written to the journal.
#[derive(Clone)]
pub struct Caller {
    client: HttpClient,
    watcher: Watcher,
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
        let id = self.watcher.journal.next_exchange();
        let (at, started) = (self.watcher.clock.now(), Instant::now());
        let request = call.request;
        let sent = Message {
            headers: request.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
            body: request.body.clone(),
        };
        let (method, url) = (request.method.to_string(), request.url.clone());
        let result = self.client.send(request).await;
        let connection = result.as_ref().ok().and_then(|reply| reply.connection);
        let outcome = match result {
            Ok(reply) => Outcome::Answered { status: reply.status, message: reply.message },
            Err(failure) => Outcome::Failed(failure),
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
        self.watcher.journal.add(Record::Exchange(exchange.clone()));
        exchange
    }
}

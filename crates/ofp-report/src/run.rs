//! A run's summary with what its records say of each exchange at hand.

use std::collections::HashMap;

use ofp_evidence::{
    ConnectionId, Difference, Exchange, ExchangeId, Handshake, Reader, Record, Summary,
};
use ofp_types::Mutation;

/// A run as reports look at it.
pub(crate) struct Run<'a> {
    /// What came of it.
    pub(crate) summary: &'a Summary,
    exchanges: HashMap<ExchangeId, &'a Exchange>,
    spoilt: HashMap<ExchangeId, (Mutation, &'a [Difference])>,
    handshakes: HashMap<ConnectionId, &'a Handshake>,
    decrypted: HashMap<ExchangeId, &'a [u8]>,
}

impl<'a> Run<'a> {
    pub(crate) fn of(summary: &'a Summary) -> Self {
        let (mut exchanges, mut spoilt) = (HashMap::new(), HashMap::new());
        let (mut handshakes, mut decrypted) = (HashMap::new(), HashMap::new());
        for record in &summary.records {
            match &**record {
                Record::Exchange(exchange) => {
                    exchanges.insert(exchange.id, exchange);
                }
                Record::Probe { exchange, mutation: Some(mutation), differences, .. } => {
                    spoilt.insert(*exchange, (*mutation, differences.as_slice()));
                }
                Record::Handshake(handshake) => {
                    handshakes.insert(handshake.id, handshake);
                }
                Record::Decryption(one) if one.reader == Reader::Addressee => {
                    if let Ok(plaintext) = &one.outcome {
                        decrypted.insert(one.exchange, plaintext.as_slice());
                    }
                }
                _ => {}
            }
        }
        Self { summary, exchanges, spoilt, handshakes, decrypted }
    }

    /// The exchange of a number.
    pub(crate) fn exchange(&self, id: ExchangeId) -> Option<&'a Exchange> {
        self.exchanges.get(&id).copied()
    }

    /// Every exchange, in order.
    pub(crate) fn exchanges(&self) -> Vec<&'a Exchange> {
        let mut all: Vec<&Exchange> = self.exchanges.values().copied().collect();
        all.sort_by_key(|exchange| exchange.id);
        all
    }

    /// The handshake of a connection, where we made it.
    pub(crate) fn handshake(&self, id: ConnectionId) -> Option<&'a Handshake> {
        self.handshakes.get(&id).copied()
    }

    /// What the DC got out of an encrypted answer.
    pub(crate) fn decrypted(&self, id: ExchangeId) -> Option<&'a [u8]> {
        self.decrypted.get(&id).copied()
    }

    /// What was spoilt of a request on purpose: the proof of a negative test.
    pub(crate) fn spoilt(&self, id: ExchangeId) -> Option<(Mutation, &'a [Difference])> {
        self.spoilt.get(&id).copied()
    }
}

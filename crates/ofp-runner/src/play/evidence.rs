//! Which records belong to a scenario.

use std::{collections::HashSet, sync::Arc};

use ofp_evidence::{ConnectionId, ExchangeId, Record};
use ofp_types::ConsentId;

/// The records about a scenario's consents: their exchanges, the handshakes of their connections, what was
/// decrypted of them, its transitions, and what its customer did.
pub(crate) fn of_consents(records: &[Arc<Record>], consents: &[ConsentId]) -> Vec<Arc<Record>> {
    let mut connections: HashSet<ConnectionId> = HashSet::new();
    let mut exchanges: HashSet<ExchangeId> = HashSet::new();
    for record in records {
        if let Record::Exchange(exchange) = &**record
            && exchange.consent.as_ref().is_some_and(|consent| consents.contains(consent))
        {
            exchanges.insert(exchange.id);
            connections.extend(exchange.connection);
        }
    }
    let ours = |record: &Record| match record {
        Record::Exchange(exchange) => exchanges.contains(&exchange.id),
        Record::Handshake(handshake) => connections.contains(&handshake.id),
        Record::Decryption(decryption) => exchanges.contains(&decryption.exchange),
        Record::Transition(transition) => consents.contains(&transition.consent),
        Record::RefusalExpected { exchange } | Record::Probe { exchange, .. } => {
            exchanges.contains(exchange)
        }
        // what one scenario has found out holds for every other
        Record::OtherReading(_) => true,
        Record::Restart(restart) => consents.contains(&restart.consent),
        Record::KeySet(change) => consents.contains(&change.consent),
        Record::Account(change) => consents.contains(&change.consent),
        Record::TokensWithheld { consent } | Record::Customer { consent, .. } => {
            consents.contains(consent)
        }
    };
    records.iter().filter(|record| ours(record)).cloned().collect()
}

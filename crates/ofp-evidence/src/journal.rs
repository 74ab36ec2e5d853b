//! The record of a run.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::watch;

use crate::{ConnectionId, ExchangeId, Record, Secrets};

/// The record of a run: append-only, shared by every role.
#[derive(Debug)]
pub struct Journal {
    kept: Mutex<Kept>,
    bound: JournalBound,
    secrets: Mutex<Secrets>,
    exchanges: AtomicU64,
    connections: AtomicU64,
    length: watch::Sender<usize>,
}

/// How much a journal keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalBound {
    /// How many records.
    pub records: usize,
    /// How many bytes all of them may have, as [`Record::weight`] estimates them.
    pub bytes: usize,
}

#[derive(Debug, Default)]
struct Kept {
    records: VecDeque<Arc<Record>>,
    bytes: usize,
    /// How many there have ever been.
    added: usize,
}

impl Kept {
    fn add(&mut self, record: Record, bound: JournalBound) {
        self.added += 1;
        self.bytes += record.weight();
        self.records.push_back(Arc::new(record));
        while self.records.len() > bound.records || self.bytes > bound.bytes {
            let Some(oldest) = self.records.pop_front() else { return };
            self.bytes -= oldest.weight();
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        let bound = JournalBound { records: usize::MAX, bytes: usize::MAX };
        Self::with(bound, Secrets::default())
    }
}

impl Journal {
    /// A journal that forgets the oldest of more records than `bound` says: for a platform that stays
    /// up. It remembers two mentions of secrets a record.
    #[must_use]
    pub fn bounded(bound: JournalBound) -> Self {
        Self::with(bound, Secrets::bounded(bound.records.saturating_mul(2)))
    }

    fn with(bound: JournalBound, secrets: Secrets) -> Self {
        Self {
            kept: Mutex::default(),
            bound,
            secrets: Mutex::new(secrets),
            exchanges: AtomicU64::new(1),
            connections: AtomicU64::new(1),
            length: watch::Sender::new(0),
        }
    }

    /// A number for an exchange that begins now.
    pub fn next_exchange(&self) -> ExchangeId {
        ExchangeId(self.exchanges.fetch_add(1, Ordering::Relaxed))
    }

    /// A number for a connection that is made now.
    pub fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed))
    }

    /// Adds a record and wakes whoever waits for one.
    pub fn add(&self, record: Record) {
        self.lock_kept().add(record, self.bound);
        self.length.send_modify(|length| *length += 1);
    }

    /// Everything that is kept of what was recorded so far, in the order of recording.
    #[must_use]
    pub fn records(&self) -> Vec<Arc<Record>> {
        self.lock_kept().records.iter().cloned().collect()
    }

    /// How many records have ever been made.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.lock_kept().added
    }

    /// What is kept of what was recorded after a mark.
    #[must_use]
    pub fn since(&self, mark: usize) -> Vec<Arc<Record>> {
        let kept = self.lock_kept();
        let forgotten = kept.added - kept.records.len();
        kept.records.iter().skip(mark.saturating_sub(forgotten)).cloned().collect()
    }

    /// The newest record that `wanted` takes something of.
    pub fn newest<T>(&self, wanted: impl FnMut(&Record) -> Option<T>) -> Option<T> {
        let mut wanted = wanted;
        self.lock_kept().records.iter().rev().find_map(|record| wanted(record))
    }

    /// Tells the number of records ever made, now and at every change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.length.subscribe()
    }

    /// Marks a code or token of a peer's as secret. A short one is left: a peer must not choose which words are masked.
    pub fn secret_of_peer(&self, text: &str) {
        /// Half of what such a thing has (RFC 6749 §10.10: 128 bits and more).
        const SHORTEST: usize = 16;
        if text.len() >= SHORTEST {
            self.secret(text);
        }
    }

    /// Marks a text as secret: no writer shows it from now on, in any encoding.
    pub fn secret(&self, text: &str) {
        self.lock_secrets().add(text);
    }

    /// Marks a text as secret for as long as the journal lives.
    pub fn keep_secret(&self, text: &str) {
        self.lock_secrets().keep(text);
    }

    /// The secrets known so far, ready to be looked for: made ready once for as long as there is no
    /// new one.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        let secrets = self.lock_secrets().clone();
        // outside the lock: with many secrets it takes a while, and every token is one more
        secrets.make_ready();
        self.lock_secrets().learn_from(&secrets);
        secrets
    }

    fn lock_secrets(&self) -> MutexGuard<'_, Secrets> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(id: u64) -> Record {
        Record::RefusalExpected { exchange: ExchangeId(id) }
    }

    #[test]
    fn a_bounded_journal_forgets_the_oldest_by_number_and_by_bytes() {
        let weight = mark(0).weight();
        let bounds = [(3, usize::MAX), (usize::MAX, 3 * weight + 1)];
        for (records, bytes) in bounds {
            let journal = Journal::bounded(JournalBound { records, bytes });
            (0..10).for_each(|id| journal.add(mark(id)));
            let kept: Vec<u64> = journal
                .records()
                .iter()
                .map(|record| match &**record {
                    Record::RefusalExpected { exchange } => exchange.0,
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(kept, [7, 8, 9]);
            assert_eq!(*journal.watch().borrow(), 10);
            let since = |mark| journal.since(mark).len();
            assert_eq!((journal.mark(), since(0), since(9), since(10)), (10, 3, 1, 0));
        }
    }
}

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
    records: Mutex<VecDeque<Arc<Record>>>,
    /// How many records are kept; all of them unless bounded.
    most: usize,
    secrets: Mutex<Secrets>,
    exchanges: AtomicU64,
    connections: AtomicU64,
    length: watch::Sender<usize>,
}

impl Default for Journal {
    fn default() -> Self {
        Self::with(usize::MAX, Secrets::default())
    }
}

impl Journal {
    /// A journal that forgets the oldest of more than `most` records: for a platform that stays up.
    /// It remembers four secrets a record, more than an exchange has.
    #[must_use]
    pub fn bounded(most: usize) -> Self {
        Self::with(most, Secrets::bounded(most.saturating_mul(4)))
    }

    fn with(most: usize, secrets: Secrets) -> Self {
        Self {
            records: Mutex::default(),
            most,
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
        {
            let mut records = self.lock_records();
            while records.len() >= self.most {
                records.pop_front();
            }
            records.push_back(Arc::new(record));
        }
        self.length.send_modify(|length| *length += 1);
    }

    /// Everything that is kept of what was recorded so far, in the order of recording.
    #[must_use]
    pub fn records(&self) -> Vec<Arc<Record>> {
        self.lock_records().iter().cloned().collect()
    }

    /// The newest record that `wanted` takes something of.
    pub fn newest<T>(&self, wanted: impl FnMut(&Record) -> Option<T>) -> Option<T> {
        let mut wanted = wanted;
        self.lock_records().iter().rev().find_map(|record| wanted(record))
    }

    /// Tells the number of records ever made, now and at every change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.length.subscribe()
    }

    /// Marks a text as secret: no writer shows it from now on, in any encoding.
    pub fn secret(&self, text: &str) {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).add(text);
    }

    /// The secrets known so far, ready to be looked for: made ready once for as long as there is no
    /// new one.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.make_ready();
        secrets.clone()
    }

    fn lock_records(&self) -> MutexGuard<'_, VecDeque<Arc<Record>>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

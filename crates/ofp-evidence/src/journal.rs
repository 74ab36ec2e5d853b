//! The record of a run.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::watch;

use crate::{ConnectionId, ExchangeId, Record, Secrets};

/// The record of a run: append-only, shared by every role.
#[derive(Debug)]
pub struct Journal {
    records: Mutex<Vec<Arc<Record>>>,
    secrets: Mutex<Secrets>,
    exchanges: AtomicU64,
    connections: AtomicU64,
    length: watch::Sender<usize>,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            records: Mutex::default(),
            secrets: Mutex::default(),
            exchanges: AtomicU64::new(1),
            connections: AtomicU64::new(1),
            length: watch::Sender::new(0),
        }
    }
}

impl Journal {
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
        let length = {
            let mut records = self.lock_records();
            records.push(Arc::new(record));
            records.len()
        };
        self.length.send_replace(length);
    }

    /// Everything recorded so far, in the order of recording.
    #[must_use]
    pub fn records(&self) -> Vec<Arc<Record>> {
        self.lock_records().clone()
    }

    /// Tells the number of records, now and at every change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.length.subscribe()
    }

    /// Marks a text as secret: no writer shows it from now on, in any encoding.
    pub fn secret(&self, text: &str) {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).add(text);
    }

    /// The secrets known so far.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lock_records(&self) -> MutexGuard<'_, Vec<Arc<Record>>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

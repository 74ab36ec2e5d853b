//! What survives a restart: an embedded store, written behind the requests and waited for before
//! they are answered.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use redb::{Builder, Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use serde::Serialize;
use tokio::sync::watch;

/// Shelf and key, to a value in JSON.
const ENTRIES: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("entries");
const FORMAT_SHELF: &str = "format";
const FORMAT: &[u8] = b"1";
/// How many changes one commit takes at most.
const BATCH: usize = 4096;
const CACHE_BYTES: usize = 8 << 20;

/// Why a state file cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened.
    #[error("cannot open the state file {}: {reason}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// What the system or the store said.
        reason: String,
    },
    /// It holds something else.
    #[error("the state file {} holds something else on {shelf} under {key}: {reason}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// Which shelf.
        shelf: String,
        /// Which entry.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A change could not be written.
    #[error("cannot write the state file: {0}")]
    Write(String),
}

/// One change: a new value, or none any more.
struct Change {
    shelf: &'static str,
    key: String,
    value: Option<Vec<u8>>,
}

/// How far the writer has come.
#[derive(Debug, Clone, Default)]
struct Progress {
    written: u64,
    failure: Option<String>,
}

struct Inner {
    path: PathBuf,
    database: Arc<Database>,
    /// The queue and the number of changes put into it; one lock, so that both agree.
    queue: Mutex<(mpsc::Sender<Change>, u64)>,
    progress: watch::Receiver<Progress>,
}

/// What survives a restart. Without a file, nothing does, and nothing costs anything.
#[derive(Clone, Default)]
pub struct Store(Option<Arc<Inner>>);

impl Store {
    /// Only memory.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Opens `path`, making it if it is not there, for its owner's eyes only.
    ///
    /// # Errors
    /// [`StoreError::Open`], also when another process has it open or it is no state file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |reason: String| StoreError::Open { path: path.to_owned(), reason };
        make_private(path).map_err(|e| failed(e.to_string()))?;
        let database = Builder::new()
            .set_cache_size(CACHE_BYTES)
            // a damaged file would be read wrongly, or not survived
            .set_check_integrity_on_open(true)
            .create(path)
            .map_err(|e| failed(e.to_string()))?;
        check_format(&database).map_err(failed)?;
        let database = Arc::new(database);
        let (sender, receiver) = mpsc::channel();
        let (progress_sender, progress) = watch::channel(Progress::default());
        let writer = Arc::clone(&database);
        thread::Builder::new()
            .name("state file".into())
            .spawn(move || write_behind(&writer, &receiver, &progress_sender))
            .map_err(|e| failed(e.to_string()))?;
        let queue = Mutex::new((sender, 0));
        Ok(Self(Some(Arc::new(Inner { path: path.to_owned(), database, queue, progress }))))
    }

    /// Puts a value under a key, soon.
    pub(crate) fn put(&self, shelf: &'static str, key: &str, value: &impl Serialize) {
        let Some(inner) = &self.0 else { return };
        // what is stored is plain data, which always has a JSON form
        let Ok(value) = serde_json::to_vec(value) else { return };
        inner.enqueue(Change { shelf, key: key.to_owned(), value: Some(value) });
    }

    /// Removes a key, soon.
    pub(crate) fn remove(&self, shelf: &'static str, key: &str) {
        if let Some(inner) = &self.0 {
            inner.enqueue(Change { shelf, key: key.to_owned(), value: None });
        }
    }

    /// Everything on a shelf.
    pub(crate) fn load<V: serde::de::DeserializeOwned>(
        &self,
        shelf: &'static str,
    ) -> Result<Vec<(String, V)>, StoreError> {
        let Some(inner) = &self.0 else { return Ok(Vec::new()) };
        let failed = |reason: String| StoreError::Open { path: inner.path.clone(), reason };
        let mut found = Vec::new();
        let transaction = inner.database.begin_read().map_err(|e| failed(e.to_string()))?;
        let table = transaction.open_table(ENTRIES).map_err(|e| failed(e.to_string()))?;
        let entries = table.range((shelf, "")..).map_err(|e| failed(e.to_string()))?;
        for entry in entries {
            let (key, value) = entry.map_err(|e| failed(e.to_string()))?;
            let (on, key) = key.value();
            if on != shelf {
                break;
            }
            let value = serde_json::from_slice(value.value()).map_err(|e| StoreError::Content {
                path: inner.path.clone(),
                shelf: shelf.to_owned(),
                key: key.to_owned(),
                reason: e.to_string(),
            })?;
            found.push((key.to_owned(), value));
        }
        Ok(found)
    }

    /// Waits until every change so far is on disk: an answer leaves only when what it rests on is.
    ///
    /// # Errors
    /// [`StoreError::Write`], for instance when the disk is full.
    pub async fn settled(&self) -> Result<(), StoreError> {
        let Some(inner) = &self.0 else { return Ok(()) };
        let wanted = inner.queue.lock().unwrap_or_else(PoisonError::into_inner).1;
        let mut progress = inner.progress.clone();
        let reached = progress.wait_for(|p| p.written >= wanted || p.failure.is_some()).await;
        match reached.map(|progress| progress.failure.clone()) {
            Ok(None) => Ok(()),
            Ok(Some(failure)) => Err(StoreError::Write(failure)),
            Err(_) => Err(StoreError::Write("the writer has ended".into())),
        }
    }
}

impl Inner {
    fn enqueue(&self, change: Change) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        // a writer that has ended is noticed by whoever waits for it
        let _ = queue.0.send(change);
        queue.1 += 1;
    }
}

/// Makes the file before the store does, so that nobody else can ever read it: it holds keys.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn check_format(database: &Database) -> Result<(), String> {
    let transaction = database.begin_write().map_err(|e| e.to_string())?;
    {
        let mut table = transaction.open_table(ENTRIES).map_err(|e| e.to_string())?;
        let known = table.get((FORMAT_SHELF, "")).map_err(|e| e.to_string())?;
        match known.map(|value| value.value().to_vec()) {
            None => drop(table.insert((FORMAT_SHELF, ""), FORMAT).map_err(|e| e.to_string())?),
            Some(found) if found == FORMAT => {}
            Some(found) => {
                let found = String::from_utf8_lossy(&found).into_owned();
                return Err(format!("its format is {found}, this version reads format 1"));
            }
        }
    }
    transaction.commit().map_err(|e| e.to_string())
}

/// Commits whatever has gathered, again and again, until nobody can send any more.
fn write_behind(
    database: &Database,
    changes: &mpsc::Receiver<Change>,
    progress: &watch::Sender<Progress>,
) {
    while let Ok(first) = changes.recv() {
        let mut batch = vec![first];
        batch.extend(changes.try_iter().take(BATCH - 1));
        let count = batch.len() as u64;
        match commit(database, batch) {
            Ok(()) => progress.send_modify(|progress| progress.written += count),
            Err(error) => {
                progress.send_modify(|progress| progress.failure = Some(error.to_string()));
                return;
            }
        }
    }
}

fn commit(database: &Database, batch: Vec<Change>) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(ENTRIES)?;
        for change in batch {
            let key = (change.shelf, change.key.as_str());
            match change.value {
                Some(value) => drop(table.insert(key, value.as_slice())?),
                None => drop(table.remove(key)?),
            }
        }
    }
    Ok(transaction.commit()?)
}

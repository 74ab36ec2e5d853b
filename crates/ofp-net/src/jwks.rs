//! A JWK set that is fetched when needed and kept for a while.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use ofp_jose::{JoseError, JwkSet, KeySet, KeyUse};
use ofp_types::Clock;
use tokio::sync::Mutex;

use crate::{HttpClient, Request};

/// How long a set is kept (S1:L223).
const KEPT: SignedDuration = SignedDuration::from_mins(15);
/// An unknown kid makes us ask again at once, so often in a row, and then once in so long a time.
const ASKED_AGAIN: u32 = 3;
const ONCE_IN: SignedDuration = SignedDuration::from_secs(1);
/// After a failure nobody asks for so long.
const FAILED_FOR: SignedDuration = SignedDuration::from_secs(1);
const DEADLINE: Duration = Duration::from_secs(5);

/// Somebody's JWK set: fetched at first use, kept for 15 minutes, fetched again for an unknown kid
/// (FAPI 2.0 SP §5.4.2), though not for every one.
pub struct JwksCache {
    client: HttpClient,
    clock: Arc<dyn Clock>,
    owner: String,
    url: String,
    kept: Mutex<Option<Kept>>,
    /// When and why the last fetch failed: not every request tries again.
    failed: Mutex<Option<(Timestamp, JoseError)>>,
}

struct Kept {
    keys: Arc<KeySet>,
    since: Timestamp,
    /// How often an unknown kid may still make us ask again, at the time beside it.
    left: (u32, Timestamp),
}

impl JwksCache {
    /// The set of `owner` at `url`.
    #[must_use]
    pub fn new(client: HttpClient, clock: Arc<dyn Clock>, owner: &str, url: String) -> Self {
        Self {
            client,
            clock,
            owner: owner.to_owned(),
            url,
            kept: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// A key set that holds `kid`, if the owner publishes it now.
    ///
    /// # Errors
    /// [`JoseError::UnknownKid`], or [`JoseError::WrongUse`]; a set that cannot be fetched holds
    /// no key, and the error then names the reason as the owner.
    pub async fn holding(&self, kid: &str, key_use: KeyUse) -> Result<Arc<KeySet>, JoseError> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        let mut left = (ASKED_AGAIN, now);
        if let Some(kept) = &*kept {
            let known = kept.keys.find(kid, key_use).map(drop);
            left = refilled(kept.left, now);
            match known {
                Ok(()) if now.duration_since(kept.since) < KEPT => {
                    return Ok(Arc::clone(&kept.keys));
                }
                Ok(()) => {}
                Err(_) if left.0 > 0 => left.0 -= 1,
                Err(error) => return Err(error),
            }
        }
        let keys = Arc::new(self.fetch_unless_it_just_failed(now).await?);
        *kept = Some(Kept { keys: Arc::clone(&keys), since: now, left });
        keys.find(kid, key_use)?;
        Ok(keys)
    }

    /// The set as it was fetched last, whatever it holds.
    pub async fn kept(&self) -> Option<Arc<KeySet>> {
        self.kept.lock().await.as_ref().map(|kept| Arc::clone(&kept.keys))
    }

    /// Forgets what was fetched, so that the next message makes it fetch again.
    pub async fn forget(&self) {
        *self.kept.lock().await = None;
        *self.failed.lock().await = None;
    }

    async fn fetch_unless_it_just_failed(&self, now: Timestamp) -> Result<KeySet, JoseError> {
        let mut failed = self.failed.lock().await;
        match &*failed {
            Some((at, error)) if now.duration_since(*at) < FAILED_FOR => {
                return Err(error.clone());
            }
            _ => {}
        }
        let fetched = self.fetch().await;
        *failed = fetched.as_ref().err().map(|error| (now, error.clone()));
        fetched
    }

    async fn fetch(&self) -> Result<KeySet, JoseError> {
        let unreachable = |reason: String| JoseError::UnknownKid {
            kid: "any".into(),
            owner: format!("{} ({}: {reason})", self.owner, self.url),
        };
        let reply = self.client.send(Request::get(&self.url, DEADLINE)).await;
        let reply = reply.map_err(|failure| unreachable(failure.to_string()))?;
        if reply.status != 200 {
            return Err(unreachable(format!("HTTP {}", reply.status)));
        }
        let set: JwkSet = serde_json::from_slice(&reply.message.body)
            .map_err(|e| unreachable(format!("not a JWK set: {e}")))?;
        Ok(KeySet::of_jwks(&self.owner, &set).0)
    }
}

/// A leaky count: one more for every so long a time, up to the most.
fn refilled((left, at): (u32, Timestamp), now: Timestamp) -> (u32, Timestamp) {
    let passed = now.duration_since(at).as_secs() / ONCE_IN.as_secs();
    match u32::try_from(passed) {
        Ok(0) | Err(_) => (left, at),
        Ok(more) => (left.saturating_add(more).min(ASKED_AGAIN), now),
    }
}

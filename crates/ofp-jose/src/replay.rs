//! Remembers which `jti` values have been used.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::JoseError;

/// How many entries are remembered before the oldest are dropped.
const CAPACITY: usize = 100_000;

/// Longer ones are not remembered, so they are refused.
const LONGEST_JTI: usize = 256;

/// Remembers `(iss, jti)` pairs for as long as a message with them could be accepted.
#[derive(Debug, Default)]
pub struct ReplayGuard {
    seen: HashMap<(String, String), Timestamp>,
}

impl ReplayGuard {
    /// Takes note of `jti`, which matters until `now + keep`.
    ///
    /// # Errors
    /// [`JoseError::Replayed`] when it has been seen.
    pub fn first_use(
        &mut self,
        iss: &str,
        jti: &str,
        now: Timestamp,
        keep: SignedDuration,
    ) -> Result<(), JoseError> {
        if jti.len() > LONGEST_JTI {
            let expected = format!("at most {LONGEST_JTI} characters");
            let actual = format!("{} characters", jti.len());
            return Err(JoseError::ClaimValue { claim: "jti", expected, actual });
        }
        if self.seen.len() >= CAPACITY {
            self.forget(now);
        }
        let until = now.saturating_add(keep).unwrap_or(Timestamp::MAX);
        match self.seen.insert((iss.to_owned(), jti.to_owned()), until) {
            Some(earlier) if earlier > now => {
                Err(JoseError::Replayed { jti: jti.to_owned(), iss: iss.to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn forget(&mut self, now: Timestamp) {
        self.seen.retain(|_, until| *until > now);
        if self.seen.len() >= CAPACITY {
            let mut ends: Vec<Timestamp> = self.seen.values().copied().collect();
            let (_, middle, _) = ends.select_nth_unstable(CAPACITY / 2);
            let middle = *middle;
            self.seen.retain(|_, until| *until > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jti_works_once_until_it_could_no_longer_be_accepted() {
        let mut guard = ReplayGuard::default();
        let now = Timestamp::UNIX_EPOCH;
        let keep = SignedDuration::from_secs(300);
        assert!(guard.first_use("a", "1", now, keep).is_ok());
        assert!(guard.first_use("b", "1", now, keep).is_ok(), "another issuer's");
        assert!(guard.first_use("a", "1", now, keep).is_err());
        assert!(guard.first_use("a", "1", now + SignedDuration::from_secs(301), keep).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let mut guard = ReplayGuard::default();
        for n in 0..=CAPACITY {
            let now = Timestamp::from_second(i64::try_from(n).unwrap()).unwrap();
            guard.first_use("a", &n.to_string(), now, SignedDuration::from_hours(1000)).unwrap();
        }
        assert!(guard.seen.len() < CAPACITY);
    }
}

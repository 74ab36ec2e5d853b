//! Maps that forget, so that nobody can fill the memory.

use std::collections::HashMap;

use jiff::Timestamp;

/// A map in memory of what matters only until some time.
#[derive(Debug)]
pub struct Passing<V> {
    entries: HashMap<String, (Timestamp, V)>,
    most: usize,
}

impl<V> Passing<V> {
    /// A map of at most `most` entries.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { entries: HashMap::new(), most }
    }

    /// Puts an entry that matters until `end`; where there are too many, those go
    /// that have ended, or the half that ends soonest.
    pub fn insert(&mut self, key: impl Into<String>, value: V, now: Timestamp, end: Timestamp) {
        let key = key.into();
        if !self.entries.contains_key(&key) {
            let entries = self.entries.iter().map(|(key, (end, _))| (key, *end));
            for key in surplus(entries, self.most, now) {
                self.entries.remove(&key);
            }
        }
        self.entries.insert(key, (end, value));
    }

    /// An entry that still matters.
    #[must_use]
    pub fn get(&self, key: &str, now: Timestamp) -> Option<&V> {
        self.entries.get(key).filter(|(end, _)| *end > now).map(|(_, value)| value)
    }

    /// An entry that still matters, to be changed.
    pub fn get_mut(&mut self, key: &str, now: Timestamp) -> Option<&mut V> {
        self.entries.get_mut(key).filter(|(end, _)| *end > now).map(|(_, value)| value)
    }

    /// An entry that still matters, and now does until `end`.
    pub fn renew(&mut self, key: &str, now: Timestamp, end: Timestamp) -> Option<&mut V> {
        let (until, value) = self.entries.get_mut(key).filter(|(end, _)| *end > now)?;
        *until = end;
        Some(value)
    }

    /// Takes an entry away.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        self.entries.remove(key).map(|(_, value)| value)
    }

    /// Every value that still matters, in no order.
    pub fn values(&self, now: Timestamp) -> impl Iterator<Item = &V> {
        self.entries.values().filter(move |(end, _)| *end > now).map(|(_, value)| value)
    }
}

/// Which entries go to make room for one more of at most `most`: none while there is room; else those
/// that ended before `now`, and when few have, those that end soonest, until half are left.
pub(crate) fn surplus<'a>(
    entries: impl ExactSizeIterator<Item = (&'a String, Timestamp)>,
    most: usize,
    now: Timestamp,
) -> Vec<String> {
    if entries.len() < most {
        return Vec::new();
    }
    let mut by_end: Vec<(Timestamp, &String)> = entries.map(|(key, end)| (end, key)).collect();
    by_end.sort_unstable();
    let ended = by_end.partition_point(|(end, _)| *end <= now);
    let half = by_end.len().div_ceil(2);
    // few at a time would mean to look through all of them at every insertion
    let go = if ended * 4 < by_end.len() { half } else { ended };
    by_end.into_iter().take(go).map(|(_, key)| key.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_has_ended_is_gone_and_may_be_renewed_before() {
        let mut map = Passing::new(10);
        map.insert("a", 1, at(0), at(5));
        map.insert("b", 2, at(0), at(5));
        assert_eq!(map.renew("a", at(4), at(9)), Some(&mut 1));
        assert_eq!((map.get("a", at(8)), map.get("b", at(8))), (Some(&1), None));
        assert_eq!(map.renew("b", at(8), at(9)), None, "too late");
        assert_eq!(map.values(at(8)).collect::<Vec<_>>(), [&1]);
        assert_eq!((map.remove("a"), map.get("a", at(0))), (Some(1), None));
    }

    #[test]
    fn room_is_made_by_what_ended_or_ends_soonest() {
        let mut map = Passing::new(10);
        for second in 0..10 {
            map.insert(second.to_string(), second, at(-1), at(second));
        }
        map.insert("ten", 10, at(4), at(10));
        assert_eq!(map.entries.len(), 6, "five had ended");
        for second in 11..15 {
            map.insert(second.to_string(), second, at(4), at(second));
        }
        map.insert("last", 15, at(4), at(15));
        assert_eq!(map.entries.len(), 6, "none had ended: half of them went");
        assert!(map.get("last", at(4)).is_some() && map.get("5", at(4)).is_none());
    }
}

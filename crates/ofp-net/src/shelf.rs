//! A map whose entries survive a restart, if there is a store.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Store, StoreError, passing::surplus};

/// A map from texts, whose entries survive a restart if there is a store. Every change goes
/// through a method that tells the store.
pub struct Shelf<V> {
    name: &'static str,
    entries: HashMap<String, V>,
    store: Store,
}

impl<V: Serialize + DeserializeOwned> Shelf<V> {
    /// The shelf called `name` of a store, with what is on it.
    ///
    /// # Errors
    /// [`StoreError`] when the store holds something else.
    pub fn open(name: &'static str, store: &Store) -> Result<Self, StoreError> {
        let entries = store.load(name)?.into_iter().collect();
        Ok(Self { name, entries, store: store.clone() })
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// An entry.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key)
    }

    /// Every entry, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Puts an entry.
    pub fn insert(&mut self, key: &str, value: V) {
        self.store.put(self.name, key, &value);
        self.entries.insert(key.to_owned(), value);
    }

    /// Changes an entry, if it is there.
    pub fn change<R>(&mut self, key: &str, how: impl FnOnce(&mut V) -> R) -> Option<R> {
        let value = self.entries.get_mut(key)?;
        let result = how(value);
        self.store.put(self.name, key, value);
        Some(result)
    }

    /// Takes an entry away.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        let removed = self.entries.remove(key)?;
        self.store.remove(self.name, key);
        Some(removed)
    }

    /// Keeps only what `wanted` wants.
    pub fn retain(&mut self, mut wanted: impl FnMut(&str, &V) -> bool) {
        let (name, store) = (self.name, &self.store);
        self.entries.retain(|key, value| {
            let keep = wanted(key, value);
            if !keep {
                store.remove(name, key);
            }
            keep
        });
    }

    /// Makes room for one more of at most `most` entries: those that ended before `now` go, or the
    /// half that ends soonest.
    pub fn make_room(&mut self, most: usize, now: Timestamp, end: impl Fn(&V) -> Timestamp) {
        let entries = self.entries.iter().map(|(key, value)| (key, end(value)));
        surplus(entries, most, now).iter().for_each(|key| drop(self.remove(key)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_waited_for_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        {
            let store = Store::open(&path).unwrap();
            let mut shelf = Shelf::open("numbers", &store).unwrap();
            (0..100).for_each(|n| shelf.insert(&n.to_string(), n));
            shelf.change("7", |n| *n = 700);
            shelf.remove("8");
            store.settled().await.unwrap();
            let error = Store::open(&path).map(drop).unwrap_err().to_string();
            assert!(error.contains("already open"), "{error}");
        }
        let store = reopened(&path);
        let shelf: Shelf<i32> = Shelf::open("numbers", &store).unwrap();
        assert_eq!((shelf.len(), shelf.get("7"), shelf.get("8")), (99, Some(&700), None));
        let other: Shelf<i32> = Shelf::open("others", &store).unwrap();
        assert!(other.is_empty(), "shelves are apart");
        let error = Shelf::<bool>::open("numbers", &store).map(drop).unwrap_err().to_string();
        assert!(error.contains("holds something else on numbers under 0"), "{error}");
    }

    /// The writer's thread lets go of the file a moment after the last sender.
    fn reopened(path: &std::path::Path) -> Store {
        loop {
            if let Ok(store) = Store::open(path) {
                return store;
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_file_of_another_kind_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter");
        std::fs::write(&path, "Dear bank, this is no state file at all.").unwrap();
        let error = Store::open(&path).map(drop).unwrap_err().to_string();
        assert!(error.starts_with("cannot open the state file"), "{error}");
        let after = std::fs::read_to_string(&path).unwrap();
        assert!(after.starts_with("Dear bank"), "nothing was lost");
    }

    #[test]
    fn room_is_made_by_what_ends_first() {
        let mut shelf = Shelf::open("times", &Store::none()).unwrap();
        for second in 0..10 {
            shelf.insert(&second.to_string(), Timestamp::from_second(second).unwrap());
        }
        let at = |second| Timestamp::from_second(second).unwrap();
        shelf.make_room(10, at(2), |end| *end);
        assert_eq!(shelf.len(), 7, "three had ended");
        shelf.make_room(7, at(2), |end| *end);
        assert!(shelf.len() < 7 && shelf.get("9").is_some());
    }
}

//! The core banking system: customers, accounts, balances, transactions.

mod account;
mod books;
mod test_data;
mod transactions;

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use ofp_net::{Shelf, Store, StoreError};
use ofp_types::AccountId;
use openssl::sha::sha256;

pub use account::{Account, AccountKind, AccountStatus};
pub use books::{Books, Customer, InvalidBooks};
pub(crate) use transactions::{Page, PageError};

/// The name of the books on their shelf.
const KEY: &str = "books";

/// The bank: its books, which a test may exchange while it is open.
pub struct Bank {
    state: RwLock<State>,
    /// Whether the core system cannot be reached.
    down: AtomicBool,
}

struct State {
    books: Arc<Books>,
    /// Holds the books once they differ from the test data.
    shelf: Shelf<Books>,
}

impl Bank {
    /// A bank with the books that the store holds, or else the test data. `seed` decides every
    /// transaction, if it is given.
    ///
    /// # Errors
    /// [`StoreError`] when the store holds something else.
    pub fn open(store: &Store, seed: Option<u64>) -> Result<Self, StoreError> {
        let mut shelf: Shelf<Books> = Shelf::open("dp_books", store)?;
        let mut books = shelf.get(KEY).cloned().unwrap_or_else(Books::with_test_data);
        if let Some(seed) = seed.filter(|seed| *seed != books.seed) {
            books.seed = seed;
            shelf.insert(KEY, books.clone());
        }
        let state = RwLock::new(State { books: Arc::new(books), shelf });
        Ok(Self { state, down: AtomicBool::new(false) })
    }

    /// The books as they are now.
    #[must_use]
    pub fn books(&self) -> Arc<Books> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner).books)
    }

    /// Takes the core system down, or up again.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    /// Whether the core system cannot be reached.
    pub(crate) fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    /// Exchanges the books.
    pub fn replace(&self, books: Books) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.shelf.insert(KEY, books.clone());
        state.books = Arc::new(books);
    }

    /// Blocks, closes or opens an account. False when there is none under `id`.
    pub fn set_status(&self, id: &AccountId, status: AccountStatus) -> bool {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let books = Arc::make_mut(&mut state.books);
        let account = books.accounts_mut().find(|account| account.id == *id);
        let found = account.map(|account| account.status = status).is_some();
        if found {
            let books = Books::clone(books);
            state.shelf.insert(KEY, books);
        }
        found
    }
}

/// A UUID that follows from `text` but does not tell it.
fn opaque(text: &str) -> String {
    let hash = sha256(format!("reference-dp:{text}").as_bytes());
    let hex: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn changed_books_survive_a_restart_and_a_seed_given_wins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let account = {
            let store = Store::open(&path).unwrap();
            let bank = Bank::open(&store, None).unwrap();
            let account = bank.books().customers[0].accounts[0].id.clone();
            assert!(bank.set_status(&account, AccountStatus::Blocked));
            assert!(
                !bank.set_status(&AccountId::parse("nobody's").unwrap(), AccountStatus::Closed)
            );
            store.settled().await.unwrap();
            account
        };
        let store = loop {
            // the writer's thread lets go of the file a moment after the bank
            match Store::open(&path) {
                Ok(store) => break store,
                Err(_) => std::thread::yield_now(),
            }
        };
        let books = Bank::open(&store, Some(7)).unwrap().books();
        assert_eq!(books.account(&account).unwrap().status, AccountStatus::Blocked);
        assert_eq!(books.seed, 7);
    }
}

//! The core banking system: customers, accounts, balances, transactions.

mod account;
mod books;
mod test_data;
mod transactions;

use std::sync::{Arc, PoisonError, RwLock};

use ofp_types::AccountId;
use openssl::sha::sha256;

pub use account::{Account, AccountKind, AccountStatus};
pub use books::{Books, Customer, InvalidBooks};
pub(crate) use transactions::{Page, PageError};

/// The bank: its books, which a test may exchange while it is open.
#[derive(Debug)]
pub struct Bank(RwLock<Arc<Books>>);

impl Bank {
    /// A bank with these books.
    #[must_use]
    pub fn new(books: Books) -> Self {
        Self(RwLock::new(Arc::new(books)))
    }

    /// A bank with the test data.
    #[must_use]
    pub fn with_test_data() -> Self {
        Self::new(Books::with_test_data())
    }

    /// The books as they are now.
    #[must_use]
    pub fn books(&self) -> Arc<Books> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Exchanges the books.
    pub fn replace(&self, books: Books) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(books);
    }

    /// Blocks, closes or opens an account. False when there is none under `id`.
    pub fn set_status(&self, id: &AccountId, status: AccountStatus) -> bool {
        let mut books = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let books = Arc::make_mut(&mut books);
        let account = books.accounts_mut().find(|account| account.id == *id);
        account.map(|account| account.status = status).is_some()
    }
}

/// A UUID that follows from `text` but does not tell it.
fn opaque(text: &str) -> String {
    let hash = sha256(format!("reference-dp:{text}").as_bytes());
    let hex: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

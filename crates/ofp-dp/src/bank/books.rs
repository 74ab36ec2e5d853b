//! Customers and what they have.

use std::collections::HashSet;

use ofp_types::{AccountId, IdHash};
use openssl::sha::sha256;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Account, opaque};

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// What they log in with.
    pub username: String,
    pub(super) password: String,
    /// Their name.
    pub name: String,
    pub(super) nric: String,
    /// Their accounts.
    pub accounts: Vec<Account>,
}

/// The bank's books: who has what. Transactions follow from the seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Books {
    /// Decides every transaction.
    #[serde(default)]
    pub seed: u64,
    /// Everybody.
    pub customers: Vec<Customer>,
}

/// Books that a bank could not keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBooks {
    /// Two customers or accounts under one name.
    #[error("{what} {name} is there twice")]
    Twice {
        /// Username or account id.
        what: &'static str,
        /// Which.
        name: String,
    },
    /// A field that is not what it must be.
    #[error("{what} of {owner} must be {expected}, not `{actual}`")]
    Field {
        /// Which field.
        what: &'static str,
        /// Whose.
        owner: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        actual: String,
    },
}

impl Books {
    /// Refuses what a bank could not keep.
    ///
    /// # Errors
    /// [`InvalidBooks`].
    pub fn check(&self) -> Result<(), InvalidBooks> {
        let (mut names, mut ids) = (HashSet::new(), HashSet::new());
        for customer in &self.customers {
            let name = &customer.username;
            if !names.insert(name) {
                return Err(InvalidBooks::Twice { what: "username", name: name.clone() });
            }
            let field = |what, expected, actual: &str| InvalidBooks::Field {
                what,
                owner: name.clone(),
                expected,
                actual: actual.to_owned(),
            };
            if name.is_empty() || customer.password.is_empty() {
                return Err(field("username and password", "texts that are not empty", name));
            }
            for account in &customer.accounts {
                if !ids.insert(&account.id) {
                    let name = account.id.to_string();
                    return Err(InvalidBooks::Twice { what: "account", name });
                }
                if !is_amount(&account.balance) {
                    return Err(field("a balance", "an amount such as 25000.75", &account.balance));
                }
                if account.number.is_empty() || account.name.is_empty() {
                    let expected = "texts that are not empty";
                    return Err(field("an account's number and name", expected, &account.number));
                }
            }
        }
        Ok(())
    }

    /// The customer with these credentials.
    #[must_use]
    pub fn log_in(&self, username: &str, password: &str) -> Option<&Customer> {
        let customer = self.customer(username)?;
        let (given, known) = (sha256(password.as_bytes()), sha256(customer.password.as_bytes()));
        openssl::memcmp::eq(&given, &known).then_some(customer)
    }

    /// The customer called `username`.
    #[must_use]
    pub fn customer(&self, username: &str) -> Option<&Customer> {
        self.customers.iter().find(|customer| customer.username == username)
    }

    /// The account under `id`.
    #[must_use]
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.customers.iter().flat_map(|customer| &customer.accounts).find(|a| a.id == *id)
    }

    pub(super) fn accounts_mut(&mut self) -> impl Iterator<Item = &mut Account> {
        self.customers.iter_mut().flat_map(|customer| &mut customer.accounts)
    }
}

/// `^\d{1,13}\.\d{2}$` (`spec/ofp.md` 1.4).
fn is_amount(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    text.split_once('.').is_some_and(|(whole, sen)| {
        (1..=13).contains(&whole.len()) && sen.len() == 2 && digits(whole) && digits(sen)
    })
}

impl Customer {
    /// Accounts that may be offered for sharing.
    pub fn eligible(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().filter(|account| account.is_eligible())
    }

    /// Names the customer towards the platform without saying who it is.
    #[must_use]
    pub fn subject(&self) -> String {
        opaque(&format!("customer:{}", self.username))
    }

    /// Standard base64 of SHA-256 over the id number.
    #[must_use]
    pub fn hashed_id_number(&self, canonical: IdHash) -> String {
        let text = match canonical {
            IdHash::DigitsOnly => self.nric.chars().filter(char::is_ascii_digit).collect(),
            IdHash::AsEntered => self.nric.clone(),
        };
        openssl::base64::encode_block(&sha256(text.as_bytes()))
    }

    /// Password and id number, which a test must know and nobody else.
    #[must_use]
    pub fn test_credentials(&self) -> (&str, &str) {
        (&self.password, &self.nric)
    }

    /// The id number in clear: only a deliberate fault shows it to anybody.
    pub(crate) fn nric(&self) -> &str {
        &self.nric
    }

    /// The claims of userinfo, without `sub`.
    #[must_use]
    pub(crate) fn profile(&self) -> Value {
        let (given, family) = self.name.rsplit_once(' ').unwrap_or((&self.name, ""));
        json!({
            "name": self.name,
            "given_name": given,
            "family_name": family,
            "preferred_username": self.username,
            "email": format!("{}@example.test", self.username),
            "email_verified": true,
            "id_type": "nric",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_masked_and_ids_tell_nothing() {
        let books = Books::with_test_data();
        books.check().unwrap();
        let customer = books.log_in("paynet", "paynet").unwrap();
        let numbers: Vec<String> = customer.eligible().map(Account::shown_number).collect();
        assert_eq!(numbers, ["114098765432", "514012345678", "519603******5678"]);
        assert!(customer.eligible().all(|a| a.id.as_str().len() == 36));
        assert_eq!(customer.hashed_id_number(IdHash::DigitsOnly).len(), 44);
        assert!(books.log_in("paynet", "wrong").is_none() && books.log_in("nobody", "x").is_none());
    }

    #[test]
    fn impossible_books_are_refused() {
        let spoil = |how: &dyn Fn(&mut Books)| {
            let mut books = Books::with_test_data();
            how(&mut books);
            books.check().unwrap_err().to_string()
        };
        let twice = spoil(&|books| books.customers.push(books.customers[0].clone()));
        assert_eq!(twice, "username paynet is there twice");
        let amount = spoil(&|books| books.customers[0].accounts[0].balance = "12,00".into());
        assert_eq!(amount, "a balance of paynet must be an amount such as 25000.75, not `12,00`");
        let mut other = Books::with_test_data();
        let account = other.customers[0].accounts[0].clone();
        other.customers[1].accounts.push(account);
        assert!(other.check().unwrap_err().to_string().starts_with("account "));
    }
}

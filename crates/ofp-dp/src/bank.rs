//! The core banking system: customers, accounts, balances.

use ofp_types::{AccountId, IdHash};
use openssl::sha::sha256;
use serde_json::{Value, json};

/// The kinds of account that may be shared (`spec/ofp.md` section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// A savings account.
    Savings,
    /// A current account.
    Current,
    /// A credit card.
    CreditCard,
}

impl AccountKind {
    /// `type` and `subtype` of the account object.
    fn types(self) -> (&'static str, &'static str) {
        match self {
            Self::Savings => ("deposit", "savings"),
            Self::Current => ("deposit", "current"),
            Self::CreditCard => ("credit", "credit_card"),
        }
    }
}

/// An account.
#[derive(Debug, Clone)]
pub struct Account {
    /// Opaque, and the same in every consent.
    pub id: AccountId,
    /// As the bank knows it.
    pub number: String,
    /// As the customer knows it.
    pub name: String,
    /// What it is.
    pub kind: AccountKind,
    /// In ringgit and sen; what is owed, for a card.
    pub balance: String,
    /// Whether it may be offered: active, individual, in ringgit.
    pub eligible: bool,
}

/// A customer.
#[derive(Debug, Clone)]
pub struct Customer {
    /// What they log in with.
    pub username: String,
    password: String,
    /// Their name.
    pub name: String,
    nric: String,
    /// Their accounts.
    pub accounts: Vec<Account>,
}

/// The bank's books.
#[derive(Debug, Clone)]
pub struct Bank {
    customers: Vec<Customer>,
}

impl Bank {
    /// The test data: `paynet` with four accounts, one of them closed, and `aisyah` with one.
    #[must_use]
    pub fn with_test_data() -> Self {
        let paynet = Customer {
            username: "paynet".into(),
            password: "paynet".into(),
            name: "Tan Mei Ling".into(),
            nric: "900101-14-5678".into(),
            accounts: vec![
                account("114098765432", "Everyday Savings", AccountKind::Savings, "25000.75", true),
                account(
                    "514012345678",
                    "Business of Living",
                    AccountKind::Current,
                    "1830.20",
                    true,
                ),
                account(
                    "5196030012345678",
                    "Platinum Card",
                    AccountKind::CreditCard,
                    "742.15",
                    true,
                ),
                account(
                    "114000000017",
                    "Old Savings (closed)",
                    AccountKind::Savings,
                    "0.00",
                    false,
                ),
            ],
        };
        let aisyah = Customer {
            username: "aisyah".into(),
            password: "aisyah".into(),
            name: "Nur Aisyah binti Rahman".into(),
            nric: "880808-10-1234".into(),
            accounts: vec![account(
                "114055500011",
                "Simpanan Aisyah",
                AccountKind::Savings,
                "310.00",
                true,
            )],
        };
        Self { customers: vec![paynet, aisyah] }
    }

    /// Everybody.
    #[must_use]
    pub fn customers(&self) -> &[Customer] {
        &self.customers
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
}

impl Customer {
    /// Accounts that may be offered for sharing.
    pub fn eligible(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().filter(|account| account.eligible)
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

impl Account {
    /// The number as it may be shown and sent: cards as first 6, `*`, last 4.
    #[must_use]
    pub fn shown_number(&self) -> String {
        let digits = self.number.len();
        if self.kind != AccountKind::CreditCard || digits < 10 {
            return self.number.clone();
        }
        let stars = "*".repeat(digits - 10);
        format!("{}{stars}{}", &self.number[..6], &self.number[digits - 4..])
    }

    /// The balance object (`spec/ofp.md` 1.4).
    pub(crate) fn balance_object(&self) -> Value {
        let indicator = if self.kind == AccountKind::CreditCard { "debit" } else { "credit" };
        let balance = json!({
            "amount": { "amount": self.balance, "currency": "MYR" },
            "credit_debit_indicator": indicator,
        });
        json!({ "data": {
            "account_id": self.id,
            "credit_lines_included": false,
            "current_balance": balance,
            "available_balance": balance,
        }})
    }

    /// The account object (`spec/ofp.md` 1.4).
    pub(crate) fn account_object(&self, holder: &str) -> Value {
        let (kind, subtype) = self.kind.types();
        json!({ "data": {
            "institution_name": "Reference Bank Berhad",
            "account_id": self.id,
            "account_number": self.shown_number(),
            "account_name": self.name,
            "account_holder_name": holder,
            "category": "retail",
            "type": kind,
            "subtype": subtype,
        }})
    }

    /// One page of transactions (`spec/ofp.md` 1.4).
    pub(crate) fn transactions_object(&self) -> Value {
        json!({ "data": [{
            "account_id": self.id,
            "transaction_id": opaque(&format!("transaction:{}:1", self.number)),
            "transaction_date": "2026-09-01T08:00:00+08:00",
            "credit_debit_indicator": "credit",
            "amount": { "amount": self.balance, "currency": "MYR" },
            "description": "Opening balance",
            "transfer_method": "others",
            "is_settled": true,
        }], "meta": {} })
    }
}

fn account(number: &str, name: &str, kind: AccountKind, balance: &str, eligible: bool) -> Account {
    let id = opaque(&format!("account:{number}"));
    Account {
        id: AccountId::parse(id).expect("a UUID has the form of an account_id"),
        number: number.into(),
        name: name.into(),
        kind,
        balance: balance.into(),
        eligible,
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

    #[test]
    fn cards_are_masked_and_ids_tell_nothing() {
        let bank = Bank::with_test_data();
        let customer = bank.log_in("paynet", "paynet").unwrap();
        let numbers: Vec<String> = customer.eligible().map(Account::shown_number).collect();
        assert_eq!(numbers, ["114098765432", "514012345678", "519603******5678"]);
        assert!(customer.eligible().all(|a| a.id.as_str().len() == 36));
        assert_eq!(customer.hashed_id_number(IdHash::DigitsOnly).len(), 44);
        assert!(bank.log_in("paynet", "wrong").is_none() && bank.log_in("nobody", "x").is_none());
    }
}

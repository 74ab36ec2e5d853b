//! An account, and what is told of it.

use ofp_types::AccountId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::opaque;

/// The kinds of account that may be shared (`spec/ofp.md` section 8; pension: 1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// A savings account.
    Savings,
    /// A current account.
    Current,
    /// A credit card.
    CreditCard,
    /// A car bought by instalments.
    HirePurchase,
    /// A house loan.
    Mortgage,
    /// A pension; its provider gives no balances.
    Pension,
}

/// Whether an account can be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// It can.
    #[default]
    Active,
    /// Not for now.
    Blocked,
    /// Never again.
    Closed,
}

impl AccountKind {
    /// `type` and `subtype` of the account object.
    fn types(self) -> (&'static str, &'static str) {
        match self {
            Self::Savings => ("deposit", "savings"),
            Self::Current => ("deposit", "current"),
            Self::CreditCard => ("credit", "credit_card"),
            Self::HirePurchase => ("loan", "hire_purchase"),
            Self::Mortgage => ("loan", "mortgage"),
            Self::Pension => ("investment", "pension"),
        }
    }

    /// Whether the amount on the books is what the customer owes.
    pub(crate) fn is_debt(self) -> bool {
        matches!(self, Self::CreditCard | Self::HirePurchase | Self::Mortgage)
    }

    fn is_loan(self) -> bool {
        matches!(self, Self::HirePurchase | Self::Mortgage)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Opaque, and the same in every consent; follows from the number unless given.
    pub id: AccountId,
    /// As the bank knows it.
    pub number: String,
    /// As the customer knows it.
    pub name: String,
    /// What it is.
    pub kind: AccountKind,
    /// In ringgit and sen; what is owed, for a card or a loan.
    pub balance: String,
    /// Whether it can be used.
    #[serde(default)]
    pub status: AccountStatus,
}

impl Account {
    /// An account that is open, under an id that follows from its number.
    ///
    /// # Panics
    /// Never: a UUID has the form of an account id.
    #[must_use]
    pub fn new(number: &str, name: &str, kind: AccountKind, balance: &str) -> Self {
        let id = opaque(&format!("account:{number}"));
        Self {
            id: AccountId::parse(id).expect("a UUID has the form of an account_id"),
            number: number.into(),
            name: name.into(),
            kind,
            balance: balance.into(),
            status: AccountStatus::Active,
        }
    }

    /// The same account in another status.
    #[must_use]
    pub fn that_is(mut self, status: AccountStatus) -> Self {
        self.status = status;
        self
    }

    /// Whether it may be offered for sharing: all of them are individual and in ringgit.
    #[must_use]
    pub fn is_eligible(&self) -> bool {
        self.status == AccountStatus::Active
    }

    /// The number as it may be shown and sent: cards as first 6, `*`, last 4.
    #[must_use]
    pub fn shown_number(&self) -> String {
        let digits = self.number.len();
        if self.kind != AccountKind::CreditCard || digits < 10 || !self.number.is_ascii() {
            return self.number.clone();
        }
        let stars = "*".repeat(digits - 10);
        format!("{}{stars}{}", &self.number[..6], &self.number[digits - 4..])
    }

    /// The balance object (`spec/ofp.md` 1.4); none for a pension.
    pub(crate) fn balance_object(&self) -> Option<Value> {
        if self.kind == AccountKind::Pension {
            return None;
        }
        let indicator = if self.kind.is_debt() { "debit" } else { "credit" };
        let balance =
            json!({ "amount": ringgit(&self.balance), "credit_debit_indicator": indicator });
        let mut data = json!({
            "account_id": self.id,
            "credit_lines_included": false,
            "current_balance": balance,
        });
        if !self.kind.is_loan() {
            data["available_balance"] = balance;
        }
        Some(json!({ "data": data }))
    }

    /// The account object (`spec/ofp.md` 1.4).
    pub(crate) fn account_object(&self, holder: &str) -> Value {
        let (kind, subtype) = self.kind.types();
        let mut data = json!({
            "institution_name": "Reference Bank Berhad",
            "account_id": self.id,
            "account_number": self.shown_number(),
            "account_name": self.name,
            "account_holder_name": holder,
            "category": "retail",
            "type": kind,
            "subtype": subtype,
        });
        match self.kind {
            AccountKind::CreditCard => {
                data["limit"] = ringgit("12000.00");
                data["minimum_payment_amount"] = ringgit("50.00");
                data["interest_rate"] = json!(15.0);
            }
            AccountKind::HirePurchase => {
                data["loan_details"] = loan("68000.00", "2023-03-15", "2030-03-14");
                data["interest_rate"] = json!(2.45);
            }
            AccountKind::Mortgage => {
                data["loan_details"] = loan("520000.00", "2019-07-01", "2049-06-30");
                data["interest_rate"] = json!(4.1);
            }
            _ => {}
        }
        json!({ "data": data })
    }
}

fn ringgit(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "MYR" })
}

fn loan(amount: &str, from: &str, until: &str) -> Value {
    json!({ "loan_amount": ringgit(amount), "origination_date": from, "maturity_date": until })
}

//! Twelve months of transactions, which follow from seed, account and month, and pages of them.
//!
//! A month has the same transactions whenever it is looked at, so nothing needs to be stored.

use fastrand::Rng;
use jiff::{ToSpan as _, civil::Date};
use openssl::sha::sha256;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Account, AccountKind, opaque};

/// How far back they go (P-wiki/ConsentScope).
const MONTHS: i32 = 12;
/// How many a page has unless it says otherwise.
const PAGE: usize = 50;
/// How many a page has at most.
const LARGEST_PAGE: usize = 500;

/// What a customer does: description, other party, category code, how the money travels, and the
/// range of the amount in sen. Method and submethod are pairs of `spec/ofp.md` 1.4.
type Habit =
    (&'static str, Option<(&'static str, &'static str)>, &'static str, &'static str, (u64, u64));

const SPENDING: [Habit; 10] = [
    (
        "Groceries",
        Some(("99 Speedmart", "5411")),
        "instore_payment",
        "mydebit_cash_out",
        (850, 14_000),
    ),
    ("Petrol", Some(("Petronas Mesra", "5541")), "instore_payment", "debit_card", (3_000, 12_000)),
    ("Lunch", Some(("Restoran Pelita", "5812")), "instore_payment", "duitnow_qr", (600, 4_500)),
    ("Electricity", Some(("Tenaga Nasional", "4900")), "bill_payment", "jompay", (6_000, 38_000)),
    ("Internet", Some(("Unifi", "4814")), "recurring_payment", "direct_debit", (9_900, 9_900)),
    ("Online shopping", Some(("Shopee", "5311")), "online_payment", "fpx", (1_200, 60_000)),
    ("Transfer to family", None, "funds_transfer", "duitnow_transfer", (5_000, 80_000)),
    ("Cash", None, "cash_withdrawal", "shared_atm_network", (5_000, 100_000)),
    ("Toll", Some(("PLUS Expressways", "4784")), "online_payment", "duitnow_pay", (200, 3_500)),
    ("Insurance", Some(("Etiqa", "6300")), "recurring_payment", "auto_debit", (12_000, 31_000)),
];

/// Which page of which days.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    pub(crate) size: Option<usize>,
    pub(crate) from: Option<Date>,
    pub(crate) to: Option<Date>,
    /// `next_page_params` of the page before.
    pub(crate) cursor: Option<String>,
}

/// Why there is no such page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PageError {
    #[error("next_page_params is not one of ours")]
    Cursor,
    #[error("page_size must be from 1 to 500")]
    Size,
    #[error("from_date must not be after to_date")]
    Dates,
}

/// `next_page_params`, in the shape of the sandbox's (X-45).
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cursor {
    page_size: usize,
    first_record: usize,
    /// The day on which the first page was asked for: the next ones see the same list.
    as_of: Date,
    additional_params: Days,
}

#[derive(Clone, Serialize, Deserialize)]
struct Days {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from_date: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to_date: Option<Date>,
}

impl Account {
    /// A page of transactions, newest first, and where the next one begins (`spec/ofp.md` 1.4).
    pub(crate) fn transactions_object(
        &self,
        seed: u64,
        today: Date,
        page: &Page,
    ) -> Result<Value, PageError> {
        let cursor = self.cursor(today, page)?;
        let (size, first) = (cursor.page_size, cursor.first_record);
        let Days { from_date, to_date } = cursor.additional_params.clone();
        if from_date.zip(to_date).is_some_and(|(from, to)| from > to) {
            return Err(PageError::Dates);
        }
        let mut all = self.transactions(seed, cursor.as_of);
        all.retain(|t| from_date.is_none_or(|from| t.date >= from));
        all.retain(|t| to_date.is_none_or(|to| t.date <= to));
        let shown: Vec<Value> = all.iter().skip(first).take(size).map(|t| t.object(self)).collect();
        let mut meta = json!({});
        if first + size < all.len() {
            let next = Cursor { first_record: first + size, ..cursor };
            let text = serde_json::to_vec(&next).unwrap_or_default();
            meta["next_page_params"] = json!(ofp_jose::base64url(&text));
        }
        Ok(json!({ "data": shown, "meta": meta }))
    }

    fn cursor(&self, today: Date, page: &Page) -> Result<Cursor, PageError> {
        let size = page.size.unwrap_or(PAGE);
        let cursor = match &page.cursor {
            None => Cursor {
                page_size: size,
                first_record: 0,
                as_of: today,
                additional_params: Days { from_date: page.from, to_date: page.to },
            },
            Some(text) => {
                let bytes = ofp_jose::base64url_decode(text).ok_or(PageError::Cursor)?;
                serde_json::from_slice(&bytes).map_err(|_| PageError::Cursor)?
            }
        };
        let plausible = cursor.first_record < 1_000_000 && cursor.as_of <= today;
        if !(1..=LARGEST_PAGE).contains(&cursor.page_size) {
            return Err(PageError::Size);
        }
        if plausible { Ok(cursor) } else { Err(PageError::Cursor) }
    }

    /// Every transaction of the twelve months up to `today`, newest first, then by id.
    fn transactions(&self, seed: u64, today: Date) -> Vec<Transaction> {
        let oldest = today.saturating_sub(MONTHS.months());
        let mut all = Vec::new();
        let mut month = oldest.first_of_month();
        while month <= today {
            all.extend(self.month(seed, month));
            month = month.saturating_add(1.month());
        }
        all.retain(|t| t.date > oldest && t.date <= today);
        all.sort_by(|a, b| (b.date, b.minute, &a.id).cmp(&(a.date, a.minute, &b.id)));
        all
    }

    fn month(&self, seed: u64, month: Date) -> Vec<Transaction> {
        let key = sha256(format!("{seed}:{}:{month}", self.number).as_bytes());
        let mut start = [0; 8];
        start.copy_from_slice(&key[..8]);
        let mut rng = Rng::with_seed(u64::from_be_bytes(start));
        let days = month.days_in_month();
        let id = |n: usize| opaque(&format!("transaction:{seed}:{}:{month}:{n}", self.number));
        match self.kind {
            AccountKind::HirePurchase | AccountKind::Mortgage => {
                vec![Transaction::instalment(id(0), month, &mut rng)]
            }
            AccountKind::Pension => vec![Transaction::contribution(id(0), month, &mut rng)],
            _ => {
                let mut all: Vec<Transaction> = (1..=rng.usize(12..24))
                    .map(|n| Transaction::spent(id(n), month, days, &mut rng))
                    .collect();
                if self.kind != AccountKind::CreditCard {
                    all.push(Transaction::salary(id(0), month, &mut rng));
                }
                all
            }
        }
    }
}

/// A transaction.
struct Transaction {
    id: String,
    date: Date,
    /// Of the day, in Malaysia.
    minute: u32,
    credit: bool,
    sen: u64,
    description: &'static str,
    merchant: Option<(&'static str, &'static str)>,
    method: &'static str,
    submethod: &'static str,
}

impl Transaction {
    fn spent(id: String, month: Date, days: i8, rng: &mut Rng) -> Self {
        let (description, merchant, method, submethod, (least, most)) =
            SPENDING[rng.usize(..SPENDING.len())];
        Self {
            id,
            date: month.with().day(rng.i8(1..=days)).build().unwrap_or(month),
            minute: rng.u32(7 * 60..23 * 60),
            credit: false,
            sen: rng.u64(least..=most),
            description,
            merchant,
            method,
            submethod,
        }
    }

    fn salary(id: String, month: Date, rng: &mut Rng) -> Self {
        Self {
            credit: true,
            description: "Salary",
            submethod: "ibg",
            ..Self::once_a_month(id, month, 25, 480_000 + rng.u64(..40_000))
        }
    }

    fn instalment(id: String, month: Date, rng: &mut Rng) -> Self {
        Self {
            credit: true,
            description: "Monthly instalment",
            method: "recurring_payment",
            submethod: "direct_debit",
            ..Self::once_a_month(id, month, 5, 90_000 + rng.u64(..100))
        }
    }

    fn contribution(id: String, month: Date, rng: &mut Rng) -> Self {
        Self {
            credit: true,
            description: "Contribution of employer and employee",
            submethod: "ibg",
            ..Self::once_a_month(id, month, 15, 110_000 + rng.u64(..5_000))
        }
    }

    fn once_a_month(id: String, month: Date, day: i8, sen: u64) -> Self {
        Self {
            id,
            date: month.with().day(day).build().unwrap_or(month),
            minute: 9 * 60,
            credit: false,
            sen,
            description: "",
            merchant: None,
            method: "funds_transfer",
            submethod: "intrabank",
        }
    }

    fn object(&self, account: &Account) -> Value {
        let (hour, minute) = (self.minute / 60, self.minute % 60);
        let mut object = json!({
            "account_id": account.id,
            "transaction_id": self.id,
            "transaction_date": format!("{}T{hour:02}:{minute:02}:00+08:00", self.date),
            "credit_debit_indicator": if self.credit { "credit" } else { "debit" },
            "amount": { "amount": format!("{}.{:02}", self.sen / 100, self.sen % 100), "currency": "MYR" },
            "transfer_method": self.method,
            "transfer_submethod": self.submethod,
            "description": self.description,
            "is_settled": true,
        });
        if let Some((name, code)) = self.merchant {
            object["merchant_name"] = json!(name);
            object["mcc"] = json!(code);
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn account(kind: AccountKind) -> Account {
        Account::new("114098765432", "Everyday Savings", kind, "1.00")
    }

    fn pages(account: &Account, seed: u64, mut page: Page) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let object = account.transactions_object(seed, date(2026, 11, 21), &page).unwrap();
            all.extend(object["data"].as_array().unwrap().clone());
            match object["meta"]["next_page_params"].as_str() {
                Some(next) => page = Page { cursor: Some(next.into()), ..Page::default() },
                None => return all,
            }
        }
    }

    #[test]
    fn pages_hold_every_transaction_of_twelve_months_once_newest_first() {
        let savings = account(AccountKind::Savings);
        let all = pages(&savings, 0, Page { size: Some(500), ..Page::default() });
        assert!((150..350).contains(&all.len()), "{}", all.len());
        let dates: Vec<&str> =
            all.iter().map(|t| t["transaction_date"].as_str().unwrap()).collect();
        assert!(dates.is_sorted_by(|a, b| a >= b), "newest first");
        assert!(dates.iter().all(|d| *d > "2025-11-21" && *d < "2026-11-22"));
        let ids: std::collections::HashSet<&str> =
            all.iter().map(|t| t["transaction_id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), all.len());
        assert_eq!(pages(&savings, 0, Page { size: Some(7), ..Page::default() }), all);
        assert_eq!(pages(&savings, 0, Page::default()), all, "the same whenever it is looked at");
        assert_ne!(pages(&savings, 1, Page::default()), all, "another seed, another life");
    }

    #[test]
    fn days_are_a_window_and_the_cursor_remembers_it() {
        let savings = account(AccountKind::Savings);
        let page = Page {
            size: Some(5),
            from: Some(date(2026, 3, 1)),
            to: Some(date(2026, 3, 31)),
            cursor: None,
        };
        let march = pages(&savings, 0, page);
        assert!(march.len() > 5);
        assert!(
            march.iter().all(|t| t["transaction_date"].as_str().unwrap().starts_with("2026-03"))
        );
    }

    #[test]
    fn impossible_pages_are_refused() {
        let savings = account(AccountKind::Savings);
        let ask =
            |page: Page| savings.transactions_object(0, date(2026, 11, 21), &page).unwrap_err();
        assert_eq!(ask(Page { size: Some(0), ..Page::default() }), PageError::Size);
        assert_eq!(ask(Page { size: Some(501), ..Page::default() }), PageError::Size);
        let dates =
            Page { from: Some(date(2026, 2, 1)), to: Some(date(2026, 1, 1)), ..Page::default() };
        assert_eq!(ask(dates), PageError::Dates);
        let made_up = [
            "!", "e30",
            &ofp_jose::base64url(br#"{"pageSize":9999,"firstRecord":0,"asOf":"2026-11-21","additionalParams":{}}"#),
            &ofp_jose::base64url(br#"{"pageSize":5,"firstRecord":18446744073709551615,"asOf":"2026-11-21","additionalParams":{}}"#),
            &ofp_jose::base64url(br#"{"pageSize":5,"firstRecord":0,"asOf":"9999-12-31","additionalParams":{}}"#),
        ]
        .map(str::to_owned);
        for cursor in made_up {
            let page = Page { cursor: Some(cursor.clone()), ..Page::default() };
            assert!(savings.transactions_object(0, date(2026, 11, 21), &page).is_err(), "{cursor}");
        }
    }

    #[test]
    fn loans_and_pensions_move_once_a_month() {
        for kind in [AccountKind::HirePurchase, AccountKind::Mortgage, AccountKind::Pension] {
            let all = pages(&account(kind), 0, Page::default());
            assert!((11..=12).contains(&all.len()), "{kind:?} {}", all.len());
        }
    }

    #[test]
    fn the_first_day_of_time_is_survived() {
        let savings = account(AccountKind::Savings);
        assert!(savings.transactions_object(0, Date::MIN, &Page::default()).is_ok());
    }
}

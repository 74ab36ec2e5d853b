//! The DC's pages for a person: choose a bank, review, go there, and come back to the balances. A run has no use for
//! them; whoever clicks through a platform that is up begins here.

use std::{collections::HashMap, sync::Arc};

use askama::Template;
use jiff::{
    SignedDuration, Timestamp,
    tz::{Offset, TimeZone},
};
use ofp_net::{Answer, Inbound};
use ofp_types::{AccountId, DpId, Permission, Purpose, token};
use serde_json::Value;

use crate::{
    ConsentRequest, DcError, Linked, MockDc, Pending, Resource,
    callback::{Landing, page},
};

/// How long consents that are asked for here last: six months, as in PayNet's example (P-wiki).
const LIFE: SignedDuration = SignedDuration::from_hours(24 * 180);
/// How long a browser may take.
const PATIENCE: SignedDuration = SignedDuration::from_hours(1);
/// How many authorizations that begin here may be under way.
pub(crate) const MOST_STARTED: usize = 1_000;
/// Ties an authorization to the browser that began it (RFC 6749 §10.12).
const COOKIE: &str = "__Host-dc";

/// An authorization that began on these pages.
#[derive(Debug, Clone)]
pub(crate) struct Started {
    pending: Pending,
    cookie: String,
}

struct Bank {
    id: String,
    name: String,
}

struct Choice {
    code: &'static str,
    words: &'static str,
    usual: bool,
}

/// An account as the result shows it.
struct Shown {
    id: String,
    name: String,
    balance: Result<String, String>,
}

#[derive(Template)]
#[template(path = "banks.html")]
struct BanksPage {
    banks: Vec<Bank>,
    permissions: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "asking.html")]
struct AskingPage {
    bank: String,
    dp_id: String,
    dc_id: String,
    permissions: Vec<Choice>,
    until: String,
}

#[derive(Template)]
#[template(path = "linked.html")]
struct LinkedPage {
    accounts: Vec<Shown>,
    consent: String,
}

impl MockDc {
    /// Where a person begins.
    #[must_use]
    pub fn front_page(&self) -> String {
        self.origin.join("/")
    }

    /// The banks that PayNet's directory has.
    pub(crate) async fn show_banks(&self) -> Answer {
        match self.banks().await {
            Ok(banks) => {
                let permissions = Permission::ALL.iter().map(|one| choice(*one)).collect();
                html(&BanksPage { banks, permissions })
            }
            Err(error) => trouble(&error),
        }
    }

    /// What is about to be asked for.
    pub(crate) async fn show_review(&self, inbound: &Inbound) -> Answer {
        let (dp_id, permissions) = match wanted(inbound) {
            Ok(wanted) => wanted,
            Err(reason) => return page(400, false, &reason),
        };
        let banks = match self.banks().await {
            Ok(banks) => banks,
            Err(error) => return trouble(&error),
        };
        let Some(bank) = banks.into_iter().find(|bank| bank.id == dp_id.as_str()) else {
            return page(400, false, &format!("PayNet's directory has no {dp_id}."));
        };
        html(&AskingPage {
            bank: bank.name,
            dp_id: bank.id,
            dc_id: self.config.dc_id.to_string(),
            permissions: permissions.into_iter().map(choice).collect(),
            until: long_date(self.until()),
        })
    }

    /// On to PayNet, which takes the browser to the bank.
    pub(crate) async fn begin(&self, inbound: &Inbound) -> Answer {
        let (dp_id, permissions) = match wanted(inbound) {
            Ok(wanted) => wanted,
            Err(reason) => return page(400, false, &reason),
        };
        let (purpose, expiration) = (Purpose::Pfm, self.until());
        let request =
            ConsentRequest { dp_id: Some(dp_id), purpose, permissions, expiration, as_jwt: false };
        match self.request_consent(&request).await {
            Ok(pending) => {
                // one for all tabs of a browser
                let known = cookie(inbound).map(str::to_owned);
                let cookie = known.unwrap_or_else(|| token(&*self.entropy));
                let now = self.clock.now();
                let location = pending.authorize_url.clone();
                let state = pending.state.clone();
                let started = Started { pending, cookie: cookie.clone() };
                self.started().insert(state, started, now, now + PATIENCE);
                let cookie = format!("{COOKIE}={cookie}; Path=/; Secure; HttpOnly; SameSite=Lax");
                Answer::empty(303)
                    .header("location", location)
                    .header("set-cookie", cookie)
                    .header("cache-control", "no-store")
            }
            Err(error) => trouble(&error),
        }
    }

    /// The page for a browser that comes back: with the balances, if it began here.
    pub(crate) async fn show_landing(
        &self,
        state: Option<&str>,
        landing: Result<Landing, String>,
        inbound: &Inbound,
    ) -> Answer {
        let now = self.clock.now();
        let started = state.and_then(|state| self.started().get(state, now).cloned());
        match (landing, started) {
            (Err(reason), _) => page(400, false, &reason),
            (Ok(Landing::Error { error, description }), _) => {
                page(200, false, &format!("Your bank answered: {description} ({error})"))
            }
            (Ok(Landing::Code(_)), None) => {
                page(200, true, "Your bank confirmed. You can close this page.")
            }
            (Ok(Landing::Code(_)), Some(started)) if cookie(inbound) != Some(&started.cookie) => {
                page(400, false, "This authorization began in another browser.")
            }
            (Ok(Landing::Code(_)), Some(started)) => {
                match self.exchange_code(&started.pending).await {
                    Ok(linked) => self.show_linked(&linked).await,
                    Err(error) => trouble(&error),
                }
            }
        }
    }

    async fn show_linked(&self, linked: &Linked) -> Answer {
        let mut accounts = Vec::new();
        for id in &linked.accounts {
            accounts.push(self.shown(linked, id).await);
        }
        html(&LinkedPage { accounts, consent: linked.consent_id.to_string() })
    }

    async fn shown(&self, linked: &Linked, id: &AccountId) -> Shown {
        let details = self.data(linked, id, Resource::Account).await.unwrap_or_default();
        let text = |name: &str| details[name].as_str().map(str::to_owned);
        let named = [text("account_name"), text("account_number")];
        let name = named.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let balance = self.data(linked, id, Resource::Balances).await;
        Shown {
            id: id.to_string(),
            name: if name.is_empty() { "Account".into() } else { name },
            balance: balance.and_then(|balance| amount(&balance)),
        }
    }

    /// `data` of an answer, or why there is none.
    async fn data(
        &self,
        linked: &Linked,
        id: &AccountId,
        resource: Resource,
    ) -> Result<Value, String> {
        let reading = self.read(linked, id, resource, &[]).await.map_err(|e| e.to_string())?;
        let answer = reading.data.map_err(|e| e.to_string())?;
        Ok(answer.get("data").cloned().unwrap_or_default())
    }

    async fn banks(&self) -> Result<Vec<Bank>, DcError> {
        let reply = crate::client::success("directory request", self.providers().await?, 200)?;
        let body: Value = crate::client::parse("directory request", &reply)?;
        let bank = |provider: &Value| {
            let text = |name: &str| provider[name].as_str().unwrap_or_default().to_owned();
            Bank { id: text("provider_id"), name: text("name") }
        };
        Ok(body["data"].as_array().into_iter().flatten().map(bank).collect())
    }

    fn until(&self) -> Timestamp {
        let end = self.clock.now().saturating_add(LIFE).unwrap_or(Timestamp::MAX);
        end_of_day(end)
    }
}

/// The end of that day in Malaysia, as consents end (`spec/ofp.md` 1.4).
fn end_of_day(time: Timestamp) -> Timestamp {
    let day = time.to_zoned(malaysia()).date();
    let end = day.at(23, 59, 59, 0).to_zoned(malaysia());
    end.map_or(time, |end| end.timestamp())
}

fn malaysia() -> TimeZone {
    TimeZone::fixed(Offset::constant(8))
}

fn long_date(time: Timestamp) -> String {
    time.to_zoned(malaysia()).strftime("%-d %B %Y, %H:%M").to_string()
}

/// The bank and the permissions that a form names.
fn wanted(inbound: &Inbound) -> Result<(DpId, Vec<Permission>), String> {
    let fields: Vec<(String, String)> =
        url::form_urlencoded::parse(&inbound.body).into_owned().collect();
    let all = |name: &str| -> Vec<&str> {
        fields.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    };
    let dp_id = all("dp_id").first().copied().ok_or("Choose a bank first.")?;
    let dp_id = DpId::parse(dp_id).map_err(|e| e.to_string())?;
    let known: HashMap<&str, Permission> =
        Permission::ALL.iter().map(|one| (one.as_str(), *one)).collect();
    let unknown = |code: &str| format!("There is no permission `{code}`.");
    let permissions = all("permission")
        .into_iter()
        .map(|code| known.get(code).copied().ok_or_else(|| unknown(code)))
        .collect::<Result<Vec<_>, _>>()?;
    if permissions.is_empty() {
        return Err("Choose what the app may read.".into());
    }
    Ok((dp_id, permissions))
}

fn choice(permission: Permission) -> Choice {
    let (words, usual) = match permission {
        Permission::ReadAccounts => ("Account details", true),
        Permission::ReadBalances => ("Balances", true),
        Permission::ReadTransactions => ("Transactions", false),
    };
    Choice { code: permission.as_str(), words, usual }
}

/// `MYR 25,000.75`, and what is owed as such.
fn amount(balance: &Value) -> Result<String, String> {
    /// An amount has 16 characters at most (`spec/ofp.md` 1.4); who sends a book does not get it shown.
    const LONGEST: usize = 32;
    let current = &balance["current_balance"];
    let amount = &current["amount"];
    let text =
        |value: &Value| value.as_str().filter(|text| text.len() <= LONGEST).map(str::to_owned);
    let (Some(number), Some(currency)) = (text(&amount["amount"]), text(&amount["currency"]))
    else {
        return Err("the answer has no current_balance".into());
    };
    let owed = current["credit_debit_indicator"] == "debit";
    Ok(format!("{currency} {}{}", grouped(&number), if owed { " owed" } else { "" }))
}

/// `25,000.75`.
fn grouped(number: &str) -> String {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (whole, cents) = number.split_once('.').unwrap_or((number, "00"));
    let mut text = sign.to_owned();
    let length = whole.chars().count();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (length - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{text}.{cents}")
}

/// The value of our cookie, if the browser has one.
fn cookie(inbound: &Inbound) -> Option<&str> {
    let mut pairs = inbound.header("cookie")?.split(';').filter_map(|p| p.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

fn html(page: &impl Template) -> Answer {
    // a template over plain values renders unless memory runs out
    let Ok(body) = page.render() else { return Answer::empty(500) };
    crate::callback::guarded(Answer::new(200, "text/html; charset=utf-8", body))
}

fn trouble(error: &DcError) -> Answer {
    page(502, false, &format!("{error}."))
}

/// The pages' looks.
pub(crate) fn style() -> Answer {
    Answer::new(200, "text/css; charset=utf-8", include_str!("../templates/style.css"))
        .header("cache-control", "max-age=3600")
}

/// Used to reach the DC from a listener that it owns itself.
pub(crate) type Owner = Arc<std::sync::OnceLock<std::sync::Weak<MockDc>>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_by_thousands() {
        for (number, shown) in [
            ("25000.75", "25,000.75"),
            ("7.50", "7.50"),
            ("1234567.00", "1,234,567.00"),
            ("-123.00", "-123.00"),
            ("", ".00"),
        ] {
            assert_eq!(grouped(number), shown);
        }
    }

    #[test]
    fn what_is_owed_is_said() {
        let amount_of = |indicator: &str| {
            amount(&serde_json::json!({ "current_balance": {
                "amount": { "amount": "120.00", "currency": "MYR" }, "credit_debit_indicator": indicator,
            }}))
        };
        assert_eq!(amount_of("credit").as_deref(), Ok("MYR 120.00"));
        assert_eq!(amount_of("debit").as_deref(), Ok("MYR 120.00 owed"));
        assert!(amount(&Value::Null).is_err());
    }
}

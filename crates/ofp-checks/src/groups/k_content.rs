//! K: what the answer to a balance request says.

use std::time::Duration;

use ofp_evidence::Endpoint;
use serde_json::Value;

use super::{echoes, row, shown, untested};
use crate::{Facts, Requirement, facts::Balance, ruling::Ruling};

const NO_BALANCE: &str = "no balance could be decrypted";
const NO_ANSWER: &str = "no balance request was answered with 200";

pub(super) const ROWS: &[Requirement] = &[
    row!("K-15" Must, "The plaintext is JSON with a `data` object", "S2:L70-117; P-sb/60; X-26", "Encrypt {\"data\": {…}}", NO_BALANCE, data),
    row!("K-16" Must, "data.account_id is the account_id of the path", "S1:L195; X-45", "Answer for the account that was asked for", NO_BALANCE, account_id),
    row!("K-17" Must, "current_balance is there, with an amount in MYR", "S1:L196; P-sb/60", "Send current_balance.amount with amount and currency", NO_BALANCE, current),
    row!("K-18" Must, "credit_debit_indicator is credit or debit for each balance", "P-sb/60; P-wiki/Balance v1.4.1", "Write credit or debit in lower case", NO_BALANCE, indicator),
    row!("K-19" Should, "credit_lines_included is a boolean", "P-sb/60", "Send true or false", NO_BALANCE, credit_lines),
    row!("K-20" Should, "statement_date, if present, is YYYY-MM-DD", "P-sb/60", "Write the date as YYYY-MM-DD", "no balance had a statement_date", statement_date),
    row!("K-21" Should, "The amount is the one of the test data", "S1:L196", "Send the current balance without pending transactions", "the test data has no balance for the account", oracle),
    row!("K-22" Should, "The answer echoes x-fapi-interaction-id", "S1:L262; S2:L45", "Copy x-fapi-interaction-id from the request to the answer", NO_ANSWER, echo),
    row!("K-23" Must, "Ten balance requests in a row are each answered within 5 s", "S3:L116", "Answer balances within 5 s", "no scenario asked ten times", ten_in_time),
    row!("K-24" Must, "No balance is in clear in the headers or outside the JWE", "S1:L189; S1:L221", "Put the balance into the JWE only", NO_BALANCE, nothing_in_clear),
    row!("K-25" Should, "The answer is not to be stored", "RFC 9111 §5.2.2.5", "Send Cache-Control: no-store", NO_ANSWER, no_store),
    row!("K-26" Info, "custom_data has at most 20 pairs, keys of 50 and values of 300 characters", "3P", "Shorten custom_data", "no balance had custom_data", custom_data),
    untested!("K-27" Own, "A DP's answer with a flipped bit is rejected by PayNet", "S1:L183-209", "This tool's own affair",
        "the platform's own tests show it (crates/ofp-paynet/tests/platform/rules.rs)"),
    row!("K-28" Should, "The answer lives at most an hour", "S2:L54-56; X-23", "Set exp at most 3600 s after iat", NO_ANSWER, life),
    row!("K-29" Should, "Amounts are nested text of the form 123.45", "P-sb/60; 3P", "Send amount as {\"amount\": \"123.45\", \"currency\": \"MYR\"}", NO_BALANCE, amount_form),
];

/// Answers that the DC could decrypt.
fn opened<'f, 'a>(facts: &'f Facts<'a>) -> impl Iterator<Item = &'f Balance<'a>> {
    facts.readings().filter(|balance| matches!(balance.plaintext, Some(Ok(_))))
}

fn data(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in opened(facts) {
        let data = balance.json.as_ref().and_then(|json| json.get("data"));
        let actual = match (&balance.json, data) {
            (None, _) => "no JSON".into(),
            (_, data) => format!("data {}", shown(data)),
        };
        let ok = data.is_some_and(Value::is_object);
        ruling.judge(balance.exchange.id, ok, "JSON with an object `data`", actual);
    }
}

fn account_id(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in opened(facts).filter(|balance| balance.json.is_some()) {
        let id = balance.data("account_id");
        let expected = balance.account();
        let ok = id.and_then(Value::as_str) == Some(expected.as_str());
        ruling.judge(balance.exchange.id, ok, expected, shown(id));
    }
}

/// The amount and currency of a balance, nested or flat.
fn amount(balance: &Value) -> (Option<&Value>, Option<&Value>) {
    match balance.get("amount") {
        Some(nested @ Value::Object(_)) => (nested.get("amount"), nested.get("currency")),
        flat => (flat, balance.get("currency")),
    }
}

fn current(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in opened(facts).filter(|balance| balance.json.is_some()) {
        let current = balance.data("current_balance");
        let (amount, currency) = current.map_or((None, None), amount);
        let there = amount.is_some_and(|amount| amount.is_string() || amount.is_number());
        let ok = there && currency.and_then(Value::as_str) == Some("MYR");
        let expected = "current_balance with an amount and currency MYR";
        ruling.judge(balance.exchange.id, ok, expected, shown(current));
    }
}

fn indicator(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in opened(facts) {
        for (name, value) in balance.amounts() {
            let indicator = value.get("credit_debit_indicator");
            let ok = matches!(indicator.and_then(Value::as_str), Some("credit" | "debit"));
            let actual = format!("{name}: {}", shown(indicator));
            ruling.judge(balance.exchange.id, ok, "credit or debit", actual);
        }
    }
}

fn amount_form(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in opened(facts) {
        for (name, value) in balance.amounts() {
            let nested = value.get("amount").and_then(|amount| amount.get("amount"));
            let ok = nested.and_then(Value::as_str).is_some_and(is_amount);
            let actual = format!("{name}: {}", shown(value.get("amount")));
            ruling.judge(
                balance.exchange.id,
                ok,
                "amount.amount as text, ^\\d{1,13}\\.\\d{2}$",
                actual,
            );
        }
    }
}

fn is_amount(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.split_once('.').is_some_and(|(whole, cents)| {
        digits(whole) && whole.len() <= 13 && digits(cents) && cents.len() == 2
    })
}

fn credit_lines(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in opened(facts).filter(|balance| balance.json.is_some()) {
        let value = balance.data("credit_lines_included");
        let ok = value.is_some_and(Value::is_boolean);
        ruling.judge(balance.exchange.id, ok, "true or false", shown(value));
    }
}

fn statement_date(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in opened(facts) {
        let Some(date) = balance.data("statement_date").filter(|date| !date.is_null()) else {
            continue;
        };
        let ok = date
            .as_str()
            .is_some_and(|text| text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok());
        ruling.judge(balance.exchange.id, ok, "YYYY-MM-DD", shown(Some(date)));
    }
}

fn oracle(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in opened(facts) {
        let Some(expected) = expected_balance(facts, balance) else { continue };
        let current = balance.data("current_balance");
        let (amount, _) = current.map_or((None, None), amount);
        let sent = amount.map(|a| a.as_str().map_or_else(|| a.to_string(), str::to_owned));
        let ok = sent.as_deref().and_then(|sent| sent.parse::<f64>().ok()) == expected.parse().ok();
        ruling.judge(balance.exchange.id, ok, expected, shown(amount));
    }
}

/// What the test data says of the account that was asked for.
fn expected_balance<'a>(facts: &'a Facts<'_>, balance: &Balance<'_>) -> Option<&'a str> {
    let id = balance.account();
    let number = facts.approvals().find_map(|update| {
        let account = update
            .accounts()
            .find(|a| a.get("account_id").and_then(Value::as_str) == Some(id.as_str()));
        account?.get("account_number")?.as_str()
    })?;
    facts.settings.resolve(number)?.balance.as_deref()
}

fn echo(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    facts.readings().for_each(|balance| echoes(balance.exchange, ruling));
}

fn ten_in_time(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let calls: Vec<_> = facts.at(Endpoint::Balances).collect();
    if calls.len() < 10 {
        return;
    }
    for exchange in calls {
        let ok = exchange.status().is_some() && exchange.took <= Duration::from_secs(5);
        ruling.judge(exchange.id, ok, "an answer within 5 s", format!("{:?}", exchange.took));
    }
}

fn nothing_in_clear(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in opened(facts) {
        let amounts = balance.amounts().filter_map(|(_, value)| amount(value).0);
        let amounts: Vec<String> = amounts
            .map(|amount| amount.as_str().map_or_else(|| amount.to_string(), str::to_owned))
            .filter(|amount| amount.trim_matches(['0', '.']).len() > 2)
            .collect();
        let outside = outside_the_jwe(balance);
        let leaked = amounts.iter().find(|amount| outside.contains(amount.as_str()));
        let actual = "a balance also stands in clear";
        ruling.judge(balance.exchange.id, leaked.is_none(), "balances in the JWE only", actual);
    }
}

/// Everything of an answer that anybody can read.
fn outside_the_jwe(balance: &Balance<'_>) -> String {
    let headers = balance.exchange.response().map(|m| m.headers.as_slice()).unwrap_or_default();
    let mut text: String = headers.iter().map(|(_, value)| format!("{value}\n")).collect();
    if let Ok(header) = &balance.header {
        text += &Value::Object(header.clone()).to_string();
    }
    if let Ok(jwe) = &balance.jwe {
        text += &Value::Object(jwe.header.clone()).to_string();
    }
    if let Some(claims) = &balance.claims {
        let mut claims = claims.0.clone();
        claims.remove("data");
        text += &Value::Object(claims).to_string();
    }
    text
}

fn no_store(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in facts.readings() {
        let value = balance.exchange.response().and_then(|message| message.header("cache-control"));
        let ok = value.is_some_and(|value| value.contains("no-store"));
        let actual = value.unwrap_or("no Cache-Control");
        ruling.judge(balance.exchange.id, ok, "Cache-Control: no-store", actual);
    }
}

fn custom_data(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in opened(facts) {
        let Some(data) = balance.data("custom_data").and_then(Value::as_object) else { continue };
        let short = |(key, value): (&String, &Value)| {
            key.len() <= 50 && value.as_str().is_none_or(|value| value.len() <= 300)
        };
        let ok = data.len() <= 20 && data.iter().all(short);
        let actual = format!("{} pairs", data.len());
        ruling.judge(balance.exchange.id, ok, "at most 20 short pairs", actual);
    }
}

fn life(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in facts.readings() {
        let Some(claims) = &balance.claims else { continue };
        match claims.lives_at_most("iat", 3600) {
            Ok(()) => ruling.holds(balance.exchange.id),
            Err(error) => {
                ruling.broken(balance.exchange.id, "at most 3600 s", error.to_string());
            }
        }
    }
}

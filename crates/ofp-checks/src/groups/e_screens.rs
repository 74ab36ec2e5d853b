//! E: the customer's screens.

use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};
use ofp_evidence::{CustomerAct, Endpoint, Screen};
use ofp_types::ConsentId;
use serde_json::Value;

use super::row;
use crate::{Facts, Requirement, ruling::Ruling};

const NO_LOGIN: &str = "no customer logged in with the right password";

pub(super) const ROWS: &[Requirement] = &[
    row!("E-01" Must, "The right credentials lead to account selection", "S1:L86-91; S1:L297",
        "Show the account selection after a successful login", NO_LOGIN, good_password),
    row!("E-02" Must, "A wrong password stays on the login page with an error, and PayNet hears nothing", "S1:L298",
        "Show the login page again with a message; call Update Consent only after a decision", "no customer used a wrong password", wrong_password),
    row!("E-04" Must, "The account page lists accounts of this customer and of nobody else", "S1:L86-91; S1:L299",
        "List the eligible accounts of whoever logged in", "no customer saw the account selection", own_accounts),
    row!("E-06" Must, "Update Consent carries exactly the accounts that the customer chose", "S1:L299; S1:L547-608",
        "Send the accounts that were ticked, all of them and no others", "no customer approved a choice of accounts", exact_selection),
    row!("E-08" Should, "The review page shows the DC, purpose, permissions, expiry and accounts", "S1:L300; S1:L86-91",
        "Show all of what the consent event said, in words, with the chosen accounts", "no customer saw the review page", review),
    row!("E-09" Must, "Approval leads to a success page or back to the DC", "S1:L301; X-47",
        "Show a result page, or redirect to PayNet's callback", "no customer approved", after_approval),
    row!("E-10" Must, "Rejection leads to a rejection message or back to the DC", "S1:L302; X-47",
        "Show a result page, or redirect to PayNet's callback with an error", "no customer rejected", after_rejection),
    row!("E-14" Should, "A credit card number is shown and sent as first 6, *, last 4", "P-wiki/Account v1.4.1",
        "Mask all but the first six and last four digits", "no credit card was linked", masked_cards),
];

fn good_password(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (_, act) in &facts.acts {
        if let CustomerAct::LoggedIn { correct: true, screen, page, .. } = act {
            let ok = *screen == Screen::AccountSelection;
            ruling.judge(*page, ok, Screen::AccountSelection.to_string(), screen.to_string());
        }
    }
}

fn wrong_password(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (consent, act) in &facts.acts {
        let CustomerAct::LoggedIn { correct: false, screen, page, text } = act else { continue };
        let ok = *screen == Screen::Login && !text.is_empty();
        let expected = "the login screen with an error message";
        ruling.judge(*page, ok, expected, format!("{screen}: {text}"));
        let told = facts.updates.iter().map(|update| update.exchange);
        let told = told.filter(|x| x.consent.as_ref() == Some(*consent) && x.id < *page);
        for exchange in told {
            ruling.broken(
                exchange.id,
                "PayNet hears nothing of a wrong password",
                "Update Consent",
            );
        }
    }
}

fn own_accounts(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let customers = &facts.settings.customers;
    for (_, act) in &facts.acts {
        let CustomerAct::SawAccounts { listed, page } = act else { continue };
        let shows = |number: &str| listed.iter().any(|label| label.contains(number));
        // whoever's account is listed first is who logged in
        let owner = customers.iter().find(|c| c.accounts.iter().any(|a| shows(&a.number)));
        let Some(owner) = owner else {
            let expected = "at least one account of the customer's test data";
            ruling.broken(*page, expected, format!("{listed:?}"));
            continue;
        };
        let strangers: Vec<&str> = facts
            .settings
            .accounts_of_others(&owner.username)
            .filter(|account| shows(&account.number) || shows(&account.full_number))
            .map(|account| account.number.as_str())
            .collect();
        let actual = format!("also {}", strangers.join(", "));
        ruling.judge(*page, strangers.is_empty(), "no account of another customer", actual);
    }
}

fn exact_selection(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.approvals() {
        let Some(chosen) = chosen(facts, update.exchange.consent.as_ref()) else { continue };
        let sent: Vec<&str> = update
            .accounts()
            .filter_map(|account| account.get("account_number").and_then(Value::as_str))
            .collect();
        let matches = sent.len() == chosen.len()
            && chosen.iter().all(|label| sent.iter().any(|number| label.contains(number)));
        let actual = format!("accounts {}", sent.join(", "));
        ruling.judge(update.exchange.id, matches, format!("exactly {}", chosen.join("; ")), actual);
    }
}

/// The labels that the customer ticked for a consent.
fn chosen<'a>(facts: &Facts<'a>, id: Option<&ConsentId>) -> Option<&'a Vec<String>> {
    facts.acts.iter().rev().find_map(|(consent, act)| match act {
        CustomerAct::SelectedAccounts { chosen, .. } if Some(*consent) == id => Some(chosen),
        _ => None,
    })
}

fn review(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (consent, act) in &facts.acts {
        let CustomerAct::SawReview { text, chosen, page } = act else { continue };
        let Some(event) =
            facts.at(Endpoint::ConsentEvent).find(|x| x.consent.as_ref() == Some(*consent))
        else {
            continue;
        };
        let Ok(body) = serde_json::from_slice::<Value>(&event.request.body) else { continue };
        let text = text.to_lowercase();
        let mut missing = Vec::new();
        for (what, words) in needed_words(facts, &body["data"], chosen) {
            if !words.iter().any(|word| text.contains(&word.to_lowercase())) {
                missing.push(format!("{what} (any of: {})", words.join(" | ")));
            }
        }
        let actual = format!("missing: {}", missing.join("; "));
        ruling.judge(
            *page,
            missing.is_empty(),
            "DC, purpose, permissions, expiry, accounts",
            actual,
        );
    }
}

/// What the page must say, each in any of several ways.
fn needed_words(facts: &Facts<'_>, data: &Value, chosen: &[String]) -> Vec<(String, Vec<String>)> {
    let mut dc = facts.settings.dc_names.clone();
    dc.push(facts.settings.dc_id.to_string());
    let mut needed = vec![("the DC".to_owned(), dc)];
    if let Some(purpose) = data["consent_purpose"].as_str() {
        let words = match purpose {
            "pfm" => {
                vec!["personal finance", "financial management", "pengurusan kewangan", purpose]
            }
            "credit_underwriting" => vec!["credit", "kredit", "pinjaman", purpose],
            other => vec![other],
        };
        needed.push(("the purpose".into(), owned(&words)));
    }
    for permission in data["permissions"].as_array().into_iter().flatten().filter_map(Value::as_str)
    {
        let words = match permission {
            "read_accounts" => {
                vec!["account detail", "account information", "butiran akaun", permission]
            }
            "read_balances" => vec!["balance", "baki", permission],
            "read_transactions" => vec!["transaction", "transaksi", permission],
            other => vec![other],
        };
        needed.push((format!("permission {permission}"), owned(&words)));
    }
    if let Some(until) = data["expiration_datetime"].as_str().and_then(|t| t.parse().ok()) {
        needed.push(("the expiry date".into(), common_dates(until)));
    }
    for label in chosen {
        let mut ways = vec![label.clone()];
        ways.extend(label.split_whitespace().last().map(str::to_owned));
        needed.push((format!("account {label}"), ways));
    }
    needed
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A date as people in Malaysia write it.
fn common_dates(time: Timestamp) -> Vec<String> {
    let local = time.to_zoned(TimeZone::fixed(Offset::constant(8)));
    let forms =
        ["%-d %B %Y", "%d %B %Y", "%-d %b %Y", "%d %b %Y", "%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d"];
    forms.iter().map(|form| local.strftime(form).to_string()).collect()
}

fn after_approval(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    after_decision(facts, true, ruling);
}

fn after_rejection(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    after_decision(facts, false, ruling);
}

fn after_decision(facts: &Facts<'_>, wanted: bool, ruling: &mut Ruling<'_>) {
    for (_, act) in &facts.acts {
        let CustomerAct::Decided { approved, screen, page, .. } = act else { continue };
        if *approved == wanted {
            let ok = matches!(screen, Screen::Result | Screen::Left);
            ruling.judge(*page, ok, "a result screen, or back at the DC", screen.to_string());
        }
    }
}

fn masked_cards(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.approvals() {
        for account in update.accounts() {
            let number = account.get("account_number").and_then(Value::as_str).unwrap_or_default();
            if facts.settings.account(number).is_some_and(|known| known.is_card) {
                let expected = "first 6, *, last 4";
                ruling.judge(update.exchange.id, is_masked(number), expected, number);
            }
        }
    }
}

fn is_masked(number: &str) -> bool {
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let stars = number.chars().filter(|c| *c == '*').count();
    let parts: Vec<&str> = number.split('*').filter(|part| !part.is_empty()).collect();
    stars > 0
        && matches!(parts[..], [head, tail] if head.len() == 6 && tail.len() == 4 && digits(head) && digits(tail))
}

//! E: the customer's screens.

use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};
use ofp_evidence::{CustomerAct, Endpoint, Screen};
use ofp_types::{ConsentId, Mutation};
use serde_json::Value;

use super::{e_tricks as tricks, refusal, row};
use crate::{Facts, Requirement, requirement::Unserved::Spoilt, ruling::Ruling};

const NO_LOGIN: &str = "no customer logged in with the right password";

pub(super) const ROWS: &[Requirement] = &[
    row!("E-01" Must, "The right credentials lead to account selection", "S1:L86-91; S1:L297",
        "Show the account selection after a successful login", NO_LOGIN, good_password),
    row!("E-02" Must, "A wrong password stays on the login page with an error, and PayNet hears nothing", "S1:L298",
        "Show the login page again with a message; call Update Consent only after a decision", "no customer used a wrong password", wrong_password),
    row!("E-03" Should, "A wrong password is answered alike whether or not the name exists", "RFC 9700 §4; S1:L298",
        "Show one message for a wrong name and a wrong password", "no customer tried wrong passwords under a known and an unknown name", tricks::no_enumeration),
    row!("E-04" Must, "The account page lists accounts of this customer and of nobody else", "S1:L86-91; S1:L299",
        "List the eligible accounts of whoever logged in", "no customer saw the account selection", own_accounts),
    row!("E-05" Must, "Without an account there is no approval", "S1:L299; S1:L547-608",
        "Ask again when nothing is ticked, or treat it as a rejection", "no customer went on without an account", tricks::nothing_ticked),
    row!("E-06" Must, "Update Consent carries exactly the accounts that the customer chose", "S1:L299; S1:L547-608",
        "Send the accounts that were ticked, all of them and no others", "no customer approved a choice of accounts", exact_selection),
    refusal!("E-07" Must, "An account of another customer that is put into the form is refused", "S1:L86-91; S1:L299",
        "Check on the server that every account in the form is the customer's own", &[Spoilt(Endpoint::DpPage, Mutation::AccountForged)], tricks::forged_account),
    row!("E-08" Should, "The review page shows the DC, purpose, permissions, expiry and accounts", "S1:L300; S1:L86-91",
        "Show all of what the consent event said, in words, with the chosen accounts", "no customer saw the review page", review),
    row!("E-09" Must, "Approval leads to a result page or back to the DC", "S1:L301; X-47",
        "Show a result page, or redirect to PayNet's callback", "no customer approved", after_approval),
    row!("E-10" Must, "Rejection leads to a rejection message or back to the DC", "S1:L302; X-47",
        "Show a result page, or redirect to PayNet's callback with an error", "no customer rejected", after_rejection),
    refusal!("E-11" Must, "The page behind the login does not open without a login", "S1:L86-91; RFC 9700 §4.16",
        "Bind every screen to a session that has logged in for this consent", &[Spoilt(Endpoint::DpPage, Mutation::LoginSkipped)], tricks::login_skipped),
    refusal!("E-12" Must, "An approval without the browser's session, or with another one's form token, is refused", "RFC 9700 §4.7; RFC 6749 §10.12",
        "Require the session cookie and a token of this session in every form", &[Spoilt(Endpoint::DpPage, Mutation::SessionMissing), Spoilt(Endpoint::DpPage, Mutation::FormTokenForeign)], tricks::forged_approval),
    refusal!("E-13" Must, "Approve pressed twice is one decision", "S1:L301; S1:L547-608",
        "Take the first decision on a consent, and answer the second press with its result", &[Spoilt(Endpoint::DpPage, Mutation::PressedTwice)], tricks::pressed_twice),
    row!("E-14" Should, "A credit card number is sent as first 6, *, last 4", "P-wiki/Account v1.4.1",
        "Mask all but the first six and last four digits", "no credit card was linked", masked_cards),
    refusal!("E-15" Should, "Markup in what an event says is refused or escaped", "RFC 9700 §4.16; S4:L127-175",
        "Escape everything that comes from an event when you write it into a page", &[Spoilt(Endpoint::ConsentEvent, Mutation::MarkupInPurpose)], tricks::markup),
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
        let CustomerAct::LoggedIn { correct: false, screen, page, text, .. } = act else {
            continue;
        };
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
    for (_, act) in &facts.acts {
        let CustomerAct::SawAccounts { username, listed, page } = act else { continue };
        let known_to_have = |customer: &&crate::TestCustomer| !customer.accounts.is_empty();
        let customer = facts.settings.customer(username).filter(known_to_have);
        let Some(customer) = customer else { continue };
        let known = |label: &String| facts.settings.resolve(label);
        let own = |number: &str| customer.accounts.iter().any(|account| account.number == number);
        let shown: Vec<&str> =
            listed.iter().filter_map(known).map(|account| account.number.as_str()).collect();
        // labels that show nothing of what the test data knows say nothing of whose they are
        if shown.is_empty() && !listed.is_empty() {
            continue;
        }
        let strangers: Vec<&str> = shown.iter().copied().filter(|number| !own(number)).collect();
        let expected = format!("accounts of {username}, at least one, and of nobody else");
        let ok = strangers.is_empty() && shown.iter().any(|number| own(number));
        ruling.judge(*page, ok, expected, listed.join("; "));
    }
}

fn exact_selection(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.approvals() {
        let Some(chosen) = chosen(facts, update.exchange.consent.as_ref()) else { continue };
        let sent: Vec<&str> = update.accounts().filter_map(account_number).collect();
        let same = |label: &str, number: &str| facts.settings.same_account(label, number);
        // a label without a number that is in no test data may be any of them
        let each = |label: &String| sent.iter().any(|number| same(label, number) != Some(false));
        let matches = sent.len() == chosen.len() && chosen.iter().all(each);
        let actual = format!("accounts {}", sent.join(", "));
        ruling.judge(update.exchange.id, matches, format!("exactly {}", chosen.join("; ")), actual);
    }
}

/// The account's number, under either of its names.
fn account_number(account: &serde_json::Map<String, Value>) -> Option<&str> {
    account.get("account_number").or_else(|| account.get("account_reference"))?.as_str()
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
                vec!["account", "akaun", permission]
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

const MALAY_MONTHS: [&str; 12] = [
    "Januari",
    "Februari",
    "Mac",
    "April",
    "Mei",
    "Jun",
    "Julai",
    "Ogos",
    "September",
    "Oktober",
    "November",
    "Disember",
];

/// A date as people in Malaysia write it.
fn common_dates(time: Timestamp) -> Vec<String> {
    let local = time.to_zoned(TimeZone::fixed(Offset::constant(8)));
    let forms = [
        "%-d %B %Y",
        "%d %B %Y",
        "%-d %b %Y",
        "%d %b %Y",
        "%B %-d, %Y",
        "%b %-d, %Y",
        "%d/%m/%Y",
        "%-d/%-m/%Y",
        "%d-%m-%Y",
        "%d.%m.%Y",
        "%Y-%m-%d",
    ];
    let mut dates: Vec<String> =
        forms.iter().map(|form| local.strftime(form).to_string()).collect();
    let month = MALAY_MONTHS.iter().zip(1..).find(|(_, month)| *month == local.month());
    dates.extend(month.map(|(name, _)| format!("{} {name} {}", local.day(), local.year())));
    dates
}

fn after_approval(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    after_decision(facts, true, ruling);
}

fn after_rejection(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    after_decision(facts, false, ruling);
}

/// Any page that loads and is none of the screens before it says how it ended, in whatever words.
fn after_decision(facts: &Facts<'_>, wanted: bool, ruling: &mut Ruling<'_>) {
    for (consent, act) in &facts.acts {
        let CustomerAct::Decided { approved, screen, page, text, .. } = act else { continue };
        // who decides what has been decided is told so, in whatever way
        let earlier = facts.acts.iter().take_while(|(_, other)| !std::ptr::eq(*other, *act));
        let taken = earlier
            .into_iter()
            .any(|(of, other)| of == consent && matches!(other, CustomerAct::Decided { .. }));
        if *approved != wanted || taken {
            continue;
        }
        let loaded = facts.exchange(*page).is_some_and(|x| x.status().is_some_and(|s| s < 400));
        let ok = match screen {
            Screen::Result | Screen::Left => true,
            Screen::Unrecognised => loaded && !text.is_empty(),
            Screen::Login | Screen::AccountSelection | Screen::Review => false,
        };
        let start: String = text.chars().take(120).collect();
        ruling.judge(*page, ok, "a result page, or back at the DC", format!("{screen}: {start}"));
    }
}

fn masked_cards(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.approvals() {
        for number in update.accounts().filter_map(account_number) {
            if facts.settings.resolve(number).is_some_and(|known| known.is_card) {
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

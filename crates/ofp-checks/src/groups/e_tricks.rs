//! E: what a customer may try on the screens, and must not get.

use ofp_evidence::{CustomerAct, Endpoint, ExchangeId, Screen};
use ofp_types::{ConsentId, Mutation};

use super::came;
use crate::{Facts, refusal::refused, ruling::Ruling};

/// What was tried on a screen: whose consent, the screen that followed, what it said, its exchange.
struct Try<'a> {
    consent: &'a ConsentId,
    screen: Screen,
    text: &'a str,
    page: ExchangeId,
}

fn tries<'a>(facts: &Facts<'a>, wanted: Mutation) -> Vec<Try<'a>> {
    let of = |(consent, act): &(&'a ConsentId, &'a CustomerAct)| match act {
        CustomerAct::Tried { what, text, screen, page } if *what == wanted => {
            Some(Try { consent, screen: *screen, text, page: *page })
        }
        _ => None,
    };
    facts.acts.iter().filter_map(of).collect()
}

/// Without names and numbers, which may be echoed.
fn words(text: &str, username: &str) -> String {
    let without = text.replace(username, "");
    without.split_whitespace().filter(|word| !word.contains(|c: char| c.is_ascii_digit())).fold(
        String::new(),
        |mut all, word| {
            all.push_str(word);
            all.push(' ');
            all
        },
    )
}

pub(super) fn no_enumeration(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let wrong: Vec<(bool, String, ExchangeId)> = facts
        .acts
        .iter()
        .filter_map(|(_, act)| match act {
            CustomerAct::LoggedIn { correct: false, username, text, page, .. } => {
                let known = facts.settings.customer(username).is_some();
                Some((known, words(text, username), *page))
            }
            _ => None,
        })
        .collect();
    let Some((_, of_known, _)) = wrong.iter().find(|(known, ..)| *known) else { return };
    for (_, of_unknown, page) in wrong.iter().filter(|(known, ..)| !known) {
        ruling.judge(*page, of_known == of_unknown, of_known.trim(), of_unknown.trim());
    }
}

pub(super) fn nothing_ticked(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (consent, act) in &facts.acts {
        let CustomerAct::SelectedAccounts { chosen, screen, page, .. } = act else { continue };
        if !chosen.is_empty() {
            continue;
        }
        let empty = facts.approvals().find(|update| {
            update.exchange.consent.as_ref() == Some(*consent) && update.accounts().next().is_none()
        });
        let expected = "the account selection again, or an end without approval";
        match empty {
            Some(update) => ruling.broken(update.exchange.id, expected, "approval of no account"),
            None => ruling.judge(*page, *screen != Screen::Review, expected, screen.to_string()),
        }
    }
}

pub(super) fn forged_account(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for Try { screen, page, text, .. } in tries(facts, Mutation::AccountForged) {
        let goes_on = screen == Screen::Review;
        let expected = "an error, or the account selection again";
        ruling.judge(page, !goes_on, expected, format!("{screen}: {}", start(text)));
    }
}

pub(super) fn login_skipped(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for Try { screen, page, text, .. } in tries(facts, Mutation::LoginSkipped) {
        let inside = matches!(screen, Screen::Review | Screen::AccountSelection);
        let actual = format!("{screen}: {}", start(text));
        ruling.judge(page, !inside, "the login, or an error", actual);
    }
}

/// Refused on the spot, and never told to PayNet.
pub(super) fn forged_approval(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for mutation in [Mutation::SessionMissing, Mutation::FormTokenForeign] {
        for Try { consent, screen, page, text } in tries(facts, mutation) {
            let spoilt = facts.sent_with(Endpoint::DpPage, mutation).find(|x| x.id == page);
            let by_status = spoilt.is_some_and(|exchange| {
                refused(exchange, Some(mutation), &facts.settings.paynet_callback).is_ok()
            });
            // a DP tells PayNet before it answers
            let told = facts.approvals().any(|update| {
                let sent = update.exchange.at;
                update.exchange.consent.as_ref() == Some(consent)
                    && spoilt.is_some_and(|x| x.at <= sent && sent <= x.at + x.took)
            });
            let ok = !told && (by_status || screen != Screen::Result);
            let expected = format!("a refusal: {}", mutation.what());
            let actual = match told {
                true => "Update Consent with an approval".to_owned(),
                false => format!("{screen}: {}", start(text)),
            };
            ruling.judge(page, ok, expected, actual);
        }
    }
}

pub(super) fn pressed_twice(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for Try { consent, page, .. } in tries(facts, Mutation::PressedTwice) {
        let told: Vec<_> = facts
            .updates
            .iter()
            .filter(|update| update.exchange.consent.as_ref() == Some(consent))
            .collect();
        let alike = told.windows(2).all(|pair| {
            ["status", "accounts", "user_identity"]
                .iter()
                .all(|name| pair[0].member(name) == pair[1].member(name))
        });
        let words: Vec<&str> =
            told.iter().map(|update| update.text("status").unwrap_or("missing")).collect();
        let actual = format!("{} of them: {}", told.len(), words.join(", then "));
        ruling.judge(page, alike, "one Update Consent, or the same again", actual);
    }
}

/// The tag that the harness put into an event: raw in a page, it is markup.
const TAG: &str = "<ofp-sim-markup";

pub(super) fn markup(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for event in facts.sent_with(Endpoint::ConsentEvent, Mutation::MarkupInPurpose) {
        if event.status().is_some_and(|status| (400..500).contains(&status)) {
            ruling.holds(event.id);
            continue;
        }
        let pages = facts.all_at(Endpoint::DpPage).filter(|page| page.consent == event.consent);
        let reviews: Vec<ExchangeId> = facts
            .acts
            .iter()
            .filter_map(|(consent, act)| match act {
                CustomerAct::SawReview { page, .. } if event.consent.as_ref() == Some(*consent) => {
                    Some(*page)
                }
                _ => None,
            })
            .collect();
        for page in pages {
            let raw = page.response().is_some_and(|answer| answer.text().contains(TAG));
            if raw {
                ruling.broken(page.id, "the markup escaped", format!("{TAG}…> as it came"));
            } else if reviews.contains(&page.id) {
                ruling.holds(page.id);
            }
        }
        if !event.succeeded() && event.response().is_some() {
            ruling.broken(event.id, "2xx or 4xx", came(event));
        }
    }
}

fn start(text: &str) -> String {
    text.chars().take(80).collect()
}

//! G: Update Consent where something goes wrong at PayNet, and what the customer hears of it.

use std::time::Duration;

use ofp_evidence::{CustomerAct, Endpoint, ExchangeId, Outcome, Stage};
use ofp_types::{ConsentId, ConsentStatus, Mutation};

use super::came;
use crate::{
    Facts,
    facts::{Update, told_of_success},
    ruling::Ruling,
};

/// As long as a DP may wait for PayNet.
const PATIENCE: Duration = Duration::from_secs(30);

/// An approval of a customer: whose consent, what the DP said of it, its exchange.
struct Approved<'a> {
    consent: &'a ConsentId,
    text: &'a str,
    page: ExchangeId,
}

fn approved<'a>(facts: &Facts<'a>) -> Vec<Approved<'a>> {
    let of = |(consent, act): &(&'a ConsentId, &'a CustomerAct)| match act {
        CustomerAct::Decided { approved: true, text, page, .. } => {
            Some(Approved { consent, text, page: *page })
        }
        _ => None,
    };
    facts.acts.iter().filter_map(of).collect()
}

fn updates_of<'f, 'a>(facts: &'f Facts<'a>, consent: &ConsentId) -> Vec<&'f Update<'a>> {
    let ours = facts.updates.iter();
    ours.filter(|update| update.exchange.consent.as_ref() == Some(consent)).collect()
}

/// What the customer hears of an approval that PayNet did not take: the page, and the way back.
fn heard(facts: &Facts<'_>, approved: &Approved<'_>, ruling: &mut Ruling<'_>) {
    let returned = facts.acts.iter().find_map(|(of, act)| match act {
        CustomerAct::Returned { url, .. } if *of == approved.consent => Some(url.as_str()),
        _ => None,
    });
    let expected = "a page that tells of the failure, and a return with an error";
    if told_of_success(approved.text) {
        let start: String = approved.text.chars().take(100).collect();
        ruling.broken(approved.page, expected, start);
    } else if let Some(url) = returned.filter(|url| !url.contains("error=")) {
        ruling.broken(approved.page, expected, format!("a return without an error: {url}"));
    } else {
        ruling.holds(approved.page);
    }
}

/// Every try was answered with 5xx.
pub(super) fn never_taken(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for approved in approved(facts) {
        let updates = updates_of(facts, approved.consent);
        let failed = |update: &&Update<'_>| update.exchange.status().is_some_and(|s| s >= 500);
        if !updates.is_empty() && updates.iter().all(failed) {
            heard(facts, &approved, ruling);
        }
    }
}

/// The DP was left without an answer, which PayNet's record shows as a reset of its own.
pub(super) fn never_answered(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for approved in approved(facts) {
        let updates = updates_of(facts, approved.consent);
        let unanswered = |update: &&Update<'_>| match &update.exchange.outcome {
            Outcome::Failed(failure) => matches!(failure.stage, Stage::Timeout | Stage::Receive),
            Outcome::Answered { .. } => false,
        };
        if updates.is_empty() || !updates.iter().all(unanswered) {
            continue;
        }
        heard(facts, &approved, ruling);
        let page = facts.all_at(Endpoint::DpPage).find(|page| page.id == approved.page);
        if let Some(page) = page {
            let actual = format!("{} ms", page.took.as_millis());
            ruling.judge(page.id, page.took <= PATIENCE, "an end within 30 s", actual);
        }
    }
}

pub(super) fn too_late(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for approved in approved(facts) {
        let updates = updates_of(facts, approved.consent);
        if !updates.is_empty() && updates.iter().all(|update| update.exchange.status() == Some(403))
        {
            heard(facts, &approved, ruling);
        }
    }
}

/// PayNet took no decision, and the last that it was asked for was a token.
pub(super) fn without_token(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for approved in approved(facts) {
        let updates = updates_of(facts, approved.consent);
        if updates.iter().any(|update| update.exchange.succeeded()) {
            continue;
        }
        let last = updates.last().map(|update| update.exchange.id);
        let failed = facts.dp_tokens().any(|token| {
            token.status().is_some_and(|status| status >= 500)
                && last.is_none_or(|last| token.id > last)
                && token.id < approved.page
        });
        if failed {
            heard(facts, &approved, ruling);
        }
    }
}

pub(super) fn repeated(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (at, update) in facts.updates.iter().enumerate() {
        let earlier = facts.updates[..at].iter().rev().find(|earlier| {
            earlier.exchange.consent == update.exchange.consent && !earlier.exchange.succeeded()
        });
        let Some(earlier) = earlier else { continue };
        let signature = |update: &Update<'_>| {
            update.exchange.request.header("x-fapi-signature").map(str::to_owned)
        };
        let same = earlier.text("status") == update.text("status");
        let fresh = signature(earlier) != signature(update);
        let actual = match (same, fresh) {
            (false, _) => "another decision",
            (true, false) => "the same signature",
            (true, true) => "the same decision, signed afresh",
        };
        let expected = "the same decision, signed afresh";
        ruling.judge(update.exchange.id, same && fresh, expected, actual);
    }
}

/// The customer of the event may approve, another may not.
pub(super) fn identity(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let named = |mutation| facts.sent_with(Endpoint::ConsentEvent, mutation);
    let authorized = |consent: Option<&ConsentId>| {
        facts.approvals().any(|update| update.exchange.consent.as_ref() == consent)
    };
    let decided = |consent: Option<&ConsentId>| {
        facts.acts.iter().any(|(of, act)| {
            Some(*of) == consent
                && matches!(act, CustomerAct::LoggedIn { .. } | CustomerAct::Decided { .. })
        })
    };
    for (mutation, wanted) in [(Mutation::IdentityKnown, true), (Mutation::IdentityAltered, false)]
    {
        for event in named(mutation).filter(|event| decided(event.consent.as_ref())) {
            if !event.succeeded() {
                ruling.judge(event.id, !wanted, "2xx", came(event));
                continue;
            }
            let is = authorized(event.consent.as_ref());
            let word = |yes| if yes { ConsentStatus::Authorized } else { ConsentStatus::Rejected };
            let expected = if wanted { "authorized" } else { "not authorized" };
            ruling.judge(event.id, is == wanted, expected, word(is).to_string());
        }
    }
}

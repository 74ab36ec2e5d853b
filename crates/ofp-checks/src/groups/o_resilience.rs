//! O: what the DP withstands.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use ofp_evidence::{AccountStanding, Endpoint, Exchange, Outcome, Role};
use ofp_types::{ConsentId, InteractionId};

use super::came;
use crate::{
    Facts,
    refusal::{refused, served},
    ruling::Ruling,
};

/// At each endpoint, the first good request after the last bad one.
pub(super) fn after_all(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let mut last: BTreeMap<&str, (Endpoint, &Exchange)> = BTreeMap::new();
    for (_, exchange) in &facts.spoilt {
        let entry = last.entry(exchange.endpoint.label()).or_insert((exchange.endpoint, exchange));
        if entry.1.id < exchange.id {
            *entry = (exchange.endpoint, exchange);
        }
    }
    for endpoint in [Endpoint::ConsentEvent, Endpoint::Balances] {
        let Some((_, bad)) = last.get(endpoint.label()) else { continue };
        if let Some(next) = facts.at(endpoint).find(|exchange| exchange.id > bad.id) {
            let ok = served(next, &facts.settings.paynet_callback).is_ok();
            ruling.judge(next.id, ok, "to be served", came(next));
        }
    }
}

pub(super) fn two_hundred(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let all: Vec<&Exchange> = facts.at(Endpoint::Balances).collect();
    let minute = SignedDuration::from_mins(1);
    let crowd = all.windows(200).find(|window| {
        let (first, last) = (window.first(), window.last());
        first.zip(last).is_some_and(|(f, l)| l.at.duration_since(f.at) <= minute)
    });
    for exchange in crowd.into_iter().flatten() {
        let limited = exchange.status() == Some(429)
            && exchange.response().is_some_and(|answer| answer.header("retry-after").is_some());
        let ok = exchange.succeeded() || limited;
        ruling.judge(exchange.id, ok, "200, or 429 with Retry-After", came(exchange));
    }
}

/// Each consent has the accounts that were ticked for it, and no number of another's.
pub(super) fn no_cross_talk(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let accounts: BTreeMap<&str, (BTreeSet<String>, &Exchange)> = facts
        .approvals()
        .filter_map(|update| {
            let ids = update.accounts().filter_map(|a| Some(a.get("account_number")?.to_string()));
            Some((update.exchange.consent.as_ref()?.as_str(), (ids.collect(), update.exchange)))
        })
        .collect();
    if accounts.len() < 20 {
        return;
    }
    for (consent, (sent, exchange)) in &accounts {
        let ticked = ticked(facts, consent);
        // a label without a number that is in no test data may be any of them
        let is_ticked = |number: &String| {
            let number = number.trim_matches('"');
            ticked.iter().any(|label| facts.settings.same_account(label, number) != Some(false))
        };
        let ok = sent.iter().all(is_ticked) && !ticked.is_empty();
        let expected = format!("the accounts that were ticked: {}", ticked.join(", "));
        ruling.judge(exchange.id, ok, expected, join(sent));
    }
}

fn join(all: &BTreeSet<String>) -> String {
    all.iter().cloned().collect::<Vec<_>>().join(", ")
}

/// The labels of the accounts that were ticked for a consent.
fn ticked<'a>(facts: &Facts<'a>, consent: &str) -> Vec<&'a str> {
    let labels = facts.acts.iter().filter_map(|(of, act)| match act {
        ofp_evidence::CustomerAct::SelectedAccounts { chosen, .. } if of.as_str() == consent => {
            Some(chosen)
        }
        _ => None,
    });
    labels.flatten().map(String::as_str).collect()
}

pub(super) fn interaction(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in &facts.updates {
        let id = update.exchange.request.header("x-fapi-interaction-id").unwrap_or("missing");
        ruling.judge(update.exchange.id, InteractionId::parse(id).is_ok(), "a UUID", id);
    }
}

/// Requests for data of an account while it stood so.
fn while_standing<'a>(facts: &Facts<'a>, wanted: AccountStanding) -> Vec<&'a Exchange> {
    let of_dp =
        |exchange: &&Exchange| exchange.to == Role::Dp && exchange.endpoint == Endpoint::Balances;
    let all = facts.exchanges.iter().copied().filter(of_dp);
    let stood = |exchange: &&Exchange| {
        let of_account = |consent: &ConsentId| exchange.consent.as_ref() == Some(consent);
        let mut changes = facts.accounts.iter().filter(|change| {
            of_account(&change.consent)
                && exchange.path().contains(change.account.as_str())
                && change.after < exchange.id
        });
        changes.next_back().is_some_and(|change| change.standing == wanted)
    };
    all.filter(stood).collect()
}

fn answers(
    facts: &Facts<'_>,
    ruling: &mut Ruling<'_>,
    standing: AccountStanding,
    statuses: &[u16],
    code: &str,
) {
    for exchange in while_standing(facts, standing) {
        let body = exchange.response().map(|answer| answer.text().into_owned()).unwrap_or_default();
        let status = exchange.status().unwrap_or_default();
        let ok = statuses.contains(&status) && (status == 503 || body.contains(code));
        let wanted: Vec<String> = statuses.iter().map(ToString::to_string).collect();
        ruling.judge(exchange.id, ok, format!("{} {code}", wanted.join(" or ")), came(exchange));
    }
}

pub(super) fn blocked(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let code = "Consent.AccountTemporarilyBlocked";
    answers(facts, ruling, AccountStanding::Blocked, &[403], code);
}

pub(super) fn closed(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let code = "Consent.PermanentAccountAccessFailure";
    answers(facts, ruling, AccountStanding::Closed, &[403], code);
}

/// A link opens after a restart whose event came before it.
pub(super) fn restarted(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let callback = &facts.settings.paynet_callback;
    for restart in &facts.restarts {
        let of_it = |exchange: &&Exchange| exchange.consent.as_ref() == Some(&restart.consent);
        let codes = &facts.settings.profile.event_response_codes;
        let taken = |x: &Exchange| x.status().is_some_and(|status| codes.contains(&status));
        let mut events = facts.at(Endpoint::ConsentEvent).filter(of_it);
        let told = events.any(|x| x.id < restart.after && taken(x));
        let mut links =
            facts.all_at(Endpoint::DpAuthorize).filter(of_it).filter(|x| facts.is_due(x));
        let Some(link) = links.find(|link| told && link.id >= restart.after) else { continue };
        let expected = "the link of a consent that it knew";
        // in what form it leads on is for group D to say
        match &link.outcome {
            Outcome::Failed(failure) => ruling.unanswered(link.id, expected, failure),
            Outcome::Answered { status: 400.., .. } => {
                ruling.broken(link.id, expected, came(link));
            }
            Outcome::Answered { .. } if refused(link, None, callback).is_err() => {
                ruling.holds(link.id);
            }
            // a page that may say anything
            Outcome::Answered { .. } => {}
        }
    }
}

pub(super) fn core_down(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let code = "Consent.TransientAccountAccessFailure";
    answers(facts, ruling, AccountStanding::Unreachable, &[503, 403], code);
}

//! B: health and generic HTTP.

use std::time::Duration;

use ofp_evidence::{Endpoint, Exchange, Outcome};
use ofp_types::Mutation;
use serde_json::Value;

use super::{came, refusal, row, service};
use crate::{Facts, Requirement, requirement::Unserved::Spoilt, ruling::Ruling};

const GENERIC: &str =
    "Let your framework answer what no route of yours takes, and look at what it answers";

pub(super) const ROWS: &[Requirement] = &[
    row!("B-01" Should, "GET /v1/health over mutual TLS answers 2xx within 5 s", "S4:L37-38; X-54",
        "Answer GET /v1/health with 200 without asking slow systems", "PayNet did not ask for health", health),
    row!("B-02" Should, "20 requests for health at once are all answered with 2xx", "X-54",
        "Let health share no lock and no pool with slow work", "fewer than 20 requests for health were made", at_once),
    refusal!("B-03" Should, "POST on health is answered with 405", "RFC 9110 §15.5.6", GENERIC,
        &[Spoilt(Endpoint::Health, Mutation::MethodPost)], method_not_allowed),
    refusal!("B-04" Should, "GET on the event endpoint is answered with 405", "RFC 9110 §15.5.6", GENERIC,
        &[Spoilt(Endpoint::ConsentEvent, Mutation::MethodGet)], method_not_allowed),
    refusal!("B-05" Should, "PUT and DELETE on balances are answered with 405", "RFC 9110 §15.5.6", GENERIC,
        &[Spoilt(Endpoint::Balances, Mutation::MethodPut), Spoilt(Endpoint::Balances, Mutation::MethodDelete)], method_not_allowed),
    refusal!("B-06" Should, "An unknown path is answered with 404, as JSON or empty", "RFC 9110 §15.5.5", GENERIC,
        &[Spoilt(Endpoint::Health, Mutation::PathUnknown)], not_found),
    service!("B-07" Must, "Header names mean the same in any case", "RFC 9110 §5.1",
        "Look headers up without regard to case", &[(Endpoint::ConsentEvent, Mutation::HeaderNamesTitleCase), (Endpoint::Balances, Mutation::HeaderNamesTitleCase)]),
    refusal!("B-08" Must, "An account_id that climbs out of its path is answered with a 4xx", "RFC 3986 §3.3; RFC 9110 §15.5",
        "Take account_id as one opaque segment, and look it up among the accounts of the consent",
        &[Spoilt(Endpoint::Balances, Mutation::PathTraversal), Spoilt(Endpoint::Balances, Mutation::PathEncodedSlash)], climbs),
];

fn health(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.at(Endpoint::Health) {
        let expected = "a 2xx within 5 s";
        match &exchange.outcome {
            Outcome::Failed(failure) => ruling.unanswered(exchange.id, expected, failure),
            Outcome::Answered { status, .. } => {
                let ok = exchange.succeeded() && exchange.took <= Duration::from_secs(5);
                let actual = format!("{status} after {} ms", exchange.took.as_millis());
                ruling.judge(exchange.id, ok, expected, actual);
            }
        }
    }
}

fn at_once(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let all: Vec<_> = facts.at(Endpoint::Health).collect();
    if all.len() >= 20 {
        for exchange in all {
            ruling.judge(exchange.id, exchange.succeeded(), "a 2xx", came(exchange));
        }
    }
}

/// The requests of a requirement, each with what it is.
fn sent<'a>(facts: &Facts<'a>, ruling: &Ruling<'_>) -> Vec<&'a Exchange> {
    let all = ruling.refusals().iter().flat_map(|unserved| facts.unserved(*unserved));
    all.map(|(_, exchange)| exchange).collect()
}

fn method_not_allowed(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in sent(facts, ruling) {
        ruling.judge(exchange.id, exchange.status() == Some(405), "405", came(exchange));
    }
}

fn not_found(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in sent(facts, ruling) {
        let plain = exchange.response().is_some_and(|answer| {
            answer.body.is_empty() || serde_json::from_slice::<Value>(&answer.body).is_ok()
        });
        let ok = exchange.status() == Some(404) && plain;
        ruling.judge(exchange.id, ok, "404 with JSON or nothing", came(exchange));
    }
}

fn climbs(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in sent(facts, ruling) {
        let ok = exchange.status().is_some_and(|status| (400..500).contains(&status));
        ruling.judge(exchange.id, ok, "a 4xx", came(exchange));
    }
}

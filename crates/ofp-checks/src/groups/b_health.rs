//! B: health and generic HTTP.

use std::time::Duration;

use ofp_evidence::{Endpoint, Outcome};

use super::row;
use crate::{Facts, Requirement, ruling::Ruling};

pub(super) const ROWS: &[Requirement] = &[row!("B-01" Should,
    "GET /v1/health over mutual TLS answers 2xx within 5 s", "S4:L37-38; X-54",
    "Answer GET /v1/health with 200 without asking slow systems", "PayNet did not ask for health", health)];

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

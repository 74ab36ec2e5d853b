//! C: the consent event, D1.

use std::time::Duration;

use ofp_evidence::{Endpoint, Exchange, Outcome};
use ofp_types::ConsentStatus;

use super::{echoes, row};
use crate::{Facts, Requirement, ruling::Ruling};

const NO_EVENT: &str = "no consent event was answered";

pub(super) const ROWS: &[Requirement] = &[
    row!("C-01" Must, "A signed consent_created event is accepted with 2xx within 5 s", "S4:L127-175; X-52",
        "Verify x-fapi-signature over the raw body with PayNet's key, store the consent, answer 200",
        "no consent_created event was sent", created),
    row!("C-02" Should, "The answer to an event is a JSON object or empty, with the media type of what it is",
        "S1:L541-545; X-52", "Answer `{}` with Content-Type: application/json", NO_EVENT, json_or_empty),
    row!("C-03" Should, "The answer to an event echoes x-fapi-interaction-id", "S1:L262",
        "Copy x-fapi-interaction-id from the request to the answer", NO_EVENT, echo),
    row!("C-39" Must, "The authorized event that follows Update Consent is accepted and triggers no second one",
        "S4:L127-175; X-32", "Treat consent_status_updated as news, not as a request to decide again",
        "no consent became authorized", authorized_echo),
];

fn accepted(facts: &Facts<'_>, exchange: &Exchange, ruling: &mut Ruling<'_>) {
    let codes = &facts.settings.profile.event_response_codes;
    let expected = format!("one of {codes:?} within 5 s");
    match &exchange.outcome {
        Outcome::Failed(failure) => ruling.unanswered(exchange.id, &expected, failure),
        Outcome::Answered { status, .. } => {
            let ok = codes.contains(status) && exchange.took <= Duration::from_secs(5);
            let actual = format!("{status} after {} ms", exchange.took.as_millis());
            ruling.judge(exchange.id, ok, expected, actual);
        }
    }
}

fn created(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.events("consent_created", "awaiting_authorization") {
        accepted(facts, exchange, ruling);
    }
}

fn json_or_empty(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.at(Endpoint::ConsentEvent) {
        let Some(response) = exchange.response() else { continue };
        let media_type = response.media_type().unwrap_or_else(|| "no Content-Type".into());
        let is_object = ofp_jose::strict_object(&response.body).is_ok();
        let ok = response.body.is_empty() || (is_object && media_type == "application/json");
        let start: String = response.text().chars().take(60).collect();
        let expected = "an empty body, or a JSON object as application/json";
        ruling.judge(exchange.id, ok, expected, format!("{media_type}: {start}"));
    }
}

fn echo(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    facts.at(Endpoint::ConsentEvent).for_each(|exchange| echoes(exchange, ruling));
}

fn authorized_echo(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.events("consent_status_updated", "authorized") {
        accepted(facts, exchange, ruling);
        let again = facts.updates.iter().filter(|update| {
            update.is(ConsentStatus::Authorized)
                && update.exchange.consent == exchange.consent
                && update.exchange.id > exchange.id
        });
        for update in again {
            ruling.broken(update.exchange.id, "no second Update Consent", "Update Consent again");
        }
    }
}

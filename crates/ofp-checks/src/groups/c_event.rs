//! C: the consent event, D1.

use std::time::Duration;

use ofp_evidence::{Endpoint, Exchange, Outcome};
use ofp_types::{ConsentStatus, Mutation};

use super::{echoes, refusal, row};
use crate::{Facts, Requirement, requirement::Unserved::Spoilt, ruling::Ruling};

/// S4:L127-175.
const EVENT_TYPES: [&str; 4] = [
    "consent_created",
    "consent_updated",
    "consent_status_updated",
    "consent_event_type_unspecified",
];
const NO_EVENT: &str = "no consent event was answered";

const VERIFY_EVENT: &str = "Verify x-fapi-signature over the raw bytes of the body with PayNet's published key, before anything else";

pub(super) const ROWS: &[Requirement] = &[
    row!("C-01" Must, "A signed consent_created event is accepted with 2xx within 5 s", "S4:L127-175; X-52",
        "Verify x-fapi-signature over the raw body with PayNet's key, store the consent, answer 200",
        "no consent_created event was sent", created),
    row!("C-02" Should, "The answer to an event is a JSON object or empty, with the media type of what it is",
        "S1:L541-545; X-52", "Answer `{}` with Content-Type: application/json", NO_EVENT, json_or_empty),
    row!("C-03" Should, "The answer to an event echoes x-fapi-interaction-id", "S1:L262",
        "Copy x-fapi-interaction-id from the request to the answer", NO_EVENT, echo),
    refusal!("C-05" Must, "An event without a signature is refused",
        "S1:L253-262", VERIFY_EVENT,
        &[Spoilt(Endpoint::ConsentEvent, Mutation::SignatureMissing)]),
    refusal!("C-06" Must, "An event whose signature is empty or not of three segments is refused",
        "S1:L253-262; RFC 7515 §7.1", VERIFY_EVENT,
        &[Spoilt(Endpoint::ConsentEvent, Mutation::SignatureEmpty), Spoilt(Endpoint::ConsentEvent, Mutation::TwoSegments), Spoilt(Endpoint::ConsentEvent, Mutation::FourSegments)]),
    refusal!("C-07" Must, "An event whose body was altered after it was signed is refused",
        "S1:L253-262; RFC 7515 Appendix F", VERIFY_EVENT,
        &[Spoilt(Endpoint::ConsentEvent, Mutation::BodyByteAltered)]),
    refusal!("C-08" Must, "An event whose JSON was re-ordered after it was signed is refused",
        "S1:L253-262; RFC 7515 Appendix F", "Verify the bytes that came, not what your framework parsed and wrote again",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::BodyReordered)]),
    refusal!("C-09" Must, "An event under a kid that PayNet does not publish is refused",
        "S1:L253-262; RFC 7515 §4.1.4", "Refresh the key set at most once, then answer 400 JWS.InvalidSignature",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::UnknownKid)]),
    refusal!("C-10" Must, "An event that the DC signed is refused",
        "S1:L253-262", "Accept PayNet's keys alone",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::SignedByDc)]),
    refusal!("C-11" Must, "An event that is signed with the DP's own key is refused",
        "S1:L253-262", "Accept PayNet's keys alone",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::SignedByDp)]),
    refusal!("C-12" Must, "An event under PayNet's kid that another key signed is refused",
        "S1:L253-262; RFC 7515 §5.2", VERIFY_EVENT,
        &[Spoilt(Endpoint::ConsentEvent, Mutation::ForeignKeyKnownKid)]),
    refusal!("C-13" Must, "An event with alg none is refused",
        "FAPI 2.0 SP §5.4.1; RFC 8725 §3.1", "Allow PS256 alone",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::AlgNone)]),
    refusal!("C-14" Must, "An event with alg HS256 keyed with PayNet's public key is refused",
        "FAPI 2.0 SP §5.4.1; RFC 8725 §2.1", "Allow PS256 alone, and never hand a public key to HMAC",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::AlgHs256)]),
    refusal!("C-15" Must, "An event with alg RS256 is refused",
        "S1:L253-254; FAPI 2.0 SP §5.4.1", "Allow PS256 alone",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::AlgRs256)]),
    refusal!("C-16" Should, "An event that is signed with an encryption key is refused",
        "RFC 7517 §4.2", "Select keys by kid and use",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::SignedWithEncKey)]),
    refusal!("C-18" Should, "An event with an unknown crit extension is refused",
        "RFC 7515 §4.1.11", "Refuse a JWS whose crit names what you do not understand",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::UnknownCrit)]),
    refusal!("C-19" Should, "An event whose header says that it is ten minutes old is refused",
        "X-23", "Refuse an iat more than five minutes old",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::HeaderIatOld)]),
    refusal!("C-20" Should, "An event whose header says that it is two minutes ahead is refused",
        "X-58", "Allow a minute of clock skew and no more",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::HeaderIatAhead)]),
    refusal!("C-23" Must, "An event that is no JSON is refused, however well signed",
        "S1:L376-379", "Answer 400 invalid_request",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::BodyMalformed)]),
    refusal!("C-24" Must, "An event without data.consent_id is refused",
        "S4:L127-175", "Answer 400 invalid_request",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::ConsentIdMissing)]),
    refusal!("C-25" Should, "An event whose consent_id has 37 characters is refused",
        "S4:L127-175", "Limit consent_id to 36 characters",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::ConsentIdTooLong)]),
    row!("C-28" Should, "An event of an unknown type is taken for its status",
        "S4:L127-175; X-32", "Act on data.status, whatever event_type says",
        "no event of an unknown type was sent", unknown_type),
    refusal!("C-29" Should, "An event about another DP is refused",
        "S4:L127-175", "Compare data.dp_id with your own",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::DpIdOfAnother)]),
    refusal!("C-37" Must, "An event whose signature has one flipped byte is refused",
        "S1:L253-262; RFC 7515 §5.2", VERIFY_EVENT,
        &[Spoilt(Endpoint::ConsentEvent, Mutation::SignatureByteFlipped)]),
    row!("C-38" Must, "A consent_updated event is accepted",
        "S4:L127-175", "Answer 200 to every event type of the reference",
        "no consent_updated event was sent", updated),
    row!("C-39" Must, "The authorized event that follows Update Consent is accepted and triggers no second one",
        "S4:L127-175; X-32", "Treat consent_status_updated as news, not as a request to decide again",
        "no consent became authorized", authorized_echo),
    row!("C-40" Must, "Events that tell of failed, suspended and expired are accepted",
        "S4:L127-175", "Take the status from the event, answer 200, and stop serving data where it is not authorized",
        "no event told of one of them", ended),
    row!("C-41" Should, "An event of type consent_event_type_unspecified does no harm",
        "S4:L127-175", "Answer 200 or 400, and change nothing",
        "no such event was sent", unspecified),
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

fn updated(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    facts
        .events_where(|event_type| event_type == "consent_updated")
        .for_each(|exchange| accepted(facts, exchange, ruling));
}

fn unknown_type(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let unknown = facts.events_where(|event_type| !EVENT_TYPES.contains(&event_type));
    unknown.for_each(|exchange| accepted(facts, exchange, ruling));
}

fn ended(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for status in ["failed", "suspended", "expired"] {
        for exchange in facts.events("consent_status_updated", status) {
            accepted(facts, exchange, ruling);
        }
    }
}

fn unspecified(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.events_where(|event_type| event_type == "consent_event_type_unspecified")
    {
        let Some(status) = exchange.status() else { continue };
        ruling.judge(exchange.id, status < 500, "2xx or 4xx", status.to_string());
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

//! C: the consent event, D1.

use std::time::Duration;

use ofp_evidence::{Endpoint, Exchange, Outcome, Stage};
use ofp_types::{ConsentStatus, Mutation};

use super::{came, echoes, refusal, refuses, row, service};
use jiff::Timestamp;
use serde_json::Value;

use crate::{Facts, Requirement, refusal::served, requirement::Unserved::Spoilt, ruling::Ruling};

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
    row!("C-04" Must, "An event that comes again, freshly signed, is accepted and makes no second consent", "S4:L127-175; X-52",
        "Store consents under their consent_id, and answer 2xx to one that you know", "no event was sent again", redelivered),
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
    refusal!("C-17" Must, "An event that brings its own key, or says where to fetch it, is refused, and nothing is fetched",
        "RFC 7515 §4.1.2, §4.1.3, §4.1.5; RFC 8725 §3.10", "Take keys from PayNet's published set alone; ignore jwk, jku and x5u",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::EmbeddedJwk), Spoilt(Endpoint::ConsentEvent, Mutation::Jku), Spoilt(Endpoint::ConsentEvent, Mutation::X5u)], brings_its_key),
    refusal!("C-18" Should, "An event with an unknown crit extension is refused",
        "RFC 7515 §4.1.11", "Refuse a JWS whose crit names what you do not understand",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::UnknownCrit)]),
    refusal!("C-19" Should, "An event whose header says that it is ten minutes old is refused",
        "X-23", "Refuse an iat more than five minutes old",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::HeaderIatOld)]),
    refusal!("C-20" Should, "An event whose header says that it is two minutes ahead is refused",
        "X-58", "Allow a minute of clock skew and no more",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::HeaderIatAhead)]),
    service!("C-21" Should, "An event whose header says that it is five seconds ahead is accepted", "X-58",
        "Allow at least ten seconds of clock skew", &[(Endpoint::ConsentEvent, Mutation::HeaderIatSlightlyAhead)]),
    refusal!("C-22" Should, "An event with the jti of another event is refused", "X-23; RFC 7519 §4.1.7",
        "Remember each jti for as long as its message could be accepted, with the hash of its body",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::JtiReplayed)]),
    refusal!("C-23" Must, "An event that is no JSON is refused, however well signed",
        "S1:L376-379", "Answer 400 invalid_request",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::BodyMalformed)]),
    refusal!("C-24" Must, "An event without data.consent_id is refused",
        "S4:L127-175", "Answer 400 invalid_request",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::ConsentIdMissing)]),
    refusal!("C-25" Should, "An event whose consent_id has 37 characters is refused",
        "S4:L127-175", "Limit consent_id to 36 characters",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::ConsentIdTooLong)]),
    service!("C-26" Should, "An event with a field that nobody knows is accepted", "S4:L127-175",
        "Ignore unknown members of JSON, so that the platform can grow", &[(Endpoint::ConsentEvent, Mutation::UnknownField)]),
    service!("C-27" Should, "An event is accepted wherever it has the accounts", "X-06; X-07",
        "Accept accounts in data, in data.account_access and as account_reference", &[(Endpoint::ConsentEvent, Mutation::AccountsAtTop), (Endpoint::ConsentEvent, Mutation::AccountsInAccountAccess), (Endpoint::ConsentEvent, Mutation::AccountsAsReference)]),
    row!("C-28" Should, "An event of an unknown type is taken for its status",
        "S4:L127-175; X-32", "Act on data.status, whatever event_type says",
        "no event of an unknown type was sent", unknown_type),
    refusal!("C-29" Should, "An event about another DP is refused",
        "S4:L127-175", "Compare data.dp_id with your own",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::DpIdOfAnother)]),
    row!("C-30" Must, "An event that tells of a revocation is accepted", "S4:L127-175",
        "Answer 200, and serve nothing under the consent from then on", "no event told of a revocation", revoked),
    row!("C-31" Should, "An event that is older than the last one changes nothing", "S4:L127-175; X-52",
        "Compare updated_at with the one that you know, and keep the newer state", "no older event came after a newer one", out_of_order),
    refusal!("C-32" Info, "An event as text/plain is answered with 400 or 415", "S4:L127-175",
        "Require Content-Type: application/json", &[Spoilt(Endpoint::ConsentEvent, Mutation::ContentTypeText)], text_refused),
    refusal!("C-33" Should, "An event of a megabyte does no harm", "RFC 9110 §15.5.14",
        "Limit the size of a body, and answer 413 above it", &[Spoilt(Endpoint::ConsentEvent, Mutation::BodyMegabyte)], survives),
    refusal!("C-34" Info, "An event without x-fapi-interaction-id is no server error", "S1:L262",
        "Make an id of your own, or answer 400", &[Spoilt(Endpoint::ConsentEvent, Mutation::InteractionIdMissing)], no_server_error),
    refusal!("C-35" Should, "An x-fapi-interaction-id that is no UUID reaches no header of the answer", "S1:L262; RFC 9110 §5.5",
        "Echo the id only if it parses as a UUID", &[Spoilt(Endpoint::ConsentEvent, Mutation::InteractionIdMalformed)], no_injection),
    refusal!("C-36" Must, "The very same event again is accepted, or refused with JWS.InvalidClaim", "X-52; S1:L328-370",
        "Treat the same jti with the same body as a redelivery", &[Spoilt(Endpoint::ConsentEvent, Mutation::SentAgain)], the_same_again),
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

/// The same news twice, by different signatures.
fn redelivered(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let events: Vec<&Exchange> = facts.at(Endpoint::ConsentEvent).collect();
    for (at, event) in events.iter().enumerate() {
        let before = &events[..at];
        let again = before.iter().any(|first| {
            first.succeeded()
                && first.request.body == event.request.body
                && first.request.header("x-fapi-signature")
                    != event.request.header("x-fapi-signature")
        });
        if !again {
            continue;
        }
        accepted(facts, event, ruling);
        let told = |update: &&crate::facts::Update<'_>| {
            update.exchange.consent == event.consent && update.exchange.succeeded()
        };
        let decisions = facts.updates.iter().filter(told).count();
        let actual = format!("{decisions} decisions that PayNet took");
        ruling.judge(event.id, decisions <= 1, "one decision at most", actual);
    }
}

fn brings_its_key(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    refuses(facts, ruling);
    for mutation in [Mutation::Jku, Mutation::X5u] {
        for exchange in facts.sent_with(Endpoint::ConsentEvent, mutation) {
            if facts.was_lured(exchange) {
                let expected = format!("nothing is fetched from where {mutation} points");
                ruling.broken(exchange.id, expected, "the DP connected to it");
            }
        }
    }
}

fn revoked(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.events("consent_status_updated", "revoked") {
        accepted(facts, exchange, ruling);
    }
}

/// When an event says that what it tells came about.
fn updated_at(exchange: &Exchange) -> Option<Timestamp> {
    let body: Value = serde_json::from_slice(&exchange.request.body).ok()?;
    body["data"]["updated_at"].as_str()?.parse().ok()
}

/// After old news the DP serves as before.
fn out_of_order(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let events: Vec<&Exchange> = facts.at(Endpoint::ConsentEvent).collect();
    for (at, event) in events.iter().enumerate() {
        let same = |other: &&&Exchange| other.consent == event.consent;
        let newest = events[..at].iter().filter(same).filter_map(|e| updated_at(e)).max();
        let Some((old, newest)) = updated_at(event).zip(newest).filter(|(old, new)| old < new)
        else {
            continue;
        };
        let later = |x: &&Exchange| x.consent == event.consent && x.id > event.id;
        let next = events[at + 1..].iter().find(same).map(|e| e.id);
        let before_next = |x: &&Exchange| next.is_none_or(|next| x.id < next);
        for exchange in facts.at(Endpoint::Balances).filter(later).filter(before_next) {
            let ok = served(exchange, &facts.settings.paynet_callback).is_ok();
            let expected = format!("the state of {newest}, not of {old}: the balance is served");
            ruling.judge(exchange.id, ok, expected, came(exchange));
        }
    }
}

fn text_refused(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.sent_with(Endpoint::ConsentEvent, Mutation::ContentTypeText) {
        let ok = matches!(exchange.status(), Some(400 | 415));
        ruling.judge(exchange.id, ok, "400 or 415", came(exchange));
    }
}

fn survives(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.sent_with(Endpoint::ConsentEvent, Mutation::BodyMegabyte) {
        let gone = matches!(&exchange.outcome, Outcome::Failed(f) if f.stage == Stage::Timeout);
        let ok = !gone && exchange.status().is_none_or(|status| status < 500);
        ruling.judge(exchange.id, ok, "413, another 4xx, a reset or 2xx", came(exchange));
        let after = facts.at(Endpoint::ConsentEvent).find(|later| later.id > exchange.id);
        if let Some(after) = after {
            ruling.judge(after.id, after.succeeded(), "the next event is accepted", came(after));
        }
    }
}

fn no_server_error(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.sent_with(Endpoint::ConsentEvent, Mutation::InteractionIdMissing) {
        let ok = exchange.status().is_some_and(|status| status < 500);
        ruling.judge(exchange.id, ok, "2xx or 4xx", came(exchange));
    }
}

fn no_injection(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.sent_with(Endpoint::ConsentEvent, Mutation::InteractionIdMalformed) {
        let Some(response) = exchange.response() else { continue };
        let injected = |(name, value): &&(String, String)| {
            name == "set-cookie" || value.contains("ofp-sim-injected")
        };
        let found = response.headers.iter().find(injected);
        let server_error = exchange.status().is_some_and(|status| status >= 500);
        let actual = match found {
            Some((name, value)) => format!("header {name}: {value}"),
            None => came(exchange),
        };
        let ok = found.is_none() && !server_error;
        ruling.judge(exchange.id, ok, "2xx or 400, and nothing of it in a header", actual);
    }
}

fn the_same_again(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.sent_with(Endpoint::ConsentEvent, Mutation::SentAgain) {
        let refused = exchange.status().is_some_and(|status| (400..500).contains(&status));
        let because = exchange.response().is_some_and(|r| r.text().contains("JWS.InvalidClaim"));
        let ok = exchange.succeeded() || (refused && because);
        ruling.judge(exchange.id, ok, "2xx, or a 4xx with JWS.InvalidClaim", came(exchange));
    }
}

//! O: errors and hygiene, over every refusal of the application on the webhooks.

use ofp_evidence::{Endpoint, Exchange, Message};
use ofp_types::{ErrorCode, Mutation, MutationPart};
use serde_json::Value;

use super::{o_resilience as resilience, row, service};
use crate::{Facts, Requirement, ruling::Ruling};

const NONE: &str = "the DP refused nothing that the scenario meant it to refuse";
/// Where an error code may stand.
const CODE_FIELDS: [&str; 3] = ["error", "error_code", "code"];
/// Refusals of a framework or a gateway, which no check here is about.
const NOT_OURS: [u16; 3] = [405, 413, 429];
/// What only the inside of a machine says. In lower case.
const INSIDES: [&str; 16] = [
    "stack trace",
    "stacktrace",
    "traceback (most recent",
    "exception in thread",
    "\tat ",
    ".java:",
    ".cs:line",
    "select * from",
    "sqlstate",
    "ora-0",
    ".local/",
    ".internal",
    ".svc.",
    "begin private key",
    "begin rsa private",
    "node_modules",
];

pub(super) const ROWS: &[Requirement] = &[
    row!("O-01" Must, "Every refusal has a JSON object as its body", "S1:L376-379",
        "Answer `{\"error\": …}` as application/json, also where your framework refuses before your code", NONE, json_body),
    row!("O-02" Must, "No refusal is a 5xx", "S1:L328-370",
        "Answer what the caller did wrong with 4xx; keep 5xx for what you did wrong", NONE, never_5xx),
    row!("O-03" Must, "No refusal shows the inside of the DP", "S1:L376-379; FAPI 2.0 SP §5.3.4",
        "Log the details under the interaction id, and answer a code and one sentence", NONE, no_insides),
    row!("O-04" Should, "Signature and claim failures have their own codes", "S1:L328-370",
        "Answer JWS.InvalidSignature where the signature does not hold and JWS.InvalidClaim where a claim does not", NONE, families),
    row!("O-05" Must World, "After everything that was refused, good requests are served", "S1:L309-314",
        "Let no bad request change what the next good one meets", "no good request followed the bad ones", resilience::after_all),
    row!("O-06" Should, "200 balances in a minute are served, or limited with 429 and Retry-After", "X-59; RFC 6585 §4",
        "Answer 429 with Retry-After where you must limit", "fewer than 200 balances were asked for within a minute", resilience::two_hundred),
    row!("O-07" Must, "20 consents at once do not mix", "S1:L183-209; S1:L547-608",
        "Keep what belongs to a consent under its consent_id, and in no variable of the process", "fewer than 20 consents were approved at once", resilience::no_cross_talk),
    row!("O-08" Should, "A consent outlives a restart of the DP", "S4:L127-175",
        "Store consents before you answer the event", "nobody restarted the DP", resilience::restarted),
    service!("O-09" Info, "A clock that is 30 seconds off does no harm", "X-58",
        "Allow a minute of clock skew", &[(Endpoint::ConsentEvent, Mutation::HeaderIat30Ahead), (Endpoint::ConsentEvent, Mutation::HeaderIat30Old)]),
    row!("O-10" Info, "The interaction id of Update Consent is a UUID of the DP's own or the event's", "S4:L205",
        "Send a fresh UUID with every request of yours", "the DP sent no Update Consent", resilience::interaction),
    row!("O-11" Should, "A blocked account is answered with 403 Consent.AccountTemporarilyBlocked", "S1:L328-370",
        "Tell a blocked account from a closed one, and from a consent that is over", "no account was blocked", resilience::blocked),
    row!("O-12" Should, "A closed account is answered with 403 Consent.PermanentAccountAccessFailure", "S1:L328-370",
        "Tell a blocked account from a closed one, and from a consent that is over", "no account was closed", resilience::closed),
    row!("O-13" Should, "While the core system is down, the answer is 503 or 403 Consent.TransientAccountAccessFailure within 5 s", "S1:L328-370; X-37",
        "Set a deadline below five seconds on the core system", "the core system was never down", resilience::core_down),
    row!("O-14" Should, "Every refusal carries one of PayNet's codes", "S1:L328-370; X-45",
        "Put a code of the reference into `error`", NONE, known_code),
    row!("O-15" Should, "Every refusal has a status that its reason calls for", "S1:L328-370",
        "Take the status from the reference's table: 400 for a message, 403 for a consent, 404 for what is not there", NONE, status_fits),
];

/// Answers to what had to be refused, of the application: not of TLS.
fn refusals<'a>(
    facts: &'a Facts<'_>,
) -> impl Iterator<Item = (Option<Mutation>, &'a Exchange, u16, &'a Message)> {
    let spoilt = facts.spoilt.iter().map(|(mutation, exchange)| (Some(*mutation), *exchange));
    let probes = facts.probes().map(|(exchange, ..)| (None, exchange));
    spoilt.chain(probes.filter(|(_, exchange)| facts.is_meant_to_be_refused(exchange))).filter_map(
        |(mutation, exchange)| {
            let webhook = matches!(
                exchange.endpoint,
                Endpoint::ConsentEvent
                    | Endpoint::Userinfo
                    | Endpoint::Account
                    | Endpoint::Balances
                    | Endpoint::Transactions
            );
            // what is due no refusal, or one of TLS, the router or the framework
            let elsewhere = mutation.is_some_and(|m| {
                m.is_legitimate()
                    || matches!(
                        m.part(),
                        MutationPart::Client | MutationPart::Method | MutationPart::Path
                    )
                    || matches!(
                        m,
                        Mutation::ContentTypeText
                            | Mutation::InteractionIdMissing
                            | Mutation::InteractionIdMalformed
                            | Mutation::UrlDoubledScheme
                            | Mutation::IdentityAltered
                    )
            });
            let (status, message) = (exchange.status()?, exchange.response()?);
            (webhook && !elsewhere && status >= 400 && !NOT_OURS.contains(&status))
                .then_some((mutation, exchange, status, message))
        },
    )
}

fn object(message: &Message) -> Option<Value> {
    ofp_jose::strict_object(&message.body).ok().map(Value::Object)
}

fn code(message: &Message) -> Option<String> {
    let object = object(message)?;
    let found = CODE_FIELDS.iter().find_map(|field| object.get(field)?.as_str());
    found.map(str::to_owned)
}

fn start(message: &Message) -> String {
    message.text().chars().take(100).collect()
}

fn json_body(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (_, exchange, status, message) in refusals(facts) {
        let actual = format!("{status} {}", start(message));
        ruling.judge(exchange.id, object(message).is_some(), "a JSON object", actual);
    }
}

fn never_5xx(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (_, exchange, status, message) in refusals(facts) {
        let actual = format!("{status} {}", start(message));
        ruling.judge(exchange.id, status < 500, "4xx", actual);
    }
}

fn no_insides(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (_, exchange, _, message) in refusals(facts) {
        let text = message.text().to_lowercase();
        let shown = INSIDES.iter().find(|inside| text.contains(**inside));
        let expected = "a code and a sentence";
        let actual =
            shown.map_or(String::new(), |inside| format!("`{}` in the body", inside.trim()));
        ruling.judge(exchange.id, shown.is_none(), expected, actual);
    }
}

fn known_code(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (_, exchange, status, message) in refusals(facts) {
        let code = code(message);
        let known = code.as_deref().is_some_and(|code| ErrorCode::exact(code).is_some());
        let actual = code.unwrap_or_else(|| format!("{status} {}", start(message)));
        ruling.judge(exchange.id, known, "a code of the reference", actual);
    }
}

fn families(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (mutation, exchange, _, message) in refusals(facts) {
        // what may be refused of a redelivery is C-36
        if mutation == Some(Mutation::SentAgain) && exchange.endpoint == Endpoint::ConsentEvent {
            continue;
        }
        let expected: &[&str] = match mutation.map(|mutation| (mutation, mutation.part())) {
            Some((Mutation::SignatureMissing | Mutation::SignatureEmpty, _)) => {
                &["JWS.InvalidSignature", "invalid_request"]
            }
            Some((
                Mutation::HeaderIatOld
                | Mutation::HeaderIatAhead
                | Mutation::JtiReplayed
                | Mutation::SentAgain,
                _,
            )) => &["JWS.InvalidClaim"],
            Some((_, MutationPart::Signature | MutationPart::Body)) => &["JWS.InvalidSignature"],
            Some((_, MutationPart::Claims)) => &["JWS.InvalidClaim"],
            _ => continue,
        };
        let code = code(message).unwrap_or_else(|| "no code".into());
        ruling.judge(exchange.id, expected.contains(&code.as_str()), expected.join(" or "), code);
    }
}

/// `spec/ofp.md` 6.2, the column "accept".
fn status_fits(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (mutation, exchange, status, _) in refusals(facts) {
        let accepted: &[u16] = match mutation.map(|mutation| (mutation, mutation.part())) {
            Some((Mutation::SignatureMissing | Mutation::SignatureEmpty, _)) => &[400, 401],
            Some((Mutation::ConsentUnknown, _)) => &[400, 403, 404],
            Some((Mutation::DcOfAnotherConsent, _)) => &[400, 401, 403, 404],
            Some((_, MutationPart::Subject)) => &[403, 404],
            Some((_, MutationPart::Signature | MutationPart::Body | MutationPart::Claims)) => {
                &[400, 401, 403]
            }
            Some((_, MutationPart::Repeat)) => &[400, 401, 403],
            Some((_, MutationPart::SignedBody)) => &[400, 422],
            Some(_) => &[400],
            None => &[400, 403, 404],
        };
        let expected: Vec<String> = accepted.iter().map(ToString::to_string).collect();
        let ok = accepted.contains(&status);
        ruling.judge(exchange.id, ok, expected.join(" or "), status.to_string());
    }
}

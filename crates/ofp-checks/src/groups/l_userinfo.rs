//! L: userinfo, D3.

use ofp_evidence::{Endpoint, Exchange, Outcome};
use ofp_types::{ConsentStatus, Mutation};
use serde_json::Value;

use super::{echoes, is_text, refusal, row, shown};
use crate::{
    Facts, Requirement,
    requirement::Unserved::{Spoilt, While},
    ruling::Ruling,
};

const NONE: &str = "PayNet did not ask for userinfo";

pub(super) const ROWS: &[Requirement] = &[
    row!("L-01" Must, "Userinfo of an authorized consent is 200 with a `sub`", "S1:L99-105; OpenID Connect Core §5.3.2", "Answer with a JSON object that has sub", NONE, sub),
    row!("L-02" Must, "sub of userinfo is the sub of the id_token", "OpenID Connect Core §5.3.2", "Use the same subject identifier in both", NONE, same_sub),
    row!("L-03" Must, "hashed_id_number of userinfo is the one of Update Consent", "P-dpC; S4:L390-398", "Send the same hash in both", NONE, same_hash),
    row!("L-04" Should, "email_verified is a boolean, every other claim is text", "S4:L385-398", "Send claims with the types of the reference", NONE, types),
    refusal!("L-05" Must, "A userinfo request with a missing, broken or foreign signature is refused",
        "S1:L99-105; X-53", "Verify PayNet's signature before anything else",
        &[Spoilt(Endpoint::Userinfo, Mutation::SignatureMissing), Spoilt(Endpoint::Userinfo, Mutation::SignatureByteFlipped), Spoilt(Endpoint::Userinfo, Mutation::SignedByDc)]),
    refusal!("L-06" Must, "Userinfo under a consent that is not authorized or unknown is refused",
        "S1:L99-105; X-53", "Serve claims for authorized consents alone",
        &[While(Endpoint::Userinfo, ConsentStatus::AwaitingAuthorization), While(Endpoint::Userinfo, ConsentStatus::Rejected), While(Endpoint::Userinfo, ConsentStatus::Failed), While(Endpoint::Userinfo, ConsentStatus::Suspended), While(Endpoint::Userinfo, ConsentStatus::Revoked), Spoilt(Endpoint::Userinfo, Mutation::ConsentUnknown)]),
    refusal!("L-07" Must, "A userinfo request without consent_id is refused",
        "S1:L99-105", "Require consent_id",
        &[Spoilt(Endpoint::Userinfo, Mutation::QueryConsentIdMissing)]),
    row!("L-08" Should, "The answer echoes x-fapi-interaction-id", "S1:L262", "Copy x-fapi-interaction-id from the request to the answer", NONE, echo),
];

fn body(exchange: &Exchange) -> Option<Value> {
    serde_json::from_slice(&exchange.response()?.body).ok()
}

fn sub(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.at(Endpoint::Userinfo) {
        let expected = "200 application/json with sub";
        match &exchange.outcome {
            Outcome::Failed(failure) => ruling.unanswered(exchange.id, expected, failure),
            Outcome::Answered { status, message } => {
                let sub = body(exchange).and_then(|body| body.get("sub").cloned());
                let media_type = message.media_type().unwrap_or_default();
                let ok =
                    *status == 200 && media_type == "application/json" && is_text(sub.as_ref());
                let actual = format!("{status} {media_type}, sub {}", shown(sub.as_ref()));
                ruling.judge(exchange.id, ok, expected, actual);
            }
        }
    }
}

fn same_sub(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.at(Endpoint::Userinfo).filter(|x| x.succeeded()) {
        let update = facts.approvals().find(|update| update.exchange.consent == exchange.consent);
        let expected = update.and_then(|update| update.id_token.as_ref()?.claim("sub"));
        let actual = body(exchange).and_then(|body| body.get("sub").cloned());
        if expected.is_some() {
            let ok = actual.as_ref() == expected;
            ruling.judge(exchange.id, ok, shown(expected), shown(actual.as_ref()));
        }
    }
}

fn same_hash(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.at(Endpoint::Userinfo).filter(|x| x.succeeded()) {
        let update = facts.approvals().find(|update| update.exchange.consent == exchange.consent);
        let Some(expected) = update.and_then(|update| update.identity("hashed_id_number")) else {
            continue;
        };
        let actual = body(exchange).and_then(|body| body.get("hashed_id_number").cloned());
        let ok = actual.as_ref().and_then(Value::as_str) == Some(expected);
        ruling.judge(exchange.id, ok, expected, shown(actual.as_ref()));
    }
}

fn types(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.at(Endpoint::Userinfo).filter(|x| x.succeeded()) {
        let Some(Value::Object(claims)) = body(exchange) else { continue };
        let good = |name: &str, value: &Value| {
            if name == "email_verified" { value.is_boolean() } else { value.is_string() }
        };
        let wrong: Vec<String> = claims
            .iter()
            .filter(|(name, value)| !good(name, value))
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        let expected = "email_verified a boolean, other claims text";
        ruling.judge(exchange.id, wrong.is_empty(), expected, wrong.join(", "));
    }
}

fn echo(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    facts.at(Endpoint::Userinfo).for_each(|exchange| echoes(exchange, ruling));
}

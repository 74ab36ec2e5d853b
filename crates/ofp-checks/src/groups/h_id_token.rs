//! H: the DP's id_token.

use std::collections::BTreeMap;

use ofp_types::{PAYNET_CLIENT_ID, PLATFORM_AUDIENCE};
use serde_json::Value;

use super::{row, shown};
use crate::{Facts, Requirement, ruling::Ruling};

const NONE: &str = "no approval came with an id_token";

pub(super) const ROWS: &[Requirement] = &[
    row!("H-01" Must, "The id_token is a compact PS256 JWS that verifies with the DP's key", "S4:L209; S1:L253; X-18", "Sign it with PS256 and the registered signing key", NONE, signature),
    row!("H-02" Should, "The kid of the id_token is the thumbprint of the registered certificate", "S1:L254; X-17", "Set kid to base64url(SHA-256(DER certificate))", NONE, kid),
    row!("H-03" Must, "iss is the registered issuer of the DP", "S4:L209; OpenID Connect Core §3.1.3.7", "Set iss to the issuer that was registered with PayNet", NONE, iss),
    row!("H-04" Must, "aud names the DC or PayNet", "S4:L209; X-41", "Set aud to the dc_id of the consent", NONE, aud),
    row!("H-05" Must, "iat is not in the future and exp is", "OpenID Connect Core §3.1.3.7; FAPI 2.0 SP §5.3.2.1", "Take both from a clock that is in sync", NONE, dates),
    row!("H-06" Should World, "sub is the same in two consents of one customer", "OpenID Connect Core §2", "Derive sub from the customer, not from the consent", "there were no two consents of one customer", same_sub),
    row!("H-07" Info, "auth_time, if present, lies between the customer's arrival and iat", "OpenID Connect Core §2", "Set auth_time to the time of the login", "no id_token had an auth_time", auth_time),
    row!("H-08" Must, "hashed_id_number and id_type equal those of user_identity", "P-dpC; S4:L209-213", "Put the same values into both", NONE, same_identity),
    row!("H-09" Must, "The claims show no id number in clear", "S1:L547-608; X-40", "Send hashed_id_number only", NONE, nothing_in_clear),
    row!("H-10" Should World, "Every consent has an id_token of its own", "S3:L101", "Issue a new id_token for each approval", "there were no two approvals", fresh),
    row!("H-11" Should, "The id_token lives at most an hour", "S3:L101; S4:L209", "Set exp 600 s after iat", NONE, life),
];

fn signature(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (at, token) in facts.id_tokens() {
        match &token.verified {
            Ok(_) => ruling.holds(at),
            Err(error) => {
                ruling.broken(at, "a PS256 JWS by the DP's registered key", error.to_string());
            }
        }
    }
}

fn kid(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (at, token) in facts.id_tokens() {
        let kid = token.header.as_ref().ok().and_then(|header| header.get("kid"));
        let registered: Vec<&str> =
            facts.settings.dp_keys.iter().map(ofp_jose::PublicKey::kid).collect();
        let ok = kid.and_then(Value::as_str).is_some_and(|kid| registered.contains(&kid));
        ruling.judge(at, ok, registered.join(" or "), shown(kid));
    }
}

fn iss(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (at, token) in facts.id_tokens() {
        let expected = facts.settings.dp_issuer.as_str();
        let ok = token.claim("iss").and_then(Value::as_str) == Some(expected);
        ruling.judge(at, ok, expected, shown(token.claim("iss")));
    }
}

fn aud(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let settings = facts.settings;
    for (at, token) in facts.id_tokens() {
        let known = [settings.dc_id.as_str(), settings.paynet_issuer.as_str(), PLATFORM_AUDIENCE];
        let at_dp = settings.profile.oidc_at_dp.then_some(PAYNET_CLIENT_ID);
        let aud = token.claims.as_ref().and_then(|claims| claims.audience().ok());
        let names = || known.into_iter().chain([settings.dc_client_id.as_str()]).chain(at_dp);
        let ok = aud.is_some_and(|aud| names().any(|name| aud.contains(name)));
        ruling.judge(at, ok, known.join(" or "), shown(token.claim("aud")));
    }
}

fn dates(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.approvals() {
        let Some(token) = &update.id_token else { continue };
        let Some(claims) = &token.claims else { continue };
        let now = token.time;
        let held = claims
            .not_expired(now)
            .and_then(|_| claims.issued_within("iat", now, i64::MAX / 4, 10));
        match held {
            Ok(_) => ruling.holds(token.at),
            Err(error) => {
                let expected = "iat at most 10 s ahead, exp in the future";
                ruling.broken(token.at, expected, error.to_string());
            }
        }
    }
}

fn life(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (at, token) in facts.id_tokens() {
        let Some(claims) = &token.claims else { continue };
        match claims.lives_at_most("iat", 3600) {
            Ok(()) => ruling.holds(at),
            Err(error) => ruling.broken(at, "at most 3600 s", error.to_string()),
        }
    }
}

fn same_sub(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for update in facts.approvals() {
        let Some(token) = &update.id_token else { continue };
        let Some(customer) = update.identity("hashed_id_number") else { continue };
        let Some(sub) = token.claim("sub").and_then(Value::as_str).map(str::to_owned) else {
            continue;
        };
        match known.get(customer) {
            None => drop(known.insert(customer.to_owned(), sub)),
            Some(first) => ruling.judge(token.at, *first == sub, first.clone(), sub),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a double exactly")]
fn auth_time(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.approvals() {
        let Some(token) = &update.id_token else { continue };
        let claims = token.claims.as_ref();
        let Some(claims) = claims.filter(|claims| claims.0.contains_key("auth_time")) else {
            continue;
        };
        let arrived = facts
            .at(ofp_evidence::Endpoint::DpAuthorize)
            .find(|exchange| exchange.consent == update.exchange.consent)
            .map_or(0, |exchange| exchange.at.as_second());
        let time = claims.numeric_date("auth_time").ok().flatten();
        let iat = claims.numeric_date("iat").ok().flatten().unwrap_or(f64::MAX);
        let ok = time.is_some_and(|time| time <= iat && time >= arrived as f64);
        let expected = format!("between {arrived} and {iat}");
        ruling.judge(token.at, ok, expected, shown(claims.0.get("auth_time")));
    }
}

fn same_identity(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in facts.approvals() {
        let Some(token) = &update.id_token else { continue };
        for name in ["hashed_id_number", "id_type"] {
            let expected = update.identity(name);
            let ok = token.claim(name).and_then(Value::as_str) == expected;
            let expected = format!("{name} {}", expected.unwrap_or("missing"));
            ruling.judge(token.at, ok, expected, shown(token.claim(name)));
        }
    }
}

fn nothing_in_clear(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (at, token) in facts.id_tokens() {
        let Some(claims) = &token.claims else { continue };
        let text = Value::Object(claims.0.clone()).to_string();
        match facts.settings.leak(&text) {
            Some(leak) => ruling.broken(at, "hashes and masked values only", leak),
            None if facts.settings.knows_identities() => ruling.holds(at),
            None => {}
        }
    }
}

fn fresh(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let mut seen: Vec<(&Option<ofp_types::ConsentId>, &str)> = Vec::new();
    for update in facts.approvals() {
        let Some(token) = &update.id_token else { continue };
        let consent = &update.exchange.consent;
        let others = seen.iter().filter(|(other, _)| *other != consent);
        let again = others.clone().any(|(_, text)| *text == token.text);
        if others.count() > 0 {
            ruling.judge(token.at, !again, "a new id_token", "the one of another consent");
        }
        seen.push((consent, &token.text));
    }
}

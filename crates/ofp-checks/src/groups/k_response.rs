//! K: the signed and encrypted form of a balance.

use std::time::Duration;

use ofp_jose::{A256GCM, Family, RSA_OAEP_256};
use serde_json::Value;

use super::{row, shown};
use crate::{Facts, Requirement, facts::Balance, ruling::Ruling};

const NO_ANSWER: &str = "no balance request was answered with 200";
const NO_TWO: &str = "no two balance requests of one consent were answered with 200";

pub(super) const ROWS: &[Requirement] = &[
    row!("K-01" Must, "The answer is application/jwt or application/jose", "S1:L264; S2:L44; X-05", "Send Content-Type: application/jwt", NO_ANSWER, media_type),
    row!("K-02" Must, "The body is one compact JWS of three non-empty parts", "S1:L187-190; RFC 7515 §7.1", "Send header.payload.signature and nothing around it", NO_ANSWER, compact),
    row!("K-03" Must, "The header has alg PS256 and the registered kid, and no jwk, jku or x5u", "S1:L253-254; FAPI 2.0 SP §5.4", "Set alg and kid only", NO_ANSWER, header),
    row!("K-04" Must, "The signature of the answer verifies with the DP's registered key", "S1:L314; S1:L253", "Sign the bytes that are sent, with the key of the registered signing certificate", NO_ANSWER, signature),
    row!("K-05" Must, "iat and nbf are not in the future and exp is", "S1:L255; RFC 7519 §4.1", "Take them from a clock that is in sync", NO_ANSWER, dates),
    row!("K-06" Must, "jti is present, and different in every answer", "S1:L255", "Draw a fresh UUID for every answer", NO_TWO, jti),
    row!("K-07" Should, "aud names the DC or Paynet OFP", "X-20", "Set aud to [dc_id, \"Paynet OFP\"]", NO_ANSWER, aud),
    row!("K-08" Should, "iss is the dp_id", "X-20", "Set iss to the dp_id", NO_ANSWER, iss),
    row!("K-09" Must, "claim data is a compact JWE of five parts", "S1:L187-190; S2:L53; RFC 7516 §7.1", "Encrypt the balance and put the compact JWE into `data`", NO_ANSWER, jwe),
    row!("K-10" Must, "The JWE has alg RSA-OAEP-256 and enc A256GCM", "S2:L62-66", "Encrypt with RSA-OAEP-256 and A256GCM", NO_ANSWER, algorithms),
    row!("K-11" Must, "The JWE never has alg RSA1_5, RSA-OAEP, dir or A*KW, nor a CBC enc", "S2:L62-66; RFC 8725 §3.2", "Encrypt with RSA-OAEP-256 and A256GCM", NO_ANSWER, weak_algorithms),
    row!("K-12" Must, "The JWE decrypts with the private key of x-enc-kid", "S1:L189; S1:L221", "Encrypt to the DC's key that x-enc-kid names", NO_ANSWER, decrypts),
    row!("K-13" Must, "The JWE does not decrypt with another DC's key", "S1:L189; S1:L221", "Encrypt to the DC's key that x-enc-kid names, and to no other", NO_ANSWER, for_nobody_else),
    row!("K-14" Must, "Initialization vector and content encryption key differ in every answer", "RFC 7518 §5.3", "Let the JOSE library draw both afresh for every message", NO_TWO, fresh_keys),
];

fn media_type(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let accepted = &facts.settings.profile.response_types_accepted;
    for balance in facts.readings() {
        let media_type = balance.exchange.response().and_then(ofp_evidence::Message::media_type);
        let media_type = media_type.unwrap_or_else(|| "no Content-Type".into());
        let (at, expected) = (balance.exchange.id, accepted.join(" or "));
        if accepted.contains(&media_type) {
            ruling.holds(at);
        } else if media_type == "application/json" && balance.header.is_ok() {
            ruling.bent(at, expected, media_type);
        } else {
            ruling.broken(at, expected, media_type);
        }
    }
}

fn compact(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in facts.readings() {
        let expected = "one compact JWS of three non-empty parts, no white space";
        let actual = match &balance.header {
            Err(error) => error.to_string(),
            Ok(_) => "an empty part".into(),
        };
        let full = balance.text.split('.').all(|part| !part.is_empty());
        ruling.judge(balance.exchange.id, balance.header.is_ok() && full, expected, actual);
    }
}

fn header(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let registered: Vec<&str> =
        facts.settings.dp_keys.iter().map(ofp_jose::PublicKey::kid).collect();
    for balance in facts.readings() {
        let Ok(header) = &balance.header else { continue };
        let text = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or("missing");
        let carried = ["jwk", "jku", "x5u"].iter().any(|name| header.contains_key(*name));
        let ok = text("alg") == "PS256" && registered.contains(&text("kid")) && !carried;
        let expected = format!("alg PS256, kid {}, no jwk, jku or x5u", registered.join(" or "));
        let names: Vec<&str> = header.keys().map(String::as_str).collect();
        let actual =
            format!("alg {}, kid {}; members {}", text("alg"), text("kid"), names.join(", "));
        ruling.judge(balance.exchange.id, ok, expected, actual);
    }
}

fn signature(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in facts.readings().filter(|balance| balance.header.is_ok()) {
        let wrong = balance.verified.as_ref().filter(|e| e.family() == Family::Signature);
        match wrong {
            None => ruling.holds(balance.exchange.id),
            Some(error) => {
                let expected = "a signature that verifies with the DP's registered key";
                ruling.broken(balance.exchange.id, expected, error.to_string());
            }
        }
    }
}

fn dates(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in facts.readings() {
        let Some(claims) = &balance.claims else { continue };
        let received = balance.exchange.at + signed(balance.exchange.took);
        let held = claims
            .not_expired(received)
            .and_then(|_| claims.issued_within("iat", received, i64::MAX / 4, 10))
            .and_then(|_| claims.valid_from(received, 10));
        match held {
            Ok(()) => ruling.holds(balance.exchange.id),
            Err(error) => {
                let expected = "iat and nbf at most 10 s ahead, exp in the future";
                ruling.broken(balance.exchange.id, expected, error.to_string());
            }
        }
    }
}

fn signed(duration: Duration) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(duration).unwrap_or_default()
}

/// Each answer with all those before it in the same consent, if there are any.
fn with_earlier<'f, 'a>(facts: &'f Facts<'a>) -> Vec<(Vec<&'f Balance<'a>>, &'f Balance<'a>)> {
    let all: Vec<&Balance<'_>> = facts.readings().collect();
    let earlier = |at: usize| -> Vec<&Balance<'_>> {
        let same = |other: &&&Balance<'_>| other.exchange.consent == all[at].exchange.consent;
        all[..at].iter().filter(same).copied().collect()
    };
    (0..all.len()).map(|at| (earlier(at), all[at])).filter(|(e, _)| !e.is_empty()).collect()
}

fn jti(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (earlier, later) in with_earlier(facts) {
        let jti = later.claim("jti");
        let fresh = earlier.iter().all(|other| other.claim("jti") != jti);
        let ok = jti.is_some_and(Value::is_string) && fresh;
        ruling.judge(later.exchange.id, ok, "a jti that was not used before", shown(jti));
    }
}

fn fresh_keys(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (earlier, later) in with_earlier(facts) {
        let (Ok(two), Some(key)) = (&later.jwe, &later.content_key) else { continue };
        let mut again = Vec::new();
        for other in earlier {
            if other.jwe.as_ref().is_ok_and(|one| one.iv == two.iv) {
                again.push("the initialization vector of an earlier answer");
            }
            if other.content_key.as_ref() == Some(key) {
                again.push("the content encryption key of an earlier answer");
            }
        }
        again.dedup();
        let expected = "a fresh initialization vector and content encryption key";
        ruling.judge(later.exchange.id, again.is_empty(), expected, again.join(" and "));
    }
}

fn aud(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in facts.readings() {
        let Some(claims) = &balance.claims else { continue };
        let aud = claims.audience().ok();
        let dc = facts.settings.dc_id.as_str();
        let platform = shown(claims.0.get("aud")).to_lowercase().contains("paynet ofp");
        let ok = platform || aud.is_some_and(|aud| aud.contains(dc));
        let expected = format!("{dc} or Paynet OFP");
        ruling.judge(balance.exchange.id, ok, expected, shown(claims.0.get("aud")));
    }
}

fn iss(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in facts.readings().filter(|balance| balance.claims.is_some()) {
        let expected = facts.settings.dp_id.as_str();
        let iss = balance.claim("iss");
        let ok = iss.and_then(Value::as_str) == Some(expected);
        ruling.judge(balance.exchange.id, ok, expected, shown(iss));
    }
}

fn jwe(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in facts.readings() {
        match &balance.jwe {
            Ok(_) => ruling.holds(balance.exchange.id),
            Err(reason) => {
                ruling.broken(balance.exchange.id, "a compact JWE of five parts", reason.clone());
            }
        }
    }
}

fn algorithms(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in facts.readings() {
        let Ok(jwe) = &balance.jwe else { continue };
        let (alg, enc) = (jwe.header_text("alg"), jwe.header_text("enc"));
        let ok = alg == RSA_OAEP_256 && enc == A256GCM;
        let expected = "alg RSA-OAEP-256, enc A256GCM";
        ruling.judge(balance.exchange.id, ok, expected, format!("alg {alg}, enc {enc}"));
    }
}

fn weak_algorithms(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in facts.readings() {
        let Ok(jwe) = &balance.jwe else { continue };
        let (alg, enc) = (jwe.header_text("alg"), jwe.header_text("enc"));
        let weak = matches!(alg, "RSA1_5" | "RSA-OAEP" | "dir")
            || alg.ends_with("KW")
            || enc.contains("CBC");
        let expected = "none of RSA1_5, RSA-OAEP, dir, A*KW, CBC";
        ruling.judge(balance.exchange.id, !weak, expected, format!("alg {alg}, enc {enc}"));
    }
}

fn decrypts(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in facts.readings() {
        match &balance.plaintext {
            Some(Ok(_)) => ruling.holds(balance.exchange.id),
            Some(Err(reason)) => {
                let expected = format!("a JWE for key {}", facts.settings.dc_enc_kid);
                ruling.broken(balance.exchange.id, expected, reason.clone());
            }
            None => {}
        }
    }
}

fn for_nobody_else(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for balance in facts.readings() {
        if let Some(read) = balance.stranger_read {
            let actual = "another DC read the balance";
            ruling.judge(balance.exchange.id, !read, "unreadable for another DC", actual);
        }
    }
}

//! M: keys and their rotation.

use std::collections::{BTreeMap, HashSet};

use ofp_evidence::{Endpoint, Exchange, KeySetState};
use ofp_jose::CompactJws;
use ofp_types::Mutation;

use super::{came, refusal, row, service, untested};
use crate::{Facts, Requirement, refusal::served, requirement::Unserved::Spoilt, ruling::Ruling};

/// So many requests under unknown kids are a flood.
const FLOOD: usize = 50;
/// So many fetches of a key set are no amplification, and one more for every second that the flood takes.
const FEW: usize = 5;

pub(super) const ROWS: &[Requirement] = &[
    row!("M-01" Should, "A message under PayNet's new key is accepted at once", "S1:L223; FAPI 2.0 SP §5.4.2",
        "Fetch the key set again, once, when a kid is not in it; 15 minutes of cache conform as well", "PayNet's key was not rotated", new_key),
    service!("M-02" Must, "A message under PayNet's previous key is accepted as long as that is published", "S1:L223",
        "Keep every key of the set, not the first alone", &[(Endpoint::ConsentEvent, Mutation::PreviousKey)]),
    refusal!("M-03" Should, "A message under a key that PayNet has withdrawn is refused", "S1:L223; RFC 7517 §5",
        "Forget keys that are no longer in the set when you fetch it again", &[Spoilt(Endpoint::ConsentEvent, Mutation::RetiredKey)]),
    row!("M-04" Must, "Data is encrypted with the key that x-enc-kid names, also after the DC has changed it", "S1:L221-223; X-43",
        "Look x-enc-kid up in the DC's key set, and fetch the set again when it is not there", "the DC's encryption key was not changed", other_enc_key),
    row!("M-05" Should, "While PayNet's key set cannot be fetched, messages under a known kid are accepted", "S1:L223",
        "Keep the key set for 15 minutes, and do not give it up when it cannot be fetched", "PayNet's key set was never out of reach", set_down),
    row!("M-06" Should World, "50 messages under unknown kids lead to few fetches of the key set", "FAPI 2.0 SP §5.4.2; S1:L223",
        "Fetch the set again for an unknown kid, and then not for a while", "there was no flood of unknown kids", no_amplification),
    row!("M-07" Should, "Keys of an unknown kind and unknown members in the key set are ignored", "RFC 7517 §5",
        "Skip keys that you do not understand", "PayNet's key set held no unknown keys", unknown_kinds),
    untested!("M-08" Info, "Of two keys with one kid the one with the right use is taken", "RFC 7517 §4.5",
        "Select keys by kid and use", "PayNet derives a kid from its certificate, so that no two keys share one"),
];

/// The kid that an event is signed under.
fn kid(exchange: &Exchange) -> Option<String> {
    let signature = exchange.request.header("x-fapi-signature")?;
    CompactJws::parse(signature).ok()?.kid().map(str::to_owned)
}

fn new_key(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let events: Vec<&Exchange> = facts.all_at(Endpoint::ConsentEvent).collect();
    let Some(first) = events.first().and_then(|event| kid(event)) else { return };
    let mut known = HashSet::from([first]);
    for event in events {
        if let Some(kid) = kid(event)
            && known.insert(kid)
        {
            // a refusal for another reason says nothing about keys
            let other = event.response().is_some_and(|answer| {
                let text = answer.text();
                text.contains("\"error\"") && !text.contains("JWS.InvalidSignature")
            });
            if other && !event.succeeded() {
                continue;
            }
            let expected = "2xx at once; after 15 minutes at the latest";
            ruling.judge(event.id, event.succeeded(), expected, came(event));
        }
    }
}

/// The answer to a request under another x-enc-kid than the DC's first.
fn other_enc_key(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let first = facts.settings.dc_enc_kid.as_str();
    for balance in &facts.balances {
        let asked = balance.exchange.request.header("x-enc-kid").unwrap_or_default();
        if asked == first || asked.is_empty() {
            continue;
        }
        let used = balance.jwe.as_ref().ok().map(|jwe| jwe.header_text("kid"));
        let read = matches!(balance.plaintext, Some(Ok(_)));
        let ok = used == Some(asked) && read;
        let actual = match used {
            Some(kid) => format!("a JWE under kid {kid}"),
            None => came(balance.exchange),
        };
        ruling.judge(balance.exchange.id, ok, format!("a JWE under kid {asked}"), actual);
    }
}

/// What PayNet serves as its own keys.
fn fetches<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = &'a Exchange> {
    // on the public listener nobody is known; beside the flood nobody else asks
    facts.all_at(Endpoint::Jwks)
}

fn set_down(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for event in facts.events_while(KeySetState::Unreachable) {
        let ok = served(event, &facts.settings.paynet_callback).is_ok();
        ruling.judge(event.id, ok, "2xx, by the keys that are known", came(event));
    }
}

fn no_amplification(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let all: Vec<&Exchange> =
        facts.sent_with(Endpoint::ConsentEvent, Mutation::UnknownKid).collect();
    let mut consents: Vec<_> =
        all.iter().filter_map(|exchange| exchange.consent.as_ref()).collect();
    consents.dedup();
    for consent in consents {
        let flood: Vec<_> = all.iter().filter(|x| x.consent.as_ref() == Some(consent)).collect();
        let (Some(first), Some(last)) = (flood.first(), flood.last()) else { continue };
        if flood.len() < FLOOD {
            continue;
        }
        let within = |exchange: &&Exchange| exchange.id > first.id && exchange.id < last.id;
        let mut by_set: BTreeMap<&str, usize> = BTreeMap::new();
        for fetch in fetches(facts).filter(within) {
            *by_set.entry(fetch.path()).or_default() += 1;
        }
        let count = by_set.into_values().max().unwrap_or(0);
        let seconds = last.at.duration_since(first.at).as_secs();
        let most = FEW + usize::try_from(seconds).unwrap_or(0);
        let actual = format!("{count} fetches for {} messages", flood.len());
        ruling.judge(last.id, count <= most, format!("{most} fetches at most"), actual);
    }
}

fn unknown_kinds(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for event in facts.events_while(KeySetState::WithUnknownKinds) {
        let ok = served(event, &facts.settings.paynet_callback).is_ok();
        ruling.judge(event.id, ok, "2xx, by the keys that are understood", came(event));
    }
}

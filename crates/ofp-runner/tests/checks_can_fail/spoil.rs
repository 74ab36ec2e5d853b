//! Ways to spoil recorded evidence.

use std::sync::Arc;

use ofp_evidence::{
    CustomerAct, Decryption, Endpoint, Exchange, Failure, Handshake, Message, Outcome, Record,
    Stage,
};
use ofp_jose::{base64url, base64url_decode};
use serde_json::Value;

/// Takes good records and gives spoilt ones.
pub(crate) type Spoil = Box<dyn Fn(&[Arc<Record>]) -> Vec<Record>>;

fn each(change: impl Fn(&mut Record) + 'static) -> Spoil {
    Box::new(move |records| {
        let mut records: Vec<Record> = records.iter().map(|record| (**record).clone()).collect();
        records.iter_mut().for_each(&change);
        records
    })
}

/// Spoils every exchange at an endpoint.
pub(crate) fn exchange(endpoint: Endpoint, change: impl Fn(&mut Exchange) + 'static) -> Spoil {
    each(move |record| match record {
        Record::Exchange(exchange) if exchange.endpoint == endpoint => change(exchange),
        _ => {}
    })
}

/// Spoils every answer at an endpoint.
pub(crate) fn answer(
    endpoint: Endpoint,
    change: impl Fn(&mut u16, &mut Message) + 'static,
) -> Spoil {
    exchange(endpoint, move |exchange| match &mut exchange.outcome {
        Outcome::Answered { status, message } => change(status, message),
        Outcome::Failed(_) => {}
    })
}

/// Gives every answer at an endpoint this status.
pub(crate) fn status(endpoint: Endpoint, spoilt: u16) -> Spoil {
    answer(endpoint, move |status, _| *status = spoilt)
}

/// Takes a header from every answer at an endpoint.
pub(crate) fn without_header(endpoint: Endpoint, name: &'static str) -> Spoil {
    answer(endpoint, move |_, message| message.headers.retain(|(n, _)| n != name))
}

/// Takes every answer at an endpoint away.
pub(crate) fn without_answer(endpoint: Endpoint) -> Spoil {
    exchange(endpoint, |exchange| {
        let detail = "nothing came".to_owned();
        exchange.outcome = Outcome::Failed(Failure { stage: Stage::Timeout, detail });
    })
}

/// Lets the DP take every bait.
pub(crate) fn lured() -> Spoil {
    each(|record| {
        if let Record::Probe { lured, .. } = record {
            *lured = true;
        }
    })
}

/// Spoils every handshake.
pub(crate) fn handshake(change: impl Fn(&mut Handshake) + 'static) -> Spoil {
    each(move |record| {
        if let Record::Handshake(handshake) = record {
            change(handshake);
        }
    })
}

/// Spoils everything that customers did.
pub(crate) fn act(change: impl Fn(&mut CustomerAct) + 'static) -> Spoil {
    each(move |record| {
        if let Record::Customer { act, .. } = record {
            change(act);
        }
    })
}

/// Spoils every decryption.
pub(crate) fn decryption(change: impl Fn(&mut Decryption) + 'static) -> Spoil {
    each(move |record| {
        if let Record::Decryption(decryption) = record {
            change(decryption);
        }
    })
}

/// Spoils every balance that the DC decrypted.
pub(crate) fn balance(change: impl Fn(&mut Value) + 'static) -> Spoil {
    decryption(move |decryption| {
        if let Ok(plaintext) = &mut decryption.outcome {
            edit(plaintext, |json| change(&mut json["data"]));
        }
    })
}

/// One way after the other.
pub(crate) fn both(first: Spoil, second: Spoil) -> Spoil {
    Box::new(move |records| {
        let spoilt: Vec<Arc<Record>> = first(records).into_iter().map(Arc::new).collect();
        second(&spoilt)
    })
}

/// Turns every seventh exchange at `endpoint` into one at `other`, that nobody spoilt.
pub(crate) fn every_seventh(endpoint: Endpoint, other: Endpoint) -> Spoil {
    let turned = exchange(endpoint, move |exchange| {
        if exchange.id.0 % 7 == 0 {
            exchange.endpoint = other;
        }
    });
    both(
        turned,
        without(|record| matches!(record, Record::Probe { exchange, .. } if exchange.0 % 7 == 0)),
    )
}

/// Leaves records out.
pub(crate) fn without(unwanted: impl Fn(&Record) -> bool + 'static) -> Spoil {
    Box::new(move |records| {
        let kept = records.iter().filter(|record| !unwanted(record));
        kept.map(|record| (**record).clone()).collect()
    })
}

/// Adds a second copy, under a later number, of every exchange at an endpoint.
pub(crate) fn twice(endpoint: Endpoint) -> Spoil {
    Box::new(move |records| {
        let mut all: Vec<Record> = records.iter().map(|record| (**record).clone()).collect();
        for record in records {
            if let Record::Exchange(exchange) = &**record
                && exchange.endpoint == endpoint
            {
                let mut copy = exchange.clone();
                copy.id.0 += 100_000;
                all.push(Record::Exchange(copy));
            }
        }
        all
    })
}

/// Spoils the JSON body of every request at an endpoint.
pub(crate) fn request_json(endpoint: Endpoint, change: impl Fn(&mut Value) + 'static) -> Spoil {
    exchange(endpoint, move |exchange| edit(&mut exchange.request.body, &change))
}

/// Spoils the claims of every id_token.
pub(crate) fn id_token(change: impl Fn(&mut Value) + 'static) -> Spoil {
    request_json(Endpoint::UpdateConsent, move |body| {
        if let Some(token) = body["id_token"].as_str() {
            body["id_token"] = Value::String(part(token, 1, &change));
        }
    })
}

/// Spoils a part (0 the header, 1 the claims) of every balance response.
pub(crate) fn response_jws(at: usize, change: impl Fn(&mut Value) + 'static) -> Spoil {
    answer(Endpoint::Balances, move |_, message| {
        message.body = part(&message.text(), at, &change).into_bytes();
    })
}

/// Spoils the header of every JWE.
pub(crate) fn jwe_header(change: impl Fn(&mut Value) + 'static) -> Spoil {
    response_jws(1, move |claims| {
        let jwe = claims["data"].as_str().unwrap().to_owned();
        claims["data"] = Value::String(part(&jwe, 0, &change));
    })
}

/// Spoils the claims of every client assertion of the DP.
pub(crate) fn assertion(change: impl Fn(&mut Value) + 'static) -> Spoil {
    token_form(
        move |name, value| {
            if name == "client_assertion" { part(value, 1, &change) } else { value.to_owned() }
        },
    )
}

/// Spoils the fields of every token request.
pub(crate) fn token_form(change: impl Fn(&str, &str) -> String + 'static) -> Spoil {
    exchange(Endpoint::Token, move |exchange| {
        let fields: Vec<(String, String)> =
            url::form_urlencoded::parse(&exchange.request.body).into_owned().collect();
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &fields {
            form.append_pair(name, &change(name, value));
        }
        exchange.request.body = form.finish().into_bytes();
    })
}

pub(crate) fn edit(bytes: &mut Vec<u8>, change: impl Fn(&mut Value)) {
    if let Ok(mut json) = serde_json::from_slice::<Value>(bytes) {
        change(&mut json);
        *bytes = json.to_string().into_bytes();
    }
}

/// A compact token with the JSON of one part changed; its signature no longer fits.
fn part(token: &str, at: usize, change: &impl Fn(&mut Value)) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let Some(bytes) = parts.get(at).and_then(|part| base64url_decode(part)) else {
        return token.to_owned();
    };
    let Ok(mut json) = serde_json::from_slice::<Value>(&bytes) else { return token.to_owned() };
    change(&mut json);
    parts[at] = base64url(json.to_string().as_bytes());
    parts.join(".")
}

pub(crate) fn remove(json: &mut Value, name: &str) {
    if let Some(object) = json.as_object_mut() {
        object.remove(name);
    }
}

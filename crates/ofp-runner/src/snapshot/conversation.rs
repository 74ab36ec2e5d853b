//! Who said what to whom, ordered by cause and never by arrival.

use std::{collections::HashMap, sync::Arc};

use ofp_evidence::{
    Decryption, Endpoint, Exchange, ExchangeId, Handshake, Message, Outcome, Reader, Record, Role,
    Transition,
};
use ofp_jose::CompactJws;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::names::Names;

/// Request headers that matter.
const REQUEST_HEADERS: [&str; 6] = [
    "authorization",
    "content-type",
    "x-enc-kid",
    "x-fapi-interaction-id",
    "x-fapi-signature",
    "x-signature",
];
/// Response headers that matter.
const RESPONSE_HEADERS: [&str; 5] =
    ["cache-control", "content-type", "location", "www-authenticate", "x-fapi-interaction-id"];

/// The conversation as pretty JSON, every volatile value named.
pub(crate) fn conversation(known: &[(String, String)], records: &[Arc<Record>]) -> String {
    let mut exchanges: Vec<&Exchange> = Vec::new();
    let mut handshakes: Vec<&Handshake> = Vec::new();
    let mut decryptions: HashMap<ExchangeId, &Decryption> = HashMap::new();
    let mut transitions: Vec<&Transition> = Vec::new();
    for record in records {
        match &**record {
            Record::Exchange(exchange) => exchanges.push(exchange),
            Record::Handshake(handshake) => handshakes.push(handshake),
            Record::Decryption(decryption) if decryption.reader == Reader::Addressee => {
                decryptions.insert(decryption.exchange, decryption);
            }
            Record::Transition(transition) => transitions.push(transition),
            Record::Decryption(_)
            | Record::RefusalExpected { .. }
            | Record::Probe { .. }
            | Record::Account(_)
            | Record::KeySet(_)
            | Record::OtherReading(_)
            | Record::Restart(_)
            | Record::TokensWithheld { .. }
            | Record::Customer { .. } => {}
        }
    }
    let mut names = Names::new(known);
    if let Some(consent) = exchanges.iter().find_map(|exchange| exchange.consent.as_ref()) {
        names.give("consent", consent.as_str());
    }
    let mut said: Vec<Value> = Vec::new();
    for exchange in by_cause(&exchanges) {
        let handshake = handshakes.iter().find(|h| Some(h.id) == exchange.connection);
        let decryption = decryptions.get(&exchange.id).copied();
        said.push(utterance(&mut names, exchange, handshake.copied(), decryption));
    }
    let steps: Vec<String> = transitions.iter().map(|transition| status_step(transition)).collect();
    let whole = json!({ "exchanges": said, "consent": steps });
    let mut text = serde_json::to_string_pretty(&whole).unwrap_or_default();
    text.push('\n');
    text
}

/// Causes before their effects: what the runner began in its order, below each what it led to.
fn by_cause<'a>(exchanges: &[&'a Exchange]) -> Vec<&'a Exchange> {
    let mut sorted: Vec<&Exchange> = exchanges.to_vec();
    sorted.sort_by_key(|exchange| exchange.id);
    let mut effects: HashMap<ExchangeId, Vec<&'a Exchange>> = HashMap::new();
    let mut roots = Vec::new();
    for exchange in &sorted {
        match exchange.cause.or_else(|| customers_doing(exchange, &sorted)) {
            Some(cause) => effects.entry(cause).or_default().push(exchange),
            None => roots.push(*exchange),
        }
    }
    let mut ordered = Vec::new();
    let mut stack: Vec<&Exchange> = roots.into_iter().rev().collect();
    while let Some(exchange) = stack.pop() {
        ordered.push(exchange);
        stack.extend(effects.remove(&exchange.id).unwrap_or_default().into_iter().rev());
    }
    ordered
}

/// A DP calls PayNet because of what its customer did last.
fn customers_doing(exchange: &Exchange, sorted: &[&Exchange]) -> Option<ExchangeId> {
    if exchange.from != Role::Dp {
        return None;
    }
    let before = sorted.iter().rev().filter(|other| other.id < exchange.id);
    let mut pages = before.filter(|other| other.endpoint == Endpoint::DpPage);
    pages.next().map(|page| page.id)
}

fn utterance(
    names: &mut Names<'_>,
    exchange: &Exchange,
    handshake: Option<&Handshake>,
    decryption: Option<&Decryption>,
) -> Value {
    let url = exchange.url.split('?').next().unwrap_or_default();
    let line = format!(
        "{} to {}: {} {}",
        exchange.from,
        exchange.to,
        exchange.method,
        names.text("url", url)
    );
    let mut said = Map::new();
    said.insert("call".into(), json!(line));
    if let Some(tls) = tls(names, exchange, handshake) {
        said.insert("tls".into(), json!(tls));
    }
    let mut request = Map::new();
    if !exchange.query().is_empty() {
        request.insert("query".into(), form(names, exchange.query().as_bytes(), exchange));
    }
    message(names, &mut request, &REQUEST_HEADERS, &exchange.request, exchange);
    if !request.is_empty() {
        said.insert("request".into(), Value::Object(request));
    }
    match &exchange.outcome {
        Outcome::Failed(failure) => {
            said.insert("failed".into(), json!(failure.stage));
        }
        Outcome::Answered { status, message: answer } => {
            let mut response = Map::from_iter([("status".to_owned(), json!(status))]);
            message(names, &mut response, &RESPONSE_HEADERS, answer, exchange);
            if let Some(Ok(plaintext)) = decryption.map(|decryption| &decryption.outcome) {
                let plaintext: Value = serde_json::from_slice(plaintext).unwrap_or_default();
                response.insert("decrypted".into(), names.json("data", &plaintext, exchange.at));
            }
            said.insert("response".into(), Value::Object(response));
        }
    }
    Value::Object(said)
}

/// TLS version and client certificate, where either is known.
fn tls(
    names: &mut Names<'_>,
    exchange: &Exchange,
    handshake: Option<&Handshake>,
) -> Option<String> {
    let offered = handshake.and_then(|handshake| handshake.offered.as_ref());
    let presented = exchange.client_certificate.as_ref().or(offered);
    let version = handshake.and_then(|handshake| handshake.version.clone());
    let certificate = presented.map(|facts| names.text("key", facts.thumbprint.as_str()));
    match (version, certificate) {
        (None, None) => None,
        (version, certificate) => {
            let parts = version.into_iter().chain(certificate.map(|c| format!("client {c}")));
            Some(parts.collect::<Vec<_>>().join(", "))
        }
    }
}

fn message(
    names: &mut Names<'_>,
    into: &mut Map<String, Value>,
    wanted: &[&str],
    message: &Message,
    exchange: &Exchange,
) {
    for name in wanted {
        if let Some(value) = message.header(name) {
            into.insert((*name).to_owned(), header(names, name, value, exchange));
        }
    }
    if message.body.is_empty() {
        return;
    }
    let media_type = message.media_type().unwrap_or_default();
    let body = match media_type.as_str() {
        "application/x-www-form-urlencoded" => form(names, &message.body, exchange),
        "text/html" => json!("a page"),
        _ => body(names, message, exchange),
    };
    into.insert("body".into(), body);
}

fn header(names: &mut Names<'_>, name: &str, value: &str, exchange: &Exchange) -> Value {
    if let Ok(jws) = CompactJws::parse(value) {
        return names.jws(&jws, exchange.at);
    }
    if let Some((url, query)) = value.split_once('?').filter(|_| name == "location") {
        let url = names.text("url", url);
        return json!({ "url": url, "query": form(names, query.as_bytes(), exchange) });
    }
    match value.split_once(' ').filter(|_| name == "authorization") {
        Some((scheme, token)) => json!(format!("{scheme} {}", names.text("access_token", token))),
        None => json!(names.text(name, value)),
    }
}

fn body(names: &mut Names<'_>, message: &Message, exchange: &Exchange) -> Value {
    let text = message.text();
    match serde_json::from_slice::<Value>(&message.body) {
        Ok(value) => names.json("body", &value, exchange.at),
        Err(_) => match CompactJws::parse(&text) {
            Ok(jws) => names.jws(&jws, exchange.at),
            Err(_) => json!(names.text("body", &text)),
        },
    }
}

fn form(names: &mut Names<'_>, bytes: &[u8], exchange: &Exchange) -> Value {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        let value = match &*name {
            "password" | "csrf" => json!(format!("[{name}]")),
            _ => names.json(&name, &json!(value), exchange.at),
        };
        match fields.entry(name.into_owned()) {
            serde_json::map::Entry::Vacant(entry) => drop(entry.insert(value)),
            serde_json::map::Entry::Occupied(mut entry) => match entry.get_mut() {
                Value::Array(values) => values.push(value),
                first => *first = json!([first.clone(), value]),
            },
        }
    }
    Value::Object(fields)
}

fn status_step(transition: &Transition) -> String {
    let by = serde_json::to_value(transition.by).unwrap_or_default();
    let by = by.as_str().unwrap_or_default();
    match transition.from {
        None => format!("{} by {by}", transition.to),
        Some(from) => format!("{from} to {} by {by}", transition.to),
    }
}

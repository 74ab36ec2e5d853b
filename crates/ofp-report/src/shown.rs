//! Exchanges as they may be shown.

use ofp_evidence::{Exchange, Message, Secrets};
use serde_json::{Value, json};

/// An exchange as JSON.
pub(crate) fn exchange(secrets: &Secrets, exchange: &Exchange) -> Value {
    let mut shown = json!({
        "id": exchange.id.to_string(),
        "at": exchange.at.to_string(),
        "duration_ms": exchange.took.as_millis(),
        "from": exchange.from,
        "to": exchange.to,
        "endpoint": exchange.endpoint,
        "method": exchange.method,
        "url": secrets.shown_url(&exchange.url),
        "consent_id": exchange.consent,
        "request": message(secrets, &exchange.request),
    });
    match &exchange.outcome {
        ofp_evidence::Outcome::Answered { status, message: answer } => {
            shown["status"] = json!(status);
            shown["response"] = message(secrets, answer);
        }
        ofp_evidence::Outcome::Failed(failure) => shown["failed"] = json!(failure.to_string()),
    }
    if let Some(note) = &exchange.note {
        shown["note"] = json!(secrets.mask(note));
    }
    if let Some(certificate) = &exchange.client_certificate {
        shown["client_certificate"] = json!(**certificate);
    }
    if let Some(cause) = exchange.cause {
        shown["cause"] = json!(cause.to_string());
    }
    shown
}

fn message(secrets: &Secrets, message: &Message) -> Value {
    let headers: Vec<Value> = message
        .headers
        .iter()
        .map(|(name, value)| json!([name, secrets.shown_header(name, value)]))
        .collect();
    json!({ "headers": headers, "body": secrets.shown_body(message) })
}

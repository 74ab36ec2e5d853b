//! Exchanges as they may be shown.

use ofp_evidence::{Exchange, Message, Secrets};
use serde_json::{Value, json};

/// Headers whose values are never shown.
const HIDDEN: [&str; 3] = ["authorization", "cookie", "set-cookie"];
/// Form fields and query parameters whose values are never shown.
const HIDDEN_FIELDS: [&str; 5] = ["password", "client_assertion", "code", "code_verifier", "csrf"];
/// Longer bodies are cut.
const LONGEST_BODY: usize = 64 * 1024;
const MASK: &str = "[secret]";

/// A header's value, or a mask.
pub(crate) fn header<'a>(
    secrets: &Secrets,
    name: &str,
    value: &'a str,
) -> std::borrow::Cow<'a, str> {
    if HIDDEN.contains(&name) {
        return MASK.into();
    }
    secrets.mask(value)
}

/// A URL with secret parameters masked.
pub(crate) fn url(secrets: &Secrets, url: &str) -> String {
    let masked = secrets.mask(url);
    match masked.split_once('?') {
        Some((start, query)) => format!("{start}?{}", form(query)),
        None => masked.into_owned(),
    }
}

/// The body as text, with secret fields masked, and cut.
pub(crate) fn body(secrets: &Secrets, message: &Message) -> String {
    let mut text = secrets.mask(&message.text()).into_owned();
    if message.media_type().as_deref() == Some("application/x-www-form-urlencoded") {
        text = form(&text);
    }
    if text.len() > LONGEST_BODY {
        let end = (0..=LONGEST_BODY).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

fn form(text: &str) -> String {
    let field = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if HIDDEN_FIELDS.contains(&name) => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    };
    text.split('&').map(field).collect::<Vec<_>>().join("&")
}

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
        "url": url(secrets, &exchange.url),
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
        .map(|(name, value)| json!([name, header(secrets, name, value)]))
        .collect();
    json!({ "headers": headers, "body": body(secrets, message) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_parameters_are_masked_by_name() {
        let secrets = Secrets::default();
        assert_eq!(
            url(&secrets, "https://dc/cb?code=abc&state=s"),
            "https://dc/cb?code=[secret]&state=s"
        );
        assert_eq!(header(&secrets, "cookie", "a=b"), "[secret]");
        assert_eq!(header(&secrets, "x-enc-kid", "k"), "k");
    }
}

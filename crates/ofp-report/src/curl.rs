//! A curl line that repeats an exchange, with certificate paths.

use ofp_evidence::{Exchange, Role, Secrets};

/// Headers that curl writes itself, or that must not be shown.
const LEFT_OUT: [&str; 4] = ["host", "content-length", "cookie", "accept"];

/// The line, or nothing when there is no folder of certificates.
pub(crate) fn line(secrets: &Secrets, folder: Option<&str>, exchange: &Exchange) -> Option<String> {
    let folder = folder?;
    let mut parts = vec!["curl -sS -i".to_owned()];
    parts.push(format!("--cacert {}", quoted(&format!("{folder}/ca.pem"))));
    if let Some(party) = party(exchange.from) {
        parts.push(format!("--cert {}", quoted(&format!("{folder}/{party}/client.pem"))));
        parts.push(format!("--key {}", quoted(&format!("{folder}/{party}/client-key.pem"))));
    }
    if exchange.method != "GET" {
        parts.push(format!("-X {}", exchange.method));
    }
    for (name, value) in &exchange.request.headers {
        if !LEFT_OUT.contains(&name.as_str()) {
            let value = secrets.shown_header(name, value);
            parts.push(format!("-H {}", quoted(&format!("{name}: {value}"))));
        }
    }
    if !exchange.request.body.is_empty() {
        let body = secrets.shown_body(&exchange.request);
        parts.push(format!("--data-raw {}", quoted(&body)));
    }
    parts.push(quoted(&secrets.shown_url(&exchange.url)));
    Some(parts.join(" "))
}

fn party(from: Role) -> Option<&'static str> {
    match from {
        Role::PayNet => Some("paynet"),
        Role::Dc => Some("dc-1"),
        Role::Dp => Some("dp"),
        Role::Customer => None,
    }
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

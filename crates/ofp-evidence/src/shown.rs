//! Messages as they may be shown: without secrets, known ones and such as their name gives away.

use std::borrow::Cow;

use serde_json::Value;

use crate::{Message, Secrets, secrets::MASK};

/// Headers whose values are never shown.
const HIDDEN: [&str; 3] = ["authorization", "cookie", "set-cookie"];
/// Fields of a form or a query whose values are never shown.
const HIDDEN_FIELDS: [&str; 8] = [
    "password",
    "client_assertion",
    "code",
    "code_verifier",
    "csrf",
    "access_token",
    "refresh_token",
    "token",
];
/// Members of a JSON object whose texts are never shown. Not `code`: an error may have one.
const HIDDEN_MEMBERS: [&str; 3] = ["access_token", "refresh_token", "password"];
/// Longer bodies are cut.
const LONGEST_BODY: usize = 64 * 1024;

impl Secrets {
    /// A header's value, or a mask.
    #[must_use]
    pub fn shown_header<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        if HIDDEN.contains(&name) {
            return MASK.into();
        }
        self.mask(value)
    }

    /// A URL with secret parameters masked.
    #[must_use]
    pub fn shown_url(&self, url: &str) -> String {
        let masked = self.mask(url);
        match masked.split_once('?') {
            Some((start, query)) => format!("{start}?{}", form(query)),
            None => masked.into_owned(),
        }
    }

    /// The body as text, with secret fields masked, and cut.
    #[must_use]
    pub fn shown_body(&self, message: &Message) -> String {
        let mut text = self.mask(&message.text()).into_owned();
        match message.media_type().as_deref() {
            Some("application/x-www-form-urlencoded") => text = form(&text),
            Some("application/json") => text = json(text),
            _ => {}
        }
        if text.len() > LONGEST_BODY {
            let end = (0..=LONGEST_BODY).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
            text.push('…');
        }
        text
    }
}

fn form(text: &str) -> String {
    let field = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if HIDDEN_FIELDS.contains(&name) => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    };
    text.split('&').map(field).collect::<Vec<_>>().join("&")
}

/// As it came, unless there is something to hide: then as we write it.
fn json(text: String) -> String {
    let Ok(Value::Object(mut object)) = serde_json::from_str(&text) else { return text };
    let mut hidden = false;
    let secret = |name: &str| HIDDEN_MEMBERS.contains(&name);
    for (_, value) in object.iter_mut().filter(|(name, value)| secret(name) && value.is_string()) {
        hidden |= value != MASK;
        *value = MASK.into();
    }
    if hidden { Value::Object(object).to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_by_name_is_masked() {
        let secrets = Secrets::default();
        assert_eq!(
            secrets.shown_url("https://dc/cb?code=abc&state=s"),
            "https://dc/cb?code=[secret]&state=s"
        );
        assert_eq!(secrets.shown_header("cookie", "a=b"), "[secret]");
        assert_eq!(secrets.shown_header("x-enc-kid", "k"), "k");
        let body = |media_type: &str, body: &str| {
            let headers = vec![("content-type".to_owned(), media_type.to_owned())];
            secrets.shown_body(&Message { headers, body: body.as_bytes().to_vec() })
        };
        let json = "application/json; charset=utf-8";
        assert_eq!(
            body(json, "{ \"access_token\": \"t\", \"expires_in\": 600 }"),
            "{\"access_token\":\"[secret]\",\"expires_in\":600}"
        );
        let as_it_came = "{ \"expires_in\": 600, \"code\": \"E7\" }";
        assert_eq!(body(json, as_it_came), as_it_came);
        assert_eq!(body(json, "{ \"token\""), "{ \"token\"", "no JSON, nothing to name");
        let form = "application/x-www-form-urlencoded";
        assert_eq!(body(form, "token=abc&a=b"), "token=[secret]&a=b");
    }

    #[test]
    fn a_long_body_is_cut() {
        let body = "€".repeat(LONGEST_BODY);
        let shown = Secrets::default().shown_body(&Message { headers: vec![], body: body.into() });
        assert!(shown.len() <= LONGEST_BODY + 3 && shown.ends_with("€…"));
    }
}

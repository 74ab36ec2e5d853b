//! Signed and encrypted messages inside headers, bodies and URLs, taken apart for people.

use ofp_jose::{CompactJwe, CompactJws};
use serde_json::{Value, json};

/// More in one text are not looked at.
const MOST: usize = 16;
/// What is encrypted or signed in what is signed, and so on.
const DEEPEST: usize = 3;

/// Everything in a text that is a compact JWS or JWE: what it is, its header, and what it says, if that can be seen.
/// The text has no secrets in it any more.
pub(crate) fn tokens(place: &str, text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    look(place, text, 0, &mut found);
    found
}

fn look(place: &str, text: &str, depth: usize, found: &mut Vec<Value>) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    // a token begins with a JSON object, `{"`, in base64url
    for word in text.split(|c| !is_part(c)).filter(|word| word.starts_with("eyJ")) {
        if found.len() >= MOST || depth >= DEEPEST {
            return;
        }
        if let Ok(jws) = CompactJws::parse(word) {
            let payload: Option<Value> = serde_json::from_slice(&jws.payload).ok();
            let says = match (&payload, jws.is_detached()) {
                (_, true) => json!("(detached: the body is what is signed)"),
                (Some(claims), _) => claims.clone(),
                (None, _) => json!(String::from_utf8_lossy(&jws.payload)),
            };
            found.push(json!({ "in": place, "kind": "JWS", "header": jws.header, "says": says }));
            if let Some(claims) = payload {
                look(&format!("{place}, inside"), &claims.to_string(), depth + 1, found);
            }
        } else if let Ok(jwe) = CompactJwe::parse(word) {
            found.push(json!({ "in": place, "kind": "JWE", "header": jwe.header, "says": null }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_message_is_taken_apart_and_words_are_let_be() {
        // {"alg":"PS256"}.{"iss":"a"}.signature
        let token = "eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln";
        let found = tokens("body", &format!("{{\"data\":\"{token}\", \"eyJhbGciOiJ\": 1}}"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["header"]["alg"], "PS256");
        assert_eq!(found[0]["says"]["iss"], "a");
        assert!(tokens("body", "nothing here").is_empty());
    }
}

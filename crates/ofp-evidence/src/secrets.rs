//! Texts that no report may show, in any encoding.

use std::{borrow::Cow, collections::BTreeSet};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in a report where a secret was.
const MASK: &str = "[secret]";
/// Shorter texts are not masked: they would blot out half of every page.
const SHORTEST: usize = 4;

/// Texts that no report may show. Once secret, always secret.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// Every form in which a secret could appear, longest first.
    forms: BTreeSet<std::cmp::Reverse<(usize, String)>>,
}

impl Secrets {
    /// Marks `text` as secret, with its percent-encoded, JSON-escaped and base64 forms.
    pub fn add(&mut self, text: &str) {
        if text.len() < SHORTEST {
            return;
        }
        let json = serde_json::Value::String(text.to_owned()).to_string();
        let mut forms = vec![
            text.to_owned(),
            utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
            json[1..json.len() - 1].to_owned(),
        ];
        forms.extend(base64_cores(text.as_bytes()));
        let long = forms.into_iter().filter(|form| form.len() >= SHORTEST);
        self.forms.extend(long.map(|form| std::cmp::Reverse((form.len(), form))));
    }

    /// `text` with every secret masked.
    #[must_use]
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut masked = Cow::Borrowed(text);
        for std::cmp::Reverse((_, form)) in &self.forms {
            if masked.contains(form.as_str()) {
                masked = Cow::Owned(masked.replace(form.as_str(), MASK));
            }
        }
        masked
    }
}

/// What base64 makes of `secret` in the middle of a longer text: three alignments, two alphabets,
/// without the characters at the edges that depend on the neighbours.
fn base64_cores(secret: &[u8]) -> impl Iterator<Item = String> {
    let core = |shift: usize| {
        let mut padded = vec![0; shift];
        padded.extend_from_slice(secret);
        let whole_groups = padded.len() / 3 * 3;
        let skip = if shift == 0 { 0 } else { 4 };
        let cut = |encoded: String| encoded.get(skip..).unwrap_or_default().to_owned();
        let padded = &padded[..whole_groups];
        [cut(STANDARD_NO_PAD.encode(padded)), cut(URL_SAFE_NO_PAD.encode(padded))]
    };
    // a core of fewer than 8 characters matches by chance
    (0..3).flat_map(core).filter(|core| core.len() >= 8).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_in_every_encoding() {
        let secret = "p@ss\"word/with+signs";
        let mut secrets = Secrets::default();
        secrets.add(secret);
        let inside = |prefix: &str| format!("{prefix}{secret} and after");
        let shown = [
            format!("a {secret} b"),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
            serde_json::json!({ "p": secret }).to_string(),
            STANDARD_NO_PAD.encode(inside("")),
            STANDARD_NO_PAD.encode(inside("x")),
            URL_SAFE_NO_PAD.encode(inside("xy")),
        ];
        for text in shown {
            assert!(secrets.mask(&text).contains(MASK), "{text}");
        }
        assert_eq!(secrets.mask("nothing here"), "nothing here");
    }

    #[test]
    fn longer_secrets_go_first_and_tiny_ones_are_let_be() {
        let mut secrets = Secrets::default();
        secrets.add("abc");
        secrets.add("token");
        secrets.add("token-of-somebody");
        assert_eq!(secrets.mask("abc token-of-somebody token"), "abc [secret] [secret]");
    }
}

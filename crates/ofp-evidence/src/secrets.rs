//! Texts that no report may show, in any encoding.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
    sync::OnceLock,
};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in a report where a secret was.
pub(crate) const MASK: &str = "[secret]";
/// Shorter texts are not masked: they would blot out half of every page.
const SHORTEST: usize = 4;
/// Of longer texts only the end is masked: tokens end in their signature, and a stranger must not fill
/// the memory.
const LONGEST: usize = 128;

/// What a form leaves as it is (URL Standard, application/x-www-form-urlencoded); a space becomes `+`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');
/// What `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet =
    &FORM.remove(b'!').remove(b'~').remove(b'\'').remove(b'(').remove(b')');
/// What a URL's query cannot hold.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\'');
/// What stands at the end of a text that has been cut.
const CUT: char = '…';

/// A text of at most so many characters, with a mark where it was cut: what is left of a secret there is masked.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}{CUT}", &text[..end]),
        None => text.to_owned(),
    }
}

/// Texts that no report may show.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Oldest mention first, with its number.
    mentions: VecDeque<(u64, String)>,
    /// The number of each text's newest mention; none when it is never to be forgotten.
    known: HashMap<String, Option<u64>>,
    /// How many mentions are remembered.
    most: usize,
    next: u64,
    /// How often the set of texts has changed.
    changes: u64,
    /// Finds every form in which one could appear; made anew when there is one more.
    finder: OnceLock<Option<AhoCorasick>>,
}

impl Default for Secrets {
    fn default() -> Self {
        Self::bounded(usize::MAX)
    }
}

impl Secrets {
    /// Remembers the newest `most` mentions and what is kept; the default remembers all.
    #[must_use]
    pub fn bounded(most: usize) -> Self {
        let (mentions, known, finder) = (VecDeque::new(), HashMap::new(), OnceLock::new());
        Self { mentions, known, most, next: 0, changes: 0, finder }
    }

    /// Every text that is known.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.known.keys().cloned().collect();
        texts.sort_unstable();
        texts
    }

    /// Marks `text` as secret, with its percent-encoded, JSON-escaped and base64 forms.
    pub fn add(&mut self, text: &str) {
        let text = end_of(text);
        let known = self.known.get(text).copied();
        // one that was mentioned lately need not be mentioned again
        let lately = |last: u64| self.next - last <= (self.most / 2) as u64;
        if text.len() < SHORTEST || known.is_some_and(|last| last.is_none_or(lately)) {
            return;
        }
        self.next += 1;
        self.known.insert(text.to_owned(), Some(self.next));
        self.mentions.push_back((self.next, text.to_owned()));
        let mut changed = known.is_none();
        while self.mentions.len() > self.most {
            let Some((mention, oldest)) = self.mentions.pop_front() else { break };
            if self.known.get(&oldest) == Some(&Some(mention)) {
                self.known.remove(&oldest);
                changed = true;
            }
        }
        if changed {
            self.changed();
        }
    }

    /// Marks `text`, all of it, as a secret that is never to be forgotten.
    pub fn keep(&mut self, text: &str) {
        if text.len() >= SHORTEST && self.known.insert(text.to_owned(), None).is_none() {
            self.changed();
        }
    }

    fn changed(&mut self) {
        self.changes += 1;
        self.finder = OnceLock::new();
    }

    /// `text` with every secret masked, the longest where several begin.
    #[must_use]
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if let Some(start) = self.cut_secret(text) {
            return Cow::Owned(format!("{}{MASK}{CUT}", self.mask(&text[..start])));
        }
        match self.finder.get_or_init(|| self.find_all()) {
            Some(finder) if !finder.is_match(text) => Cow::Borrowed(text),
            Some(finder) => {
                let mut masked = String::with_capacity(text.len());
                finder.replace_all_with(text, &mut masked, |_, _, masked| {
                    masked.push_str(MASK);
                    true
                });
                Cow::Owned(masked)
            }
            // more patterns than memory holds: rather nothing than a secret
            None => Cow::Borrowed(MASK),
        }
    }

    /// Where the beginning of a secret stands at the end of a text that has been cut ([`cut`]), if one does.
    fn cut_secret(&self, text: &str) -> Option<usize> {
        let text = text.strip_suffix(CUT)?;
        let begins = |secret: &String| {
            let ends = secret.char_indices().map(|(at, _)| at).filter(|at| *at >= SHORTEST).rev();
            let prefix = ends.map(|end| &secret[..end]).find(|prefix| text.ends_with(prefix))?;
            Some(text.len() - prefix.len())
        };
        self.known.keys().filter_map(begins).min()
    }

    /// Makes the finder.
    pub(crate) fn make_ready(&self) {
        self.finder.get_or_init(|| self.find_all());
    }

    /// Takes over the finder of a clone, if nothing has been added since.
    pub(crate) fn learn_from(&mut self, clone: &Self) {
        if self.changes == clone.changes {
            self.finder = clone.finder.clone();
        }
    }

    fn find_all(&self) -> Option<AhoCorasick> {
        let forms = self.known.keys().flat_map(|text| forms(text));
        AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(forms).ok()
    }
}

/// As much of the end of `text` as is masked.
fn end_of(text: &str) -> &str {
    let start =
        (text.len().saturating_sub(LONGEST)..=text.len()).find(|at| text.is_char_boundary(*at));
    &text[start.unwrap_or(0)..]
}

/// Every form in which `text` could appear.
fn forms(text: &str) -> Vec<String> {
    let json = serde_json::Value::String(text.to_owned()).to_string();
    let encoded = |set: &'static AsciiSet| utf8_percent_encode(text, set).to_string();
    let everything = encoded(NON_ALPHANUMERIC);
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut forms = vec![
        text.to_owned(),
        encoded(FORM).replace("%20", "+"),
        encoded(COMPONENT),
        encoded(QUERY),
        everything.to_lowercase(),
        everything,
        json[1..json.len() - 1].to_owned(),
        html.replace('"', "&quot;").replace('\'', "&#39;"),
        html.replace('"', "&#34;").replace('\'', "&#x27;"),
        html,
    ];
    forms.extend(base64_cores(text.as_bytes()));
    forms.retain(|form| form.len() >= SHORTEST);
    forms.sort_unstable();
    forms.dedup();
    forms
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
    fn what_a_cut_leaves_of_a_secret_is_masked() {
        let mut secrets = Secrets::default();
        secrets.keep("hunter2-and-more");
        assert_eq!(secrets.mask(&cut("says hunter2-and-more here", 13)), "says [secret]…");
        assert_eq!(secrets.mask(&cut("says something else here", 14)), "says something…");
        assert_eq!(secrets.mask(&"x".repeat(200)), "x".repeat(200));
        let long = "y".repeat(300) + "z";
        secrets.keep(&long);
        assert_eq!(secrets.mask(&format!("a {long}")), "a [secret]");
    }

    #[test]
    fn longer_secrets_go_first_and_tiny_ones_are_let_be() {
        let mut secrets = Secrets::default();
        secrets.add("abc");
        secrets.add("token");
        secrets.add("token-of-somebody");
        assert_eq!(secrets.mask("abc token-of-somebody token"), "abc [secret] [secret]");
    }

    #[test]
    fn a_bounded_memory_forgets_the_oldest() {
        let mut secrets = Secrets::bounded(2);
        ["first", "second", "third"].into_iter().for_each(|text| secrets.add(text));
        assert_eq!(secrets.mask("first second third"), "first [secret] [secret]");
    }

    #[test]
    fn what_is_kept_or_mentioned_again_is_not_forgotten() {
        let mut secrets = Secrets::bounded(4);
        secrets.keep("kept");
        for text in ["again", "other-1", "other-2", "other-3", "again", "other-4", "other-5"] {
            secrets.add(text);
        }
        let masked = secrets.mask("kept again other-1 other-5 other-2");
        assert_eq!(masked, "[secret] [secret] other-1 [secret] other-2");
    }
}

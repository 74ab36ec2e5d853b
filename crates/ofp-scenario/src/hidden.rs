//! What is written in a file and no message shows: passwords, and what stands where a secret's value would.

use std::ops::Range;

use crate::{
    node::{Key, Kind, Node},
    yaml,
};

const PASSWORD: &str = "password";
const SECRET: &str = "secret";
const DEFAULT: &str = "default";
/// A word that differs in so many letters is the word misspelled.
const MISSPELLED: usize = 2;

/// The bytes of a text that no message shows.
pub(crate) fn hidden(text: &str) -> Vec<Range<usize>> {
    let Some((root, aliases)) = yaml::parse_leniently(text) else { return in_lines(text) };
    let mut found = Vec::new();
    in_tree(&root, &mut found);
    // what is hidden by another name is hidden where it stands
    let behind: Vec<Range<usize>> = aliases
        .into_iter()
        .filter(|alias| found.contains(&alias.span))
        .map(|alias| alias.anchor)
        .collect();
    found.extend(behind);
    found
}

/// The text with stars in the place of what is hidden, byte for byte, so that places stay.
pub(crate) fn cover(text: &str, hidden: &[Range<usize>]) -> String {
    let mut bytes: Vec<u8> = text.bytes().collect();
    for range in hidden {
        let end = range.end.min(bytes.len());
        for byte in bytes.get_mut(range.start.min(end)..end).into_iter().flatten() {
            if !byte.is_ascii_whitespace() {
                *byte = b'*';
            }
        }
    }
    // ranges end where characters do; a text that lost half of one is hidden whole
    String::from_utf8(bytes).unwrap_or_else(|_| "*".repeat(text.len()))
}

fn in_tree(node: &Node, found: &mut Vec<Range<usize>>) {
    let Kind::Mapping(entries) = &node.kind else {
        if let Kind::Sequence(items) = &node.kind {
            items.iter().for_each(|item| in_tree(item, found));
        }
        return;
    };
    let is_false = |node: &Node| matches!(&node.kind, Kind::Scalar { text, .. } if text == "false");
    let says_secret = |(key, value): &(Key, Node)| is_near(&key.text, SECRET) && !is_false(value);
    let is_secret = entries.iter().any(says_secret);
    for (key, value) in entries {
        let hides = is_password(&key.text) || is_secret && is_near(&key.text, DEFAULT);
        match hides && !is_name(value) {
            true => of_password(value, found),
            false => in_tree(value, found),
        }
    }
}

/// What stands behind such a key; of a variable that is declared there, its value.
fn of_password(value: &Node, found: &mut Vec<Range<usize>>) {
    let declares =
        |(key, _): &(Key, Node)| is_near(&key.text, SECRET) || is_near(&key.text, DEFAULT);
    match &value.kind {
        Kind::Mapping(entries) if entries.iter().any(declares) => {
            let values = entries.iter().filter(|(key, _)| is_near(&key.text, DEFAULT));
            found.extend(values.map(|(_, value)| value.extent()));
        }
        _ => found.push(value.extent()),
    }
}

/// A name in double braces, and nothing else: what it stands for is hidden elsewhere.
fn is_name(node: &Node) -> bool {
    let Kind::Scalar { text, .. } = &node.kind else { return false };
    let inside = text.trim().strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
    inside.is_some_and(|name| {
        name.trim().chars().all(|c| c.is_ascii_alphanumeric() || "-_/".contains(c))
    })
}

fn is_password(key: &str) -> bool {
    key.to_lowercase().contains(PASSWORD) || is_near(key, PASSWORD)
}

fn is_near(key: &str, word: &str) -> bool {
    strsim::damerau_levenshtein(&key.to_lowercase(), word) <= MISSPELLED
}

/// The same in a text that is no YAML: whatever stands behind such a word, on its line and on those that go on.
fn in_lines(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    // how far the line is indented whose value goes on
    let mut inside: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        match inside.filter(|key| indent > *key || line.trim().is_empty()) {
            Some(_) => found.push(at..at + line.len()),
            None => {
                let value = hidden_from(line);
                found.extend(value.map(|value| at + value..at + line.len()));
                inside = value.map(|_| indent);
            }
        }
        at += line.len();
    }
    found
}

/// Where on a line something begins that is to be hidden.
fn hidden_from(line: &str) -> Option<usize> {
    let says_secret = words(line).any(|(word, _)| is_near(word, SECRET));
    words(line).find_map(|(word, end)| {
        let behind = line[end..].trim_start_matches(['"', '\'', ' ', '\t']);
        let is_key = behind.starts_with(':');
        let hides = is_password(word) || says_secret && is_near(word, DEFAULT);
        (is_key && hides).then(|| line.len() - behind.len() + 1)
    })
}

/// The words of a line, each with where it ends.
fn words(line: &str) -> impl Iterator<Item = (&str, usize)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    line.split(move |c| !is_word(c)).filter(|word| !word.is_empty()).map(|word| {
        let start = word.as_ptr() as usize - line.as_ptr() as usize;
        (word, start + word.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_shows_a_password_however_it_is_written() {
        for text in [
            "- log_in: { password: hunter2, username: a }",
            "- log_in: { password: \"a,hunter2\", bad: 1 }",
            "{ username: x, password : hunter2 }",
            "{ username: x, password: 'a}hunter2' }",
            "{ password: \"{{ z }}hunter2\" }",
            "{ \"pass\\u0077ord\": hunter2 }",
            "{ ? password : hunter2 }",
            "{ username: &p hunter2, password: *p }",
            "password: \"aaa\n  hunter2\"",
            "{ username: x,\n  password:\n    hunter2 }",
            "password: |\n  hunter2\n  hunter2 too\nnext: c",
            "passwort: hunter2",
            "Password: hunter2",
            "pasword: hunter2",
            "vars: { pw: { secret: yes, default: hunter2 } }",
            "vars: { pw: { secret: true, defaul: hunter2 } }",
            "vars: { password: { default: hunter2, about: x } }",
            "vars: { pw: { secret: true, default: hunter2, secret: true } }",
            // no YAML
            "- log_in: { password: 'hunter2",
            "a: b: c\n  Password : hunter2\n    and hunter2\nnext: c",
            "{ secret: true, default: hunter2",
        ] {
            let shown = cover(text, &hidden(text));
            assert!(!shown.contains("hunter2"), "{text}: {shown}");
            assert_eq!(text.len(), shown.len());
        }
    }

    #[test]
    fn what_is_no_password_is_shown() {
        for text in [
            "{ password: \"{{ word }}\" }",
            "passwords are words",
            "vars: { pw: { secret: false, default: shown } }",
            "vars: { wrong_password: { secret: true, about: nobody has it } }",
            "as: { code: { redirect: code, secret: true } }",
        ] {
            assert_eq!(cover(text, &hidden(text)), text);
        }
    }
}

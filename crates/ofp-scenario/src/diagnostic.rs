//! A problem with line and caret.

use std::{borrow::Cow, ops::Range, sync::Arc};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A text with the name that diagnostics call it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file's name.
    pub name: String,
    /// Its text: shared by all that was read from it.
    pub text: Arc<str>,
    /// Whether it is part of the binary.
    is_embedded: bool,
    /// Where its lines end.
    ends: Arc<[usize]>,
}

impl Source {
    /// A text under a name.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at);
        let ends = ends.collect();
        Self { name: name.into(), text, is_embedded: false, ends }
    }

    /// A text that is part of the binary.
    #[must_use]
    pub fn embedded(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self { is_embedded: true, ..Self::new(name, text) }
    }

    /// Whether it is part of the binary.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.is_embedded
    }

    /// The text as it may be shown: passwords covered, byte for byte.
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        without_passwords(&self.text)
    }

    /// The line, from 1, of a byte.
    #[must_use]
    pub fn line(&self, offset: usize) -> usize {
        self.ends.partition_point(|end| *end < offset) + 1
    }

    /// The text of a line, without the space before and behind it.
    #[must_use]
    pub fn line_span(&self, line: usize) -> Range<usize> {
        let start: usize =
            self.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let text = self.text[start..].split('\n').next().unwrap_or_default();
        let indent = text.len() - text.trim_start().len();
        start + indent..start + text.trim_end().len().max(indent)
    }
}

/// What stands where a secret was.
const MASK: &str = "[secret]";

/// A place that a diagnostic points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Bytes of the source.
    pub span: Range<usize>,
    /// What is there.
    pub text: String,
}

/// A problem: what it is, where it is, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind, in one word.
    pub code: &'static str,
    /// What is wrong.
    pub title: String,
    /// Where; the first is the place itself.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// The file that it is in, where that is another than the one that was read: a fragment.
    pub source: Option<Box<Source>>,
    /// Bytes of the source that no message shows: secrets that are written there.
    pub covered: Vec<Range<usize>>,
}

impl Diagnostic {
    /// A problem at a place.
    pub(crate) fn new(
        code: &'static str,
        title: impl Into<String>,
        span: Range<usize>,
        label: &str,
    ) -> Self {
        let labels = vec![Label { span, text: label.to_owned() }];
        Self { code, title: title.into(), labels, help: None, source: None, covered: Vec::new() }
    }

    /// A problem of a file as a whole.
    #[must_use]
    pub fn of_file(code: &'static str, title: String) -> Self {
        Self::new(code, title, 0..0, "this file")
    }

    /// The same under another kind.
    pub(crate) fn about(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    pub(crate) fn help_unless_any(self, help: &str) -> Self {
        if self.help.is_some() { self } else { self.help(help) }
    }

    /// The problem as the reader of `outer` sees it, where it is in `source`.
    pub(crate) fn seen_in(mut self, source: &Source, outer: &Source) -> Self {
        if self.source.is_none() && source.name != outer.name {
            self.source = Some(Box::new(source.clone()));
        }
        self
    }

    /// Takes secrets out of its texts.
    pub(crate) fn mask(&mut self, secrets: &[String]) {
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            self.title = self.title.replace(secret, MASK);
            self.help = self.help.take().map(|help| help.replace(secret, MASK));
        }
    }

    /// A problem that whoever uses a file found in it.
    #[must_use]
    pub fn in_use(code: &'static str, title: String, span: Range<usize>, help: String) -> Self {
        Self::new(code, title, span, "here").help(help)
    }

    pub(crate) fn label(mut self, span: Range<usize>, text: &str) -> Self {
        self.labels.push(Label { span, text: text.to_owned() });
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The diagnostic as rustc would print it. Passwords in the lines that it shows are covered.
#[must_use]
pub fn render(source: &Source, diagnostic: &Diagnostic, colour: bool) -> String {
    let source = diagnostic.source.as_deref().unwrap_or(source);
    let mut text = without_passwords(&source.text).into_owned();
    // lines stay, so that places do
    for range in diagnostic.covered.iter().filter(|_| diagnostic.source.is_none()) {
        if let Some(part) = text.get(range.clone()) {
            let star = |byte: u8| if byte == b'\n' { '\n' } else { '*' };
            let stars: String = part.bytes().map(star).collect();
            text.replace_range(range.clone(), &stars);
        }
    }
    let end = text.len();
    let annotations = diagnostic.labels.iter().enumerate().map(|(at, label)| {
        let kind = if at == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let span = label.span.start.min(end)..label.span.end.min(end);
        kind.span(span).label(label.text.as_str())
    });
    let snippet =
        Snippet::source(&*text).path(source.name.as_str()).fold(true).annotations(annotations);
    let id = diagnostic.code;
    let mut group = Level::ERROR.primary_title(diagnostic.title.as_str()).id(id).element(snippet);
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// The text with stars for what stands behind `password:`, byte for byte, so that places stay.
pub(crate) fn without_passwords(text: &str) -> Cow<'_, str> {
    if !text.contains(PASSWORD) {
        return text.into();
    }
    let mut covered = String::with_capacity(text.len());
    // how far the key of a text over several lines is indented, as long as that goes on
    let mut inside: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if inside.is_some_and(|key| indent > key || line.trim().is_empty()) {
            covered.extend(line.bytes().map(star));
            continue;
        }
        let (shown, is_block) = without_password(line);
        inside = is_block.then_some(indent);
        covered.push_str(&shown);
    }
    covered.into()
}

const PASSWORD: &str = "password";

fn star(byte: u8) -> char {
    match byte {
        b' ' | b'\n' | b'\r' | b'\t' => byte.into(),
        _ => '*',
    }
}

/// A line without its passwords, and whether the value of one goes on in the lines below.
fn without_password(line: &str) -> (String, bool) {
    let (mut shown, mut rest, mut is_block) = (String::with_capacity(line.len()), line, false);
    while let Some(at) = rest.find(PASSWORD) {
        let (before, behind) = rest.split_at(at + PASSWORD.len());
        shown.push_str(before);
        let key = behind.trim_start_matches(['"', '\'']);
        let Some(value) = key.strip_prefix(':') else {
            rest = behind;
            continue;
        };
        shown.push_str(&behind[..behind.len() - value.len()]);
        // in braces a comma ends it, else the line
        let ends: &[char] = if before.contains('{') { &[',', '}', '\n'] } else { &['\n'] };
        let (value, after) = value.split_at(value.find(ends).unwrap_or(value.len()));
        is_block = value.trim_start().starts_with(['|', '>']);
        match value.contains("{{") || is_block {
            true => shown.push_str(value),
            false => shown.extend(value.bytes().map(star)),
        }
        rest = after;
    }
    shown.push_str(rest);
    (shown, is_block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_covered_byte_for_byte() {
        for (text, shown) in [
            (
                "- log_in: { password: hunter2, username: a }",
                "- log_in: { password: *******, username: a }",
            ),
            ("password: a, b\nnext: c", "password: ** *\nnext: c"),
            ("{ \"password\": x }", "{ \"password\": * }"),
            ("password: |\n  hunter2\n  more\nnext: c", "password: |\n  *******\n  ****\nnext: c"),
            ("{ password: \"{{ word }}\" }", "{ password: \"{{ word }}\" }"),
            ("passwords are words", "passwords are words"),
        ] {
            assert_eq!(without_passwords(text), shown);
            assert_eq!(text.len(), shown.len());
        }
    }
}

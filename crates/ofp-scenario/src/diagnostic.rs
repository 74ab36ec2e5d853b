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
}

impl Source {
    /// A text under a name.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into(), is_embedded: false }
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
        self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
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

    /// The same under another kind.
    pub(crate) fn about(mut self, code: &'static str) -> Self {
        self.code = code;
        self
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
    for range in &diagnostic.covered {
        if let Some(part) = text.get(range.clone()) {
            let stars = "*".repeat(part.len());
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
    const KEY: &str = "password:";
    if !text.contains(KEY) {
        return text.into();
    }
    let mut covered = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(KEY) {
        let (before, behind) = rest.split_at(at + KEY.len());
        covered.push_str(before);
        let end = behind.find(['\n', ',', '}']).unwrap_or(behind.len());
        let (value, after) = behind.split_at(end);
        let shown = value.trim_start().starts_with(['{', '"']) && value.contains("{{");
        if shown || value.trim().is_empty() {
            covered.push_str(value);
        } else {
            covered.extend(value.bytes().map(|byte| if byte == b' ' { ' ' } else { '*' }));
        }
        rest = after;
    }
    covered.push_str(rest);
    covered.into()
}

//! A problem with line and caret.

use std::{ops::Range, sync::Arc};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A text with the name that diagnostics call it by.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file's name.
    pub name: String,
    /// Its text: shared by all that was read from it.
    pub text: Arc<str>,
}

impl Source {
    /// A text under a name.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into() }
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
        Self { code, title: title.into(), labels, help: None }
    }

    /// The same under another kind.
    pub(crate) fn about(mut self, code: &'static str) -> Self {
        self.code = code;
        self
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

/// The diagnostic as rustc would print it.
#[must_use]
pub fn render(source: &Source, diagnostic: &Diagnostic, colour: bool) -> String {
    let end = source.text.len();
    let annotations = diagnostic.labels.iter().enumerate().map(|(at, label)| {
        let kind = if at == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let span = label.span.start.min(end)..label.span.end.min(end);
        kind.span(span).label(label.text.as_str())
    });
    let snippet = Snippet::source(&*source.text)
        .path(source.name.as_str())
        .fold(true)
        .annotations(annotations);
    let id = diagnostic.code;
    let mut group = Level::ERROR.primary_title(diagnostic.title.as_str()).id(id).element(snippet);
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

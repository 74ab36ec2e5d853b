//! A problem with line and caret.

use std::{
    borrow::Cow,
    ops::Range,
    sync::{Arc, OnceLock},
};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::hidden::{cover, hidden};

/// A text with the name that diagnostics call it by.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file's name.
    pub name: String,
    /// Its text: shared by all that was read from it.
    pub text: Arc<str>,
    /// Whether it is part of the binary.
    is_embedded: bool,
    /// Where its lines end.
    ends: Arc<[usize]>,
    /// What of it no message shows: found out when something is shown for the first time.
    hidden: Arc<OnceLock<Vec<Range<usize>>>>,
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.text == other.text
    }
}

impl Eq for Source {}

impl Source {
    /// A text under a name.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at);
        let ends = ends.collect();
        Self { name: name.into(), text, is_embedded: false, ends, hidden: Arc::default() }
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

    /// The text as it may be shown: passwords and secrets covered, byte for byte.
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        let hidden = self.hidden.get_or_init(|| hidden(&self.text));
        match hidden.is_empty() {
            true => Cow::Borrowed(&self.text),
            false => Cow::Owned(cover(&self.text, hidden)),
        }
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

/// So many places where a fragment is used are shown.
const MOST_USES: usize = 3;

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

/// A place where a fragment is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The file.
    pub source: Source,
    /// Where, and what is there.
    pub label: Label,
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
    /// Where a fragment that has the problem is used, the innermost first.
    pub used: Vec<Used>,
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
        Self { code, title: title.into(), labels, help: None, source: None, used: Vec::new() }
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

    /// The same, of a fragment that is used there.
    pub(crate) fn used_at(mut self, used: Used) -> Self {
        self.used.push(used);
        self
    }

    /// Whether both say the same of the same place of a file, wherever it is used. The files are those that were read.
    #[must_use]
    pub fn is_same(&self, own: &Source, other: &Self, others: &Source) -> bool {
        let file =
            |one: &Self, source: &Source| one.source.as_deref().unwrap_or(source).name.clone();
        self.labels == other.labels
            && (self.code, &self.title) == (other.code, &other.title)
            && file(self, own) == file(other, others)
    }

    /// Takes secrets out of its texts.
    pub(crate) fn mask(&mut self, secrets: &[String]) {
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            self.title = without(&self.title, secret);
            self.help = self.help.take().map(|help| without(&help, secret));
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

/// Longer titles have something in them that somebody else wrote.
const LONGEST_TITLE: usize = 600;

fn shortened(title: &str) -> Cow<'_, str> {
    match title.char_indices().nth(LONGEST_TITLE) {
        Some((end, _)) => format!("{}…", &title[..end]).into(),
        None => title.into(),
    }
}

/// A text without a secret: as it is, as it stands in a quoted text, and where a text that has it was cut.
fn without(text: &str, secret: &str) -> String {
    let quoted = secret.escape_debug().to_string();
    let masked = text.replace(secret, MASK).replace(&quoted, MASK);
    let begins =
        |begin: usize| secret.get(..begin).filter(|begin| masked.contains(&format!("{begin}`")));
    let longest = SHORTEST..secret.len();
    match longest.rev().find_map(begins) {
        Some(begin) => masked.replace(&format!("{begin}`"), &format!("{MASK}`")),
        None => masked,
    }
}

/// A shorter beginning of a secret is no secret.
const SHORTEST: usize = 4;

/// The diagnostic as rustc would print it. Passwords in the lines that it shows are covered.
#[must_use]
pub fn render(source: &Source, diagnostic: &Diagnostic, colour: bool) -> String {
    let source = diagnostic.source.as_deref().unwrap_or(source);
    let text = source.shown();
    let end = text.len();
    let annotations = diagnostic.labels.iter().enumerate().map(|(at, label)| {
        let kind = if at == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let span = label.span.start.min(end)..label.span.end.min(end);
        kind.span(span).label(label.text.as_str())
    });
    let snippet =
        Snippet::source(&*text).path(source.name.as_str()).fold(true).annotations(annotations);
    let id = diagnostic.code;
    let title = shortened(&diagnostic.title);
    let mut group = Level::ERROR.primary_title(&*title).id(id).element(snippet);
    let used: Vec<(&Used, Cow<'_, str>)> =
        diagnostic.used.iter().take(MOST_USES).map(|used| (used, used.source.shown())).collect();
    for (used, text) in &used {
        let Label { span, text: label } = &used.label;
        let span = span.start.min(text.len())..span.end.min(text.len());
        let place = AnnotationKind::Context.span(span).label(label.as_str());
        let name = used.source.name.as_str();
        group = group.element(Snippet::source(&**text).path(name).fold(true).annotation(place));
    }
    if let Some(more) = diagnostic.used.len().checked_sub(MOST_USES).filter(|more| *more > 0) {
        group = group.element(Level::NOTE.message(format!("and used in {more} more places")));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

//! Text to tree. The only module that knows the YAML parser.

use std::{collections::HashMap, ops::Range};

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::{
    Diagnostic,
    node::{Key, Kind, Node},
};

/// Deeper documents are refused: nothing of ours is nested like that.
pub(crate) const DEEPEST: usize = 64;
/// More nodes are refused, so that aliases cannot multiply without end.
const MOST_NODES: usize = 100_000;
/// Longer texts are refused unread.
const LONGEST: usize = 1024 * 1024;
/// The same, for whoever reads files.
pub const LONGEST_FILE: u64 = LONGEST as u64;

/// Parses a document that is a mapping at the top.
pub(crate) fn parse(text: &str) -> Result<Node, Diagnostic> {
    if text.len() > LONGEST {
        let title = format!("the file has {} bytes, at most {LONGEST} are read", text.len());
        return Err(Diagnostic::new("yaml", title, 0..0, "here"));
    }
    Builder::of(text).document()
}

/// Where an alias stands, and where what it stands for.
pub(crate) struct Alias {
    pub(crate) span: Range<usize>,
    pub(crate) anchor: Range<usize>,
}

/// The tree of a text whose mistakes are nobody's concern yet, with where its aliases stand and what they stand for; nothing
/// where it is no YAML at all.
pub(crate) fn parse_leniently(text: &str) -> Option<(Node, Vec<Alias>)> {
    let mut builder = Builder { is_lenient: true, ..Builder::of(text) };
    let root = (text.len() <= LONGEST).then(|| builder.document().ok())??;
    Some((root, builder.aliases))
}

/// Byte offsets of characters, since the parser counts characters.
struct Offsets(Vec<usize>);

impl Offsets {
    fn of(text: &str) -> Self {
        Self(text.char_indices().map(|(at, _)| at).chain([text.len()]).collect())
    }

    fn range(&self, span: &Span) -> Range<usize> {
        let at = |index: usize| self.0.get(index).or(self.0.last()).copied().unwrap_or(0);
        let (start, end) = (at(span.start.index()), at(span.end.index()));
        start..end.max(start)
    }
}

fn too_much(span: Range<usize>) -> Diagnostic {
    let title = "the document is nested too deeply or too large";
    Diagnostic::new("yaml", title, span, "from here on it is not read")
}

struct Builder<'a> {
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
    offsets: Offsets,
    anchors: HashMap<usize, Node>,
    aliases: Vec<Alias>,
    nodes: usize,
    /// Whether a key may stand twice.
    is_lenient: bool,
}

impl<'a> Builder<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            events: Parser::new_from_str(text),
            offsets: Offsets::of(text),
            anchors: HashMap::new(),
            aliases: Vec::new(),
            nodes: 0,
            is_lenient: false,
        }
    }

    fn document(&mut self) -> Result<Node, Diagnostic> {
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
                Event::StreamEnd => {
                    let title = "the file is empty";
                    return Err(Diagnostic::new("yaml", title, 0..0, "a scenario was expected"));
                }
                event => {
                    let node = self.node(event, self.offsets.range(&span), 0)?;
                    self.only_one()?;
                    return Ok(node);
                }
            }
        }
    }

    fn only_one(&mut self) -> Result<(), Diagnostic> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentStart(_), span) => {
                    let span = self.offsets.range(&span);
                    let title = "a file holds one document";
                    return Err(Diagnostic::new("yaml", title, span, "a second one begins here"));
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Diagnostic> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let at = Span::new(*error.marker(), *error.marker());
                let span = self.offsets.range(&at);
                let help = match error.info() {
                    info if info.contains("mapping values are not allowed") => {
                        "a text with `: ` in it is quoted, and a list's items begin with `- `"
                    }
                    _ => {
                        "a bracket, brace or quote before this is not closed, or a line is indented otherwise than its \
                         neighbours (spaces only)"
                    }
                };
                Err(Diagnostic::new("yaml", "this is not YAML", span, error.info()).help(help))
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(
        &mut self,
        event: Event<'a>,
        span: Range<usize>,
        depth: usize,
    ) -> Result<Node, Diagnostic> {
        self.nodes += 1;
        if depth > DEEPEST || self.nodes > MOST_NODES {
            return Err(too_much(span));
        }
        let (kind, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some() {
                    let title = "YAML tags are not part of the language";
                    return Err(Diagnostic::new("yaml", title, span, "remove the tag"));
                }
                let plain = style == ScalarStyle::Plain;
                (Kind::Scalar { text: text.into_owned(), plain }, anchor)
            }
            Event::SequenceStart(anchor, _) => (self.sequence(depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.mapping(depth)?, anchor),
            Event::Alias(anchor) => return self.alias(anchor, span, depth),
            _ => {
                let title = "a value is missing";
                return Err(Diagnostic::new("yaml", title, span, "a value was expected here"));
            }
        };
        let node = Node { span, kind };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(
        &mut self,
        anchor: usize,
        span: Range<usize>,
        depth: usize,
    ) -> Result<Node, Diagnostic> {
        let Some(node) = self.anchors.get(&anchor) else {
            let title = "this alias stands inside its own anchor";
            return Err(Diagnostic::new("yaml", title, span, "it would never end"));
        };
        if depth + node.height() > DEEPEST {
            return Err(too_much(span));
        }
        self.aliases.push(Alias { span: span.clone(), anchor: node.extent() });
        let node = Node { span, kind: node.kind.clone() };
        self.nodes += node.size();
        Ok(node)
    }

    fn sequence(&mut self, depth: usize) -> Result<Kind, Diagnostic> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Kind::Sequence(items)),
                (event, span) => {
                    let span = self.offsets.range(&span);
                    items.push(self.node(event, span, depth + 1)?);
                }
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Kind, Diagnostic> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut keys: HashMap<String, Range<usize>> = HashMap::new();
        loop {
            let (event, span) = self.next()?;
            let span = self.offsets.range(&span);
            let text = match event {
                Event::MappingEnd => return Ok(Kind::Mapping(entries)),
                Event::Scalar(text, ..) => text.into_owned(),
                _ => {
                    let title = "a key must be a word";
                    let help = "a name in double braces is quoted: `\"{{ name }}\"`";
                    return Err(Diagnostic::new("yaml", title, span, "this is not").help(help));
                }
            };
            let first = keys.insert(text.clone(), span.clone()).filter(|_| !self.is_lenient);
            if let Some(first) = first {
                let title = format!("key `{text}` appears twice");
                return Err(Diagnostic::new("duplicate-key", title, span, "again here")
                    .label(first, "first here"));
            }
            let (event, value_span) = self.next()?;
            let value_span = self.offsets.range(&value_span);
            // an absent value is an empty scalar somewhere later: point at the key instead
            let value_span = if value_span.is_empty() { span.clone() } else { value_span };
            let value = self.node(event, value_span, depth + 1)?;
            entries.push((Key { text, span }, value));
        }
    }
}

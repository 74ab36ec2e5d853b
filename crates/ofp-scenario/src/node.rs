//! A YAML document as a tree in which every node knows where it stands.

use std::ops::Range;

/// A node: bytes `span` of the text.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// The text as written; `plain` when neither quoted nor a block.
    Scalar {
        text: String,
        plain: bool,
    },
    Sequence(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

impl Node {
    /// `~`, `null` or nothing at all.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// How many nodes it is, itself among them; a long text counts as several.
    pub(crate) fn size(&self) -> usize {
        1 + match &self.kind {
            Kind::Scalar { text, .. } => text.len() / 64,
            Kind::Sequence(items) => items.iter().map(Self::size).sum(),
            Kind::Mapping(entries) => entries.iter().map(|(_, value)| value.size()).sum(),
        }
    }

    /// How many nodes stand one inside the other, itself among them.
    pub(crate) fn height(&self) -> usize {
        let inner = match &self.kind {
            Kind::Scalar { .. } => None,
            Kind::Sequence(items) => items.iter().map(Self::height).max(),
            Kind::Mapping(entries) => entries.iter().map(|(_, value)| value.height()).max(),
        };
        1 + inner.unwrap_or(0)
    }

    /// A text where another node stands.
    pub(crate) fn text(text: &str, at: &Self) -> Self {
        Self { span: at.span.clone(), kind: Kind::Scalar { text: text.to_owned(), plain: false } }
    }

    /// From where it begins to where the last of its parts ends.
    pub(crate) fn extent(&self) -> Range<usize> {
        let end = match &self.kind {
            Kind::Scalar { .. } => None,
            Kind::Sequence(items) => items.iter().map(|item| item.extent().end).max(),
            Kind::Mapping(entries) => {
                entries.iter().map(|(key, value)| key.span.end.max(value.extent().end)).max()
            }
        };
        self.span.start..self.span.end.max(end.unwrap_or(0))
    }

    /// The same at another place: what is wrong with it is to be seen there.
    pub(crate) fn relocated(&self, span: &Range<usize>) -> Self {
        let kind = match &self.kind {
            Kind::Sequence(items) => {
                Kind::Sequence(items.iter().map(|item| item.relocated(span)).collect())
            }
            Kind::Mapping(entries) => Kind::Mapping(
                entries
                    .iter()
                    .map(|(key, value)| {
                        (Key { text: key.text.clone(), span: span.clone() }, value.relocated(span))
                    })
                    .collect(),
            ),
            scalar @ Kind::Scalar { .. } => scalar.clone(),
        };
        Self { span: span.clone(), kind }
    }

    /// What it is, without what it says.
    pub(crate) fn sort(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar { .. } if self.is_null() => "nothing",
            Kind::Scalar { .. } => "a text",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a map of keys",
        }
    }

    /// What it is, in a sentence about types.
    pub(crate) fn describe(&self) -> String {
        match &self.kind {
            Kind::Scalar { text, .. } if !self.is_null() => {
                let cut: String = text.chars().take(40).collect();
                format!("`{cut}`")
            }
            _ => self.sort().to_owned(),
        }
    }
}

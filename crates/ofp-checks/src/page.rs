//! Pages of a DP, as people see them.

use ego_tree::iter::Edge;
use scraper::{ElementRef, Html, Node};

/// Tags of a page that are read. A parser takes time by the square of how deep they nest, and no page for a bank's
/// customer has so many.
pub const MOST_TAGS: usize = 5_000;
/// And references such as `&amp;`, for the same reason.
const MOST: [(char, usize); 2] = [('<', MOST_TAGS), ('&', 50_000)];

/// A page of a DP, which may be hostile.
#[derive(Debug)]
pub struct ParsedPage {
    /// What was read of it.
    pub document: Html,
    /// Whether there was more, which was not read: who judges by what is missing must not judge then.
    pub is_cut: bool,
}

/// Parses as much of a page as takes a bounded time.
#[must_use]
pub fn parse_page(html: &str) -> ParsedPage {
    let ends = MOST.iter().filter_map(|(sign, most)| html.match_indices(*sign).nth(*most));
    let end = ends.map(|(at, _)| at).min();
    let document = Html::parse_document(&html[..end.unwrap_or(html.len())]);
    ParsedPage { document, is_cut: end.is_some() }
}

/// The text of an element as people see it, white space folded. One pass, however deep it nests.
#[must_use]
pub fn visible_text(element: ElementRef<'_>) -> String {
    let is_hidden = |node: &Node| {
        let hidden = ["script", "style", "template", "noscript"];
        node.as_element().is_some_and(|e| hidden.contains(&e.name()))
    };
    let mut words = Vec::new();
    let mut hidden = 0_usize;
    for edge in element.traverse() {
        match edge {
            Edge::Open(node) if is_hidden(node.value()) => hidden += 1,
            Edge::Close(node) if is_hidden(node.value()) => hidden -= 1,
            Edge::Open(node) if hidden == 0 => {
                let text = node.value().as_text();
                words.extend(text.into_iter().flat_map(|text| text.split_whitespace()));
            }
            _ => {}
        }
    }
    words.join(" ")
}

//! Pages of a DP, as people see them.

use ego_tree::iter::Edge;
use scraper::{ElementRef, Html, Node};

/// What follows this many tags, or references such as `&amp;`, is not read: a parser takes time by the square of how
/// deep tags nest and of how many references a text has, and no page for a bank's customer has so many.
const MOST: [(char, usize); 2] = [('<', 5_000), ('&', 50_000)];

/// A page of a DP, which may be hostile.
#[must_use]
pub fn parse_page(html: &str) -> Html {
    let ends = MOST.iter().filter_map(|(sign, most)| html.match_indices(*sign).nth(*most));
    let end = ends.map(|(at, _)| at).min().unwrap_or(html.len());
    Html::parse_document(&html[..end])
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

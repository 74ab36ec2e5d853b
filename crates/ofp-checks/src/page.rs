//! Pages of a DP, as people see them.

use ego_tree::iter::Edge;
use scraper::{ElementRef, Node};

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

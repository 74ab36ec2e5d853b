//! Everything that is wrong with a value, and not the first thing alone: what cannot be decoded is taken out, and the
//! rest decoded again.

use std::ops::Range;

use serde::de::DeserializeOwned;

use crate::{
    Diagnostic,
    decode::decode,
    node::{Kind, Node},
};

/// Decodes a node; everything that is wrong with it comes back, and not the first thing alone.
pub(crate) fn decode_all<T: DeserializeOwned>(node: &Node) -> Result<T, Vec<Diagnostic>> {
    let mut problems: Vec<Diagnostic> = Vec::new();
    let mut rest = node.clone();
    loop {
        match decode::<T>(&rest) {
            Ok(value) if problems.is_empty() => return Ok(value),
            Ok(_) => return Err(problems),
            // what was taken away may be missed by the map that it stood in
            Err(problem)
                if !problems.is_empty()
                    && problem.labels.first().is_none_or(|label| is_map(&rest, &label.span)) =>
            {
                return Err(problems);
            }
            Err(problem) => {
                let span = problem.labels.first().map(|label| label.span.clone());
                problems.push(problem);
                let pruned = span.is_some_and(|span| prune(&mut rest, &span));
                if !pruned || problems.len() >= MOST_PROBLEMS {
                    return Err(problems);
                }
            }
        }
    }
}

/// More problems of one value help nobody.
const MOST_PROBLEMS: usize = 20;

/// Whether what stands at a place is a map.
fn is_map(node: &Node, place: &Range<usize>) -> bool {
    match &node.kind {
        Kind::Scalar { .. } => false,
        Kind::Sequence(items) => items.iter().any(|item| is_map(item, place)),
        Kind::Mapping(entries) => {
            node.span == *place || entries.iter().any(|(_, value)| is_map(value, place))
        }
    }
}

/// Takes the innermost part that something is wrong with out of its list or map.
fn prune(node: &mut Node, wrong: &Range<usize>) -> bool {
    let covers = |span: &Range<usize>| span.start <= wrong.start && wrong.end <= span.end;
    match &mut node.kind {
        Kind::Scalar { .. } => false,
        Kind::Sequence(items) => {
            let Some(at) = items.iter().position(|item| covers(&item.extent())) else {
                return false;
            };
            if !prune(&mut items[at], wrong) {
                items.remove(at);
            }
            true
        }
        Kind::Mapping(entries) => {
            let found = entries
                .iter()
                .position(|(key, value)| covers(&key.span) || covers(&value.extent()));
            let Some(at) = found else { return false };
            if !prune(&mut entries[at].1, wrong) {
                entries.remove(at);
            }
            true
        }
    }
}

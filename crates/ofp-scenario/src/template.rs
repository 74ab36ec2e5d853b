//! A step that says values which only the run can tell.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    Diagnostic, Source, Step,
    node::{Key, Kind, Node},
    scope::{Part, parts},
    step::parse_step,
};

/// A step as it is written.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) node: Node,
    pub(crate) source: Source,
}

/// Two steps of the same text are the same; positions tell them apart elsewhere.
impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.node.span == other.node.span && self.source == other.source
    }
}

impl Template {
    /// The step with what has been captured.
    pub(crate) fn step(
        &self,
        written: &Step,
        captured: &BTreeMap<String, Value>,
    ) -> Result<Step, Box<Diagnostic>> {
        if let Some(name) = missing(&self.node, captured) {
            let name = name.rsplit('/').next().unwrap_or_default();
            let title = format!(
                "nothing was captured as `{name}`: the step that would have did not succeed"
            );
            return Err(Box::new(Diagnostic::new("name", title, written.span.clone(), "here")));
        }
        let filled = fill(&self.node, captured);
        let mut problems = Vec::new();
        let step = parse_step(&self.source, &filled, &mut problems);
        match (step, problems.into_iter().next()) {
            (Some(step), None) => {
                Ok(Step { captures: written.captures.clone(), template: None, ..step })
            }
            (_, Some(problem)) => Err(Box::new(problem)),
            (None, None) => Ok(Step { template: None, ..written.clone() }),
        }
    }
}

/// A name that nothing was captured under.
fn missing<'a>(node: &'a Node, captured: &BTreeMap<String, Value>) -> Option<&'a str> {
    match &node.kind {
        Kind::Scalar { text, .. } => {
            let unknown = |part: &Part<'a>| match part {
                Part::Name(name) if !captured.contains_key(*name) => Some(*name),
                _ => None,
            };
            parts(text)?.ok()?.iter().find_map(unknown)
        }
        Kind::Sequence(items) => items.iter().find_map(|item| missing(item, captured)),
        Kind::Mapping(entries) => entries.iter().find_map(|(_, value)| missing(value, captured)),
    }
}

fn fill(node: &Node, captured: &BTreeMap<String, Value>) -> Node {
    let kind = match &node.kind {
        Kind::Scalar { text, plain } => match parts(text) {
            Some(Ok(found)) => match found.as_slice() {
                [Part::Name(name)] => match captured.get(*name) {
                    Some(value) => return as_node(value, node),
                    None => node.kind.clone(),
                },
                _ => Kind::Scalar { text: joined(&found, captured), plain: *plain },
            },
            _ => node.kind.clone(),
        },
        Kind::Sequence(items) => {
            Kind::Sequence(items.iter().map(|item| fill(item, captured)).collect())
        }
        Kind::Mapping(entries) => Kind::Mapping(
            entries.iter().map(|(key, value)| (key.clone(), fill(value, captured))).collect(),
        ),
    };
    Node { span: node.span.clone(), kind }
}

fn joined(parts: &[Part<'_>], captured: &BTreeMap<String, Value>) -> String {
    let each = parts.iter().map(|part| match part {
        Part::Text(text) => (*text).to_owned(),
        Part::Name(name) => match captured.get(*name) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => format!("{{{{ {name} }}}}"),
        },
    });
    each.collect()
}

/// A value where a placeholder stood: a text stays a text, a number a number.
fn as_node(value: &Value, at: &Node) -> Node {
    let span = at.span.clone();
    let kind = match value {
        Value::String(text) => Kind::Scalar { text: text.clone(), plain: false },
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            Kind::Scalar { text: value.to_string(), plain: true }
        }
        Value::Array(items) => Kind::Sequence(items.iter().map(|item| as_node(item, at)).collect()),
        Value::Object(members) => Kind::Mapping(
            members
                .iter()
                .map(|(name, value)| {
                    (Key { text: name.clone(), span: span.clone() }, as_node(value, at))
                })
                .collect(),
        ),
    };
    Node { span, kind }
}

//! Help from what is documented of a key, for problems that have none of their own.

use std::{ops::Range, sync::LazyLock};

use serde_json::Value;

use crate::{
    Diagnostic,
    node::{Kind, Node},
    schema::{reference, scenario_schema},
    verb::Verb,
};

/// The schema, made when something is wrong for the first time.
static SCHEMA: LazyLock<Value> = LazyLock::new(scenario_schema);

/// The keys that what stands behind a verb has.
pub(crate) fn keys_behind(verb: &Verb) -> Vec<String> {
    let property = &SCHEMA["definitions"]["Step"]["properties"][verb.name];
    let definition = reference(property).map(|name| &SCHEMA["definitions"][name.as_str()]);
    let properties = definition.and_then(|definition| definition["properties"].as_object());
    properties.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// Says what the key means whose value is wrong.
pub(crate) fn by_key(node: &Node, problem: &mut Diagnostic) {
    let Some(place) = problem.labels.first().map(|label| label.span.clone()) else { return };
    if problem.help.is_some() {
        return;
    }
    let path = keys(node, &place);
    let schema = &*SCHEMA;
    let tops = [&schema["definitions"]["Step"]["properties"], &schema["properties"]];
    let described = tops.into_iter().find_map(|top| described(schema, top, &path));
    if let (Some(text), Some(key)) = (described, path.last()) {
        problem.help = Some(format!("`{key}`: {text}"));
    }
}

/// The keys that lead to a place.
fn keys(node: &Node, place: &Range<usize>) -> Vec<String> {
    let covers = |span: Range<usize>| span.start <= place.start && place.end <= span.end;
    match &node.kind {
        Kind::Scalar { .. } => Vec::new(),
        Kind::Sequence(items) => {
            let item = items.iter().find(|item| covers(item.extent()));
            item.map(|item| keys(item, place)).unwrap_or_default()
        }
        Kind::Mapping(entries) => {
            let entry = entries.iter().find(|(_, value)| covers(value.extent()));
            let Some((key, value)) = entry else { return Vec::new() };
            std::iter::once(key.text.clone()).chain(keys(value, place)).collect()
        }
    }
}

/// The description of the last key of a path that has one.
fn described(schema: &Value, properties: &Value, path: &[String]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    let property = properties.get(first)?;
    let inner = reference(property).and_then(|name| {
        described(schema, &schema["definitions"][name.as_str()]["properties"], rest)
    });
    inner.or_else(|| property["description"].as_str().map(|text| text.replace('\n', " ")))
}

//! What a step's author expects, held to what came.

use std::ops::Range;

use jsonpath_rust::JsonPath;
use ofp_evidence::{Cause, Excerpt, Finding, Severity, Subject, cut};
use ofp_scenario::Step;
use serde_json::{Map, Value};

use super::pretty::Pretty;

/// An expectation that was not met: it fails the scenario, never a requirement. `span` is where it is written.
pub(super) fn unmet(step: &Step, span: &Range<usize>, expected: String, actual: String) -> Finding {
    let line = step.source.line(span.start);
    at_line(&step.source.name, line, expected, actual).showing(written(step, span))
}

/// The same of a verb that is an expectation as a whole.
pub(super) fn unmet_by(step: &Step, expected: String, actual: String) -> Finding {
    let span = step.source.line_span(step.line);
    unmet(step, &span, expected, actual)
}

/// The same of a line that belongs to no step.
pub(super) fn at_line(file: &str, line: usize, expected: String, actual: String) -> Finding {
    let subject = Subject::Expectation { file: file.to_owned(), line };
    Finding::new(subject, expected, actual, Severity::Failure).caused_by(Cause::Dp)
}

/// The step as it is written, with what was expected marked.
fn written(step: &Step, span: &Range<usize>) -> Excerpt {
    let text = step.source.shown();
    let lines = |range: Range<usize>| {
        let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[range.end..].find('\n').map_or(text.len(), |at| range.end + at);
        start..end
    };
    let bound = |range: &Range<usize>| range.start.min(text.len())..range.end.min(text.len());
    let whole = lines(bound(&step.span));
    let (whole, span) = (whole.start.min(lines(bound(span)).start)..whole.end, bound(span));
    let shown = text.get(whole.clone()).unwrap_or_default().trim_end();
    let within = |at: usize| at.saturating_sub(whole.start).min(shown.len());
    Excerpt {
        name: step.source.name.clone(),
        text: shown.to_owned(),
        first_line: step.source.line(whole.start),
        span: within(span.start)..within(span.end),
        label: "expected here".into(),
    }
}

/// What the screen that follows is held to.
pub(super) fn of_screen(step: &Step, screen: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let start = || cut(text, 160);
    if let Some(expected) = &step.expect.screen
        && expected.value.as_str() != screen
    {
        let actual = format!("screen {screen}: {}", start());
        let wanted = format!("screen {}", expected.value.as_str());
        findings.push(unmet(step, &expected.span, wanted, actual));
    }
    if let Some(expected) = &step.expect.text
        && !contains(text, &expected.value)
    {
        let wanted = format!("text \"{}\"", expected.value);
        findings.push(unmet(step, &expected.span, wanted, start()));
    }
    findings
}

/// Whether a page says something, whatever the case.
pub(super) fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

/// What is at a JSONPath.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    pub(super) values: Vec<&'a Value>,
    /// Where each is: normalized paths (RFC 9535 §2.7).
    pub(super) paths: Vec<String>,
}

impl Found<'_> {
    /// The values as people read them.
    pub(super) fn shown(&self) -> String {
        match self.values.is_empty() {
            true => "nothing".into(),
            false => self.values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        }
    }
}

/// What is at a JSONPath, whose leading `$.` may be left out.
pub(super) fn query<'a>(body: &'a Value, path: &str) -> Result<Found<'a>, String> {
    let whole = if path.starts_with('$') { path.to_owned() } else { format!("$.{path}") };
    let mut found = Found::default();
    for one in body.query_with_path(&whole).map_err(|e| e.to_string())? {
        found.paths.push(one.clone().path());
        found.values.push(one.val());
    }
    Ok(found)
}

/// So many members are told of what has others than the one that was looked for.
const MOST_MEMBERS: usize = 12;

/// What there is on the way of a path that leads to nothing, as far as it leads.
pub(super) fn on_the_way(body: &Value, path: &str) -> Option<String> {
    let mut way = path.strip_prefix("$.").unwrap_or(path);
    while let Some((parent, _)) = way.rsplit_once(['.', '[']) {
        way = parent;
        let there = query(body, way).unwrap_or_default();
        if let Some(Value::Object(members)) = there.values.first() {
            return Some(format!("`{way}` has {}", names_of(members)));
        }
    }
    match body {
        Value::Object(members) if !members.is_empty() => {
            Some(format!("there are {}", names_of(members)))
        }
        _ => None,
    }
}

fn names_of(members: &Map<String, Value>) -> String {
    let names: Vec<&str> = members.keys().take(MOST_MEMBERS).map(String::as_str).collect();
    let more = if members.len() > MOST_MEMBERS { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}

/// Partial comparison: what is expected must be there, more may be.
pub(super) fn holds(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => expected
            .iter()
            .all(|(name, value)| actual.get(name).is_some_and(|found| holds(value, found))),
        (Value::Array(expected), Value::Array(actual)) => {
            expected.len() == actual.len() && expected.iter().zip(actual).all(|(e, a)| holds(e, a))
        }
        _ => expected == actual,
    }
}

/// So many lines of an answer are shown where no part of it is meant.
const SHORT: usize = 15;

/// A JSON text, with the parts at some paths marked; where there are none, its beginning.
pub(super) fn shown_json(name: &str, body: &Value, paths: &[String], label: &str) -> Excerpt {
    let pretty = Pretty::of(body);
    let place = paths.iter().find_map(|path| pretty.places.get(&pointer(path))).cloned();
    let lines = pretty.text.split_inclusive('\n');
    let beginning: usize = lines.take(SHORT).map(str::len).sum();
    // what is missing is missed where the text begins; of what spans lines, the first character is marked
    let span = match place {
        None if paths.is_empty() => 0..beginning,
        None => 0..1.min(pretty.text.len()),
        Some(place) if pretty.text[place.clone()].contains('\n') => place.start..place.start + 1,
        Some(place) => place,
    };
    Excerpt {
        name: name.to_owned(),
        text: pretty.text,
        first_line: 1,
        span,
        label: label.to_owned(),
    }
}

/// A normalized path (`$['data']['list'][0]`, RFC 9535 §2.7) as a JSON Pointer.
fn pointer(normalized: &str) -> String {
    let (mut pointer, mut rest) =
        (String::new(), normalized.strip_prefix('$').unwrap_or(normalized));
    while let Some(inside) = rest.strip_prefix('[') {
        let (key, behind) = match inside.strip_prefix('\'') {
            Some(quoted) => quoted.split_once("']").unwrap_or((quoted, "")),
            None => inside.split_once(']').unwrap_or((inside, "")),
        };
        pointer.push('/');
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        rest = behind;
    }
    pointer
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_compared_in_part_and_paths_may_leave_out_the_root() {
        let body = json!({"data": {"a": 1, "b": {"c": "x", "d": 2}, "list": [1, 2]}});
        let found = |path: &str| query(&body, path).unwrap().values[0].clone();
        assert!(holds(&json!({"c": "x"}), &found("data.b")));
        assert!(!holds(&json!({"c": "y"}), &found("$.data.b")));
        assert!(!holds(&json!([1]), &found("data.list")), "lists are compared whole");
        assert!(query(&body, "data..[").is_err());
    }

    #[test]
    fn what_is_marked_is_what_the_path_names() {
        let body = json!({"data": {"list": [{"x": 1}, {"x": 2}]}});
        let paths = query(&body, "data.list[1].x").unwrap().paths;
        let excerpt = shown_json("answer", &body, &paths, "here");
        assert_eq!(&excerpt.text[excerpt.span], "2");
    }
}

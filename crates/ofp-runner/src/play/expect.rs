//! What a step's author expects, held to what came.

use jsonpath_rust::JsonPath;
use ofp_evidence::{Cause, Finding, Severity, Subject};
use ofp_scenario::{Expect, Source};
use serde_json::Value;

/// An expectation that was not met: it fails the scenario, never a requirement.
pub(super) fn unmet(file: &str, line: usize, expected: String, actual: String) -> Finding {
    let subject = Subject::Expectation { file: file.to_owned(), line };
    Finding::new(subject, expected, actual, Severity::Failure).caused_by(Cause::Dp)
}

/// What an HTTP answer is held to: every mismatch at once.
pub(super) fn of_answer(
    source: &Source,
    expect: &Expect,
    status: u16,
    body: Option<&Value>,
    raw: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(expected) = &expect.status
        && !expected.value.contains(status)
    {
        let line = source.line(expected.span.start);
        let start: String = raw.chars().take(200).collect();
        let actual = format!("{status} {start}");
        findings.push(unmet(&source.name, line, format!("status {}", expected.value), actual));
    }
    for (path, expected) in expect.json.iter().flatten() {
        let line = source.line(expected.span.start);
        let found = body.map(|body| query(body, path));
        let actual = match found {
            None => "no JSON".to_owned(),
            Some(Err(problem)) => format!("a JSONPath that cannot be read: {problem}"),
            Some(Ok(values)) if values.iter().any(|value| holds(&expected.value, value)) => {
                continue;
            }
            Some(Ok(values)) if values.is_empty() => "nothing at this path".to_owned(),
            Some(Ok(values)) => {
                values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            }
        };
        let expected = format!("{path}: {}", expected.value);
        findings.push(unmet(&source.name, line, expected, actual));
    }
    findings
}

/// What the screen that follows is held to.
pub(super) fn of_screen(
    source: &Source,
    expect: &Expect,
    screen: &str,
    text: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(expected) = &expect.screen
        && expected.value.as_str() != screen
    {
        let line = source.line(expected.span.start);
        let start: String = text.chars().take(160).collect();
        let actual = format!("screen {screen}: {start}");
        let expected = format!("screen {}", expected.value.as_str());
        findings.push(unmet(&source.name, line, expected, actual));
    }
    if let Some(expected) = &expect.text
        && !contains(text, &expected.value)
    {
        let line = source.line(expected.span.start);
        let start: String = text.chars().take(160).collect();
        findings.push(unmet(&source.name, line, format!("text \"{}\"", expected.value), start));
    }
    findings
}

/// Whether a page says something, whatever the case.
pub(super) fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

fn query<'a>(body: &'a Value, path: &str) -> Result<Vec<&'a Value>, String> {
    let whole = if path.starts_with('$') { path.to_owned() } else { format!("$.{path}") };
    body.query(&whole).map_err(|e| e.to_string())
}

/// Partial comparison: what is expected must be there, more may be.
fn holds(expected: &Value, actual: &Value) -> bool {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_compared_in_part_and_paths_may_leave_out_the_root() {
        let body = json!({"data": {"a": 1, "b": {"c": "x", "d": 2}, "list": [1, 2]}});
        let found = |path: &str| query(&body, path).unwrap()[0].clone();
        assert!(holds(&json!({"c": "x"}), &found("data.b")));
        assert!(!holds(&json!({"c": "y"}), &found("$.data.b")));
        assert!(!holds(&json!([1]), &found("data.list")), "lists are compared whole");
        assert!(query(&body, "data..[").is_err());
    }
}

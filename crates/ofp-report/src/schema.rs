//! JSON Schemas (draft-07) of what programs read.

use serde_json::{Value, json};

/// The schema of the JSON report.
#[must_use]
pub fn report_schema() -> Value {
    document(
        "ofp-sim report",
        "What `ofp-sim run --report json=FILE` writes.",
        &json!({
            "type": "object",
            "required": [
                "schema_version", "tool", "profile", "profile_experimental", "target", "exit_code", "duration_ms", "scenarios",
                "requirements", "exchanges",
            ],
            "properties": {
                "schema_version": described("Its form; a key may be added without another version.", &json!({ "const": "1" })),
                "tool": described("What wrote it.", &named(&["name", "version"])),
                "profile": described("The reading of the specification.", &json!({ "type": "string" })),
                "profile_experimental": described("Whether no page of PayNet's portal bears it out.", &json!({ "type": "boolean" })),
                "target": described("Who was tested.", &named(&["name"])),
                "exit_code": described("0 passed, 1 a conformance failure, 2 configuration or scenario, 3 a report, 4 not testable, 5 nothing played, 101 a bug, 130 interrupted.", &json!({ "type": "integer" })),
                "duration_ms": { "type": "integer" },
                "scenarios": { "type": "array", "items": { "$ref": "#/definitions/scenario" } },
                "requirements": { "type": "array", "items": { "$ref": "#/definitions/requirement" } },
                "exchanges": { "type": "array", "items": { "$ref": "#/definitions/exchange" } },
            },
        }),
    )
}

/// The schema of one line of the NDJSON report.
#[must_use]
pub fn event_schema() -> Value {
    let event = |name: &str, about: &str, keys: &Value| {
        let mut properties = keys.as_object().cloned().unwrap_or_default();
        let required: Vec<String> =
            std::iter::once("event".to_owned()).chain(properties.keys().cloned()).collect();
        properties.insert("event".into(), json!({ "const": name }));
        described(
            about,
            &json!({ "type": "object", "required": required, "properties": properties }),
        )
    };
    document(
        "ofp-sim event",
        "One line of what `ofp-sim run --report ndjson=FILE` writes while it runs.",
        &json!({ "oneOf": [
            event("run_started", "The first line.", &json!({
                "schema_version": { "const": "1" },
                "tool": { "type": "string" },
                "profile": { "type": "string" },
                "profile_experimental": { "type": "boolean" },
                "target": named(&["name"]),
                "scenarios": described("How many will be played.", &json!({ "type": "integer" })),
            })),
            event("scenario_started", "A scenario begins; others may be under way.", &json!({ "scenario": { "type": "string" } })),
            event("step_finished", "A step ended. What its checks find is in `scenario_finished`.", &json!({
                "scenario": { "type": "string" },
                "number": described("Which, from 1.", &json!({ "type": "integer", "minimum": 1 })),
                "step": { "$ref": "#/definitions/step" },
            })),
            event("scenario_finished", "A scenario ended.", &json!({ "scenario": { "$ref": "#/definitions/scenario" } })),
            event("run_finished", "The last line.", &json!({
                "exit_code": { "type": "integer" },
                "duration_ms": { "type": "integer" },
                "requirements": { "type": "array", "items": { "$ref": "#/definitions/requirement" } },
            })),
        ] }),
    )
}

fn document(title: &str, about: &str, schema: &Value) -> Value {
    let mut document = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
        "description": about,
    });
    if let (Some(document), Value::Object(members)) = (document.as_object_mut(), schema) {
        document.extend(members.clone());
        document.insert("definitions".into(), definitions());
    }
    document
}

fn definitions() -> Value {
    let text = json!({ "type": "string" });
    let texts = json!({ "type": "array", "items": text });
    let findings = json!({ "type": "array", "items": { "$ref": "#/definitions/finding" } });
    let or_null = |kind: &str| json!({ "type": [kind, "null"] });
    json!({
        "scenario": object(&json!({
            "id": described("Its folder and name, and its row.", &text),
            "title": text,
            "file": text,
            "status": { "enum": ["passed", "failed", "error", "skipped"] },
            "duration_ms": { "type": "integer" },
            "steps": { "type": "array", "items": { "$ref": "#/definitions/step" } },
            "findings": described("What belongs to no step.", &findings),
        })),
        "step": object(&json!({
            "name": text,
            "file": described("Where it is written, where that is a fragment.", &or_null("string")),
            "line": { "type": "integer" },
            "status": { "enum": ["passed", "failed", "error", "skipped", "not_applicable"] },
            "error": described("Why it could not be carried out, or was left out.", &or_null("string")),
            "findings": findings,
            "exchanges": texts,
        })),
        "requirement": requirement(&texts, &findings),
        "finding": object(&json!({
            "subject": {
                "oneOf": [
                    object(&json!({ "requirement": text })),
                    object(&json!({ "expectation": object(&json!({ "file": text, "line": { "type": "integer" } })) })),
                    object(&json!({ "snapshot": text })),
                ],
            },
            "expected": text,
            "actual": text,
            "severity": { "enum": ["info", "warning", "failure"] },
            "cause": { "enum": ["dp", "config", "network", "harness"] },
            "hint": described("How to mend it.", &or_null("string")),
            "exchange": or_null("string"),
        })),
        "exchange": exchange(),
        "message": object(&json!({ "headers": { "type": "array", "items": texts }, "body": text })),
    })
}

fn exchange() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "required": ["id", "at", "duration_ms", "from", "to", "endpoint", "method", "url", "request"],
        "properties": {
            "id": { "type": "string", "pattern": "^x[0-9]+$" },
            "status": { "type": "integer" },
            "request": { "$ref": "#/definitions/message" },
            "response": { "$ref": "#/definitions/message" },
            "failed": described("Why there is no answer.", &text),
                "decrypted": described("What the DC got out of an encrypted answer.", &text),
            "note": described("Why the simulator answered as it did.", &text),
            "cause": described("The exchange that made the caller make it.", &text),
            "spoilt": { "type": "object" },
        },
    })
}

fn requirement(texts: &Value, findings: &Value) -> Value {
    let text = json!({ "type": "string" });
    object(&json!({
        "id": { "type": "string", "pattern": "^[A-P]-[0-9]{2}$" },
        "title": text,
        "level": { "enum": ["must", "should", "info", "self"] },
        "verdict": { "enum": ["pass", "fail", "warn", "not_tested", "not_applicable"] },
        "cause": described("Whose fault it is.", &json!({ "enum": ["dp", "config", "network", "harness", null] })),
        "because": described("The reason of not_tested or not_applicable.", &json!({ "type": ["string", "null"] })),
        "evidence": described("Exchanges; never none for pass.", texts),
        "scenarios": texts,
        "switches": described("Switches of the profile that it depends on.", texts),
        "baseline": { "enum": ["known", "new", "stale", null] },
        "findings": findings,
    }))
}

/// An object that has all of these keys.
fn object(properties: &Value) -> Value {
    let required: Vec<&String> =
        properties.as_object().into_iter().flat_map(|map| map.keys()).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

fn named(keys: &[&str]) -> Value {
    object(&Value::Object(
        keys.iter().map(|key| ((*key).to_owned(), json!({ "type": "string" }))).collect(),
    ))
}

fn described(about: &str, schema: &Value) -> Value {
    let mut described = schema.clone();
    if let Some(members) = described.as_object_mut() {
        members.insert("description".into(), json!(about));
    }
    described
}

//! JSON Schema (draft-07) of a scenario file, for editors: made from the types that the parser decodes.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    ConsentSpec, Expect, Skip,
    capture::CaptureSpec,
    duration::Span,
    step::UNSPOILT,
    verb::{Answers, VERBS, Verb},
};

/// The definition that lets a name stand where a value can.
const PLACEHOLDER: &str = "#/definitions/Placeholder";

/// The schema of a scenario file or fragment.
#[must_use]
pub fn scenario_schema() -> Value {
    let mut generator = SchemaSettings::draft07().into_generator();
    let step = step(&mut generator);
    let top = top(&mut generator);
    let mut definitions: Map<String, Value> = generator.take_definitions(true);
    for definition in definitions.values_mut() {
        open_properties(definition);
        // what a key means is said at the key: an editor would show the type's words instead
        if let Some(members) = definition.as_object_mut() {
            members.remove("description");
        }
    }
    definitions.insert("Step".into(), step);
    definitions.insert(
        "Placeholder".into(),
        json!({
            "type": "string",
            "pattern": "\\{\\{ *[A-Za-z0-9_-]+ *\\}\\}",
        }),
    );
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "ofp-sim scenario",
        "description": "A scenario, or a fragment: steps for scenarios to use.",
        "type": "object",
        "properties": top,
        "additionalProperties": false,
        "oneOf": [
            { "required": ["scenario", "title", "steps"] },
            { "required": ["fragment", "steps"] },
        ],
        "definitions": definitions,
    })
}

/// The schema of a profile file.
#[must_use]
pub fn profile_schema() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = serde_json::to_value(generator.into_root_schema_for::<ofp_types::Profile>())
        .unwrap_or_default();
    schema["title"] = json!("ofp-sim profile");
    schema
}

fn top(generator: &mut SchemaGenerator) -> Value {
    let name = json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+$" });
    let named = |about: &str| with(about, &name);
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let requirements =
        json!({ "type": "array", "items": { "type": "string", "pattern": "^[A-P]-[0-9]{2}$" } });
    let variables = json!({
        "type": "object",
        "additionalProperties": {
            "anyOf": [
                { "type": ["string", "number", "boolean", "null", "array"] },
                {
                    "type": "object",
                    "properties": {
                        "default": with("What it is unless given.", &json!({})),
                        "secret": with(
                            "Whether no report may show it. A secret has no default, and at least four characters.",
                            &json!({ "type": "boolean" }),
                        ),
                        "about": with("What it is, for people.", &json!({ "type": "string" })),
                    },
                    "additionalProperties": false,
                },
            ],
        },
    });
    let rows = json!({ "type": "array", "minItems": 1, "items": { "type": "object" } });
    let steps =
        json!({ "type": "array", "minItems": 1, "items": { "$ref": "#/definitions/Step" } });
    json!({
        "scenario": named("The scenario's name: letters, digits, - and _. Its id is the folder and this name."),
        "fragment": named("The fragment's name. A file with this key holds steps for scenarios to `use`."),
        "title": with("One sentence: what the scenario shows.", &json!({ "type": "string" })),
        "tags": with("Words for `--tag` and `--filter 'tag(smoke)'`.", &texts),
        "covers": with("Requirements that the scenario must lead to a verdict on, such as C-05.", &requirements),
        "consent": referring::<ConsentSpec>(generator, "What the DC asks the customer for."),
        "vars": with("Variables and their defaults. A value comes from --var NAME=VALUE, else from the environment (OFP_VAR_NAME), else from --vars FILE, else from here.", &variables),
        "params": with("Parameters of a fragment and their defaults.", &variables),
        "for_each": with("A table: the file is a scenario for each row. `{{ key }}` stands for the row's value. `name` is what the row is called, its first word unless given; `covers` is added to the scenario's.", &rows),
        "snapshot": with("Whether the conversation is held to a snapshot.", &json!({ "type": "boolean" })),
        "exclusive": with("Whether the scenario must run alone, because it disturbs others.", &json!({ "type": "boolean" })),
        "skip": referring::<Skip>(generator, "Where the scenario has nothing to say, and why."),
        "only_profiles": with("The only profiles that the scenario is for.", &texts),
        "steps": with("What happens, in order.", &steps),
    })
}

fn step(generator: &mut SchemaGenerator) -> Value {
    let mut properties = Map::new();
    for verb in VERBS {
        properties.insert(verb.name.into(), with(verb.doc, &behind(verb, generator)));
    }
    for (name, schema) in reserved(generator) {
        properties.insert(name.into(), schema);
    }
    for (name, schema) in &mut properties {
        if !["name", "use", "with", "returns", "as"].contains(&name.as_str()) {
            open(schema);
        }
    }
    let one = VERBS.iter().map(|verb| json!({ "required": [verb.name] }));
    let one: Vec<Value> = one.chain([json!({ "required": ["use"] })]).collect();
    json!({
        "type": "object",
        "description": "One actor doing one thing.",
        "properties": properties,
        "additionalProperties": false,
        "oneOf": one,
        "allOf": sensible(),
        "dependencies": { "every": ["until"], "for": ["until"], "with": ["use"], "returns": ["use"] },
    })
}

/// What makes sense beside a verb.
fn sensible() -> Vec<Value> {
    let mut rules = expectable();
    rules.push(spoilable());
    rules
}

/// What can be spoilt is what PayNet sends by itself, and what a browser sends.
fn spoilable() -> Value {
    let by_hand = ["customer.select_accounts", "customer.approve", "customer.reject"];
    let verbs =
        VERBS.iter().filter(|verb| verb.answers == Answers::Probe || by_hand.contains(&verb.name));
    let verbs: Vec<Value> = verbs.map(|verb| json!({ "required": [verb.name] })).collect();
    json!({ "if": { "required": ["mutate"] }, "then": { "anyOf": verbs } })
}

/// What can be expected depends on what comes of the verb.
fn expectable() -> Vec<Value> {
    let kinds = [
        Answers::Http,
        Answers::Platform,
        Answers::Said,
        Answers::Probe,
        Answers::Page,
        Answers::WayBack,
        Answers::Nothing,
    ];
    let rule = |kind: Answers| {
        let verbs = VERBS.iter().filter(|verb| verb.answers == kind);
        let verbs: Vec<Value> = verbs.map(|verb| json!({ "required": [verb.name] })).collect();
        let names = json!({ "propertyNames": { "enum": Expect::possible(kind) } });
        json!({
            "if": { "anyOf": verbs },
            "then": { "properties": { "expect": names, "until": names } },
        })
    };
    kinds.map(rule).to_vec()
}

/// The keys that may stand beside a verb, or instead of one.
fn reserved(generator: &mut SchemaGenerator) -> Vec<(&'static str, Value)> {
    let captures = json!({
        "type": "object",
        "additionalProperties": generator.subschema_for::<CaptureSpec>().to_value(),
    });
    let mutations: Vec<&str> =
        ofp_types::Mutation::ALL.iter().map(|mutation| mutation.name()).chain([UNSPOILT]).collect();
    vec![
        (
            "name",
            with(
                "What reports call the step; `actor.verb` unless given.",
                &json!({ "type": "string" }),
            ),
        ),
        ("expect", referring::<Expect>(generator, "What is expected of the step.")),
        ("as", with("What later steps want to know: name to where it is.", &captures)),
        ("until", referring::<Expect>(generator, "The step is done again until this holds.")),
        (
            "every",
            referring::<Span>(
                generator,
                "How long to wait before the next try; 250ms unless given.",
            ),
        ),
        ("for", referring::<Span>(generator, "How long to try at most; 10s unless given.")),
        (
            "mutate",
            with(
                "What of the request is spoilt on purpose (`ofp-sim list mutations`); `none` for the good row of a table.",
                &json!({ "enum": mutations }),
            ),
        ),
        ("skip", referring::<Skip>(generator, "Where the step is left out, and why.")),
        (
            "continue",
            with(
                "Whether the scenario goes on when the step fails.",
                &json!({ "type": "boolean" }),
            ),
        ),
        (
            "use",
            with(
                "A fragment, whose steps stand here: its file, relative to this one.",
                &json!({ "type": "string" }),
            ),
        ),
        ("with", with("Values for the fragment's parameters.", &json!({ "type": "object" }))),
        (
            "returns",
            with(
                "Captures of the fragment that later steps may refer to.",
                &json!({ "type": "array", "items": { "type": "string" } }),
            ),
        ),
    ]
}

/// What stands behind a verb: nothing will do where nothing is required.
fn behind(verb: &Verb, generator: &mut SchemaGenerator) -> Value {
    let schema = (verb.schema)(generator).to_value();
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    let definition = name.and_then(|name| generator.definitions().get(name)).unwrap_or(&schema);
    let is_object = definition["type"] == "object" || definition["properties"].is_object();
    match is_object && definition["required"].is_null() {
        true => json!({ "anyOf": [schema, { "type": "null" }] }),
        false => schema,
    }
}

fn referring<T: JsonSchema>(generator: &mut SchemaGenerator, about: &str) -> Value {
    let mut schema = generator.subschema_for::<T>().to_value();
    // the description of a type is not what it means here
    if let Some(object) = schema.as_object_mut() {
        object.remove("description");
    }
    with(about, &schema)
}

/// A schema under a description; a reference cannot have one beside it in draft-07.
fn with(about: &str, schema: &Value) -> Value {
    let mut described = match schema {
        Value::Object(members) if !members.contains_key("$ref") => members.clone(),
        other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
    };
    described.insert("description".into(), json!(about));
    Value::Object(described)
}

/// Lets names stand in the properties and items of a schema.
fn open_properties(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    for (_, property) in
        members.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten()
    {
        open(property);
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(schema) = members.get_mut(inner).filter(|schema| schema.is_object()) {
            open(schema);
        }
    }
    for list in ["anyOf", "oneOf", "allOf"] {
        members
            .get_mut(list)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
            .for_each(open_properties);
    }
}

/// Lets a name stand instead of a value, where not any text can.
fn open(schema: &mut Value) {
    open_properties(schema);
    let Value::Object(members) = schema else { return };
    let bounded = ["enum", "pattern", "const"].iter().any(|key| members.contains_key(*key));
    let has_type = |name: &str| match &members.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    };
    if members.is_empty() || (has_type("string") && !bounded) {
        return;
    }
    let description = members.remove("description");
    let inner = std::mem::take(members);
    members.extend(description.map(|text| ("description".to_owned(), text)));
    members.insert("anyOf".into(), json!([inner, { "$ref": PLACEHOLDER }]));
}

/// The name of the definition that a schema refers to, however deep.
pub(crate) fn reference(schema: &Value) -> Option<String> {
    if let Some(path) = schema["$ref"].as_str() {
        let name = path.rsplit('/').next()?;
        return (name != "Placeholder").then(|| name.to_owned());
    }
    let lists = ["anyOf", "allOf"].iter().filter_map(|key| schema[key].as_array());
    let items = Some(&schema["items"]).filter(|items| items.is_object());
    lists.flatten().chain(items).find_map(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_and_key_is_described() {
        let schema = scenario_schema();
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        for (name, property) in schema["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{name}");
        }
        let step = &schema["definitions"]["Step"];
        for verb in VERBS {
            assert_eq!(step["properties"][verb.name]["description"], verb.doc);
        }
        for name in crate::step::RESERVED {
            assert!(step["properties"][name]["description"].is_string(), "{name}");
        }
        let expect = &schema["definitions"]["Expect"]["properties"];
        for (name, property) in expect.as_object().unwrap() {
            assert!(property["description"].is_string(), "{name}");
        }
    }
}

//! The language reference as Markdown, made from the model.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{
    Answers, Expect, VERBS, Verb,
    schema::{reference, scenario_schema},
    step::{EVERY, FOR, RESERVED},
};

/// `docs/language.md`.
#[must_use]
pub fn language_page() -> String {
    let schema = scenario_schema();
    let mut text = String::from(
        "# The scenario language\n\n\
         Every key and verb. Made by `ofp-sim explain language` from what the parser reads; CI fails when it is stale.\n\n\
         A scenario is one YAML document: plain data, strict keys, no sentence inside a text. Numbers are never silently changed: \
         what would not read back as it is written (`007`, `1.50`) must be quoted. `scenario`, `title` and `steps` must be there, a verb's own table says what it needs; the rest has a default.\n\n\
         ## Keys of a file\n\n| Key | Means |\n|---|---|\n",
    );
    rows(&mut text, &schema["properties"], &schema);
    text.push_str("\n`consent` has:\n\n| Key | Means |\n|---|---|\n");
    rows(&mut text, &schema["definitions"]["ConsentSpec"]["properties"], &schema);
    steps(&mut text, &schema);
    verbs(&mut text, &schema);
    expectations(&mut text, &schema);
    text.push_str(NAMES);
    text
}

/// The part of the reference about one verb; empty for what is none.
#[must_use]
pub fn verb_page(name: &str) -> String {
    let mut text = String::new();
    if let Some(verb) = Verb::find(name) {
        about(&mut text, verb, &scenario_schema());
    }
    text.trim_start().trim_start_matches("### ").to_owned()
}

fn steps(text: &mut String, schema: &Value) {
    let step = &schema["definitions"]["Step"]["properties"];
    text.push_str(
        "\n## A step\n\nOne actor doing one thing: a map with exactly one verb, and any of these keys beside it.\n\n\
         | Key | Means |\n|---|---|\n",
    );
    for name in RESERVED.iter().chain(&["use", "with", "returns"]) {
        let _ = writeln!(text, "| `{name}` | {} |", described(&step[name]));
    }
    let (every, most) = (EVERY.0, FOR.0);
    let _ = write!(
        text,
        "\n`until` goes with calls whose answer can change; `every` is {every:#} and `for` {most:#} unless given.\n"
    );
}

fn verbs(text: &mut String, schema: &Value) {
    let mut actor = "";
    for verb in VERBS {
        if verb.actor() != actor {
            actor = verb.actor();
            let _ = write!(text, "\n## `{actor}`\n\n{}\n", who(actor));
        }
        about(text, verb, schema);
    }
}

fn about(text: &mut String, verb: &Verb, schema: &Value) {
    let _ = write!(text, "\n### `{}`\n\n{}\n", verb.name, verb.doc);
    if let Some(needs) = verb.needs.first() {
        let _ = write!(text, "\nNeeds `{}` before it.\n", needs.verb());
    }
    arguments(text, verb, schema);
    let possible = Expect::possible(verb.answers);
    if verb.answers != Answers::Nothing {
        let _ = write!(text, "\nCan be expected of it: {}.\n", possible.join(", "));
    }
}

fn who(actor: &str) -> &'static str {
    match actor {
        "dc" => "The mock Data Consumer.",
        "customer" => "The customer, in a browser.",
        "clock" => "The time at which PayNet judges the scenario's consent.",
        "dp" => {
            "What nobody can do to the DP from outside: the reference DP does it, a DP of your own by its hooks (docs/bring-your-own-dp.md)."
        }
        "paynet" => "The platform.",
        _ => "What is expected of the whole, and not of one answer.",
    }
}

fn arguments(text: &mut String, verb: &Verb, schema: &Value) {
    let behind = &schema["definitions"]["Step"]["properties"][verb.name];
    let Some(name) = reference(behind) else {
        let nothing = serde_json::to_string(behind).unwrap_or_default().contains("\"null\"");
        text.push_str(if nothing {
            "\nNothing stands behind it.\n"
        } else {
            "\nA length of time stands behind it.\n"
        });
        return;
    };
    let definition = &schema["definitions"][name.as_str()];
    let required: Vec<&str> =
        definition["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    text.push_str("\n| Key | Means |\n|---|---|\n");
    for (key, property) in definition["properties"].as_object().into_iter().flatten() {
        let must = if required.contains(&key.as_str()) { " (required)" } else { "" };
        let _ = writeln!(
            text,
            "| `{key}` | {}{must}{} |",
            described(property),
            values(property, schema)
        );
    }
}

fn expectations(text: &mut String, schema: &Value) {
    text.push_str(
        "\n## What can be expected\n\nThe keys of `expect` and `until`. Every mismatch of a step is reported at once; where the status is another, the status alone, since what else is expected is expected of another answer. A key without a value is an error.\n\n\
         | Key | Means |\n|---|---|\n",
    );
    rows(text, &schema["definitions"]["Expect"]["properties"], schema);
    for (key, name) in
        [("jwt", "ExpectJwt"), ("jwe", "ExpectJwe"), ("tls", "ExpectTls"), ("time", "ExpectTime")]
    {
        let _ = write!(text, "\n`{key}` has:\n\n| Key | Means |\n|---|---|\n");
        rows(text, &schema["definitions"][name]["properties"], schema);
    }
    text.push_str("\nA capture, behind a name in `as`, has one of these, and `secret`:\n\n| Key | Means |\n|---|---|\n");
    rows(text, &schema["definitions"]["CaptureSpec"]["properties"], schema);
}

fn rows(text: &mut String, properties: &Value, schema: &Value) {
    for (key, property) in properties.as_object().into_iter().flatten() {
        let _ = writeln!(text, "| `{key}` | {}{} |", described(property), values(property, schema));
    }
}

fn described(property: &Value) -> String {
    let text = property["description"].as_str().unwrap_or_default();
    text.replace('\n', " ").replace('|', "\\|")
}

/// The words that are allowed, where they are few.
fn values(property: &Value, schema: &Value) -> String {
    let definition = reference(property).map(|name| schema["definitions"][name.as_str()].clone());
    let mut words: Vec<String> = Vec::new();
    listed(definition.as_ref().unwrap_or(property), &mut words);
    match words.len() {
        0 | 40.. => String::new(),
        _ => format!(
            " One of {}.",
            words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// The words that a schema lists, in whatever of its parts.
fn listed(schema: &Value, words: &mut Vec<String>) {
    let own = schema["enum"].as_array().into_iter().flatten().chain([&schema["const"]]);
    words.extend(own.filter_map(Value::as_str).map(str::to_owned));
    for list in ["oneOf", "anyOf", "allOf"] {
        for one in schema[list].as_array().into_iter().flatten() {
            words.extend(with_one_key(one));
            listed(one, words);
        }
    }
    if schema["items"].is_object() {
        listed(&schema["items"], words);
    }
}

/// An alternative with something behind it: `{ id: … }`.
fn with_one_key(schema: &Value) -> Option<String> {
    let [only] = schema["required"].as_array()?.as_slice() else { return None };
    let is_only = schema["properties"].as_object()?.len() == 1;
    only.as_str().filter(|_| is_only).map(|name| format!("{{ {name}: … }}"))
}

const NAMES: &str = "
## Names

`{{ name }}` stands for a value, alone or inside a text. Alone, it keeps its type: a number stays a number.

| From | Known |
|---|---|
| a row of `for_each` | when the file is read; the row's value stands where the name does, and its `name` too. `mutation: none` makes the good row of a table |
| `vars` | when the file is read; `--var NAME=VALUE` outweighs `OFP_VAR_NAME` (upper case, `-` as `_`), which outweighs `--vars FILE`, which outweighs the default. What comes from outside is a number where the default is one, else a text |
| `params` of a fragment | when the file is read, from `with` |
| `as` of an earlier step | when the scenario is played; it can stand where a text can, and in what is expected |

Nothing leaks out of a fragment but what `returns` names. A variable that is `secret: true` has no default and at least four characters, and
its value is masked in every output, in every encoding; it cannot stand in a title, tag, name or reason. A capture that is `secret: true`,
and every `code`, is masked from when it is captured, and must have four characters too: what an NDJSON report has written before stays written.

A value is put in as it is: a name inside a value is an error. So is a name that nothing refers to, and one that nothing declares.
";

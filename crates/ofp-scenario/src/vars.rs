//! `vars` of a scenario and `params` of a fragment: names with defaults.

use std::{collections::BTreeMap, ops::Range};

use serde::Deserialize;

use crate::{
    Context, Diagnostic, Source, Values,
    decode_all::decode_all,
    node::{Key, Kind, Node},
    parse::is_plain,
    scope::{Known, Origin, name_in_value},
    yaml,
};

/// A declared name.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    pub(crate) default: Option<Node>,
    pub(crate) secret: bool,
}

/// What stands behind a name, where it is more than a default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Spec {
    /// What it is, for people.
    #[serde(rename = "about")]
    _about: Option<String>,
    /// Whether no report may show it.
    #[serde(rename = "secret")]
    _secret: bool,
    /// Taken from the tree, to keep its place and text.
    #[serde(rename = "default")]
    _default: Option<serde_json::Value>,
}

/// The names that a map declares.
pub(crate) fn declared(
    node: &Node,
    origin: Origin,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Declared> {
    let Kind::Mapping(entries) = &node.kind else {
        let title = format!("expected a map of names, found {}", node.describe());
        let help = "such as `{ username: paynet, password: { secret: true } }`";
        let code = origin.key();
        problems.push(Diagnostic::new(code, title, node.span.clone(), "here").help(help));
        return Vec::new();
    };
    let all: Vec<Declared> =
        entries.iter().filter_map(|(key, value)| one(key, value, origin, problems)).collect();
    let defaults = all.iter().filter_map(|one| one.default.as_ref());
    problems.extend(defaults.filter_map(|default| name_in_value(origin.key(), default)));
    all
}

fn one(
    key: &Key,
    value: &Node,
    origin: Origin,
    problems: &mut Vec<Diagnostic>,
) -> Option<Declared> {
    if !is_plain(&key.text) {
        let title = format!("`{}` cannot be a name", key.text);
        let label = "letters, digits, - and _ only";
        problems.push(Diagnostic::new(origin.key(), title, key.span.clone(), label));
        return None;
    }
    let (name, span) = (key.text.clone(), key.span.clone());
    let Kind::Mapping(entries) = &value.kind else {
        let default = (!value.is_null()).then(|| value.clone());
        return Some(Declared { name, span, default, secret: false });
    };
    let member =
        |name: &str| entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node);
    let default = member("default").filter(|node| !node.is_null()).cloned();
    let is_secret = member("secret")
        .is_some_and(|node| matches!(&node.kind, Kind::Scalar { text, .. } if text == "true"));
    let written = default.as_ref().filter(|_| is_secret).map(Node::extent);
    let before = problems.len();
    if let Err(found) = decode_all::<Spec>(value) {
        problems.extend(found);
    } else if let Some(at) = written {
        let title = format!("the secret `{name}` is written in the file");
        let help = format!(
            "leave `default` out, and give it by --vars FILE, --var {name}=… or {}",
            Values::environment_name(&name)
        );
        problems.push(Diagnostic::new(origin.key(), title, at, "here").help(help));
    }
    Some(match problems.len() > before {
        // one mistake is not to make others
        true => {
            Declared { name, span, default: Some(Node::text("anything", value)), secret: false }
        }
        false => Declared { name, span, default, secret: is_secret },
    })
}

/// What a scenario's variables come to.
pub(crate) struct Resolved {
    /// Those whose values are known.
    pub(crate) known: Vec<Known>,
    /// Those whose values nobody has said, where that is allowed.
    pub(crate) open: Vec<Declared>,
    /// Values that no report may show.
    pub(crate) secrets: Vec<String>,
}

/// The scenario's variables with their values.
pub(crate) fn resolved(
    declared: Vec<Declared>,
    context: &Context<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Resolved {
    let mut resolved = Resolved { known: Vec::new(), open: Vec::new(), secrets: Vec::new() };
    for one in declared {
        let outside = context.values.get(&one.name);
        problems.extend(outside.and_then(|text| with_braces(&one, text)));
        if let Some(text) = outside.filter(|_| one.secret) {
            resolved.secrets.push(text.to_owned());
            problems.extend(too_short(&one, text));
        }
        let given = outside.map(|text| from_outside(text, &one));
        match given.or_else(|| one.default.clone()) {
            Some(node) => {
                let (name, span) = (one.name, one.span);
                resolved.known.push(Known { name, node, origin: Origin::Variable, span });
            }
            None if !context.needs_values => resolved.open.push(one),
            None => {
                let name = &one.name;
                let title = format!("variable `{name}` has no value");
                let variable = Values::environment_name(name);
                let help = match one.secret {
                    true => format!("give it a value by {variable}, --vars FILE or --var {name}=…"),
                    false => format!(
                        "give it a default here, or a value by --var {name}=…, {variable} or --vars FILE"
                    ),
                };
                let problem = Diagnostic::new("vars", title, one.span.clone(), "here").help(help);
                problems.push(problem);
                // what it would be is unknown; the rest can be looked at all the same
                resolved.open.push(one);
            }
        }
    }
    resolved
}

/// What is given is put in as it is; two braces would be taken for a name later on.
fn with_braces(one: &Declared, text: &str) -> Option<Diagnostic> {
    text.contains("{{").then(|| {
        let title =
            format!("the value given for `{}` has `{{{{` in it, which begins a name", one.name);
        let problem = Diagnostic::new("vars", title, one.span.clone(), "here");
        problem.help("give it a value without two opening braces in a row")
    })
}

/// A secret that could not be told from other texts would be shown.
fn too_short(one: &Declared, text: &str) -> Option<Diagnostic> {
    const SHORTEST: usize = 4;
    if text == "…" {
        let title = format!("`…` stands for the value of the secret `{}`", one.name);
        let problem = Diagnostic::new("vars", title, one.span.clone(), "here");
        return Some(problem.help("put the value itself in its place"));
    }
    (text.len() < SHORTEST).then(|| {
        let title = format!("the secret `{}` is too short to be masked", one.name);
        let help = format!("give it at least {SHORTEST} characters");
        Diagnostic::new("vars", title, one.span.clone(), "here").help(help)
    })
}

/// A text from a flag, the environment or a file of variables: a number or truth value where the default is one, else a
/// text.
fn from_outside(text: &str, one: &Declared) -> Node {
    let plain = matches!(
        one.default.as_ref().map(|node| &node.kind),
        Some(Kind::Scalar { plain: true, .. })
    );
    let number = text.parse::<i64>().is_ok_and(|number| number.to_string() == text);
    let plain = plain && (number || matches!(text, "true" | "false"));
    Node { span: one.span.clone(), kind: Kind::Scalar { text: text.to_owned(), plain } }
}

/// A file of variables: a map of names to texts, numbers or truth values. Each is kept as it is written.
///
/// # Errors
/// The problem, with its place in the text.
pub fn parse_values(source: &Source) -> Result<BTreeMap<String, String>, Diagnostic> {
    let root = yaml::parse(&source.text)?;
    let Kind::Mapping(entries) = &root.kind else {
        // what stands there may be a secret
        let title = format!("expected a map of variables to values, found {}", root.sort());
        return Err(Diagnostic::new("vars", title, root.span.clone(), "here"));
    };
    let value = |(key, node): &(Key, Node)| match &node.kind {
        Kind::Scalar { text, .. } => Ok((key.text.clone(), text.clone())),
        _ => {
            let title = format!("expected a value for `{}`, found {}", key.text, node.describe());
            Err(Diagnostic::new("vars", title, key.span.clone(), "here"))
        }
    };
    entries.iter().map(value).collect()
}

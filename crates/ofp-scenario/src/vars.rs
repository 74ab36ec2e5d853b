//! `vars` of a scenario and `params` of a fragment: names with defaults.

use std::{collections::BTreeMap, ops::Range};

use serde::Deserialize;

use crate::{
    Context, Diagnostic, Source, Values,
    decode::decode_all,
    node::{Key, Kind, Node},
    parse::is_plain,
    scope::{Known, Origin},
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
    secret: bool,
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
    entries.iter().filter_map(|(key, value)| one(key, value, origin, problems)).collect()
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
    let spec: Spec = match decode_all(value) {
        Ok(spec) => spec,
        Err(found) => {
            problems.extend(found);
            return None;
        }
    };
    let default = entries.iter().find(|(key, _)| key.text == "default").map(|(_, node)| node);
    let default = default.filter(|node| !node.is_null()).cloned();
    if let Some(written) = default.as_ref().filter(|_| spec.secret) {
        let title = format!("the secret `{name}` is written in the file");
        let help = format!(
            "leave `default` out, and give it by --vars FILE, --var {name}=… or {}",
            Values::environment_name(&name)
        );
        let mut problem =
            Diagnostic::new(origin.key(), title, written.span.clone(), "here").help(help);
        problem.covered.push(written.span.clone());
        problems.push(problem);
        let kind = Kind::Scalar { text: name.clone(), plain: false };
        let default = Some(Node { span: span.clone(), kind });
        return Some(Declared { name, span, default, secret: false });
    }
    Some(Declared { name, span, default, secret: spec.secret })
}

/// The scenario's variables with their values. Secret values come back as well.
pub(crate) fn resolved(
    declared: Vec<Declared>,
    context: &Context<'_>,
    problems: &mut Vec<Diagnostic>,
) -> (Vec<Known>, Vec<String>) {
    let (mut known, mut secrets) = (Vec::new(), Vec::new());
    for Declared { name, span, default, secret } in declared {
        let outside = context.values.get(&name);
        if let Some(text) = outside.filter(|_| secret) {
            secrets.push(text.to_owned());
        }
        let given = outside.map(|text| from_outside(text, &span));
        match given.or(default) {
            Some(node) => known.push(Known { name, node, origin: Origin::Variable, span }),
            None => {
                let title = format!("variable `{name}` has no value");
                let help = format!(
                    "give it a default here, or a value by --var {name}=…, {} or --vars FILE",
                    Values::environment_name(&name)
                );
                problems.push(Diagnostic::new("vars", title, span.clone(), "here").help(help));
                // what it would be is unknown; the rest can be looked at all the same
                let node = Node {
                    span: span.clone(),
                    kind: Kind::Scalar { text: name.clone(), plain: false },
                };
                known.push(Known { name, node, origin: Origin::Variable, span });
            }
        }
    }
    (known, secrets)
}

/// A text from a flag, the environment or a file of variables: a number or truth value where it is written exactly as
/// one, else a text.
fn from_outside(text: &str, span: &Range<usize>) -> Node {
    let number = text.parse::<i64>().is_ok_and(|number| number.to_string() == text);
    let plain = number || matches!(text, "true" | "false");
    Node { span: span.clone(), kind: Kind::Scalar { text: text.to_owned(), plain } }
}

/// A file of variables: a map of names to texts, numbers or truth values. Each is kept as it is written.
///
/// # Errors
/// The problem, with its place in the text.
pub fn parse_values(source: &Source) -> Result<BTreeMap<String, String>, Diagnostic> {
    let root = yaml::parse(&source.text)?;
    let Kind::Mapping(entries) = &root.kind else {
        let title = format!("expected a map of variables to values, found {}", root.describe());
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

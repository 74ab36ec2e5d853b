//! A fragment: what its head says, what is said where it is used, and what is given for its parameters.

use std::ops::Range;

use serde::Deserialize;

use crate::{
    Diagnostic, Label, Located, Source,
    decode_all::decode_all,
    node::{Key, Kind, Node},
    parse::{FRAGMENT, is_plain, take},
    scope::{Known, Origin, names_at},
    suggest,
    vars::{self, Declared},
};

/// What is said where a file is used.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Use {
    /// The fragment's file, relative to the one that uses it.
    pub(crate) r#use: Located<String>,
    /// Taken from the tree, to keep places and texts.
    #[serde(default, rename = "with")]
    _with: Option<serde_json::Value>,
    /// Captures of the fragment that the steps after it may refer to.
    #[serde(default)]
    pub(crate) returns: Vec<Located<String>>,
    /// What people call it.
    #[serde(default, rename = "name")]
    _name: Option<String>,
}

/// What is given for a fragment's parameters, and where.
pub(crate) struct Given<'a> {
    pub(crate) with: Option<&'a Node>,
    pub(crate) place: &'a Range<usize>,
}

impl Given<'_> {
    /// Where the value is given that a problem of the fragment is about, or the fragment used.
    pub(crate) fn place_of(&self, source: &Source, problem: &Diagnostic) -> Label {
        let own = problem.source.is_none().then(|| problem.labels.first()).flatten();
        let names = own.map(|label| names_at(source, &label.span)).unwrap_or_default();
        let given = match self.with.map(|node| &node.kind) {
            Some(Kind::Mapping(entries)) => entries.as_slice(),
            _ => &[],
        };
        let about = given.iter().find(|(key, _)| names.contains(&key.text));
        let (span, text) = match about {
            Some((_, node)) => (node.span.clone(), "the value is given here"),
            None => (self.place.clone(), "used here"),
        };
        Label { span, text: text.to_owned() }
    }

    /// The values of a fragment's parameters.
    pub(crate) fn values(
        &self,
        declared: Vec<Declared>,
        outside: &mut Vec<Diagnostic>,
    ) -> Vec<Known> {
        let given: &[(Key, Node)] = match self.with.map(|node| &node.kind) {
            None => &[],
            Some(Kind::Mapping(entries)) => entries,
            Some(_) => {
                let title = "`with` is a map of parameters";
                let span = self.place.clone();
                outside.push(Diagnostic::new("use", title, span, "of this fragment"));
                &[]
            }
        };
        let names: Vec<&str> = declared.iter().map(|one| one.name.as_str()).collect();
        for (key, _) in given.iter().filter(|(key, _)| !names.contains(&key.text.as_str())) {
            let title = format!("the fragment has no parameter `{}`", key.text);
            let help = suggest::help(&key.text, &names);
            outside.push(Diagnostic::new("use", title, key.span.clone(), "here").help(help));
        }
        let mut known = Vec::new();
        for Declared { name, span, default, .. } in declared {
            let own = given.iter().find(|(key, _)| key.text == name).map(|(_, node)| node.clone());
            match own.or(default) {
                Some(node) => known.push(Known { name, node, origin: Origin::Parameter, span }),
                None => {
                    let title = format!("the fragment needs `{name}`");
                    let help = format!("add `with: {{ {name}: … }}`");
                    let place = self.place.clone();
                    let problem = Diagnostic::new("use", title, place, "used here").help(help);
                    outside.push(problem);
                }
            }
        }
        known
    }
}

/// A fragment's parameters; what else its head says is looked at and taken away.
pub(crate) fn head_of_fragment(
    entries: &mut Vec<(Key, Node)>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Declared> {
    let params = take(entries, "params").map(|(_, node)| node);
    let declared = params.map(|node| vars::declared(&node, Origin::Parameter, problems));
    let (head, rest): (Vec<_>, Vec<_>) =
        std::mem::take(entries).into_iter().partition(|(key, _)| key.text != "steps");
    *entries = rest;
    match decode_all::<Head>(&Node { span: 0..0, kind: Kind::Mapping(head) }) {
        Err(found) => problems.extend(found.into_iter().map(|problem| problem.about(FRAGMENT))),
        Ok(head) if !is_plain(&head.fragment.value) => {
            let title = format!("`{}` cannot name a fragment", head.fragment.value);
            let label = "letters, digits, - and _ only";
            problems.push(Diagnostic::new(FRAGMENT, title, head.fragment.span, label));
        }
        Ok(_) => {}
    }
    declared.unwrap_or_default()
}

/// A fragment without parameters and steps.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    fragment: Located<String>,
    /// One sentence, for people.
    #[serde(default, rename = "title")]
    _title: Option<String>,
}

//! What `{{ name }}` stands for, and the filling in of it.
//!
//! Values of rows, variables and parameters are known when a file is read; captured ones when the scenario is played.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    rc::Rc,
};

use crate::{
    Diagnostic, Source,
    node::{Kind, Node},
    parse::{is_plain, unused_name},
    suggest,
    vars::Declared,
    yaml,
};

/// More nodes are not made of a file, so that few long values, used often, and fragments that use fragments
/// cannot multiply without end.
const MOST_NODES: usize = 1_000_000;

/// How much has been made of a file: shared by its rows and by the fragments that it uses.
#[derive(Debug, Default, Clone)]
pub(crate) struct Budget(Rc<Cell<usize>>);

impl Budget {
    pub(crate) fn spend(&self, nodes: usize) {
        self.0.set(self.0.get().saturating_add(nodes));
    }

    /// Whether more was made than this tool reads.
    pub(crate) fn is_spent(&self) -> bool {
        self.0.get() >= MOST_NODES
    }
}

/// Where a name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A row of `for_each`.
    Row,
    /// `vars` of the scenario.
    Variable,
    /// `params` of the fragment.
    Parameter,
}

impl Origin {
    /// The key that declares it.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Row => "for_each",
            Self::Variable => "vars",
            Self::Parameter => "params",
        }
    }
}

/// A value that is known when the file is read.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) node: Node,
    pub(crate) origin: Origin,
    /// Where the name is declared.
    pub(crate) span: Range<usize>,
}

/// Everything that a text of the file may refer to.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub(crate) known: Vec<Known>,
    /// What earlier steps capture: the name here, and the name in the whole scenario.
    pub(crate) captured: BTreeMap<String, String>,
    /// What anything refers to.
    pub(crate) used: BTreeSet<String>,
    /// Names of captures in the whole scenario that anything refers to.
    pub(crate) used_captures: BTreeSet<String>,
    /// Keys that other rows of the table have, and this row's name and place.
    pub(crate) elsewhere: Option<(BTreeSet<String>, String, Range<usize>)>,
    /// What fragments capture and nobody has let out: the name, and the fragment.
    pub(crate) kept_inside: BTreeMap<String, String>,
    /// What is wrong with references.
    pub(crate) problems: Vec<Diagnostic>,
    /// What may still be made.
    pub(crate) budget: Budget,
}

impl Scope {
    /// With values that are known.
    pub(crate) fn knowing(known: Vec<Known>, budget: &Budget) -> Self {
        Self { known, budget: budget.clone(), ..Self::default() }
    }

    /// Names whose values nobody has said yet stay as they are.
    pub(crate) fn leave_open(&mut self, open: &[Declared]) {
        self.captured.extend(open.iter().map(|one| (one.name.clone(), one.name.clone())));
    }

    /// Problems about names that nobody has said yet, and that nothing refers to.
    pub(crate) fn unused_open(&self, origin: Origin, open: &[Declared]) -> Vec<Diagnostic> {
        let unused = open.iter().filter(|one| !self.used_captures.contains(&one.name));
        let known = |one: &Declared| Known {
            name: one.name.clone(),
            node: Node { span: one.span.clone(), kind: Kind::Sequence(Vec::new()) },
            origin,
            span: one.span.clone(),
        };
        unused.map(|one| unused_name(&known(one))).collect()
    }

    /// A node with everything that is known filled in; what is captured stays, under its name in the whole scenario.
    pub(crate) fn fill(&mut self, node: &Node) -> Node {
        self.fill_at(node, 0)
    }

    fn fill_at(&mut self, node: &Node, depth: usize) -> Node {
        let kind = match &node.kind {
            Kind::Scalar { text, plain } => match parts(text) {
                None => node.kind.clone(),
                Some(Ok(parts)) => return self.text(&parts, *plain, node, depth),
                Some(Err(wrong)) => {
                    self.problems.push(bad_name(wrong, node));
                    node.kind.clone()
                }
            },
            Kind::Sequence(items) => {
                Kind::Sequence(items.iter().map(|item| self.fill_at(item, depth + 1)).collect())
            }
            Kind::Mapping(entries) => {
                for (key, _) in entries.iter().filter(|(key, _)| key.text.contains("{{")) {
                    let title = "a name cannot stand in a key";
                    let problem = Diagnostic::new("name", title, key.span.clone(), "here");
                    self.problems.push(problem.help("names stand for values"));
                    let named = parts(&key.text).and_then(Result::ok).unwrap_or_default();
                    self.used.extend(named.iter().filter_map(|part| match part {
                        Part::Name(name) => Some((*name).to_owned()),
                        Part::Text(_) => None,
                    }));
                }
                Kind::Mapping(
                    entries
                        .iter()
                        .map(|(key, value)| (key.clone(), self.fill_at(value, depth + 1)))
                        .collect(),
                )
            }
        };
        self.budget.spend(1);
        Node { span: node.span.clone(), kind }
    }

    fn text(&mut self, parts: &[Part<'_>], plain: bool, node: &Node, depth: usize) -> Node {
        if let [Part::Name(name)] = parts
            && !self.captured.contains_key(*name)
        {
            return self.value(name, node, depth).unwrap_or_else(|| node.clone());
        }
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Name(name) => text.push_str(&self.inside(name, node)),
            }
        }
        self.budget.spend(1 + text.len() / 64);
        Node { span: node.span.clone(), kind: Kind::Scalar { text, plain } }
    }

    /// What stands for a name in the middle of a text.
    fn inside(&mut self, name: &str, node: &Node) -> String {
        if let Some(whole) = self.captured.get(name) {
            self.used_captures.insert(whole.clone());
            return format!("{{{{ {whole} }}}}");
        }
        match self.value(name, node, 0).map(|value| value.kind) {
            Some(Kind::Scalar { text, .. }) => text,
            None => String::new(),
            Some(_) => {
                let title = format!("`{name}` is no text, and cannot stand inside one");
                let help = "write `\"{{ name }}\"` alone where the whole value is to stand";
                let problem = Diagnostic::new("name", title, node.span.clone(), "here").help(help);
                self.problems.push(problem);
                String::new()
            }
        }
    }

    /// What a name stands for; nothing, and a problem, where nothing does.
    fn value(&mut self, name: &str, node: &Node, depth: usize) -> Option<Node> {
        let Some(known) = self.known.iter().find(|known| known.name == name) else {
            self.unknown(name, node);
            return None;
        };
        self.used.insert(name.to_owned());
        self.budget.spend(known.node.size());
        if self.budget.is_spent() {
            return None;
        }
        if depth + known.node.height() > yaml::DEEPEST {
            let title = format!("with the value of `{name}` this is nested too deeply");
            self.problems.push(Diagnostic::new("name", title, node.span.clone(), "here"));
            return None;
        }
        Some(match known.origin {
            // what is wrong with it is to be seen in the row
            Origin::Row => known.node.clone(),
            Origin::Variable | Origin::Parameter => known.node.relocated(&node.span),
        })
    }

    fn unknown(&mut self, name: &str, node: &Node) {
        if let Some((_, row, span)) =
            self.elsewhere.as_ref().filter(|(keys, ..)| keys.contains(name))
        {
            let title = format!("row `{row}` has no `{name}`, which other rows have");
            let problem = Diagnostic::new("for_each", title, span.clone(), "this row");
            let problem = problem.label(node.span.clone(), "needed here");
            self.problems.push(problem.help(format!("add `{name}` to the row")));
            return;
        }
        let names: Vec<&str> = self
            .known
            .iter()
            .map(|known| known.name.as_str())
            .chain(self.captured.keys().map(String::as_str))
            .collect();
        let title = format!("nothing is called `{name}` here");
        let help = match suggest::closest(name, &names) {
            _ if self.kept_inside.contains_key(name) => {
                let file = &self.kept_inside[name];
                format!("{file} captures it: say `returns: [{name}]` where it is used")
            }
            Some(meant) => format!("did you mean `{{{{ {meant} }}}}`?"),
            None if names.is_empty() => {
                "a name comes from a row of `for_each`, from `vars`, or from `as` of an earlier step"
                    .to_owned()
            }
            None => format!("known here: {}", names.join(", ")),
        };
        let problem = Diagnostic::new("name", title, node.span.clone(), "this name").help(help);
        self.problems.push(problem);
    }
}

fn bad_name(wrong: BadName<'_>, node: &Node) -> Diagnostic {
    let (title, help) = match wrong {
        BadName::Open => {
            ("a name is not closed".to_owned(), "write `{{ name }}`: two braces on either side")
        }
        BadName::NoName(text) => (
            format!("`{{{{{text}}}}}` names nothing"),
            "a name has letters, digits, - and _ only: `{{ name }}`",
        ),
    };
    Diagnostic::new("name", title, node.span.clone(), "here").help(help)
}

/// Why a text in double braces is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadName<'a> {
    /// It never ends.
    Open,
    /// It has other characters.
    NoName(&'a str),
}

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// A text with names in it, taken apart; `None` for one without, the piece that is no name for a bad one.
pub(crate) fn parts(text: &str) -> Option<Result<Vec<Part<'_>>, BadName<'_>>> {
    if !text.contains("{{") {
        return None;
    }
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((inside, behind)) = after.split_once("}}") else {
            return Some(Err(BadName::Open));
        };
        let name = inside.trim();
        // names in the whole scenario have the fragment's number before them
        if !is_plain(&name.replace('/', "-")) {
            return Some(Err(BadName::NoName(inside)));
        }
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        parts.push(Part::Name(name));
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    Some(Ok(parts))
}

/// A value in which another name stands, although values are put in as they are.
pub(crate) fn name_in_value(code: &'static str, node: &Node) -> Option<Diagnostic> {
    match &node.kind {
        Kind::Sequence(items) => items.iter().find_map(|item| name_in_value(code, item)),
        Kind::Mapping(entries) => entries.iter().find_map(|(_, value)| name_in_value(code, value)),
        Kind::Scalar { text, .. } => text.contains("{{").then(|| {
            let title = "a name stands in a value, and would not be filled in";
            let problem = Diagnostic::new(code, title, node.span.clone(), "here");
            problem.help("put `{{ … }}` into the step, and here the value itself")
        }),
    }
}

/// The names in a place of a text.
pub(crate) fn names_at(source: &Source, span: &Range<usize>) -> Vec<String> {
    let text = source.text.get(span.clone());
    let parts = text.and_then(parts).and_then(Result::ok).unwrap_or_default();
    names_of(parts)
}

/// The names among the parts of a text.
fn names_of(parts: Vec<Part<'_>>) -> Vec<String> {
    let name = |part| match part {
        Part::Name(name) => Some(str::to_owned(name)),
        Part::Text(_) => None,
    };
    parts.into_iter().filter_map(name).collect()
}

/// The names that a node refers to.
pub(crate) fn names_in(node: &Node) -> Vec<String> {
    match &node.kind {
        Kind::Scalar { text, .. } => {
            parts(text).and_then(Result::ok).map(names_of).unwrap_or_default()
        }
        Kind::Sequence(items) => items.iter().flat_map(names_in).collect(),
        Kind::Mapping(entries) => entries.iter().flat_map(|(_, value)| names_in(value)).collect(),
    }
}

/// Whether a node refers to anything.
pub(crate) fn refers(node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar { text, .. } => matches!(parts(text), Some(Ok(_))),
        Kind::Sequence(items) => items.iter().any(refers),
        Kind::Mapping(entries) => entries.iter().any(|(_, value)| refers(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Source, parse_scenarios};

    #[test]
    fn a_text_is_taken_apart() {
        assert_eq!(parts("plain"), None);
        assert_eq!(parts("{{ a }}"), Some(Ok(vec![Part::Name("a")])));
        let mixed = vec![Part::Text("x "), Part::Name("a"), Part::Text(":"), Part::Name("b")];
        assert_eq!(parts("x {{ a }}:{{b}}"), Some(Ok(mixed)));
        assert_eq!(parts("{{ a b }}"), Some(Err(BadName::NoName(" a b "))));
        assert_eq!(parts("{{ a"), Some(Err(BadName::Open)));
    }

    #[test]
    fn fragments_that_use_fragments_come_to_an_end() {
        let uses = |file: usize| format!("  - use: {file}.yaml\n").repeat(10);
        let read = |path: &str, _: &Source| {
            let level: usize = path.trim_end_matches(".yaml").parse().unwrap();
            let steps = match level {
                7 => "  - paynet.check_health:\n".repeat(10),
                level => uses(level + 1),
            };
            let text = format!("fragment: level-{level}\nsteps:\n{steps}");
            Ok(Source::new(path.to_owned(), text))
        };
        let context = Context { read: &read, ..Context::default() };
        let of = |first: usize| {
            let text = format!("scenario: many\ntitle: x\nsteps:\n{}", uses(first));
            parse_scenarios(&Source::new("many.yaml", text), &context)
        };
        let (scenarios, problems) = of(5);
        assert_eq!((scenarios[0].steps.len(), problems), (10_usize.pow(4), Vec::new()));
        let (scenarios, problems) = of(1);
        assert!(scenarios.is_empty());
        assert!(problems.iter().any(|one| one.title.contains("more than this tool reads")));
    }
}

//! `for_each`: one file, a scenario a row. A `{{ key }}` that is a whole value stands for the row's.

use std::collections::HashSet;

use crate::{
    Diagnostic,
    node::{Key, Kind, Node},
    parse::is_plain,
};

const FOR_EACH: &str = "for_each";
/// Keys of a row that are not for the steps.
const NAME: &str = "name";
const COVERS: &str = "covers";

/// More nodes are not made, so that few rows with long values, used often, cannot multiply without end.
const MOST_NODES: usize = 1_000_000;

/// A scenario's tree for one row.
pub(crate) struct Row {
    /// What the row is called; none where there is no `for_each`.
    pub(crate) name: Option<String>,
    pub(crate) entries: Vec<(Key, Node)>,
}

/// The trees of a file: one, or one a row.
pub(crate) fn expand(entries: Vec<(Key, Node)>) -> Result<Vec<Row>, Vec<Diagnostic>> {
    let (table, entries): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(key, _)| key.text == FOR_EACH);
    let Some((key, table)) = table.into_iter().next() else {
        return Ok(vec![Row { name: None, entries }]);
    };
    let rows = match table.kind {
        Kind::Sequence(rows) if !rows.is_empty() => rows,
        other => {
            let found = Node { span: table.span, kind: other }.describe();
            let title = format!("expected a list of rows, found {found}");
            return Err(vec![
                Diagnostic::new("for_each", title, key.span, "here")
                    .help("such as `- { mutation: alg-none, covers: [C-13] }`"),
            ]);
        }
    };
    let mut problems = Vec::new();
    let mut expanded: Vec<Row> = Vec::new();
    let (mut left, mut names) = (MOST_NODES, HashSet::new());
    for row in &rows {
        let expansion = one_row(row, &entries, &mut left);
        if left == 0 {
            let title = "the rows come to more than this tool reads";
            problems.push(Diagnostic::new("for_each", title, row.span.clone(), "from here on"));
            break;
        }
        match expansion {
            Ok(row) if !names.insert(row.name.clone()) => {
                let name = row.name.unwrap_or_default();
                let title = format!("two rows are called `{name}`");
                let help = "give each row a `name`";
                problems.push(
                    Diagnostic::new("for_each", title, key.span.clone(), "in this list").help(help),
                );
            }
            Ok(row) => expanded.push(row),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(expanded) } else { Err(problems) }
}

fn one_row(row: &Node, entries: &[(Key, Node)], left: &mut usize) -> Result<Row, Vec<Diagnostic>> {
    let Kind::Mapping(values) = &row.kind else {
        let title = format!("a row is a map of keys, this is {}", row.describe());
        return Err(vec![Diagnostic::new("for_each", title, row.span.clone(), "here")]);
    };
    let named = values.iter().find(|(key, _)| key.text == NAME);
    let first = values.iter().find(|(key, _)| key.text != COVERS);
    let Some(Kind::Scalar { text: name, .. }) = named.or(first).map(|(_, value)| &value.kind)
    else {
        let title = "a row needs a name: a `name`, or a word as its first value";
        return Err(vec![Diagnostic::new("for_each", title, row.span.clone(), "this one")]);
    };
    if !is_plain(name) {
        let title = format!("`{name}` cannot name a row");
        let help = "letters, digits, - and _ only; give the row a `name`";
        let span = row.span.clone();
        return Err(vec![Diagnostic::new("for_each", title, span, "this one").help(help)]);
    }
    let mut filling = Filling { values, used: HashSet::new(), problems: Vec::new(), left };
    let mut filled: Vec<(Key, Node)> =
        entries.iter().map(|(key, node)| (key.clone(), filling.fill(node))).collect();
    let Filling { used, mut problems, .. } = filling;
    let unused = values
        .iter()
        .filter(|(key, _)| ![NAME, COVERS].contains(&key.text.as_str()))
        .filter(|(key, _)| !used.contains(key.text.as_str()));
    for (key, _) in unused {
        let title = format!("no step uses `{}` of this row", key.text);
        let help = format!("write `\"{{{{ {} }}}}\"` where its value is to stand", key.text);
        problems.push(Diagnostic::new("for_each", title, key.span.clone(), "here").help(help));
    }
    if let Some((key, covers)) = values.iter().find(|(key, _)| key.text == COVERS) {
        cover(&mut filled, key, covers);
    }
    match problems.is_empty() {
        true => Ok(Row { name: Some(name.clone()), entries: filled }),
        false => Err(problems),
    }
}

/// A row's values on their way into the steps.
struct Filling<'a> {
    values: &'a [(Key, Node)],
    used: HashSet<&'a str>,
    problems: Vec<Diagnostic>,
    /// How many nodes may still be made.
    left: &'a mut usize,
}

impl Filling<'_> {
    fn fill(&mut self, node: &Node) -> Node {
        let kind = match &node.kind {
            Kind::Scalar { text, .. } => match placeholder(text) {
                None => node.kind.clone(),
                Some(name) => return self.value(name, node),
            },
            Kind::Sequence(items) => {
                Kind::Sequence(items.iter().map(|item| self.fill(item)).collect())
            }
            Kind::Mapping(entries) => Kind::Mapping(
                entries.iter().map(|(key, value)| (key.clone(), self.fill(value))).collect(),
            ),
        };
        *self.left = self.left.saturating_sub(1);
        Node { span: node.span.clone(), kind }
    }

    /// What stands for a placeholder; the placeholder itself where nothing does, or nothing fits any more.
    fn value(&mut self, name: &str, node: &Node) -> Node {
        let Some((key, value)) = self.values.iter().find(|(key, _)| key.text == name) else {
            let known: Vec<&str> = self.values.iter().map(|(key, _)| key.text.as_str()).collect();
            let title = format!("no row of `for_each` has `{name}`");
            let help = format!("this row has {}", known.join(", "));
            let problem = Diagnostic::new("for_each", title, node.span.clone(), "here").help(help);
            self.problems.push(problem);
            return node.clone();
        };
        self.used.insert(&key.text);
        *self.left = self.left.saturating_sub(value.size());
        if *self.left == 0 { node.clone() } else { value.clone() }
    }
}

/// `{{ name }}`, and nothing else.
fn placeholder(text: &str) -> Option<&str> {
    Some(text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim())
}

/// What the row covers, beside what every row does. What is no list is left to be complained of.
fn cover(entries: &mut Vec<(Key, Node)>, key: &Key, covers: &Node) {
    let all = entries.iter_mut().find(|(key, _)| key.text == COVERS).map(|(_, node)| node);
    match (all, &covers.kind) {
        (Some(Node { kind: Kind::Sequence(all), .. }), Kind::Sequence(more)) => {
            all.extend(more.iter().cloned());
        }
        (Some(all), _) => *all = covers.clone(),
        (None, _) => entries.push((key.clone(), covers.clone())),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Source, parse_scenarios, render};

    fn parsed(rows: &str, steps: &str) -> Result<Vec<String>, String> {
        let head = "scenario: spoilt\ntitle: x\n";
        let source = Source::new("rows.yaml", format!("{head}for_each:\n{rows}steps:\n{steps}"));
        let (scenarios, problems) = parse_scenarios(&source, &|_| true);
        let shown = |one: &crate::Scenario| {
            let covers: Vec<&str> = one.covers.iter().map(|c| c.value.as_str()).collect();
            let mutate = one.steps.iter().find_map(|step| step.mutate);
            let mutate = mutate.map_or("nothing", ofp_types::Mutation::name);
            format!("{} {mutate} {}", one.row.as_deref().unwrap_or("none"), covers.join(","))
        };
        match problems.is_empty() {
            true => Ok(scenarios.iter().map(shown).collect()),
            false => Err(problems.iter().map(|p| render(&source, p, false)).collect()),
        }
    }

    const STEPS: &str =
        "  - dc.request_consent:\n  - paynet.send_event:\n    mutate: \"{{ mutation }}\"\n";

    #[test]
    fn each_row_is_a_scenario_with_its_values_and_what_it_covers() {
        let rows =
            "  - { mutation: alg-none, covers: [C-13] }\n  - { name: rs, mutation: alg-rs256 }\n";
        assert_eq!(parsed(rows, STEPS).unwrap(), ["alg-none alg-none C-13", "rs alg-rs256 "]);
    }

    #[test]
    fn what_is_wrong_with_rows_is_said_with_its_place() {
        let good = "  - { mutation: alg-none }\n";
        let cases: [(&str, &str, &str); 9] = [
            ("  - alg-none\n", STEPS, "a row is a map of keys, this is `alg-none`"),
            (
                "  - { mutation: alg-none, colour: red }\n",
                STEPS,
                "no step uses `colour` of this row",
            ),
            ("  - { mutation: alg-non }\n", STEPS, "did you mean `alg-none`?"),
            (&format!("{good}{good}"), STEPS, "two rows are called `alg-none`"),
            (good, "  - paynet.send_event:\n    mutate: \"{{ mutaton }}\"\n", "has `mutaton`"),
            ("  []\n", STEPS, "expected a list of rows, found a list"),
            ("  - { mutation: \"alg none\" }\n", STEPS, "`alg none` cannot name a row"),
            (
                "  - { mutation: alg-none, covers: C-13 }\n",
                "  - dc.request_consent:\n  - paynet.send_event:\n    mutate: \"{{ mutation }}\"\ncovers: [C-05]\n",
                "expected a list",
            ),
            (good, &format!("{STEPS}snapshot: true\n"), "would share one snapshot"),
        ];
        for (rows, steps, expected) in cases {
            let said = parsed(rows, steps).unwrap_err();
            assert!(said.contains(expected), "{rows}: {said}");
            assert!(said.contains("rows.yaml:"), "{said}");
        }
        // a megabyte of rows and steps would otherwise come to gigabytes
        let many = format!("  - {{ mutation: alg-none, x: [{}] }}\n", "a,".repeat(20_000));
        let steps = format!("{STEPS}{}", "  - expect.dc: { linked: \"{{ x }}\" }\n".repeat(100));
        let said = parsed(&format!("{many}  - {{ name: b, mutation: alg-none, x: 1 }}\n"), &steps);
        assert!(said.unwrap_err().contains("more than this tool reads"));
        let verb = parsed(good, "  - dc.request_consent:\n    mutate: \"{{ mutation }}\"\n");
        assert!(verb.unwrap_err().contains("what `dc.request_consent` sends cannot be spoilt"));
    }
}

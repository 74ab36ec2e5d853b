//! `for_each`: one file, a scenario a row. A `{{ key }}` that is a whole value stands for the row's.

use crate::{
    Diagnostic,
    node::{Key, Kind, Node},
};

const FOR_EACH: &str = "for_each";
/// Keys of a row that are not for the steps.
const NAME: &str = "name";
const COVERS: &str = "covers";

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
    for row in &rows {
        match one_row(row, &entries) {
            Ok(row) if expanded.iter().any(|other| other.name == row.name) => {
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

fn one_row(row: &Node, entries: &[(Key, Node)]) -> Result<Row, Vec<Diagnostic>> {
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
    let mut problems = Vec::new();
    let mut used = vec![NAME.to_owned(), COVERS.to_owned()];
    let mut filled: Vec<(Key, Node)> = entries
        .iter()
        .map(|(key, node)| (key.clone(), fill(node, values, &mut used, &mut problems)))
        .collect();
    for (key, _) in values.iter().filter(|(key, _)| !used.contains(&key.text)) {
        let title = format!("no step uses `{}` of this row", key.text);
        let help = format!("write `\"{{{{ {} }}}}\"` where its value is to stand", key.text);
        problems.push(Diagnostic::new("for_each", title, key.span.clone(), "here").help(help));
    }
    if let Some((key, covers)) = values.iter().find(|(key, _)| key.text == COVERS) {
        cover(&mut filled, key, covers);
    }
    if problems.is_empty() {
        Ok(Row { name: Some(name.clone()), entries: filled })
    } else {
        Err(problems)
    }
}

fn fill(
    node: &Node,
    values: &[(Key, Node)],
    used: &mut Vec<String>,
    problems: &mut Vec<Diagnostic>,
) -> Node {
    let kind = match &node.kind {
        Kind::Scalar { text, .. } => match placeholder(text) {
            None => node.kind.clone(),
            Some(name) => match values.iter().find(|(key, _)| key.text == name) {
                Some((key, value)) => {
                    used.push(key.text.clone());
                    return value.clone();
                }
                None => {
                    let known: Vec<&str> =
                        values.iter().map(|(key, _)| key.text.as_str()).collect();
                    let title = format!("no row of `for_each` has `{name}`");
                    let help = format!("its rows have {}", known.join(", "));
                    problems.push(
                        Diagnostic::new("for_each", title, node.span.clone(), "here").help(help),
                    );
                    node.kind.clone()
                }
            },
        },
        Kind::Sequence(items) => {
            Kind::Sequence(items.iter().map(|item| fill(item, values, used, problems)).collect())
        }
        Kind::Mapping(entries) => Kind::Mapping(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), fill(value, values, used, problems)))
                .collect(),
        ),
    };
    Node { span: node.span.clone(), kind }
}

/// `{{ name }}`, and nothing else.
fn placeholder(text: &str) -> Option<&str> {
    Some(text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim())
}

/// What the row covers, beside what every row does.
fn cover(entries: &mut Vec<(Key, Node)>, key: &Key, covers: &Node) {
    let all = entries.iter_mut().find(|(key, _)| key.text == COVERS).map(|(_, node)| node);
    match (all, &covers.kind) {
        (Some(Node { kind: Kind::Sequence(all), .. }), Kind::Sequence(more)) => {
            all.extend(more.iter().cloned());
        }
        (Some(_), _) => {}
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
        let cases: [(&str, &str, &str); 6] = [
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
        ];
        for (rows, steps, expected) in cases {
            let said = parsed(rows, steps).unwrap_err();
            assert!(said.contains(expected), "{rows}: {said}");
            assert!(said.contains("rows.yaml:"), "{said}");
        }
        let verb = parsed(good, "  - dc.request_consent:\n    mutate: \"{{ mutation }}\"\n");
        assert!(verb.unwrap_err().contains("what `dc.request_consent` sends cannot be spoilt"));
    }
}

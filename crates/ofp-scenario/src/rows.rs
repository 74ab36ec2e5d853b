//! `for_each`: one file, a scenario a row. A `{{ key }}` stands for the row's value.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use crate::{
    Diagnostic,
    node::{Key, Kind, Node},
    parse::is_plain,
    scope::{Known, Origin, name_in_value},
};

const FOR_EACH: &str = "for_each";
/// What a row is called, whether or not a step says it.
pub(crate) const NAME: &str = "name";
/// The key of a row that is not for the steps.
const COVERS: &str = "covers";

/// A row.
pub(crate) struct Row {
    /// What the row is called; none where there is no `for_each`.
    pub(crate) name: Option<String>,
    /// Where it stands.
    pub(crate) span: Range<usize>,
    /// Its values.
    pub(crate) known: Vec<Known>,
    /// What it covers beside what every row does.
    pub(crate) covers: Option<(Key, Node)>,
}

impl Row {
    /// What a row has that other rows may lack.
    pub(crate) fn keys(&self) -> impl Iterator<Item = String> {
        self.known.iter().map(|known| known.name.clone())
    }
}

/// The rows of a file, taken out of its entries; one without values where there is no table. What is wrong with
/// one is in the problems.
pub(crate) fn rows(entries: &mut Vec<(Key, Node)>, problems: &mut Vec<Diagnostic>) -> Vec<Row> {
    let table = entries.iter().position(|(key, _)| key.text == FOR_EACH);
    let Some((key, table)) = table.map(|at| entries.remove(at)) else {
        return vec![Row { name: None, span: 0..0, known: Vec::new(), covers: None }];
    };
    let rows = match table.kind {
        Kind::Sequence(rows) if !rows.is_empty() => rows,
        other => {
            let found = Node { span: table.span, kind: other }.describe();
            let title = format!("expected a list of rows, found {found}");
            problems.push(
                Diagnostic::new("for_each", title, key.span, "here")
                    .help("such as `- { mutation: alg-none, covers: [C-13] }`"),
            );
            return Vec::new();
        }
    };
    let (mut names, mut all): (HashMap<String, Range<usize>>, Vec<Row>) = Default::default();
    for row in &rows {
        match one_row(row, problems) {
            Ok(row) => {
                let name = row.name.clone().unwrap_or_default();
                if let Some(first) = names.insert(name.clone(), row.span.clone()) {
                    let title = format!("two rows are called `{name}`");
                    let problem =
                        Diagnostic::new("for_each", title, row.span.clone(), "the second");
                    let problem = problem.label(first, "the first");
                    problems.push(problem.help("give each row a `name` of its own"));
                }
                all.push(row);
            }
            Err(problem) => problems.push(problem),
        }
    }
    all
}

/// The keys that any of the rows has.
pub(crate) fn keys(rows: &[Row]) -> BTreeSet<String> {
    rows.iter().flat_map(Row::keys).collect()
}

fn one_row(row: &Node, problems: &mut Vec<Diagnostic>) -> Result<Row, Diagnostic> {
    let problem =
        |title: String, label: &str| Diagnostic::new("for_each", title, row.span.clone(), label);
    let Kind::Mapping(values) = &row.kind else {
        return Err(problem(format!("a row is a map of keys, this is {}", row.describe()), "here"));
    };
    let named = values.iter().find(|(key, _)| key.text == NAME);
    let first = values.iter().find(|(key, _)| key.text != COVERS);
    let Some(Kind::Scalar { text: name, .. }) = named.or(first).map(|(_, value)| &value.kind)
    else {
        let title = "a row needs a name: a `name`, or a word as its first value";
        let help = "such as `{ name: once, status: 503 }`";
        return Err(problem(title.into(), "this one").help(help));
    };
    if !is_plain(name) {
        let title = format!("`{name}` cannot name a row");
        let help = match named {
            Some(_) => "letters, digits, - and _ only",
            None => "letters, digits, - and _ only; give the row a `name`",
        };
        return Err(problem(title, "this one").help(help));
    }
    let of_steps = values.iter().filter(|(key, _)| key.text != COVERS);
    problems.extend(of_steps.clone().filter_map(|(_, node)| name_in_value("for_each", node)));
    let known = of_steps.map(|(key, node)| Known {
        name: key.text.clone(),
        node: node.clone(),
        origin: Origin::Row,
        span: key.span.clone(),
    });
    let covers = values.iter().find(|(key, _)| key.text == COVERS).cloned();
    let (name, span) = (Some(name.clone()), row.extent());
    Ok(Row { name, span, known: known.collect(), covers })
}

/// Adds what a row covers to what every row does. What is no list is left to be complained of.
pub(crate) fn cover(entries: &mut Vec<(Key, Node)>, covers: Option<(Key, Node)>) {
    let Some((key, covers)) = covers else { return };
    let all = entries.iter_mut().find(|(key, _)| key.text == COVERS).map(|(_, node)| node);
    match (all, &covers.kind) {
        (Some(Node { kind: Kind::Sequence(all), .. }), Kind::Sequence(more)) => {
            all.extend(more.iter().cloned());
        }
        (Some(all), _) => *all = covers.clone(),
        (None, _) => entries.push((key, covers)),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Context, Source, parse_scenarios, render};

    fn parsed(rows: &str, steps: &str) -> Result<Vec<String>, String> {
        let head = "scenario: spoilt\ntitle: x\n";
        let source = Source::new("rows.yaml", format!("{head}for_each:\n{rows}steps:\n{steps}"));
        let (scenarios, problems) = parse_scenarios(&source, &Context::default());
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
                "nothing uses `colour` of this row",
            ),
            ("  - { mutation: alg-non }\n", STEPS, "did you mean `alg-none`?"),
            (&format!("{good}{good}"), STEPS, "two rows are called `alg-none`"),
            (
                good,
                "  - paynet.send_event:\n    mutate: \"{{ mutaton }}\"\n",
                "did you mean `{{ mutation }}`?",
            ),
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

//! What a file that cannot be used would be called: enough to tell whether anybody asks for it.

use crate::{
    Source,
    node::{Kind, Node},
    yaml,
};

/// A scenario as its head calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Its name.
    pub name: String,
    /// Its row of `for_each`, where it has a name.
    pub row: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The requirements that it claims to cover.
    pub covers: Vec<String>,
}

/// The scenarios of a file, whatever else is wrong with it; none of a fragment, and nothing where it cannot be told.
#[must_use]
pub fn outlines(source: &Source) -> Option<Vec<Outline>> {
    let root = yaml::parse(&source.text).ok()?;
    if member(&root, "fragment").is_some() {
        return Some(Vec::new());
    }
    let (name, tags) = (text(member(&root, "scenario")?)?, texts(&root, "tags"));
    let covers = texts(&root, "covers");
    let outline = |row: Option<String>, more: Vec<String>| Outline {
        name: name.clone(),
        row,
        tags: tags.clone(),
        covers: [covers.clone(), more].concat(),
    };
    let Some(table) = member(&root, "for_each") else { return Some(vec![outline(None, vec![])]) };
    let Kind::Sequence(rows) = &table.kind else { return None };
    Some(rows.iter().map(|row| outline(name_of(row), texts(row, "covers"))).collect())
}

/// A row's name: its own, else the first word in it.
fn name_of(row: &Node) -> Option<String> {
    let Kind::Mapping(values) = &row.kind else { return None };
    let first = || values.iter().find(|(key, _)| key.text != "covers").map(|(_, value)| value);
    text(member(row, "name").or_else(first)?)
}

fn member<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    let Kind::Mapping(entries) = &node.kind else { return None };
    entries.iter().find(|(key, _)| key.text == name).map(|(_, value)| value)
}

fn text(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Scalar { text, .. } => Some(text.clone()),
        _ => None,
    }
}

fn texts(node: &Node, name: &str) -> Vec<String> {
    match member(node, name).map(|list| &list.kind) {
        Some(Kind::Sequence(items)) => items.iter().filter_map(text).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Vec<String>> {
        let all = outlines(&Source::new("a.yaml", text))?;
        let shown = |one: Outline| {
            let (row, tags) = (one.row.unwrap_or_default(), one.tags.join(","));
            format!("{}[{row}] {tags} {}", one.name, one.covers.join(","))
        };
        Some(all.into_iter().map(shown).collect())
    }

    #[test]
    fn a_file_is_known_by_its_head() {
        let head = "scenario: a\ntags: [x, y]\ncovers: [C-05]\nsteps: nonsense\n";
        assert_eq!(of(head).unwrap(), ["a[] x,y C-05"]);
        let rows = format!(
            "{head}for_each:\n  - {{ name: one, v: 1 }}\n  - {{ v: two, covers: [D-01] }}\n"
        );
        assert_eq!(of(&rows).unwrap(), ["a[one] x,y C-05", "a[two] x,y C-05,D-01"]);
        assert_eq!(of("fragment: f\nsteps: []\n").unwrap(), Vec::<String>::new());
        for unknown in ["scenario: [", "title: x", "scenario: a\nfor_each: 1"] {
            assert_eq!(of(unknown), None, "{unknown}");
        }
    }
}

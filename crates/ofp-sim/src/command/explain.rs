//! `ofp-sim explain`.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use ofp_checks::{Requirement, Unserved, catalogue, find, group_title};
use ofp_runner::{Loaded, exit, load};
use ofp_scenario::{Verb, closest};
use ofp_types::{DpFault, Profile};

use super::{print, step};
use crate::{args::ExplainArgs, environment::Environment, failure::Failure};

pub(super) fn explain(args: &ExplainArgs, environment: &Environment) -> Result<u8, Failure> {
    if args.id.as_deref() == Some("step") {
        return step::explain(args, environment);
    }
    let text = match args.id.as_deref() {
        None => all(&load(&Vec::<PathBuf>::new())?),
        Some("problems") => ofp_scenario::problems_page(),
        Some("language") => ofp_scenario::language_page(),
        Some(code) if ofp_scenario::problem(code).is_some() => problem(code),
        Some(verb) if Verb::find(verb).is_some() => ofp_scenario::verb_page(verb),
        Some(id) => one(known(id)?, &load(&Vec::<PathBuf>::new())?),
    };
    print(&text)?;
    Ok(exit::PASSED)
}

/// A kind of problem of scenario files.
fn problem(code: &str) -> String {
    ofp_scenario::problem(code).map(ofp_scenario::Problem::page).unwrap_or_default()
}

fn known(id: &str) -> Result<&'static Requirement, Failure> {
    let upper = id.to_ascii_uppercase();
    find(&upper).ok_or_else(|| {
        let codes = ofp_scenario::PROBLEMS.iter().map(|problem| problem.code);
        let words: Vec<&str> = codes.chain(Verb::names()).collect();
        let ids: Vec<&str> = catalogue().map(|requirement| requirement.id).collect();
        let suggestion = match closest(&upper, &ids).or_else(|| closest(id, &words)) {
            Some(meant) => format!(": did you mean {meant}?"),
            None => "; `ofp-sim list requirements`, `ofp-sim explain problems` and `ofp-sim explain language` have all"
                .to_owned(),
        };
        Failure::UnknownId { id: id.to_owned(), suggestion }
    })
}

fn one(requirement: &Requirement, loaded: &[Loaded]) -> String {
    let group = group_title(requirement.id.chars().next().unwrap_or_default());
    let mut text =
        format!("{} {}  {}\n{group}\n\n", requirement.id, requirement.level, requirement.title);
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:10} {value}");
    };
    if let Some(elsewhere) = requirement.level_elsewhere() {
        field("level", elsewhere);
    }
    field("source", requirement.source);
    for (number, reading) in requirement.readings() {
        field(number, reading);
    }
    let switches: Vec<String> = requirement
        .depends_on(&Profile::default().switches())
        .iter()
        .map(ToString::to_string)
        .collect();
    if !switches.is_empty() {
        field("depends on", &format!("{} (as in portal-1.2.2)", switches.join(", ")));
    }
    field("mend", requirement.mend);
    if let Some(cause) = requirement.innocent_cause() {
        field("look first", cause);
    }
    for line in refused(requirement) {
        field("refuses", &line);
    }
    for (endpoint, mutation) in requirement.services {
        let at = serde_json::to_value(endpoint).unwrap_or_default();
        let at = at.as_str().unwrap_or_default();
        field("serves", &format!("{at}, {mutation}: {}", mutation.what()));
    }
    let proofs: Vec<&str> = DpFault::ALL
        .iter()
        .filter(|fault| fault.primary() == Some(requirement.id))
        .map(|fault| fault.name())
        .collect();
    if !proofs.is_empty() {
        field("proven by", &format!("--fault {}", proofs.join(", ")));
    }
    let covering = covering(requirement, loaded);
    if covering.is_empty() {
        field("shown by", "whatever scenario comes to it");
    }
    covering.iter().for_each(|id| field("shown by", id));
    field("try", &format!("ofp-sim run --requirement {}", requirement.id));
    text
}

/// What a requirement wants refused, a line each.
fn refused(requirement: &Requirement) -> impl Iterator<Item = String> {
    requirement.refusals.iter().map(|unserved| {
        let at = serde_json::to_value(unserved.endpoint()).unwrap_or_default();
        let at = at.as_str().unwrap_or_default();
        match unserved {
            Unserved::Spoilt(_, mutation) => format!("{at}, {mutation}: {unserved}"),
            Unserved::While(..) | Unserved::NotGranted(_) => format!("{at}: {unserved}"),
        }
    })
}

fn covering(requirement: &Requirement, loaded: &[Loaded]) -> Vec<String> {
    let covers = |one: &&Loaded| {
        one.scenario.covers.iter().any(|covered| covered.value.as_str() == requirement.id)
    };
    loaded.iter().filter(covers).map(|one| one.id.clone()).collect()
}

/// `docs/requirements.md`.
fn all(loaded: &[Loaded]) -> String {
    let mut text = String::from(
        "# The requirements\n\n\
         What ofp-sim checks of a Data Provider. Made by `ofp-sim explain`; CI fails when it is stale.\n\
         `ofp-sim explain ID` tells how to mend a DP that breaks one.\n",
    );
    let mut groups: BTreeMap<char, Vec<&Requirement>> = BTreeMap::new();
    for requirement in catalogue() {
        groups
            .entry(requirement.id.chars().next().unwrap_or_default())
            .or_default()
            .push(requirement);
    }
    for (letter, requirements) in groups {
        let _ = write!(
            text,
            "\n## {letter}. {}\n\n| ID | Level | A conformant DP | Source | Shown by |\n|---|---|---|---|---|\n",
            group_title(letter)
        );
        for requirement in requirements {
            let Requirement { id, level, title, source, .. } = requirement;
            let shown = in_short(&covering(requirement, loaded));
            let _ = writeln!(text, "| {id} | {level} | {title} | {source} | {shown} |");
        }
    }
    text
}

/// Scenarios, the rows of one counted.
fn in_short(covering: &[String]) -> String {
    let mut by_scenario: BTreeMap<&str, usize> = BTreeMap::new();
    for id in covering {
        *by_scenario.entry(id.split('[').next().unwrap_or(id)).or_default() += 1;
    }
    let shown = by_scenario.iter().map(|(id, rows)| match rows {
        1 => format!("`{id}`"),
        rows => format!("`{id}` ({rows} rows)"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

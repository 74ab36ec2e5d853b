//! Which scenarios, and with which values for their variables.

use std::{collections::BTreeMap, path::Path};

use ofp_runner::Loaded;
use ofp_scenario::{Candidate, Filter, Source, Values, closest, parse_values};

use crate::{
    args::{RunArgs, VariableArgs},
    environment::Environment,
    failure::Failure,
};

/// What was said of variables: at the command line, in the environment, in a file.
pub(super) fn values(args: &VariableArgs, environment: &Environment) -> Result<Values, Failure> {
    let mut flags = BTreeMap::new();
    for given in &args.var {
        let Some((name, value)) = given.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            // what follows a name may be a secret
            let shown = given.chars().take_while(|c| *c != '=').collect();
            return Err(Failure::BadVariable(shown));
        };
        flags.insert(name.to_owned(), value.to_owned());
    }
    let file = args.vars.as_deref().map(read).transpose()?.unwrap_or_default();
    Ok(Values { flags, environment: environment.scenario_variables(), file })
}

fn read(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::File { path: path.to_owned(), reason: e.to_string() })?;
    let source = Source::new(path.display().to_string(), text);
    parse_values(&source).map_err(|problem| {
        let line = problem.labels.first().map_or(1, |label| source.line(label.span.start));
        Failure::BadVariables { file: source.name.clone(), line, title: problem.title }
    })
}

/// A value at the command line that nobody reads is a mistake.
pub(super) fn check_used(values: &Values, loaded: &[Loaded]) -> Result<(), Failure> {
    let known: Vec<&str> =
        loaded.iter().flat_map(|one| &one.scenario.variables).map(String::as_str).collect();
    match values.flags.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let suggestion = match closest(name, &known) {
                Some(meant) => format!(": did you mean {meant}?"),
                None => String::new(),
            };
            Err(Failure::UnknownVariable { name: name.clone(), suggestion })
        }
    }
}

/// What an expression selects.
pub(super) fn filter(text: Option<&str>) -> Result<Option<Filter>, Failure> {
    let parse = |text: &str| {
        Filter::parse(text)
            .map_err(|problem| Failure::BadFilter(text.to_owned(), Box::new(problem)))
    };
    text.map(parse).transpose()
}

/// Whether an expression selects a scenario.
pub(super) fn selects(filter: &Filter, one: &Loaded) -> bool {
    let requirements: Vec<&str> =
        one.scenario.covers.iter().map(|covered| covered.value.as_str()).collect();
    filter.selects(&Candidate {
        name: &one.id,
        tags: &one.scenario.tags,
        requirements: &requirements,
    })
}

/// The scenarios that tags, requirements and filter select, of those that are named, where any are.
pub(super) fn select(
    loaded: Vec<Loaded>,
    args: &RunArgs,
    only: Option<&[String]>,
) -> Result<Vec<Loaded>, Failure> {
    for id in &args.requirement {
        if ofp_checks::find(id).is_none() {
            return Err(Failure::UnknownRequirement(id.clone()));
        }
    }
    let filter = filter(args.filter.as_deref())?;
    for leaf in filter.iter().flat_map(Filter::leaves) {
        if let Filter::Requirement(id) = leaf
            && id.contains('-')
            && ofp_checks::find(id).is_none()
        {
            return Err(Failure::UnknownRequirement(id.clone()));
        }
    }
    let tagged = |one: &Loaded| {
        args.tag.is_empty() || args.tag.iter().any(|tag| one.scenario.tags.contains(tag))
    };
    let covers = |one: &Loaded| {
        let claims = |id: &String| one.scenario.covers.iter().any(|c| c.value.as_str() == id);
        args.requirement.is_empty() || args.requirement.iter().any(claims)
    };
    let filtered = |one: &Loaded| filter.as_ref().is_none_or(|filter| selects(filter, one));
    let named = |one: &Loaded| only.is_none_or(|ids| ids.contains(&one.id));
    let all = loaded.len();
    let wanted = |one: &Loaded| tagged(one) && covers(one) && filtered(one) && named(one);
    let selected: Vec<Loaded> = loaded.into_iter().filter(wanted).collect();
    if selected.is_empty() {
        let why = match &args.filter {
            Some(text) => format!(": none of {all} is as --filter '{text}' says"),
            None => format!(": none of {all} has the tag or covers the requirement asked for"),
        };
        return Err(Failure::NothingSelected(why));
    }
    Ok(selected)
}

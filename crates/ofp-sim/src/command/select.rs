//! Which scenarios, and with which values for their variables.

use std::{collections::BTreeMap, path::Path};

use ofp_report::shell_path;
use ofp_runner::{LONGEST_TEXT, Loaded, read_given, text};
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
    let text = read_given(path, LONGEST_TEXT)
        .and_then(text)
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
    with_candidate(one, |candidate| filter.selects(candidate))
}

fn with_candidate<T>(one: &Loaded, ask: impl Fn(&Candidate<'_>) -> T) -> T {
    let requirements: Vec<&str> =
        one.scenario.covers.iter().map(|covered| covered.value.as_str()).collect();
    let (name, tags) = (&one.id, &one.scenario.tags);
    ask(&Candidate { name, tags, requirements: &requirements })
}

/// Files that stand in nobody's way are told of, so that nobody thinks that they were played.
pub(super) fn tell_unusable(files: &[String]) {
    for file in files {
        super::note(&format!(
            "{file} cannot be used, and nothing in it was asked for (`ofp-sim lint {}`)",
            shell_path(file)
        ));
    }
}

/// What a run asks for: by tags, requirements, filter, and by name where only some are played.
pub(super) struct Asked<'a> {
    args: &'a RunArgs,
    filter: Option<Filter>,
    only: Option<&'a [String]>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(args: &'a RunArgs, only: Option<&'a [String]>) -> Result<Self, Failure> {
        let filter = filter(args.filter.as_deref())?;
        let leaves = filter.iter().flat_map(Filter::leaves).filter_map(|leaf| match leaf {
            Filter::Requirement(id) if id.contains('-') => Some(id),
            _ => None,
        });
        let unknown = |id: &&String| ofp_checks::find(id).is_none();
        if let Some(id) = args.requirement.iter().chain(leaves).find(unknown) {
            return Err(Failure::UnknownRequirement(id.clone()));
        }
        Ok(Self { args, filter, only })
    }

    /// Whether only some of the scenarios are asked for.
    pub(super) fn is_choosy(&self) -> bool {
        let by_flag = !self.args.tag.is_empty() || !self.args.requirement.is_empty();
        by_flag || self.filter.is_some() || self.only.is_some()
    }

    pub(super) fn wants(&self, one: &Candidate<'_>) -> bool {
        let any = |wanted: &[String], has: &dyn Fn(&String) -> bool| {
            wanted.is_empty() || wanted.iter().any(has)
        };
        any(&self.args.tag, &|tag| one.tags.contains(tag))
            && any(&self.args.requirement, &|id| one.requirements.contains(&id.as_str()))
            && self.filter.as_ref().is_none_or(|filter| filter.selects(one))
            && self.only.is_none_or(|ids| ids.iter().any(|id| id == one.name))
    }

    /// The scenarios that are asked for.
    pub(super) fn select(&self, loaded: Vec<Loaded>) -> Result<Vec<Loaded>, Failure> {
        let all = loaded.len();
        let wanted = |one: &Loaded| with_candidate(one, |candidate| self.wants(candidate));
        let selected: Vec<Loaded> = loaded.into_iter().filter(wanted).collect();
        if selected.is_empty() {
            let why = match (&self.args.filter, self.only) {
                (Some(text), _) => format!(": none of {all} is as --filter '{text}' says"),
                (None, Some(_)) => format!(": none of {all} is one that did not pass last time"),
                (None, None) => {
                    format!(": none of {all} has the tag or covers the requirement asked for")
                }
            };
            return Err(Failure::NothingSelected(why));
        }
        Ok(selected)
    }
}

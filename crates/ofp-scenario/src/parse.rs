//! Text to scenarios, with every problem found on the way.

use std::collections::BTreeSet;

use ofp_types::{Profile, RequirementId};
use serde::{Deserialize, de::IgnoredAny};

use crate::{
    ConsentSpec, Context, Diagnostic, Located, Scenario, Skip, Source, Step,
    decode_all::decode_all,
    explain,
    node::{Key, Kind, Node},
    order,
    order::Traced,
    rows,
    rows::Row,
    scope::{Budget, Known, Origin, Scope, names_in},
    steps::{Steps, is_about_a_name},
    suggest, vars,
    vars::{Declared, Resolved},
    yaml,
};

/// Keys of a scenario whose decoding is not this file's alone.
const STEPS: &str = "steps";
const VARS: &str = "vars";
/// The key by which a file says that it is steps for others to use.
pub(crate) const FRAGMENT: &str = "fragment";

/// A scenario without its steps.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    scenario: Located<String>,
    title: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    covers: Vec<Located<RequirementId>>,
    #[serde(default)]
    consent: ConsentSpec,
    #[serde(default)]
    snapshot: bool,
    #[serde(default)]
    exclusive: bool,
    #[serde(default)]
    skip: Option<Skip>,
    #[serde(default)]
    only_profiles: Option<Vec<Located<String>>>,
    /// Taken out before; here, so that they are among the keys that are known.
    #[serde(default, rename = "steps")]
    _steps: Option<IgnoredAny>,
    #[serde(default, rename = "vars")]
    _vars: Option<IgnoredAny>,
    #[serde(default, rename = "for_each")]
    _for_each: Option<IgnoredAny>,
}

/// Parses the scenarios of a file: one, or one for each row of `for_each`; none for a fragment, which is looked
/// through all the same.
///
/// They come back only when there is no problem; the problems come back all at once.
#[must_use]
pub fn parse_scenarios(source: &Source, context: &Context<'_>) -> (Vec<Scenario>, Vec<Diagnostic>) {
    let root = match yaml::parse(&source.text) {
        Ok(root) => root,
        Err(problem) => return (Vec::new(), vec![problem]),
    };
    let Kind::Mapping(mut entries) = root.kind else {
        let title = format!("a scenario is a map of keys, this is {}", root.describe());
        return (Vec::new(), vec![Diagnostic::new("scenario", title, root.span, "here")]);
    };
    if entries.iter().any(|(key, _)| key.text == FRAGMENT) {
        return (Vec::new(), Steps::look_through(source, entries, context));
    }
    let mut problems = Vec::new();
    let declared = take(&mut entries, VARS).map(|(_, node)| node);
    let declared = declared
        .map(|node| vars::declared(&node, Origin::Variable, &mut problems))
        .unwrap_or_default();
    let secret_names: Vec<String> =
        declared.iter().filter(|one| one.secret).map(|one| one.name.clone()).collect();
    let Resolved { known: variables, open, secrets } =
        vars::resolved(declared, context, &mut problems);
    let rows = rows::rows(&mut entries, &mut problems);
    let keys_of_rows = rows::keys(&rows);
    let mut scenarios = Vec::new();
    let mut unused: Option<Vec<Known>> = None;
    let budget = Budget::default();
    for row in rows {
        let mut found = Vec::new();
        let mut file = OneRow {
            source,
            context,
            variables: &variables,
            open: &open,
            budget: &budget,
            keys_of_rows: &keys_of_rows,
            keys: entries.iter().map(|(key, _)| key.text.clone()).collect(),
            secrets: &secrets,
            secret_names: &secret_names,
            problems: &mut found,
        };
        let (mut scenario, still_unused) = file.parse(row, &entries);
        if let Some(scenario) = &mut scenario {
            scenario.secrets.clone_from(&secrets);
            scenario.secret_names.clone_from(&secret_names);
            let names =
                variables.iter().map(|known| &known.name).chain(open.iter().map(|one| &one.name));
            scenario.variables = names.cloned().collect();
        }
        scenarios.extend(scenario);
        unused.get_or_insert(still_unused);
        // what is wrong with every row is said once
        problems
            .extend(found.into_iter().filter(|new| !problems.contains(new)).collect::<Vec<_>>());
        if problems.len() > MOST_PROBLEMS || problems.iter().any(|one| one.title == TOO_MUCH) {
            break;
        }
    }
    problems.extend(unused.into_iter().flatten().map(|known| unused_name(&known)));
    let problems = presentable(problems, &secrets);
    if problems.is_empty() { (scenarios, problems) } else { (Vec::new(), problems) }
}

/// Without secrets, in the order of the file.
fn presentable(mut problems: Vec<Diagnostic>, secrets: &[String]) -> Vec<Diagnostic> {
    problems.iter_mut().for_each(|problem| problem.mask(secrets));
    problems.sort_by_key(|problem| problem.labels.first().map_or(0, |label| label.span.start));
    if let Some(next) = problems.get(MOST_PROBLEMS) {
        let at = next.labels.first().map_or(0..0, |label| label.span.clone());
        let title = "so much is wrong with this file that the rest is not told";
        problems.truncate(MOST_PROBLEMS);
        problems.push(Diagnostic::new("scenario", title, at, "from here on"));
    }
    problems
}

/// Keys of a file, and of a step, that every report shows.
pub(crate) const SHOWN: [&str; 5] = ["scenario", "title", "tags", "skip", "name"];

/// A secret where every report shows it, whatever its value.
pub(crate) fn secret_shown(key: &str, node: &Node, secrets: &[String]) -> Option<Diagnostic> {
    let name = names_in(node).into_iter().find(|name| secrets.contains(name))?;
    let title = format!("the secret `{name}` cannot stand in `{key}`, which every report shows");
    let problem = Diagnostic::new("vars", title, node.span.clone(), "here");
    Some(problem.help("take the name out of it"))
}

/// More than anybody mends in one go.
const MOST_PROBLEMS: usize = 200;

const TOO_MUCH: &str = "what the names stand for comes to more than this tool reads";

/// A declared name that nothing refers to.
pub(crate) fn unused_name(known: &Known) -> Diagnostic {
    let title = match known.origin {
        Origin::Row => format!("nothing uses `{}` of this row", known.name),
        Origin::Variable => format!("nothing uses variable `{}`", known.name),
        Origin::Parameter => format!("nothing uses parameter `{}`", known.name),
    };
    let help =
        format!("write `\"{{{{ {} }}}}\"` where its value is to stand, or remove it", known.name);
    Diagnostic::new(known.origin.key(), title, known.span.clone(), "here").help(help)
}

pub(crate) fn take(entries: &mut Vec<(Key, Node)>, name: &str) -> Option<(Key, Node)> {
    let at = entries.iter().position(|(key, _)| key.text == name)?;
    Some(entries.remove(at))
}

/// One row on its way to a scenario.
struct OneRow<'a> {
    source: &'a Source,
    context: &'a Context<'a>,
    variables: &'a [Known],
    /// Variables that nobody has given a value.
    open: &'a [Declared],
    /// What may still be made of the file.
    budget: &'a Budget,
    /// The keys that any row of the file has.
    keys_of_rows: &'a BTreeSet<String>,
    /// The keys of the file.
    keys: Vec<String>,
    /// Values that no report may show.
    secrets: &'a [String],
    /// The variables whose values they are.
    secret_names: &'a [String],
    problems: &'a mut Vec<Diagnostic>,
}

impl OneRow<'_> {
    /// The scenario, and the variables that it does not use.
    fn parse(&mut self, row: Row, entries: &[(Key, Node)]) -> (Option<Scenario>, Vec<Known>) {
        let own: Vec<Known> = row.known.clone();
        self.budget.spend(own.len() + self.variables.len());
        let mut scope =
            Scope::knowing(own.iter().chain(self.variables).cloned().collect(), self.budget);
        scope.leave_open(self.open);
        if let Some(name) = &row.name {
            scope.elsewhere = Some((self.keys_of_rows.clone(), name.clone(), row.span.clone()));
        }
        let mut filled: Vec<(Key, Node)> = Vec::new();
        let mut steps = None;
        for (key, node) in entries.iter().filter(|(key, _)| SHOWN.contains(&key.text.as_str())) {
            self.problems.extend(secret_shown(&key.text, node, self.secret_names));
        }
        for (key, node) in entries {
            match key.text == STEPS {
                true => steps = Some((key.clone(), node)),
                false => filled.push((key.clone(), scope.fill(node))),
            }
        }
        rows::cover(&mut filled, row.covers);
        let node = Node { span: 0..0, kind: Kind::Mapping(filled) };
        let head = decode_all::<Head>(&node).map_err(|mut found| {
            found.iter_mut().for_each(|problem| explain::by_key(&node, problem));
            self.problems.extend(found);
        });
        let head = head.ok();
        let (steps, trace) = self.steps(steps, &mut scope);
        self.problems.append(&mut scope.problems);
        if scope.budget.is_spent() {
            let span = row.span.clone();
            let problem = Diagnostic::new("name", TOO_MUCH, span, "from here on");
            self.problems.push(problem);
            return (None, Vec::new());
        }
        let unused = |known: &&Known| !scope.used.contains(&known.name);
        // a row is called something, whoever asks
        let own = own.iter().filter(|known| known.name != rows::NAME);
        self.problems.extend(own.filter(unused).map(unused_name));
        self.problems.extend(scope.unused_open(Origin::Variable, self.open));
        let (open, source) = (self.open, self.source);
        self.problems.retain(|problem| !is_about_a_name(source, problem, open));
        let still_unused = self.variables.iter().filter(unused).cloned().collect();
        self.problems.extend(order::check(self.source, &trace));
        let Some(head) = head else { return (None, still_unused) };
        self.check_head(&head, row.name.is_some());
        let scenario = head.with(row.name, steps);
        self.problems.extend(order::check_exclusive(self.source, &scenario));
        self.check_secrets(&scenario);
        (Some(scenario).filter(|_| self.problems.is_empty()), still_unused)
    }

    /// What every report shows cannot hold a secret.
    fn check_secrets(&mut self, scenario: &Scenario) {
        let steps = scenario.steps.iter();
        let names = steps.clone().map(|step| ("name", &step.name, step.verb_span()));
        let because = |skip: &Skip| skip.when.span.clone();
        let of_steps = steps.filter_map(|step| step.skip.as_ref());
        let reasons = of_steps.chain(&scenario.skip);
        let reasons = reasons.map(|skip| ("because", &skip.because, because(skip)));
        let tags = scenario.tags.iter().map(|tag| ("tags", tag, 0..0));
        let whole = [("title", &scenario.title, 0..0), ("scenario", &scenario.name, 0..0)];
        for (key, text, span) in names.chain(reasons).chain(tags).chain(whole) {
            if self.secrets.iter().any(|secret| !secret.is_empty() && text.contains(secret)) {
                let title =
                    format!("a secret's value is part of `{key}`, which every report shows");
                let problem = Diagnostic::new("vars", title, span, "here");
                self.problems.push(problem.help(format!(
                    "say `{key}` in other words, or give the secret a value that is no common word"
                )));
            }
        }
    }

    fn steps(
        &mut self,
        steps: Option<(Key, &Node)>,
        scope: &mut Scope,
    ) -> (Vec<Step>, Vec<Traced>) {
        let Some((key, node)) = steps else {
            let names = self.keys.iter().map(|key| suggest::closest(key, &[STEPS]));
            if names.flatten().next().is_some() {
                // that it is misspelled has been said
                return (Vec::new(), Vec::new());
            }
            let title = "key `steps` is missing";
            let help = "a scenario has `steps:`, a list of `- actor.verb:`";
            let problem = Diagnostic::new("scenario", title, 0..0, "in this file").help(help);
            self.problems.push(problem);
            return (Vec::new(), Vec::new());
        };
        let (steps, trace, found) =
            Steps::new(self.source, self.context, self.secret_names).parse(&key, node, scope);
        self.problems.extend(found);
        (steps, trace)
    }

    fn check_head(&mut self, head: &Head, is_row: bool) {
        let name = &head.scenario;
        let mut wrong = |title: &str, help: &str| {
            let problem = Diagnostic::new("scenario", title, name.span.clone(), "in this scenario");
            self.problems.push(if help.is_empty() { problem } else { problem.help(help) });
        };
        if !is_plain(&name.value) {
            let title = format!("`{}` cannot name a scenario", name.value);
            wrong(&title, "letters, digits, - and _ only");
        }
        if head.snapshot && is_row {
            wrong("the rows of `for_each` would share one snapshot", "remove `snapshot: true`");
        }
        if head.skip.as_ref().is_some_and(|skip| skip.when.value.is_empty()) {
            wrong("a scenario that is always left out is none", "say `when`");
        }
        if head.consent.valid_for.0.is_zero() {
            wrong("a consent needs a time to be valid for", "");
        }
        if head.consent.permissions.is_empty() {
            wrong("a consent needs at least one permission", "");
        }
        for covered in &head.covers {
            if !(self.context.is_requirement)(covered.value.as_str()) {
                let title = format!("there is no check for requirement {}", covered.value);
                let help = "`ofp-sim list requirements` lists those that there are";
                let span = covered.span.clone();
                self.problems.push(Diagnostic::new("covers", title, span, "here").help(help));
            }
        }
        self.problems.extend(head.skip.as_ref().and_then(unknown_switch));
        self.check_profiles(head.only_profiles.as_deref().unwrap_or_default());
    }

    fn check_profiles(&mut self, profiles: &[Located<String>]) {
        let known: Vec<&str> = self.context.profiles.iter().map(String::as_str).collect();
        for profile in profiles.iter().filter(|_| !known.is_empty()) {
            if !known.contains(&profile.value.as_str()) {
                let title = format!("there is no profile `{}`", profile.value);
                let span = profile.span.clone();
                let help = suggest::help(&profile.value, &known);
                self.problems
                    .push(Diagnostic::new("only_profiles", title, span, "here").help(help));
            }
        }
    }
}

impl Head {
    fn with(self, row: Option<String>, steps: Vec<Step>) -> Scenario {
        Scenario {
            name: self.scenario.value,
            row,
            title: self.title,
            tags: self.tags,
            covers: self.covers,
            consent: self.consent,
            steps,
            snapshot: self.snapshot,
            exclusive: self.exclusive,
            skip: self.skip,
            only_profiles: self
                .only_profiles
                .map(|profiles| profiles.into_iter().map(|profile| profile.value).collect()),
            variables: Vec::new(),
            secrets: Vec::new(),
            secret_names: Vec::new(),
        }
    }
}

/// A condition on a switch that no profile has.
pub(crate) fn unknown_switch(skip: &Skip) -> Option<Diagnostic> {
    let span = skip.when.span.clone();
    let Some(unknown) = skip.unknown() else {
        let (name, why) = skip.impossible()?;
        let title = format!("`{name}` never has this value: {why}");
        let help = "docs/profiles.md has the values of each switch";
        return Some(Diagnostic::new("skip", title, span, "in this condition").help(help));
    };
    let title = format!("`{unknown}` is no switch of a profile");
    let switches = serde_json::to_value(Profile::default()).unwrap_or_default();
    let known: Vec<&str> =
        switches.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let help = match suggest::closest(unknown, &known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there are {}", known.join(", ")),
    };
    Some(Diagnostic::new("skip", title, span, "in this condition").help(help))
}

/// What a scenario or a row may be called: its id is made of both.
pub(crate) fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.chars().all(plain)
}

//! A list of steps, with the steps of fragments in the place of `use`.

use std::{collections::BTreeMap, ops::Range};

use crate::{
    Context, Diagnostic, Located, Source, Step, Used,
    decode_all::decode_all,
    fragment::{Given, Use, head_of_fragment},
    node::{Key, Kind, Node},
    order::Traced,
    parse::{FRAGMENT, SHOWN, secret_shown, take, unknown_switch, unused_name},
    scope::{Budget, Known, Origin, Scope, names_at, names_in, refers},
    step::parse_step,
    suggest,
    template::Template,
    vars::Declared,
    verb::Verb,
    yaml,
};

const USE: &str = "use";
/// More than anybody mends in one go.
const MOST_PROBLEMS: usize = 200;
/// Fragments that use fragments, and so on: more is a mistake.
const DEEPEST: usize = 8;
/// What a step takes of the budget, in nodes.
const STEP: usize = 25;

/// Reads steps.
pub(crate) struct Steps<'a> {
    source: &'a Source,
    context: &'a Context<'a>,
    problems: Vec<Diagnostic>,
    /// The files that led here, the outermost first.
    trail: Vec<String>,
    /// Goes before the names of captures, so that no name leaks out of a fragment.
    prefix: String,
    /// What a fragment returns: its name to the name in the whole scenario.
    returned: BTreeMap<String, String>,
    /// How many fragments have been used here.
    used: usize,
    /// Whether what is captured here may be meant for others.
    is_fragment: bool,
    /// What each step does, as far as that can be told: also of those that are wrong.
    trace: Vec<Traced>,
    /// Names of variables that no report may show.
    secrets: &'a [String],
}

impl<'a> Steps<'a> {
    /// For the steps of a scenario.
    pub(crate) fn new(source: &'a Source, context: &'a Context<'a>, secrets: &'a [String]) -> Self {
        let trail = vec![source.name.clone()];
        let (prefix, returned, problems) = (String::new(), BTreeMap::new(), Vec::new());
        Self {
            source,
            context,
            problems,
            trail,
            prefix,
            returned,
            used: 0,
            is_fragment: false,
            trace: Vec::new(),
            secrets,
        }
    }

    /// Everything that is wrong with a file of steps for others to use, whatever is given for its parameters.
    pub(crate) fn look_through(
        source: &'a Source,
        mut entries: Vec<(Key, Node)>,
        context: &'a Context<'a>,
    ) -> Vec<Diagnostic> {
        let mut this = Self { is_fragment: true, ..Self::new(source, context, &[]) };
        let declared = head_of_fragment(&mut entries, &mut this.problems);
        // what is given is known where it is used: until then it may be anything
        let (given, open): (Vec<_>, Vec<_>) =
            declared.into_iter().partition(|one| one.default.is_some());
        let known = given.into_iter().filter_map(|one| {
            Some(Known {
                name: one.name,
                node: one.default?,
                origin: Origin::Parameter,
                span: one.span,
            })
        });
        let mut scope = Scope::knowing(known.collect(), &Budget::default());
        scope.leave_open(&open);
        let _ = this.body(entries, &mut scope);
        this.problems.extend(scope.unused_open(Origin::Parameter, &open));
        this.problems.retain(|problem| !is_about_a_name(source, problem, &open));
        this.problems
    }

    /// The steps of a list; what is wrong with them is in `problems`.
    fn list(&mut self, key: &Key, node: &Node, scope: &mut Scope) -> Vec<Step> {
        let Kind::Sequence(items) = &node.kind else {
            let title = format!("expected a list of steps, found {}", node.describe());
            let problem = Diagnostic::new("scenario", title, key.span.clone(), "here");
            self.problems.push(
                problem.help("each step begins with a dash and a space: `- dc.request_consent:`"),
            );
            return Vec::new();
        };
        if items.is_empty() {
            let title = "the list of steps is empty";
            let problem = Diagnostic::new("scenario", title, key.span.clone(), "here");
            self.problems.push(problem.help("most begin with `- dc.request_consent:`"));
        }
        let (mut captured, mut steps) = (Vec::new(), Vec::new());
        for item in items {
            if scope.budget.is_spent() {
                return steps;
            }
            if self.problems.len() > MOST_PROBLEMS {
                let title = "so much is wrong with this file that the rest is not looked at";
                self.problems.push(Diagnostic::new(
                    "step",
                    title,
                    item.span.clone(),
                    "from here on",
                ));
                return steps;
            }
            match is_use(item) {
                true => steps.extend(self.fragment(item, scope, &mut captured)),
                false => steps.extend(self.step(item, scope, &mut captured)),
            }
        }
        for (name, span) in captured {
            let whole = scope.captured.get(&name).cloned().unwrap_or_default();
            if !self.is_fragment && !scope.used_captures.contains(&whole) {
                let title = format!("nothing uses what is captured as `{name}`");
                let help = format!("write `\"{{{{ {name} }}}}\"` in a later step, or remove it");
                self.problems.push(Diagnostic::new("as", title, span, "here").help(help));
            }
        }
        steps
    }

    fn step(
        &mut self,
        item: &Node,
        scope: &mut Scope,
        captured: &mut Vec<(String, Range<usize>)>,
    ) -> Option<Step> {
        if let Kind::Mapping(entries) = &item.kind {
            for (key, node) in entries.iter().filter(|(key, _)| SHOWN.contains(&key.text.as_str()))
            {
                self.problems.extend(secret_shown(&key.text, node, self.secrets));
            }
        }
        let filled = scope.fill(item);
        scope.budget.spend(STEP);
        self.problems.append(&mut scope.problems);
        let Some(mut step) = parse_step(self.source, &filled, &mut self.problems) else {
            // one mistake is not to make others: what the step would do and capture is known
            self.trace.extend(Traced::of_broken(self.source, &filled));
            for name in names_of_captures(&filled) {
                let whole = self.whole_name(&name);
                scope.used_captures.insert(whole.clone());
                scope.captured.insert(name, whole);
            }
            return None;
        };
        // the values of a row stand elsewhere
        step.span = item.extent();
        self.trace.push(Traced::of(&step));
        self.problems.extend(step.skip.as_ref().and_then(unknown_switch));
        let requirements = step.expect.requirements.iter().flatten();
        let unknown = requirements.filter(|(id, _)| !(self.context.is_requirement)(&id.0));
        for (id, word) in unknown {
            let title = format!("there is no check for requirement {}", id.0);
            let help = "`ofp-sim list requirements` lists those that there are";
            let problem = Diagnostic::new("step", title, word.span.clone(), "here").help(help);
            self.problems.push(problem);
        }
        for capture in &mut step.captures {
            let whole = self.whole_name(&capture.name);
            let known = scope.known.iter().find(|known| known.name == capture.name);
            if let Some(known) = known {
                let title =
                    format!("`{}` is a name in `{}` already", capture.name, known.origin.key());
                let problem = Diagnostic::new("as", title, capture.span.clone(), "again here");
                self.problems.push(problem.label(known.span.clone(), "first here"));
            }
            captured.push((capture.name.clone(), capture.span.clone()));
            scope.captured.insert(capture.name.clone(), whole.clone());
            capture.name = whole;
        }
        if refers(&filled) {
            step.template = Some(Template { node: filled, source: self.source.clone() });
        }
        Some(step)
    }

    fn whole_name(&self, name: &str) -> String {
        let own = || format!("{}{name}", self.prefix);
        self.returned.get(name).cloned().unwrap_or_else(own)
    }

    /// The steps of the file that an item names.
    fn fragment(
        &mut self,
        item: &Node,
        scope: &mut Scope,
        captured: &mut Vec<(String, Range<usize>)>,
    ) -> Vec<Step> {
        let filled = scope.fill(item);
        self.problems.append(&mut scope.problems);
        let spec: Use = match decode_all(&filled) {
            Ok(spec) => spec,
            Err(found) => {
                self.problems.extend(found.into_iter().map(|problem| problem.about("use")));
                return Vec::new();
            }
        };
        let with = match &filled.kind {
            Kind::Mapping(entries) => entries.iter().find(|(key, _)| key.text == "with"),
            _ => None,
        };
        self.used += 1;
        let Some(source) = self.read(&spec.r#use) else { return Vec::new() };
        let returned =
            spec.returns.iter().map(|name| (name.value.clone(), self.whole_name(&name.value)));
        let returned: BTreeMap<String, String> = returned.collect();
        let mut inner = Steps {
            source: &source,
            context: self.context,
            problems: Vec::new(),
            trail: self.trail.iter().chain([&source.name]).cloned().collect(),
            prefix: format!("{}{}/", self.prefix, self.used),
            returned: returned.clone(),
            used: 0,
            is_fragment: true,
            trace: Vec::new(),
            secrets: &[],
        };
        let given = Given { with: with.map(|(_, node)| node), place: &spec.r#use.span };
        let (steps, names) = inner.of_fragment(&given, &scope.budget, &mut self.problems);
        self.trace.append(&mut inner.trace);
        let found = std::mem::take(&mut inner.problems);
        for problem in found {
            let label = given.place_of(&source, &problem);
            let used = Used { source: self.source.clone(), label };
            let problem = problem.seen_in(&source, self.source).used_at(used);
            // a value that stands in several places is wrong once
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
        let inside = names.iter().filter(|name| !returned.contains_key(*name));
        scope.kept_inside.extend(inside.map(|name| (name.clone(), source.name.clone())));
        for name in spec.returns {
            if names.contains(&name.value) {
                let whole = returned.get(&name.value).cloned().unwrap_or_default();
                scope.captured.insert(name.value.clone(), whole);
                captured.push((name.value, name.span));
            } else {
                self.problems.push(returns_nothing(&name, &names, scope));
            }
        }
        // values of the caller that stand in the fragment
        scope.used_captures.extend(names_in(&filled));
        steps
    }

    fn read(&mut self, path: &Located<String>) -> Option<Source> {
        let problem = |title: String, help: &str| {
            Diagnostic::new("use", title, path.span.clone(), "this file").help(help)
        };
        if self.trail.len() > DEEPEST {
            let help = "put the steps in one file";
            self.problems
                .push(problem(format!("fragments are nested more than {DEEPEST} deep"), help));
            return None;
        }
        let source = match (self.context.read)(&path.value, self.source) {
            Ok(source) => source,
            Err(why) => {
                let help = "the path is relative to this file";
                self.problems.push(problem(format!("cannot read {}: {why}", path.value), help));
                return None;
            }
        };
        if self.trail.contains(&source.name) {
            let title = format!("{} uses itself: it would never end", source.name);
            self.problems.push(problem(title, "remove this step"));
            return None;
        }
        Some(source)
    }

    /// The steps of this file, which is a fragment, and the names that it captures. What is wrong with how it is
    /// used goes to `outside`.
    fn of_fragment(
        &mut self,
        given: &Given<'_>,
        budget: &Budget,
        outside: &mut Vec<Diagnostic>,
    ) -> (Vec<Step>, Vec<String>) {
        budget.spend(self.source.text.len() / 64);
        let mut entries = match yaml::parse(&self.source.text).map(|root| root.kind) {
            Ok(Kind::Mapping(entries)) => entries,
            Ok(_) => Vec::new(),
            Err(problem) => {
                self.problems.push(problem);
                return (Vec::new(), Vec::new());
            }
        };
        if !entries.iter().any(|(key, _)| key.text == FRAGMENT) {
            let title = format!("{} is no fragment", self.source.name);
            let help = "a file for `use` begins with `fragment: NAME` and has `steps`";
            let place = given.place.clone();
            outside.push(Diagnostic::new("use", title, place, "this file").help(help));
            return (Vec::new(), Vec::new());
        }
        let declared = head_of_fragment(&mut entries, &mut self.problems);
        let mut scope = Scope::knowing(given.values(declared, outside), budget);
        let steps = self.body(entries, &mut scope);
        (steps, scope.captured.into_keys().collect())
    }

    /// The steps of a fragment without its head.
    fn body(&mut self, mut entries: Vec<(Key, Node)>, scope: &mut Scope) -> Vec<Step> {
        let Some((key, node)) = take(&mut entries, "steps") else {
            let title = "key `steps` is missing";
            self.problems.push(Diagnostic::new("fragment", title, 0..0, "in this file"));
            return Vec::new();
        };
        let steps = self.list(&key, &node, scope);
        let unused = scope.known.iter().filter(|known| !scope.used.contains(&known.name));
        self.problems.extend(unused.map(unused_name));
        steps
    }

    /// The steps of a scenario, and what is wrong with them.
    pub(crate) fn parse(
        mut self,
        key: &Key,
        node: &Node,
        scope: &mut Scope,
    ) -> (Vec<Step>, Vec<Traced>, Vec<Diagnostic>) {
        let steps = self.list(key, node, scope);
        (steps, self.trace, self.problems)
    }
}

/// Whether a problem is about what a name stands for that nobody has said yet.
pub(crate) fn is_about_a_name(source: &Source, problem: &Diagnostic, open: &[Declared]) -> bool {
    let names = problem.labels.first().map(|label| names_at(source, &label.span));
    let is_open = |name: &String| open.iter().any(|one| one.name == *name);
    problem.code != "name" && names.is_some_and(|names| names.iter().any(is_open))
}

/// A name that the fragment is to return and does not capture. What was meant is known to what follows.
fn returns_nothing(name: &Located<String>, names: &[String], scope: &mut Scope) -> Diagnostic {
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    if let Some(meant) = suggest::closest(&name.value, &known) {
        scope.captured.insert(meant.to_owned(), meant.to_owned());
    }
    let title = format!("the fragment captures nothing as `{}`", name.value);
    let help = suggest::help(&name.value, &known);
    Diagnostic::new("use", title, name.span.clone(), "here").help(help)
}

fn is_use(item: &Node) -> bool {
    let Kind::Mapping(entries) = &item.kind else { return false };
    let has = |wanted: &dyn Fn(&str) -> bool| entries.iter().any(|(key, _)| wanted(&key.text));
    // a step that has `use` beside a verb is a step with a key too much
    has(&|key| key == USE) && !has(&|key| Verb::find(key).is_some())
}

/// The names that a step's `as` gives, whatever is wrong with it.
fn names_of_captures(step: &Node) -> Vec<String> {
    let Kind::Mapping(entries) = &step.kind else { return Vec::new() };
    let captures = entries.iter().find(|(key, _)| key.text == "as").map(|(_, node)| &node.kind);
    match captures {
        Some(Kind::Mapping(names)) => names.iter().map(|(key, _)| key.text.clone()).collect(),
        _ => Vec::new(),
    }
}

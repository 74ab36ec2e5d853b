//! The order of a scenario's steps: what a step needs must have come about before it, and must still be so.

use std::ops::Range;

use crate::{
    Action, Diagnostic, InjectScope, Scenario, Source, Step, WhichConsent,
    node::{Kind, Node},
    suggest,
    verb::{Gain, Verb},
};

/// What a step does, as far as the order of steps is concerned.
#[derive(Debug, Clone)]
pub(crate) struct Traced {
    verb: &'static str,
    /// The file, and the bytes of the verb in it.
    source: Source,
    span: Range<usize>,
    /// What it needs beside what its verb does.
    needs: Option<Gain>,
    /// What its verb needs, and it does not.
    spares: Option<Gain>,
    /// Whether something else is wrong with it: then its order is nobody's concern yet.
    is_broken: bool,
}

impl Traced {
    /// A step that is right.
    pub(crate) fn of(step: &Step) -> Self {
        let of_consent =
            matches!(&step.action, Action::Inject(inject) if inject.scope == InjectScope::Consent);
        let needs_consent = of_consent || step.expect.consent.is_some();
        // an earlier consent has its own tokens
        let of_first =
            matches!(&step.action, Action::Read(_, read) if read.of == WhichConsent::First);
        Self {
            verb: step.verb_name,
            source: step.source.clone(),
            span: step.verb_span(),
            needs: needs_consent.then_some(Gain::Asked),
            spares: of_first.then_some(Gain::Linked),
            is_broken: false,
        }
    }

    /// A step that is wrong, if it can be told what it was to be.
    pub(crate) fn of_broken(source: &Source, node: &Node) -> Option<Self> {
        let Kind::Mapping(entries) = &node.kind else { return None };
        let names = Verb::names();
        let (name, span) = entries.iter().find_map(|(key, _)| {
            let known = Verb::find(&key.text).map(|verb| verb.name);
            let verb = known.or_else(|| suggest::closest(&key.text, &names))?;
            Some((verb, key.span.clone()))
        })?;
        let (needs, spares) = (None, None);
        Some(Self { verb: name, source: source.clone(), span, needs, spares, is_broken: true })
    }
}

/// What is wrong with the order of steps.
pub(crate) fn check(source: &Source, steps: &[Traced]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut gained: Vec<Gain> = Vec::new();
    // what a step ended, and which
    let mut ended: Vec<(Gain, &Traced)> = Vec::new();
    for step in steps {
        let Some(verb) = Verb::find(step.verb) else { continue };
        let own = step.needs.as_ref().filter(|need| !verb.gives.contains(need));
        let needs = verb.needs.iter().chain(own).filter(|need| Some(**need) != step.spares);
        let missed: Vec<Gain> = needs.filter(|need| !gained.contains(need)).copied().collect();
        // the first that is missing is what the others wait for as well
        if let Some(need) = missed.first().filter(|_| !step.is_broken) {
            let by = ended.iter().rev().find(|(gain, _)| gain == need).map(|(_, step)| *step);
            problems.push(missing(source, step, *need, by));
        }
        // one cause, one message
        gained.extend(missed);
        let takes = verb.takes.iter().filter(|gain| gained.contains(gain));
        ended.extend(takes.map(|gain| (*gain, step)));
        gained.retain(|gain| !verb.takes.contains(gain));
        gained.extend(
            verb.gives.iter().filter(|gain| !gained.contains(gain)).copied().collect::<Vec<_>>(),
        );
        ended.retain(|(gain, _)| !gained.contains(gain));
    }
    problems
}

fn missing(source: &Source, step: &Traced, need: Gain, ended_by: Option<&Traced>) -> Diagnostic {
    let (needed, verb, at) = (need.verb(), step.verb, step.span.clone());
    let problem = match ended_by {
        None => {
            let title = format!("`{verb}` needs `{needed}` before it");
            Diagnostic::new("order", title, at, "too early")
                .help(format!("add `- {needed}:` before this step"))
        }
        Some(ender) => {
            let title = format!("`{verb}` can never be reached");
            let problem = Diagnostic::new("order", title, at, "nothing is left for it to act on")
                .help(format!(
                    "`{}` ends what it needs: move it before, or add `- {needed}:` between the two",
                    ender.verb
                ));
            match ender.source.name == step.source.name {
                true => problem.label(ender.span.clone(), "this step ends what it needs"),
                false => problem,
            }
        }
    };
    problem.seen_in(&step.source, source)
}

/// What strikes everybody would disturb the scenarios beside it.
pub(crate) fn check_exclusive(source: &Source, scenario: &Scenario) -> Vec<Diagnostic> {
    let disturbs = |action: &Action| match action {
        Action::Inject(inject) => inject.scope != InjectScope::Consent,
        Action::RotateKeys(_)
        | Action::RotateEncryptionKey
        | Action::FlushKeys
        | Action::Restart
        | Action::SetCore(_) => true,
        _ => false,
    };
    let steps = scenario.steps.iter().filter(|step| !scenario.exclusive && disturbs(&step.action));
    steps
        .map(|step| {
            let title =
                format!("`{}` disturbs every scenario that runs beside this one", step.name);
            Diagnostic::new("step", title, step.verb_span(), "here")
                .help("add `exclusive: true` to the scenario")
                .seen_in(&step.source, source)
        })
        .collect()
}

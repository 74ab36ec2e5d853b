//! The order of a scenario's steps: what a step needs must have come about before it, and must still be so.

use std::ops::Range;

use crate::{
    Action, Capture, CaptureFrom, Diagnostic, InjectScope, Pick, Scenario, Source, Step,
    WhichConsent,
    node::{Kind, Node},
    suggest,
    verb::{Gain, Verb},
};

/// The decision after which there is no code.
const REJECT: &str = "customer.reject";

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
    /// What its verb gives, and it does not.
    withholds: Option<Gain>,
    /// Whether something else is wrong with it: then its order is nobody's concern yet.
    is_broken: bool,
}

impl Traced {
    /// A step that is right.
    pub(crate) fn of(step: &Step) -> Self {
        let of_consent =
            matches!(&step.action, Action::Inject(inject) if inject.scope == InjectScope::Consent);
        let captures = |capture: &Capture| matches!(capture.from, CaptureFrom::Consent(_));
        let needs_consent = of_consent
            || step.expect.consent.is_some()
            || step.until.as_ref().is_some_and(|until| until.expect.consent.is_some())
            || step.captures.iter().any(captures);
        // an earlier consent has its own tokens
        let of_first =
            matches!(&step.action, Action::Read(_, read) if read.of == WhichConsent::First);
        let picks_none = matches!(&step.action, Action::SelectAccounts(s) if s.pick == Pick::None);
        Self {
            verb: step.verb_name,
            source: step.source.clone(),
            span: step.verb_span(),
            needs: needs_consent.then_some(Gain::Asked),
            spares: of_first.then_some(Gain::Linked),
            withholds: picks_none.then_some(Gain::Selected),
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
        let source = source.clone();
        let (needs, spares, withholds) = (None, None, None);
        Some(Self { verb: name, source, span, needs, spares, withholds, is_broken: true })
    }
}

/// What is wrong with the order of steps.
pub(crate) fn check<'a>(source: &Source, steps: &'a [Traced]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut gained: Vec<Gain> = Vec::new();
    // what a step ended or did not give, and which
    let mut ended: Vec<(Gain, &'a Traced)> = Vec::new();
    let mut withheld: Vec<(Gain, &'a Traced)> = Vec::new();
    for step in steps {
        let Some(verb) = Verb::find(step.verb) else { continue };
        let own = step.needs.as_ref().filter(|need| !verb.gives.contains(need));
        let needs = verb.needs.iter().chain(own).filter(|need| Some(**need) != step.spares);
        let missed: Vec<Gain> = needs.filter(|need| !gained.contains(need)).copied().collect();
        // the first that is missing is what the others wait for as well
        if let Some(need) = missed.first().filter(|_| !step.is_broken) {
            let of = |all: &[(Gain, &'a Traced)]| {
                all.iter().rev().find(|(gain, _)| gain == need).map(|(_, step)| *step)
            };
            let why = Why { ended_by: of(&ended), withheld_by: of(&withheld) };
            problems.push(missing(source, step, *need, &why));
        }
        // one cause, one message
        gained.extend(missed);
        let takes = verb.takes.iter().filter(|gain| gained.contains(gain));
        ended.extend(takes.map(|gain| (*gain, step)));
        // who rejects gives no code, and without a code there is no token
        let rejects = verb.name == REJECT;
        let withholds = step.withholds.into_iter().chain(rejects.then_some(Gain::Approved));
        let withholds = withholds.chain(rejects.then_some(Gain::Linked));
        withheld.extend(withholds.map(|gain| (gain, step)));
        gained.retain(|gain| !verb.takes.contains(gain));
        let gives = verb.gives.iter().filter(|gain| Some(**gain) != step.withholds);
        gained.extend(gives.filter(|gain| !gained.contains(gain)).copied().collect::<Vec<_>>());
        ended.retain(|(gain, _)| !gained.contains(gain));
        withheld.retain(|(gain, _)| !gained.contains(gain));
        if verb.name == Gain::Asked.verb() {
            // another consent, another decision
            withheld.clear();
        }
    }
    problems
}

/// Why there is not what a step needs, although it might be thought that there was.
struct Why<'a> {
    /// The step that ended it.
    ended_by: Option<&'a Traced>,
    /// The step that did not bring it about.
    withheld_by: Option<&'a Traced>,
}

fn missing(source: &Source, step: &Traced, need: Gain, why: &Why<'_>) -> Diagnostic {
    let problem =
        |title: String, label: &str| Diagnostic::new("order", title, step.span.clone(), label);
    let pointing =
        |problem: Diagnostic, at: &Traced, label: &str| match at.source.name == step.source.name {
            true => problem.label(at.span.clone(), label),
            false => problem,
        };
    let (needed, verb) = (need.verb(), step.verb);
    let problem = match (why.withheld_by, why.ended_by) {
        (Some(by), _) if by.verb == REJECT => {
            let title = format!("`{verb}` can never be reached: the customer has rejected");
            let problem = problem(title, "the DC has no code, and gets no token");
            pointing(problem, by, "here").help(
                "`- customer.return_to_dc:` takes the refusal to the DC, and `- expect.dc: { linked: false }` looks at it; \
                 that the DP gives nothing away asks `- paynet.forward_balance:` with `expect: { refused: true }`",
            )
        }
        (Some(by), _) => {
            let title = format!("`{verb}` needs `{needed}` before it that chooses an account");
            pointing(problem(title, "too early"), by, "this chooses none").help(
                "with `pick: none` the customer stays on the page: choose again before this step",
            )
        }
        (None, None) => problem(format!("`{verb}` needs `{needed}` before it"), "too early")
            .help(format!("add `- {needed}:` before this step")),
        (None, Some(ender)) => {
            let title = format!("`{verb}` can never be reached");
            let problem = problem(title, "nothing is left for it to act on");
            pointing(problem, ender, "this step ends what it needs").help(format!(
                "`{}` ends what it needs: move it before, or add `- {needed}:` between the two",
                ender.verb
            ))
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

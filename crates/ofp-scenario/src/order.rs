//! The order of a scenario's steps: what a step needs must have come about before it, and must still be so.

use crate::{
    Action, Diagnostic, InjectScope, Scenario, Source, Step,
    verb::{Gain, Verb},
};

/// What is wrong with the steps as a whole.
pub(crate) fn check(source: &Source, scenario: &Scenario) -> Vec<Diagnostic> {
    let mut problems = check_order(source, &scenario.steps);
    problems.extend(check_exclusive(source, scenario));
    problems
}

fn check_order(source: &Source, steps: &[Step]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut gained: Vec<Gain> = Vec::new();
    // what a step ended, and which
    let mut ended: Vec<(Gain, &Step)> = Vec::new();
    for step in steps {
        let Some(verb) = step.verb() else { continue };
        let expects_consent = step.expect.consent.is_some() && !verb.gives.contains(&Gain::Asked);
        let needs = verb.needs.iter().chain(expects_consent.then_some(&Gain::Asked));
        let missed: Vec<&Gain> = needs.filter(|need| !gained.contains(need)).collect();
        for need in missed {
            let by = ended.iter().rev().find(|(gain, _)| gain == need).map(|(_, step)| *step);
            problems.push(missing(source, step, verb, *need, by));
            // one cause, one message
            gained.push(*need);
        }
        gained.retain(|gain| !verb.takes.contains(gain));
        ended.extend(verb.takes.iter().map(|gain| (*gain, step)));
        gained.extend(verb.gives);
    }
    problems
}

fn missing(
    source: &Source,
    step: &Step,
    verb: &Verb,
    need: Gain,
    ended_by: Option<&Step>,
) -> Diagnostic {
    let needed = need.verb();
    let at = step.verb_span();
    let problem = match ended_by {
        None => {
            let title = format!("`{}` needs `{needed}` before it", verb.name);
            Diagnostic::new("order", title, at, "too early")
                .help(format!("add `- {needed}:` before this step"))
        }
        Some(ender) => {
            let title = format!("`{}` can never be reached", verb.name);
            let problem = Diagnostic::new("order", title, at, "nothing is left for it to act on")
                .help(format!("move it before, or add `- {needed}:` between the two"));
            match ender.source.name == step.source.name {
                true => problem.label(ender.verb_span(), "this step ends what it needs"),
                false => problem,
            }
        }
    };
    problem.seen_in(&step.source, source)
}

/// What strikes everybody would disturb the scenarios beside it.
fn check_exclusive(source: &Source, scenario: &Scenario) -> Vec<Diagnostic> {
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

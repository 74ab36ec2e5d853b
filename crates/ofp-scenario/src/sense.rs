//! What makes no sense although each key is well formed: it would never be checked, or always be met.

use std::ops::Range;

use jsonpath_rust::parser::parse_json_path;
use ofp_types::{Mutation, MutationPart};

use crate::{
    Action, Diagnostic, Expect,
    capture::CaptureFrom,
    node::{Key, Kind, Node},
    step::{Beside, EVERY, FOR, LEAST},
    verb::{Answers, Verb},
};

/// Which keys make sense beside a verb: one that does not would never be checked.
pub(crate) fn check_expect(
    verb: &Verb,
    key: &Key,
    beside: &Beside,
    reserved: &[&(Key, Node)],
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let possible = Expect::possible(verb.answers);
    // of a form that is spoilt nobody sees the page that follows, but of one that is sent twice
    let unseen = verb.answers == Answers::Page
        && beside.mutate.is_some_and(|mutation| mutation != Mutation::PressedTwice);
    if unseen && (beside.expect.screen.is_some() || beside.expect.text.is_some()) {
        let title = "the page behind a spoilt form is not looked at";
        let problem = Diagnostic::new("step", title, key.span.clone(), "this verb");
        problems.push(problem.help("say `screen` and `text` at the step after it"));
    }
    let wanted = beside.expect.written().into_iter().map(|name| ("expect", name));
    let until = beside.until.iter().flat_map(Expect::written).map(|name| ("until", name));
    for (inside, name) in wanted.chain(until).filter(|(_, name)| !possible.contains(name)) {
        let title = format!("`{name}` cannot be expected of `{}`", verb.name);
        let help =
            format!("remove `{name}` from `{inside}`; here may stand: {}", possible.join(", "));
        let at = inner_key(reserved, inside, name).unwrap_or_else(|| key.span.clone());
        let problem = Diagnostic::new("step", title, at, "not here").help(help);
        problems.push(problem.label(key.span.clone(), "of this verb"));
    }
    problems.extend(check_until(verb, key, beside, reserved));
    problems.extend(check_captures(verb, beside));
    problems
}

/// Only what can change is worth another try.
fn check_until(
    verb: &Verb,
    key: &Key,
    beside: &Beside,
    reserved: &[&(Key, Node)],
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let at = |name: &str| {
        let found = reserved.iter().find(|(key, _)| key.text == name);
        found.map_or(key.span.clone(), |(key, _)| key.span.clone())
    };
    let mut wrong = |name: &str, title: String, help: &str| {
        problems.push(Diagnostic::new("step", title, at(name), "here").help(help));
    };
    let polls = matches!(verb.answers, Answers::Http | Answers::Platform | Answers::Said);
    match &beside.until {
        Some(_) if !polls => {
            let title = format!("`{}` cannot be done again until something holds", verb.name);
            wrong(
                "until",
                title,
                "`until` goes with calls whose answer can change, such as dc.read_balance",
            );
        }
        Some(until) if until.requirements.is_some() => {
            let title = "what a scenario shows is known only when it is over".to_owned();
            wrong("until", title, "say `requirements` in `expect`");
        }
        None => {
            for name in ["every", "for"] {
                if reserved.iter().any(|(key, _)| key.text == name) {
                    wrong(
                        name,
                        format!("`{name}` means nothing without `until`"),
                        "such as `until: { status: 200 }`",
                    );
                }
            }
        }
        Some(_) => {
            let (every, at_most) = (beside.every.unwrap_or(EVERY), beside.at_most.unwrap_or(FOR));
            if every.0 < LEAST.0 {
                wrong("every", "a step is not done again at once".into(), "at least 10ms");
            }
            if at_most.0 < every.0 {
                let (name, title) = match beside.at_most {
                    Some(_) => ("for", "`for` is shorter than `every`: there would be one try"),
                    None => ("every", "`every` is longer than a step is done again, which is 10s"),
                };
                wrong(
                    name,
                    title.into(),
                    "say with `for` how long to go on, several times as long",
                );
            }
        }
    }
    problems
}

/// A capture must have something to capture from.
fn check_captures(verb: &Verb, beside: &Beside) -> Vec<Diagnostic> {
    let key_of = |from: &CaptureFrom| match from {
        CaptureFrom::Status => Some("status"),
        CaptureFrom::Header(_) => Some("headers"),
        CaptureFrom::Json(_) => Some("json"),
        CaptureFrom::Redirect(_) => Some("redirect"),
        CaptureFrom::Jwt(_) => Some("jwt"),
        CaptureFrom::Consent(_) => None,
    };
    let possible = Expect::possible(verb.answers);
    let impossible = beside
        .captures
        .iter()
        .filter(|capture| key_of(&capture.from).is_some_and(|key| !possible.contains(&key)));
    impossible
        .map(|capture| {
            let what = key_of(&capture.from).unwrap_or_default();
            let title = format!("`{}` has no {what} to capture", verb.name);
            Diagnostic::new("as", title, capture.span.clone(), "this capture")
        })
        .collect()
}

/// Only what PayNet sends by itself can be spoilt, since PayNet would refuse the rest before the DP sees
/// it, and what the customer sends to the DP.
pub(crate) fn check_mutate(
    action: &Action,
    mutation: Option<Mutation>,
    key: &Key,
    reserved: &[&(Key, Node)],
) -> Option<Diagnostic> {
    let mutation = mutation?;
    let written = reserved.iter().find(|(key, _)| key.text == "mutate");
    let at = written.map_or_else(|| key.span.clone(), |(_, value)| value.span.clone());
    let possible = match action {
        Action::Probe(_) => mutation.part() != MutationPart::Form,
        Action::SelectAccounts(_) => mutation == Mutation::AccountForged,
        Action::Approve | Action::Reject => matches!(
            mutation,
            Mutation::SessionMissing | Mutation::FormTokenForeign | Mutation::PressedTwice
        ),
        _ => false,
    };
    if possible {
        return None;
    }
    let title = format!("what `{}` sends cannot be spoilt with {mutation}", key.text);
    let help = match mutation {
        Mutation::AccountForged => "it goes with customer.select_accounts",
        _ if mutation.part() == MutationPart::Form => {
            "it goes with what a browser sends: customer.approve, customer.reject"
        }
        _ => {
            "it goes with what PayNet sends: paynet.send_event, open_authorize, ask_health, forward_…"
        }
    };
    let problem = Diagnostic::new("step", title, at, "not of this verb").help(help);
    Some(problem.label(key.span.clone(), "this verb"))
}

/// Expectations that say nothing: they would always be met.
pub(crate) fn empty(inside: &str, node: &Node) -> Vec<Diagnostic> {
    let Kind::Mapping(entries) = &node.kind else {
        return if says_nothing(node) { vec![nothing(inside, &node.span)] } else { Vec::new() };
    };
    if entries.is_empty() {
        return vec![nothing(inside, &node.span)];
    }
    let each = entries.iter().flat_map(|(key, value)| match (key.text.as_str(), &value.kind) {
        // that there is a good signature, or a JWE, is something already
        ("jwt" | "jwe", Kind::Mapping(parts)) => without_a_value(parts),
        ("tls", Kind::Mapping(parts)) if !parts.is_empty() => without_a_value(parts),
        ("text", _) if is_blank(value) => vec![nothing(&key.text, &key.span)],
        _ if says_nothing(value) => vec![nothing(&key.text, &key.span)],
        _ => Vec::new(),
    });
    each.collect()
}

fn without_a_value(parts: &[(Key, Node)]) -> Vec<Diagnostic> {
    let empty = parts.iter().filter(|(_, value)| is_blank(value));
    empty.map(|(key, _)| nothing(&key.text, &key.span)).collect()
}

fn nothing(what: &str, span: &Range<usize>) -> Diagnostic {
    let title = format!("`{what}` says nothing that is to hold");
    let help = "give it a value, or remove it";
    Diagnostic::new("step", title, span.clone(), "here").help(help)
}

fn says_nothing(node: &Node) -> bool {
    match &node.kind {
        Kind::Mapping(entries) => entries.is_empty(),
        Kind::Sequence(items) => items.is_empty(),
        Kind::Scalar { .. } => node.is_null(),
    }
}

/// Nothing, or a text that is part of any.
pub(crate) fn is_blank(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar { text, .. } if text.trim().is_empty()) || node.is_null()
}

/// Where a key stands inside `expect` or `until`.
fn inner_key(reserved: &[&(Key, Node)], inside: &str, name: &str) -> Option<Range<usize>> {
    let (_, node) = reserved.iter().find(|(key, _)| key.text == inside)?;
    let Kind::Mapping(entries) = &node.kind else { return None };
    entries.iter().find(|(key, _)| key.text == name).map(|(key, _)| key.span.clone())
}

/// A longer path is no path.
const LONGEST_PATH: usize = 500;
/// Each multiplies what is looked at.
const BROADEST: usize = 4;

/// A JSONPath that is none: the runner would find out too late.
pub(crate) fn bad_path(path: &str, span: &Range<usize>) -> Option<Diagnostic> {
    let whole = if path.starts_with('$') { path.to_owned() } else { format!("$.{path}") };
    let broad = path.matches('*').count() + path.matches("..").count();
    if path.len() > LONGEST_PATH || broad > BROADEST {
        let title = "the JSONPath asks for too much";
        let help = format!("at most {LONGEST_PATH} characters, and {BROADEST} times `*` or `..`");
        return Some(Diagnostic::new("json-path", title, span.clone(), "here").help(help));
    }
    // of a name in a key something has been said already
    if path.contains("{{") || parse_json_path(&whole).is_ok() {
        return None;
    }
    let title = format!("`{path}` is no JSONPath");
    let help = "such as `data.accounts[0].name`, RFC 9535; a leading `$.` may be left out";
    Some(Diagnostic::new("json-path", title, span.clone(), "this value's path").help(help))
}

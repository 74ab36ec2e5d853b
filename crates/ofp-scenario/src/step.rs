//! A step: one verb, and the reserved keys beside it.

use ofp_types::Mutation;

use crate::{
    Action, Capture, Diagnostic, Expect, Skip, Source, Span, Step, Until,
    capture::{CaptureFrom, CaptureSpec},
    decode_all::decode_all,
    explain,
    node::{Key, Kind, Node},
    parse::is_plain,
    sense::{bad_path, check_expect, check_mutate, empty},
    suggest,
    verb::{Answers, Verb},
};

/// Keys that may stand beside a step's verb.
pub(crate) const RESERVED: [&str; 9] =
    ["name", "expect", "as", "until", "every", "for", "mutate", "skip", "continue"];

/// How long to wait between two tries, and for how long to try, unless the step says.
pub(crate) const EVERY: Span = Span(jiff::SignedDuration::from_millis(250));
/// Who asks more often is a load test.
pub(crate) const LEAST: Span = Span(jiff::SignedDuration::from_millis(10));
pub(crate) const FOR: Span = Span(jiff::SignedDuration::from_secs(10));

/// What stands beside the verb.
#[derive(Default)]
pub(crate) struct Beside {
    pub(crate) name: Option<String>,
    pub(crate) expect: Expect,
    pub(crate) captures: Vec<Capture>,
    pub(crate) until: Option<Expect>,
    pub(crate) every: Option<Span>,
    pub(crate) at_most: Option<Span>,
    pub(crate) mutate: Option<Mutation>,
    pub(crate) skip: Option<Skip>,
    pub(crate) goes_on: bool,
}

/// Parses a step; nothing comes back where anything is wrong with it.
pub(crate) fn parse_step(
    source: &Source,
    node: &Node,
    problems: &mut Vec<Diagnostic>,
) -> Option<Step> {
    let before = problems.len();
    let Kind::Mapping(entries) = &node.kind else {
        let title = format!("a step is a map with one verb, this is {}", node.describe());
        let help = "write a step as `- actor.verb:`, with what the verb needs behind it";
        problems.push(Diagnostic::new("step", title, node.span.clone(), "here").help(help));
        return None;
    };
    let (reserved, verbs): (Vec<_>, Vec<_>) =
        entries.iter().partition(|(key, _)| RESERVED.contains(&key.text.as_str()));
    let beside = beside(&reserved, problems);
    let (verb, key, action) = match the_verb(node, &verbs).and_then(|(key, value)| {
        let verb = known_verb(key)?;
        let (value, misplaced) = without_reserved(verb, value);
        problems.extend(misplaced);
        Ok((verb, key, (verb.parse)(key, &value)))
    }) {
        Ok(found) => found,
        Err(problem) => {
            problems.push(problem);
            return None;
        }
    };
    let action = action.map_err(|found| problems.extend(found)).ok();
    problems.extend(check_expect(verb, key, &beside, &reserved));
    let spoilt = |action: &Action| check_mutate(action, beside.mutate, key, &reserved);
    problems.extend(action.as_ref().and_then(spoilt));
    for problem in &mut problems[before..] {
        explain::by_key(node, problem);
    }
    explain_captures(&mut problems[before..]);
    if problems.len() > before {
        return None;
    }
    let until = beside.until.map(|expect| Until {
        expect,
        every: beside.every.unwrap_or(EVERY),
        at_most: beside.at_most.unwrap_or(FOR),
    });
    Some(Step {
        name: beside.name.unwrap_or_else(|| key.text.clone()),
        source: source.clone(),
        line: source.line(key.span.start),
        span: node.extent(),
        verb_name: verb.name,
        key: key.span.clone(),
        action: action?,
        mutate: beside.mutate,
        expect: beside.expect,
        captures: beside.captures,
        until,
        goes_on: beside.goes_on,
        skip: beside.skip,
        template: None,
    })
}

/// What stands behind a verb, without keys that belong beside it: the commonest slip of the hand.
fn without_reserved(verb: &Verb, value: &Node) -> (Node, Vec<Diagnostic>) {
    let Kind::Mapping(entries) = &value.kind else { return (value.clone(), Vec::new()) };
    let is_reserved = |key: &Key| RESERVED.contains(&key.text.as_str());
    if !entries.iter().any(|(key, _)| is_reserved(key)) {
        return (value.clone(), Vec::new());
    }
    let own = explain::keys_behind(verb);
    let is_misplaced = |key: &Key| is_reserved(key) && !own.contains(&key.text);
    let (misplaced, rest): (Vec<_>, Vec<_>) =
        entries.iter().cloned().partition(|(key, _)| is_misplaced(key));
    let problems = misplaced.into_iter().map(|(key, _)| {
        let title = format!("`{}` stands beside the verb, not behind it", key.text);
        let help = "indent it as far as the verb itself, behind the dash";
        Diagnostic::new("step", title, key.span, "here").help(help)
    });
    let problems: Vec<Diagnostic> = problems.collect();
    let kind = match rest.is_empty() && !problems.is_empty() {
        true => Kind::Scalar { text: String::new(), plain: true },
        false => Kind::Mapping(rest),
    };
    (Node { span: value.span.clone(), kind }, problems)
}

fn beside(reserved: &[&(Key, Node)], problems: &mut Vec<Diagnostic>) -> Beside {
    let mut beside = Beside::default();
    for (key, value) in reserved {
        let decoded = match key.text.as_str() {
            "name" => into(value, &mut beside.name),
            "expect" => into(value, &mut beside.expect),
            "until" => into(value, &mut beside.until),
            "every" => into(value, &mut beside.every),
            "for" => into(value, &mut beside.at_most),
            "skip" => into(value, &mut beside.skip),
            "continue" => into(value, &mut beside.goes_on),
            "mutate" => {
                mutation(value).map(|found| beside.mutate = found).map_err(|problem| vec![problem])
            }
            _ => captures(value).map(|found| beside.captures = found),
        };
        match decoded {
            Err(found) => problems.extend(found),
            Ok(()) if matches!(key.text.as_str(), "expect" | "until") => {
                problems.extend(empty(&key.text, value));
            }
            Ok(()) => {}
        }
    }
    let expects = beside.until.iter().chain([&beside.expect]);
    for (path, span) in expects.flat_map(Expect::paths) {
        problems.extend(bad_path(path, &span));
    }
    beside
}

fn into<T: serde::de::DeserializeOwned>(node: &Node, place: &mut T) -> Result<(), Vec<Diagnostic>> {
    decode_all(node).map(|value| *place = value)
}

/// `as`: names to captures.
fn captures(node: &Node) -> Result<Vec<Capture>, Vec<Diagnostic>> {
    let Kind::Mapping(entries) = &node.kind else {
        let title = format!("expected a map of names, found {}", node.describe());
        let help = "such as `as: { amount: { json: data.current_balance.amount } }`";
        return Err(vec![Diagnostic::new("as", title, node.span.clone(), "here").help(help)]);
    };
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for (key, value) in entries {
        let problem = |title: String, span| vec![Diagnostic::new("as", title, span, "here")];
        if !is_plain(&key.text) {
            let title = format!("`{}` cannot name a capture: letters, digits, - and _", key.text);
            problems.extend(problem(title, key.span.clone()));
            continue;
        }
        let found = decode_all::<CaptureSpec>(value).and_then(|spec| {
            let secret = spec.secret;
            let paths = spec.json.iter().chain(&spec.jwt);
            let bad: Vec<_> = paths.filter_map(|path| bad_path(&path.value, &path.span)).collect();
            if !bad.is_empty() {
                return Err(bad);
            }
            let from = spec.from().map_err(|title| problem(title, value.span.clone()))?;
            // a code is as good as a password
            let secret = secret || from == CaptureFrom::Redirect("code".into());
            Ok(Capture { name: key.text.clone(), from, secret, span: key.span.clone() })
        });
        match found {
            Ok(capture) => all.push(capture),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(all) } else { Err(problems) }
}

/// The one key of a step that is its verb.
fn the_verb<'a>(node: &Node, verbs: &[&'a (Key, Node)]) -> Result<&'a (Key, Node), Diagnostic> {
    let names = Verb::names();
    match verbs {
        [one] => Ok(one),
        [] => {
            let title = "a step needs a verb";
            Err(Diagnostic::new("step", title, node.span.clone(), "none here")
                .help(suggest::verb_help("", &names, &[])))
        }
        [first, second, ..] => {
            let unknown = verbs.iter().find(|(key, _)| Verb::find(&key.text).is_none());
            let (key, _) = unknown.unwrap_or(second);
            let title = format!("a step has one verb; `{}` is too much", key.text);
            let help = match Verb::find(&key.text) {
                None if Expect::possible(Answers::Probe).contains(&key.text.as_str()) => {
                    format!("put it into `expect`: `expect: {{ {}: … }}`", key.text)
                }
                Some(_) => format!("begin another step with it: `- {}:`", key.text),
                None => suggest::verb_help(&key.text, &names, &RESERVED),
            };
            let problem = Diagnostic::new("step", title, key.span.clone(), "this one").help(help);
            let (other, _) = if key.span == first.0.span { second } else { first };
            Err(problem.label(other.span.clone(), "beside this one"))
        }
    }
}

fn known_verb(key: &Key) -> Result<&'static Verb, Diagnostic> {
    Verb::find(&key.text).ok_or_else(|| {
        let title = format!("unknown step `{}`", key.text);
        let names: Vec<&str> = Verb::names().into_iter().chain(["use"]).collect();
        let help = suggest::verb_help(&key.text, &names, &RESERVED);
        Diagnostic::new("step", title, key.span.clone(), "no such verb").help(help)
    })
}

/// What a good request in a table of bad ones has for a mutation.
pub(crate) const UNSPOILT: &str = "none";

fn mutation(value: &Node) -> Result<Option<Mutation>, Diagnostic> {
    let name: String = decode_all(value).map_err(|mut all: Vec<Diagnostic>| {
        let help = format!("write `{UNSPOILT}` where nothing is to be spoilt");
        all.remove(0).help_unless_any(&help)
    })?;
    if name == UNSPOILT {
        return Ok(None);
    }
    let found = Mutation::by_name(&name).ok_or_else(|| {
        let title = format!("there is no mutation `{name}`");
        let names: Vec<&str> = Mutation::ALL.iter().map(|mutation| mutation.name()).collect();
        let all = format!("`ofp-sim list mutations` has all; `{UNSPOILT}` spoils nothing");
        let help = match suggest::closest(&name, &names) {
            Some(meant) => format!("did you mean `{meant}`? {all}"),
            None => all,
        };
        Diagnostic::new("step", title, value.span.clone(), "no such name").help(help)
    })?;
    Ok(Some(found))
}

/// What is captured is known only when the scenario is played: until then its name stands there.
fn explain_captures(problems: &mut [Diagnostic]) {
    for problem in problems {
        if problem.title.contains("{{") && problem.code != "name" {
            let stop = |help: String| match help.ends_with(['.', '?', '`']) {
                true => format!("{help} "),
                false => format!("{help}. "),
            };
            let help = problem.help.take().map_or_else(String::new, stop);
            let more = "What an earlier step captures is known only when the scenario is played: it can stand where a \
                        text can, and in `json`, `headers`, `redirect` and `text`.";
            problem.help = Some(format!("{help}{more}"));
        }
    }
}

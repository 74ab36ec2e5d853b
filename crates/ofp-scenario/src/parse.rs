//! Tree to scenario, with every problem found on the way.

use ofp_types::{Mutation, MutationPart, Profile, RequirementId};
use serde::Deserialize;

use crate::{
    Action, ConsentSpec, Diagnostic, Located, Scenario, Skip, Source, Step, VERBS,
    action::{
        Change, DpRevokes, ExpectConsent, ExpectDc, ExpectDcTold, Inject, InjectScope, LinkMany,
        LogIn, PickProvider, Read, ReadTransactions, Resource, RevokeToken, RotateKeys,
        SelectAccounts, SetAccount, SetCore,
    },
    decode::decode,
    expect::Expect,
    node::{Key, Kind, Node},
    probe::{AskHealth, Forward, Probe, SendEvent},
    rows::{self, Row},
    suggest, yaml,
};

/// Keys that may stand beside a step's verb.
const RESERVED: [&str; 3] = ["name", "expect", "mutate"];
/// Keys of a scenario whose decoding is not this file's alone.
const STEPS: &str = "steps";

/// A scenario without its steps.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
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
}

/// Parses the scenarios of a file: one, or one for each row of `for_each`. `is_requirement` tells which
/// requirements exist.
///
/// They come back only when there is no problem; the problems come back all at once.
#[must_use]
pub fn parse_scenarios(
    source: &Source,
    is_requirement: &dyn Fn(&str) -> bool,
) -> (Vec<Scenario>, Vec<Diagnostic>) {
    let root = match yaml::parse(&source.text) {
        Ok(root) => root,
        Err(problem) => return (Vec::new(), vec![problem]),
    };
    let Kind::Mapping(entries) = root.kind else {
        let title = format!("a scenario is a map of keys, this is {}", root.describe());
        return (Vec::new(), vec![Diagnostic::new("scenario", title, root.span, "here")]);
    };
    let rows = match rows::expand(entries) {
        Ok(rows) => rows,
        Err(problems) => return (Vec::new(), problems),
    };
    let (mut scenarios, mut problems) = (Vec::new(), Vec::new());
    for row in rows {
        let (scenario, found) = parse_row(source, row, is_requirement);
        scenarios.extend(scenario);
        // what is wrong with every row is said once
        problems
            .extend(found.into_iter().filter(|new| !problems.contains(new)).collect::<Vec<_>>());
    }
    if problems.is_empty() { (scenarios, problems) } else { (Vec::new(), problems) }
}

fn parse_row(
    source: &Source,
    row: Row,
    is_requirement: &dyn Fn(&str) -> bool,
) -> (Option<Scenario>, Vec<Diagnostic>) {
    let entries = row.entries;
    let (steps, head): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(k, _)| k.text == STEPS);
    let mut problems = Vec::new();
    let mut keep = |result: Result<Head, Diagnostic>| match result {
        Ok(head) => Some(head),
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    let head = keep(decode(&Node { span: 0..0, kind: Kind::Mapping(head) }));
    let steps = parse_steps(source, steps.into_iter().next(), &mut problems);
    let Some(head) = head else { return (None, problems) };
    check_head(&head, is_requirement, &mut problems);
    if head.snapshot && row.name.is_some() {
        let title = "the rows of `for_each` would share one snapshot";
        let span = head.scenario.span.clone();
        problems.push(Diagnostic::new("for_each", title, span, "in this scenario"));
    }
    if !problems.is_empty() {
        return (None, problems);
    }
    let scenario = Scenario {
        name: head.scenario.value,
        row: row.name,
        title: head.title,
        tags: head.tags,
        covers: head.covers,
        consent: head.consent,
        steps,
        snapshot: head.snapshot,
        exclusive: head.exclusive,
        skip: head.skip,
    };
    problems.extend(check_exclusive(source, &scenario));
    (Some(scenario).filter(|_| problems.is_empty()), problems)
}

/// What a scenario or a row may be called: its id is made of both.
pub(crate) fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.chars().all(plain)
}

fn check_head(head: &Head, is_requirement: &dyn Fn(&str) -> bool, problems: &mut Vec<Diagnostic>) {
    let name = &head.scenario;
    if !is_plain(&name.value) {
        let title = format!("`{}` cannot name a scenario", name.value);
        let label = "letters, digits, - and _ only";
        problems.push(Diagnostic::new("scenario", title, name.span.clone(), label));
    }
    for covered in &head.covers {
        if !is_requirement(covered.value.as_str()) {
            let title = format!("there is no check for requirement {}", covered.value);
            let help = "`ofp-sim list requirements` lists those that there are";
            let span = covered.span.clone();
            problems.push(Diagnostic::new("covers", title, span, "here").help(help));
        }
    }
    if let Some((skip, unknown)) = head.skip.as_ref().and_then(|skip| Some((skip, skip.unknown()?)))
    {
        let title = format!("`{unknown}` is no switch of a profile");
        let switches = serde_json::to_value(Profile::default()).unwrap_or_default();
        let known: Vec<&str> =
            switches.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let help = match suggest::closest(unknown, &known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("there are {}", known.join(", ")),
        };
        let span = skip.when.span.clone();
        problems.push(Diagnostic::new("skip", title, span, "in this condition").help(help));
    }
    if head.skip.as_ref().is_some_and(|skip| skip.when.value.is_empty()) {
        let title = "a scenario that is always left out is none";
        problems.push(Diagnostic::new("skip", title, name.span.clone(), "in this scenario"));
    }
    if head.consent.valid_for.0.is_zero() {
        let title = "a consent needs a time to be valid for";
        problems.push(Diagnostic::new("scenario", title, name.span.clone(), "in this scenario"));
    }
    if head.consent.permissions.is_empty() {
        let title = "a consent needs at least one permission";
        problems.push(Diagnostic::new("scenario", title, name.span.clone(), "in this scenario"));
    }
}

fn parse_steps(
    source: &Source,
    steps: Option<(Key, Node)>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Step> {
    let Some((key, node)) = steps else {
        problems.push(Diagnostic::new("scenario", "key `steps` is missing", 0..0, "in this file"));
        return Vec::new();
    };
    match &node.kind {
        Kind::Sequence(items) if !items.is_empty() => {
            let mut keep = |result: Result<Step, Vec<Diagnostic>>| {
                result.map_err(|found| problems.extend(found)).ok()
            };
            items.iter().filter_map(|item| keep(parse_step(source, item))).collect()
        }
        _ => {
            let title = match &node.kind {
                Kind::Sequence(_) => "the list of steps is empty".to_owned(),
                _ => format!("expected a list of steps, found {}", node.describe()),
            };
            problems.push(Diagnostic::new("scenario", title, key.span, "here"));
            Vec::new()
        }
    }
}

fn parse_step(source: &Source, node: &Node) -> Result<Step, Vec<Diagnostic>> {
    let Kind::Mapping(entries) = &node.kind else {
        let title = format!("a step is a map with one verb, this is {}", node.describe());
        let help = "write a step as `- actor.verb:`, with what the verb needs behind it";
        return Err(vec![Diagnostic::new("step", title, node.span.clone(), "here").help(help)]);
    };
    let (reserved, verbs): (Vec<_>, Vec<_>) =
        entries.iter().partition(|(key, _)| RESERVED.contains(&key.text.as_str()));
    let mut problems = Vec::new();
    let mut name = None;
    let mut expect = Expect::default();
    let mut mutate = None;
    for (key, value) in reserved {
        let decoded = match key.text.as_str() {
            "name" => decode(value).map(|text: String| name = Some(text)),
            "mutate" => mutation(value).map(|found| mutate = Some(found)),
            _ => decode(value).map(|found: Expect| expect = found),
        };
        problems.extend(decoded.err());
    }
    let action = the_verb(node, &verbs).and_then(|(key, value)| {
        let action = parse_action(key, value)?;
        check_expect(&action, &key.text, &expect, key)?;
        check_mutate(&action, mutate, key)?;
        Ok((key, action))
    });
    match action {
        Ok((key, action)) if problems.is_empty() => Ok(Step {
            name: name.unwrap_or_else(|| key.text.clone()),
            line: source.line(key.span.start),
            action,
            mutate,
            expect,
        }),
        Ok(_) => Err(problems),
        Err(problem) => {
            problems.push(problem);
            Err(problems)
        }
    }
}

/// The one key of a step that is its verb.
fn the_verb<'a>(node: &Node, verbs: &[&'a (Key, Node)]) -> Result<&'a (Key, Node), Diagnostic> {
    match verbs {
        [one] => Ok(one),
        [] => {
            let title = "a step needs a verb";
            Err(Diagnostic::new("step", title, node.span.clone(), "none here")
                .help(suggest::verb_help("", VERBS, &[])))
        }
        [first, second, ..] => {
            let unknown = verbs.iter().find(|(key, _)| !VERBS.contains(&key.text.as_str()));
            let (key, _) = unknown.unwrap_or(second);
            let title = format!("a step has one verb; `{}` is too much", key.text);
            let problem = Diagnostic::new("step", title, key.span.clone(), "this one")
                .help(suggest::verb_help(&key.text, VERBS, &RESERVED));
            let (other, _) = if key.span == first.0.span { second } else { first };
            Err(problem.label(other.span.clone(), "beside this one"))
        }
    }
}

/// A verb with what stands behind it.
fn parse_action(key: &Key, value: &Node) -> Result<Action, Diagnostic> {
    let actor = key.text.split('.').next().unwrap_or_default();
    let action = match actor {
        "dc" => dc_action(key, value),
        "customer" => customer_action(key, value),
        "paynet" => paynet_action(key, value),
        _ => other_action(key, value),
    };
    action.unwrap_or_else(|| {
        let unknown = key.text.as_str();
        let title = format!("unknown step `{unknown}`");
        let help = suggest::verb_help(unknown, VERBS, &[]);
        Err(Diagnostic::new("step", title, key.span.clone(), "no such verb").help(help))
    })
}

/// A verb of an actor; none where the actor has no such verb.
type Found = Option<Result<Action, Diagnostic>>;

fn nothing(value: &Node, action: Action) -> Result<Action, Diagnostic> {
    decode::<()>(value).map(|()| action)
}

fn dc_action(key: &Key, value: &Node) -> Found {
    let nothing = |action: Action| nothing(value, action);
    Some(match key.text.as_str() {
        "dc.request_consent" => nothing(Action::RequestConsent),
        "dc.exchange_code" => nothing(Action::ExchangeCode),
        "dc.read_account" => decode(value).map(|read: Read| Action::Read(Resource::Account, read)),
        "dc.read_balance" => decode(value).map(|read: Read| Action::Read(Resource::Balance, read)),
        "dc.read_transactions" => decode::<ReadTransactions>(value).map(Action::ReadTransactions),
        "dc.refresh_token" => nothing(Action::RefreshToken),
        "dc.introspect_token" => nothing(Action::IntrospectToken),
        "dc.revoke_token" => decode::<RevokeToken>(value).map(Action::RevokeToken),
        "dc.read_userinfo" => nothing(Action::ReadUserinfo),
        "dc.list_providers" => nothing(Action::ListProviders),
        "dc.retrieve_consent" => nothing(Action::RetrieveConsent),
        "dc.revoke_consent" => nothing(Action::DcChanges(Change::Revoke)),
        "dc.suspend_consent" => nothing(Action::DcChanges(Change::Suspend)),
        "dc.reactivate_consent" => nothing(Action::DcChanges(Change::Reactivate)),
        "dc.rotate_encryption_key" => nothing(Action::RotateEncryptionKey),
        _ => return None,
    })
}

fn customer_action(key: &Key, value: &Node) -> Found {
    let nothing = |action: Action| nothing(value, action);
    Some(match key.text.as_str() {
        "customer.follow_authorization" => nothing(Action::FollowAuthorization),
        "customer.log_in" => decode::<LogIn>(value).map(Action::LogIn),
        "customer.select_accounts" => decode::<SelectAccounts>(value).map(Action::SelectAccounts),
        "customer.approve" => nothing(Action::Approve),
        "customer.reject" => nothing(Action::Reject),
        "customer.return_to_dc" => nothing(Action::ReturnToDc),
        "customer.close_tab" => nothing(Action::CloseTab),
        "customer.pick_provider" => decode::<PickProvider>(value).map(Action::PickProvider),
        "customer.revoke_at_dp" => decode::<LogIn>(value).map(Action::RevokeAtDp),
        "customer.open_link_again" => nothing(Action::OpenLinkAgain),
        "customer.switch_tab" => nothing(Action::SwitchTab),
        "customer.skip_login" => nothing(Action::SkipLogin),
        "customer.preflight" => nothing(Action::Preflight),
        "customer.link_many" => decode::<LinkMany>(value).map(Action::LinkMany),
        _ => return None,
    })
}

fn paynet_action(key: &Key, value: &Node) -> Found {
    let nothing = |action: Action| nothing(value, action);
    Some(match key.text.as_str() {
        "paynet.revoke_consent" => nothing(Action::PaynetChanges(Change::Revoke)),
        "paynet.suspend_consent" => nothing(Action::PaynetChanges(Change::Suspend)),
        "paynet.reactivate_consent" => nothing(Action::PaynetChanges(Change::Reactivate)),
        "paynet.send_event" => {
            decode::<SendEvent>(value).map(|send| Action::Probe(Probe::SendEvent(send)))
        }
        "paynet.ask_health" => {
            decode::<AskHealth>(value).map(|ask| Action::Probe(Probe::Health(ask)))
        }
        "paynet.open_authorize" => nothing(Action::Probe(Probe::OpenAuthorize)),
        "paynet.redeem_code" => nothing(Action::Probe(Probe::RedeemCode)),
        "paynet.forward_userinfo" => {
            decode::<Forward>(value).map(|forward| Action::Probe(Probe::Userinfo(forward)))
        }
        "paynet.forward_account" => {
            decode::<Forward>(value).map(|forward| Action::Probe(Probe::Account(forward)))
        }
        "paynet.forward_balance" => {
            decode::<Forward>(value).map(|forward| Action::Probe(Probe::Balance(forward)))
        }
        "paynet.forward_transactions" => {
            decode::<Forward>(value).map(|forward| Action::Probe(Probe::Transactions(forward)))
        }
        "paynet.rotate_keys" => decode::<RotateKeys>(value).map(Action::RotateKeys),
        "paynet.inject" => inject(key, value),
        "paynet.reset_faults" => nothing(Action::ResetFaults),
        "paynet.check_health" => nothing(Action::CheckHealth),
        "paynet.call_userinfo" => nothing(Action::CallUserinfo),
        _ => return None,
    })
}

fn other_action(key: &Key, value: &Node) -> Found {
    let nothing = |action: Action| nothing(value, action);
    Some(match key.text.as_str() {
        "dp.set_account" => decode::<SetAccount>(value).map(Action::SetAccount),
        "dp.revoke_consent" => decode::<DpRevokes>(value).map(Action::DpRevokes),
        "dp.set_core" => decode::<SetCore>(value).map(Action::SetCore),
        "dp.flush_keys" => nothing(Action::FlushKeys),
        "dp.restart" => nothing(Action::Restart),
        "clock.advance" => decode(value).map(Action::AdvanceClock),
        "expect.consent" => decode::<ExpectConsent>(value).map(Action::ExpectConsent),
        "expect.dc" => decode::<ExpectDc>(value).map(Action::ExpectDc),
        "expect.dc_told" => decode::<ExpectDcTold>(value).map(Action::ExpectDcTold),
        _ => return None,
    })
}

fn mutation(value: &Node) -> Result<Mutation, Diagnostic> {
    let name: String = decode(value)?;
    Mutation::by_name(&name).ok_or_else(|| {
        let title = format!("there is no mutation `{name}`");
        let names: Vec<&str> = Mutation::ALL.iter().map(|mutation| mutation.name()).collect();
        let help = match suggest::closest(&name, &names) {
            Some(meant) => format!("did you mean `{meant}`? `ofp-sim list mutations` has all"),
            None => "`ofp-sim list mutations` has all".to_owned(),
        };
        Diagnostic::new("step", title, value.span.clone(), "no such name").help(help)
    })
}

/// Only what PayNet sends by itself can be spoilt, since PayNet would refuse the rest before the DP sees
/// it, and what the customer sends to the DP.
fn check_mutate(action: &Action, mutation: Option<Mutation>, key: &Key) -> Result<(), Diagnostic> {
    let Some(mutation) = mutation else { return Ok(()) };
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
        return Ok(());
    }
    let title = format!("what `{}` sends cannot be spoilt with {mutation}", key.text);
    let help = "`mutate` goes with paynet.send_event, open_authorize, ask_health and forward_…, \
                and, for what a browser sends, with customer.select_accounts, approve and reject";
    Err(Diagnostic::new("step", title, key.span.clone(), "this verb").help(help))
}

/// A fault that could never strike is an error of the file, not of the run.
fn inject(key: &Key, value: &Node) -> Result<Action, Diagnostic> {
    let inject: Inject = decode(value)?;
    let wrong = inject.scope.as_ref().err().or(inject.fault.as_ref().err());
    match wrong {
        None => Ok(Action::Inject(inject)),
        Some(why) => {
            let title = format!("this fault makes no sense: {why}");
            let help = "for example `{ at: token, status: 503, times: 2 }`";
            Err(Diagnostic::new("step", title, key.span.clone(), "here").help(help))
        }
    }
}

/// What strikes everybody would disturb the scenarios beside it.
fn check_exclusive(source: &Source, scenario: &Scenario) -> Vec<Diagnostic> {
    let disturbs = |action: &Action| match action {
        Action::Inject(inject) => inject.scope != Ok(InjectScope::Consent),
        Action::RotateKeys(_)
        | Action::RotateEncryptionKey
        | Action::FlushKeys
        | Action::Restart => true,
        Action::SetCore(_) => true,
        _ => false,
    };
    let steps = scenario.steps.iter().filter(|step| !scenario.exclusive && disturbs(&step.action));
    steps
        .map(|step| {
            let title =
                format!("`{}` disturbs every scenario that runs beside this one", step.name);
            let span = source.line_span(step.line);
            Diagnostic::new("step", title, span, "here")
                .help("add `exclusive: true` to the scenario")
        })
        .collect()
}

/// Which expectations a verb can meet: one that it cannot would never be checked.
fn check_expect(action: &Action, verb: &str, expect: &Expect, key: &Key) -> Result<(), Diagnostic> {
    let (answers, screens) = match action {
        Action::Read(..)
        | Action::ReadTransactions(_)
        | Action::RefreshToken
        | Action::IntrospectToken
        | Action::ReadUserinfo
        | Action::ListProviders
        | Action::RetrieveConsent
        | Action::DcChanges(_)
        | Action::CheckHealth
        | Action::Probe(_)
        | Action::CallUserinfo => (true, false),
        Action::FollowAuthorization
        | Action::OpenLinkAgain
        | Action::SwitchTab
        | Action::SkipLogin
        | Action::PickProvider(_)
        | Action::LogIn(_)
        | Action::SelectAccounts(_)
        | Action::Approve
        | Action::Reject => (false, true),
        _ => (false, false),
    };
    let written = [
        ("status", expect.status.is_some(), answers),
        ("json", expect.json.is_some(), answers),
        ("refused", expect.refused.is_some(), matches!(action, Action::Probe(_))),
        ("screen", expect.screen.is_some(), screens),
        ("text", expect.text.is_some(), screens),
    ];
    match written.into_iter().find(|(_, written, possible)| *written && !possible) {
        None => Ok(()),
        Some((name, ..)) => {
            let title = format!("`{verb}` has no {name} to expect anything of");
            Err(Diagnostic::new("step", title, key.span.clone(), "this verb")
                .help(format!("remove `{name}` from `expect`")))
        }
    }
}

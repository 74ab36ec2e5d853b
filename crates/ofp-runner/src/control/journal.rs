//! The journal, and why PayNet refused.

use std::collections::BTreeMap;

use ofp_evidence::{Exchange, Record, Role};
use ofp_net::{Answer, Inbound, parse_form};

use super::{
    Control,
    bodies::{ErrorAnswer, ExchangeView, JournalView},
    consents::json,
    problem::Problem,
    view::WorldView,
};

/// How many exchanges an answer has at most.
const MOST: usize = 500;

/// Who is where: URLs, ids, certificates, test customers
#[utoipa::path(get, path = "/v1/world", tag = "world", operation_id = "readWorld",
    responses((status = 200, description = "what `ofp-sim up --json` printed", body = WorldView),
        (status = 401, description = "no token", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) fn world(control: &Control) -> Result<Answer, Problem> {
    Ok(json(200, &control.view()))
}

/// What came and went
#[utoipa::path(get, path = "/v1/journal", tag = "journal", operation_id = "readJournal",
    params(("consent_id" = Option<String>, Query, description = "only about this consent"),
        ("after" = Option<u64>, Query, description = "only exchanges with a higher number"),
        ("limit" = Option<u32>, Query, description = "at most so many, the newest; 100 unless given, at most 500")),
    responses((status = 200, description = "exchanges, secrets masked", body = JournalView),
        (status = 400, description = "not understood", body = ErrorAnswer),
        (status = 401, description = "no token", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) fn read_journal(control: &Control, inbound: &Inbound) -> Result<Answer, Problem> {
    let query = query(inbound)?;
    let after: u64 = number(&query, "after", 0, u64::MAX)?;
    let limit = number(&query, "limit", 100, MOST as u64)?;
    let limit = usize::try_from(limit).unwrap_or(MOST);
    let consent = query.get("consent_id");
    let records = control.world.journal.records();
    let wanted = |exchange: &&Exchange| {
        exchange.id.0 > after
            && consent.is_none_or(|id| exchange.consent.as_ref().is_some_and(|c| c.as_str() == id))
    };
    let mut found: Vec<&Exchange> =
        records.iter().filter_map(|record| exchange(record)).filter(wanted).collect();
    found.sort_by_key(|exchange| exchange.id);
    let skip = found.len().saturating_sub(limit);
    let secrets = control.world.journal.secrets();
    let exchanges = found[skip..].iter().map(|x| ExchangeView::of(x, &secrets)).collect();
    Ok(json(200, &JournalView { exchanges }))
}

/// The last request that PayNet refused, and why
#[utoipa::path(get, path = "/v1/rejections/last", tag = "journal", operation_id = "lastRejection",
    params(("consent_id" = Option<String>, Query, description = "only about this consent")),
    responses((status = 200, description = "the exchange; `note` has the reason", body = ExchangeView),
        (status = 400, description = "not understood", body = ErrorAnswer),
        (status = 401, description = "no token", body = ErrorAnswer),
        (status = 404, description = "nothing was refused", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) fn last_rejection(control: &Control, inbound: &Inbound) -> Result<Answer, Problem> {
    let query = query(inbound)?;
    let consent = query.get("consent_id");
    let records = control.world.journal.records();
    let refused = |exchange: &&Exchange| {
        exchange.to == Role::PayNet
            && exchange.status().is_none_or(|status| status >= 400)
            && consent.is_none_or(|id| exchange.consent.as_ref().is_some_and(|c| c.as_str() == id))
    };
    let all = records.iter().filter_map(|record| exchange(record)).filter(refused);
    let secrets = control.world.journal.secrets();
    match all.max_by_key(|exchange| exchange.id) {
        Some(exchange) => Ok(json(200, &ExchangeView::of(exchange, &secrets))),
        None => Err(Problem::new(404, "invalid_request", "PayNet has refused nothing like that")),
    }
}

fn exchange(record: &Record) -> Option<&Exchange> {
    match record {
        Record::Exchange(exchange) => Some(exchange),
        _ => None,
    }
}

fn query(inbound: &Inbound) -> Result<BTreeMap<String, String>, Problem> {
    parse_form(inbound.query.as_bytes()).map_err(|e| Problem::bad_request(e.to_string()))
}

fn number(
    query: &BTreeMap<String, String>,
    name: &str,
    otherwise: u64,
    most: u64,
) -> Result<u64, Problem> {
    let Some(text) = query.get(name) else { return Ok(otherwise) };
    let number = text.parse().ok().filter(|number| *number <= most);
    number.ok_or_else(|| {
        Problem::bad_request(format!("{name} must be a whole number up to {most}, not {text}"))
    })
}

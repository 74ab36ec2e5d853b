//! Groups of requirements, lettered as in the specification. A row is data; its check is a function
//! in the same file.

mod a_transport;
mod b_health;
mod c_event;
mod d_authorize;
mod e_screens;
mod e_tricks;
mod f_token;
mod g_failure;
mod g_update;
mod h_id_token;
mod i_return;
mod j_request;
mod k_content;
mod k_response;
mod l_userinfo;
mod m_keys;
mod n_life_cycle;
mod o_errors;
mod o_resilience;
mod p_token_endpoint;

use crate::Requirement;

/// Every group, in order.
pub(crate) static ALL: &[&[Requirement]] = &[
    a_transport::ROWS,
    b_health::ROWS,
    c_event::ROWS,
    d_authorize::ROWS,
    e_screens::ROWS,
    f_token::ROWS,
    g_update::ROWS,
    h_id_token::ROWS,
    i_return::ROWS,
    j_request::ROWS,
    k_response::ROWS,
    k_content::ROWS,
    l_userinfo::ROWS,
    m_keys::ROWS,
    n_life_cycle::ROWS,
    o_errors::ROWS,
    p_token_endpoint::ROWS,
];

/// A row of the catalogue.
macro_rules! row {
    ($id:literal $level:ident, $title:literal, $source:literal, $mend:literal, $unseen:expr, $check:expr) => {
        row!($id $level Scenario, $title, $source, $mend, $unseen, $check)
    };
    ($id:literal $level:ident $scope:ident, $title:literal, $source:literal, $mend:literal, $unseen:expr, $check:expr) => {
        $crate::Requirement {
            id: $id,
            level: ofp_evidence::Level::$level,
            scope: $crate::Scope::$scope,
            title: $title,
            source: $source,
            mend: $mend,
            unseen: $unseen,
            refusals: &[],
            services: &[],
            check: $check,
        }
    };
}
pub(crate) use row;

/// A row of the catalogue that nothing here can judge from outside, with the reason.
macro_rules! untested {
    ($id:literal $level:ident, $title:literal, $source:literal, $mend:literal, $because:expr) => {
        row!($id $level, $title, $source, $mend, $because, $crate::groups::nothing_to_see)
    };
}
pub(crate) use untested;

/// A row of the catalogue that wants unusual requests served.
macro_rules! service {
    ($id:literal $level:ident, $title:literal, $source:literal, $mend:expr, $services:expr) => {
        $crate::Requirement {
            id: $id,
            level: ofp_evidence::Level::$level,
            scope: $crate::Scope::Scenario,
            title: $title,
            source: $source,
            mend: $mend,
            unseen: "no scenario sent it",
            refusals: &[],
            services: $services,
            check: $crate::groups::serves,
        }
    };
}
pub(crate) use service;

/// A row of the catalogue that wants requests refused.
macro_rules! refusal {
    ($id:literal $level:ident, $title:literal, $source:literal, $mend:expr, $refusals:expr) => {
        refusal!($id $level, $title, $source, $mend, $refusals, $crate::groups::refuses)
    };
    ($id:literal $level:ident, $title:literal, $source:literal, $mend:expr, $refusals:expr, $check:expr) => {
        $crate::Requirement {
            id: $id,
            level: ofp_evidence::Level::$level,
            scope: $crate::Scope::Scenario,
            title: $title,
            source: $source,
            mend: $mend,
            unseen: "no scenario sent it beside a good request of its kind that the DP served: one scenario must have both, such as dc.read_balance and the spoilt balance request",
            refusals: $refusals,
            services: &[],
            check: $check,
        }
    };
}
pub(crate) use refusal;

use ofp_evidence::{Endpoint, Exchange, Outcome};
use serde_json::Value;

use crate::{
    Facts, Unserved,
    refusal::{beginning, refused, served},
    ruling::Ruling,
};

/// Every request that the requirement wants refused was. That is said of a DP which serves good ones: one
/// that lets nobody in keeps no rule.
pub(crate) fn refuses(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for unserved in ruling.refusals() {
        if let Unserved::Spoilt(at, mutation) = unserved
            && let Some(lacking) = facts.settings.profile.lacks(*mutation, at.signed_call())
        {
            ruling.not_applicable(format!("PayNet sends no {lacking} in this profile"));
            continue;
        }
        let serves = facts.serves(unserved.endpoint());
        for (mutation, exchange) in facts.unserved(*unserved) {
            let expected = format!("a refusal: {unserved}");
            match (refused(exchange, mutation, &facts.settings.paynet_callback), &exchange.outcome)
            {
                (Ok(()), _) if serves => ruling.holds(exchange.id),
                (Ok(()), _) => {}
                (Err(_), Outcome::Failed(failure)) => {
                    ruling.unanswered(exchange.id, &expected, failure);
                }
                (Err(instead), Outcome::Answered { .. }) => {
                    ruling.broken(exchange.id, expected, instead);
                }
            }
        }
    }
}

/// Every unusual request that the requirement wants served was.
pub(crate) fn serves(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (endpoint, mutation) in ruling.services() {
        if facts.settings.profile.is_usual(*mutation) {
            serves_as_usual(facts, ruling, *endpoint);
            continue;
        }
        if let Some(lacking) = facts.settings.profile.lacks(*mutation, endpoint.signed_call()) {
            ruling.not_applicable(format!("PayNet sends no {lacking} in this profile"));
            continue;
        }
        let expected = format!("to be served: {}", mutation.what());
        for exchange in facts.sent_with(*endpoint, *mutation).filter(|x| facts.is_due(x)) {
            match (served(exchange, &facts.settings.paynet_callback), &exchange.outcome) {
                (Ok(()), _) => ruling.holds(exchange.id),
                (Err(_), Outcome::Failed(failure)) => {
                    ruling.unanswered(exchange.id, &expected, failure);
                }
                (Err(instead), _) => ruling.broken(exchange.id, expected.as_str(), instead),
            }
        }
    }
}

/// Where the profile makes every request unusual, each that is served will do.
fn serves_as_usual(facts: &Facts<'_>, ruling: &mut Ruling<'_>, endpoint: Endpoint) {
    for exchange in facts.at(endpoint) {
        if served(exchange, &facts.settings.paynet_callback).is_ok() {
            ruling.holds(exchange.id);
        }
    }
}

/// For what cannot be judged from outside.
pub(crate) fn nothing_to_see(_: &Facts<'_>, _: &mut Ruling<'_>) {}

/// What came of a request, in words.
fn came(exchange: &Exchange) -> String {
    match &exchange.outcome {
        Outcome::Failed(failure) => failure.to_string(),
        Outcome::Answered { status, message } => {
            format!("{status} {}", beginning(message, 80)).trim_end().to_owned()
        }
    }
}

/// The DP's answer carries the caller's x-fapi-interaction-id, unchanged.
fn echoes(exchange: &Exchange, ruling: &mut Ruling<'_>) {
    let Some(response) = exchange.response() else { return };
    let sent = exchange.request.header("x-fapi-interaction-id").unwrap_or_default();
    let back = response.header("x-fapi-interaction-id").unwrap_or("missing");
    let expected = format!("x-fapi-interaction-id: {sent}");
    ruling.judge(exchange.id, back == sent, expected, back);
}

/// A JSON value, cut short, or `missing`.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "missing".into(),
        Some(value) => {
            let text = value.to_string();
            let cut: String = text.chars().take(120).collect();
            if cut.len() < text.len() { format!("{cut}…") } else { cut }
        }
    }
}

/// Whether a value is text with something in it.
fn is_text(value: Option<&Value>) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| !text.is_empty())
}

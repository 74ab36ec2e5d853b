//! N: the life cycle of a consent from the DP's side.

use ofp_evidence::{Endpoint, Exchange, Role};
use ofp_types::{ConsentId, ConsentStatus};
use serde_json::Value;

use super::{came, row};
use crate::{
    Facts, Requirement,
    refusal::{refused, served},
    ruling::Ruling,
};

const NO_REVOCATION: &str = "the DP revoked no consent";

pub(super) const ROWS: &[Requirement] = &[
    row!("N-01" Should, "A withdrawal at the DP is told to PayNet with its token, certificate and the right id", "S1:L76; S1:L245; X-14",
        "POST /v1/consents/{consent_id}/revoke with Authorization: Bearer, over mutual TLS", NO_REVOCATION, revokes),
    row!("N-02" Must, "After a withdrawal at the DP no balance is served", "S1:L183-209",
        "Stop serving data when the customer withdraws, not when PayNet's event comes", "no balance was asked for after a withdrawal at the DP", withdrawn),
    row!("N-03" Should, "Where PayNet refuses the revocation, the DP goes by what PayNet says", "S1:L328-370",
        "Change the state of a consent when PayNet has taken the change", "PayNet refused no revocation of the DP", not_withdrawn),
    row!("N-04" Info, "The DP retrieves a consent with its token and the right id", "S1:L76; S1:L245",
        "GET /v1/consents/{consent_id} with Authorization: Bearer", "the DP retrieved no consent", retrieves),
    row!("N-05" Should, "Two consents of one customer are independent", "S1:L183-209",
        "Keep status and accounts with the consent, not with the customer", "no customer had two consents of which one ended", independent),
    row!("N-06" Should, "Of two consents of which one supersedes the other, the old one is refused and the new one served", "S3:L122-138",
        "Act on the event that revokes the old consent", "no consent was superseded", superseded),
];

/// What the DP asks of PayNet about a consent: a Bearer token, and a consent that PayNet knows.
fn well_asked(exchange: &Exchange, ruling: &mut Ruling<'_>) {
    let bearer = exchange.request.header("authorization").is_some_and(|a| a.starts_with("Bearer "));
    let certified = exchange.client_certificate.is_some();
    let named = exchange.consent.as_ref().is_some_and(|id| exchange.path().contains(id.as_str()));
    let missing: Vec<&str> = [
        (bearer, "a Bearer token"),
        (certified, "a client certificate"),
        (named, "the consent_id in the path"),
    ]
    .into_iter()
    .filter_map(|(there, what)| (!there).then_some(what))
    .collect();
    let expected = "a Bearer token, a client certificate and the consent_id in the path";
    ruling.judge(
        exchange.id,
        missing.is_empty(),
        expected,
        format!("without {}", missing.join(", ")),
    );
}

fn by_dp<'a>(facts: &'a Facts<'_>, endpoint: Endpoint) -> impl Iterator<Item = &'a Exchange> {
    facts.all_at(endpoint).filter(|exchange| exchange.from == Role::Dp)
}

fn revokes(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    by_dp(facts, Endpoint::RevokeConsent).for_each(|exchange| well_asked(exchange, ruling));
}

fn retrieves(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    by_dp(facts, Endpoint::RetrieveConsent).for_each(|exchange| well_asked(exchange, ruling));
}

/// Balances that were asked for after an exchange, of the same consent.
fn balances_after<'a>(
    facts: &Facts<'a>,
    after: &Exchange,
    consent: Option<&ConsentId>,
) -> Vec<&'a Exchange> {
    let later = facts.all_at(Endpoint::Balances);
    later.filter(|x| x.id > after.id && x.consent.as_ref() == consent).collect()
}

fn must_refuse(facts: &Facts<'_>, exchange: &Exchange, ruling: &mut Ruling<'_>) {
    let refusal = refused(exchange, None, &facts.settings.paynet_callback);
    let actual = refusal.as_ref().err().cloned().unwrap_or_default();
    ruling.judge(exchange.id, refusal.is_ok(), "a refusal", actual);
}

fn must_serve(facts: &Facts<'_>, exchange: &Exchange, ruling: &mut Ruling<'_>) {
    let ok = served(exchange, &facts.settings.paynet_callback).is_ok();
    ruling.judge(exchange.id, ok, "the balance", came(exchange));
}

fn withdrawn(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for revocation in by_dp(facts, Endpoint::RevokeConsent).filter(|x| x.succeeded()) {
        for balance in balances_after(facts, revocation, revocation.consent.as_ref()) {
            must_refuse(facts, balance, ruling);
        }
    }
}

/// PayNet still holds the consent authorized, and so does the DP.
fn not_withdrawn(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for revocation in by_dp(facts, Endpoint::RevokeConsent).filter(|x| x.status() == Some(403)) {
        let balances = balances_after(facts, revocation, revocation.consent.as_ref());
        for balance in balances.into_iter().filter(|balance| facts.is_due(balance)) {
            must_serve(facts, balance, ruling);
        }
    }
}

/// Consents that an event has ended, with that event and its reason.
fn ended<'a>(facts: &'a Facts<'_>) -> Vec<(&'a Exchange, Option<String>)> {
    let events = facts.events("consent_status_updated", "revoked");
    let reason = |event: &Exchange| {
        let body: Value = serde_json::from_slice(&event.request.body).unwrap_or_default();
        body["data"]["status_reason"]["reason_code"].as_str().map(str::to_owned)
    };
    events.into_iter().map(|event| (event, reason(event))).collect()
}

/// Other consents than the one that ended, which were authorized.
fn others<'a>(facts: &Facts<'a>, ended: &Exchange) -> Vec<&'a ConsentId> {
    let authorized = |transition: &&&ofp_evidence::Transition| {
        transition.to == ConsentStatus::Authorized
            && Some(&transition.consent) != ended.consent.as_ref()
    };
    facts.transitions.iter().filter(authorized).map(|transition| &transition.consent).collect()
}

fn independent(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (event, reason) in ended(facts) {
        if reason.as_deref() == Some("duplicate") {
            continue;
        }
        for other in others(facts, event) {
            let live = |x: &&Exchange| !facts.is_meant_to_be_refused(x);
            for balance in balances_after(facts, event, Some(other)).into_iter().filter(|x| live(x))
            {
                must_serve(facts, balance, ruling);
            }
        }
    }
}

fn superseded(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (event, _) in ended(facts).into_iter().filter(|(_, r)| r.as_deref() == Some("duplicate")) {
        for balance in balances_after(facts, event, event.consent.as_ref()) {
            must_refuse(facts, balance, ruling);
        }
        for other in others(facts, event) {
            for balance in balances_after(facts, event, Some(other)) {
                must_serve(facts, balance, ruling);
            }
        }
    }
}

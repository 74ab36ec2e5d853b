//! P: the DP as an OpenID provider of its own, an experimental reading (profile `oidc-dp`).

use ofp_evidence::{CustomerAct, Endpoint, Exchange, Outcome};
use ofp_types::{ConsentId, Mutation};
use serde_json::Value;
use url::Url;

use super::{came, is_text, refusal, row, shown};
use crate::{Facts, Requirement, requirement::Unserved::Spoilt, ruling::Ruling};

const NO_RETURN: &str = "no customer approved and went back";
const NO_CODE: &str = "PayNet had no code to redeem";

pub(super) const ROWS: &[Requirement] = &[
    row!("P-01" Must, "After an approval the redirect carries code and the given state", "P-dpC; RFC 6749 §4.1.2",
        "Append code and state to redirect_uri", NO_RETURN, code_and_state),
    row!("P-02" Must, "The code is redeemed with private_key_jwt for an id_token and an access token", "P-dpC; OpenID Connect Core §3.1.3.3",
        "Answer 200 with id_token and access_token", NO_CODE, tokens),
    row!("P-03" Must, "The id_token carries the given nonce", "P-dpC; OpenID Connect Core §3.1.3.7",
        "Copy nonce from the authorization request", NO_CODE, nonce),
    refusal!("P-04" Must, "A code that is redeemed twice is refused with invalid_grant", "RFC 6749 §4.1.2",
        "Take a code once", &[Spoilt(Endpoint::DpToken, Mutation::CodeRedeemed)], once),
    refusal!("P-05" Must, "A token request without a good client assertion is refused with invalid_client", "RFC 6749 §5.2",
        "Authenticate the client before you look at the code, and answer 401 invalid_client",
        &[Spoilt(Endpoint::DpToken, Mutation::SignatureMissing), Spoilt(Endpoint::DpToken, Mutation::SignatureByteFlipped),
          Spoilt(Endpoint::DpToken, Mutation::ForeignKeyKnownKid), Spoilt(Endpoint::DpToken, Mutation::ExpPast)], authenticated),
    row!("P-06" Should, "Update Consent has no id_token", "P-dpC",
        "Send the id_token from the token endpoint alone", "the DP sent no Update Consent with an approval", none_in_update),
];

/// Whether the profile has a token endpoint at the DP; says so where it has none.
fn applies(facts: &Facts<'_>, ruling: &mut Ruling<'_>) -> bool {
    let applies = facts.settings.profile.oidc_at_dp;
    if !applies {
        ruling
            .not_applicable("it belongs to profile oidc-dp, in which the DP runs a token endpoint");
    }
    applies
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

/// What PayNet sent with a consent's link.
fn given(facts: &Facts<'_>, consent: &ConsentId, name: &str) -> Option<String> {
    let mut links = facts.at(Endpoint::DpAuthorize).filter(|x| x.consent.as_ref() == Some(consent));
    // a scenario may open the link again; what PayNet itself sent comes first
    links.find_map(|link| parameter(&link.url, name))
}

fn code_and_state(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    if !applies(facts, ruling) {
        return;
    }
    let approved = |consent: &ConsentId| {
        facts.acts.iter().any(|(other, act)| {
            *other == consent && matches!(act, CustomerAct::Decided { approved: true, .. })
        })
    };
    for (consent, act) in facts.acts.iter().filter(|(consent, _)| approved(consent)) {
        let CustomerAct::Returned { url, page, .. } = act else { continue };
        // a return with an error is for group I to judge
        if parameter(url, "error").is_some() {
            continue;
        }
        let (code, state) = (parameter(url, "code"), parameter(url, "state"));
        let actual = match (&code, &state) {
            (None, None) => "neither",
            (None, Some(_)) => "no code",
            (Some(_), None) => "no state",
            // a browser of its own shows nobody what it asked for
            _ => match given(facts, consent, "state") {
                Some(given) if state.as_ref() != Some(&given) => "another state",
                _ => "both",
            },
        };
        ruling.judge(*page, actual == "both", "code, and state as PayNet gave it", actual);
    }
}

/// PayNet's own requests to the token endpoint, with what came.
fn redeemed<'a>(facts: &Facts<'a>) -> impl Iterator<Item = (&'a Exchange, Option<Value>)> {
    let body = |exchange: &Exchange| serde_json::from_slice(&exchange.response()?.body).ok();
    facts.at(Endpoint::DpToken).map(move |exchange| (exchange, body(exchange)))
}

fn tokens(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    if !applies(facts, ruling) {
        return;
    }
    for (exchange, body) in redeemed(facts) {
        let expected = "200 with id_token and access_token";
        if let Outcome::Failed(failure) = &exchange.outcome {
            ruling.unanswered(exchange.id, expected, failure);
            continue;
        }
        let has = |name: &str| is_text(body.as_ref().and_then(|body| body.get(name)));
        let ok = exchange.status() == Some(200) && has("id_token") && has("access_token");
        let missing = ["id_token", "access_token"].into_iter().find(|name| !has(name));
        let actual = match (exchange.status(), missing) {
            (Some(200), Some(name)) => format!("200 without {name}"),
            _ => came(exchange),
        };
        ruling.judge(exchange.id, ok, expected, actual);
    }
}

fn nonce(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    if !applies(facts, ruling) {
        return;
    }
    for (at, token) in facts.id_tokens() {
        let consent =
            facts.at(Endpoint::DpToken).find(|x| x.id == at).and_then(|x| x.consent.as_ref());
        let Some(expected) = consent.and_then(|consent| given(facts, consent, "nonce")) else {
            continue;
        };
        let ok = token.claim("nonce").and_then(Value::as_str) == Some(expected.as_str());
        ruling.judge(at, ok, format!("nonce {expected}"), shown(token.claim("nonce")));
    }
}

fn once(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    if applies(facts, ruling) {
        refuses_with(facts, ruling, "400 invalid_grant", |_, status, code| {
            status == 400 && code == "invalid_grant"
        });
    }
}

/// RFC 6749 §5.2: 400 is as good as 401 where no Authorization header was used, and a parameter that is missing makes
/// an invalid_request.
fn authenticated(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    if applies(facts, ruling) {
        refuses_with(facts, ruling, "401 invalid_client", |mutation, status, code| match code {
            "invalid_client" => matches!(status, 400 | 401),
            "invalid_request" => status == 400 && mutation == Some(Mutation::SignatureMissing),
            _ => false,
        });
    }
}

/// Refused, and best as the standard has it.
fn refuses_with(
    facts: &Facts<'_>,
    ruling: &mut Ruling<'_>,
    best: &str,
    is_best: impl Fn(Option<Mutation>, u16, &str) -> bool,
) {
    let serves = facts.serves(Endpoint::DpToken);
    for unserved in ruling.refusals() {
        for (mutation, exchange) in facts.unserved(*unserved) {
            let expected = format!("{best}: {unserved}");
            let Some(response) = exchange.response() else {
                if let Outcome::Failed(failure) = &exchange.outcome {
                    ruling.unanswered(exchange.id, &expected, failure);
                }
                continue;
            };
            let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            let code = body["error"].as_str().unwrap_or_default();
            match exchange.status() {
                Some(status @ 400..=499) if is_best(mutation, status, code) => {
                    if serves {
                        ruling.holds(exchange.id);
                    }
                }
                // whether the code or the client is looked at first is for the DP to say
                Some(400) if code == "invalid_grant" => {}
                Some(400..=499) if serves => ruling.bent(exchange.id, expected, came(exchange)),
                Some(400..=499) => {}
                _ => ruling.broken(exchange.id, expected, came(exchange)),
            }
        }
    }
}

fn none_in_update(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    if !applies(facts, ruling) {
        return;
    }
    for update in facts.approvals() {
        let ok = update.member("id_token").is_none();
        ruling.judge(update.exchange.id, ok, "no id_token", "an id_token");
    }
}

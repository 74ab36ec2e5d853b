//! I: the way back to PayNet and the DC.

use ofp_evidence::{CustomerAct, Endpoint, ExchangeId};
use ofp_jose::CompactJws;
use ofp_types::ConsentId;
use url::Url;

use super::row;
use crate::{Facts, Requirement, ruling::Ruling};

const NO_RETURN: &str = "no browser came back";
const NO_REJECTED_RETURN: &str = "no browser came back after a rejection";

pub(super) const ROWS: &[Requirement] = &[
    row!("I-01" Must, "The browser comes back to exactly the redirect_uri that PayNet gave", "S1:L394-398; S4:L181-198", "Send the browser to redirect_uri as given: scheme, host, port and path", NO_RETURN, exact),
    row!("I-02" Must, "What is added to the query of redirect_uri is correctly encoded, what was there stays", "RFC 6749 §3.1.2; X-49", "Append parameters with a URL library", NO_RETURN, query),
    row!("I-03" Should, "A redirect back is 303 or 302, never 307", "FAPI 2.0 SP §5.3.2.2; X-47", "Redirect with 303 See Other, or show a link", NO_RETURN, status),
    row!("I-04" Should, "After a rejection the query has an error", "S4:L198; X-49", "Append error=access_denied", NO_REJECTED_RETURN, error),
    row!("I-05" Must, "After a rejection nothing in the query says success", "S1:L302; X-49", "Append an error and nothing else", NO_REJECTED_RETURN, no_success),
    row!("I-06" Must, "The query shows no id_token, account number or id number", "RFC 9700 §4.2; FAPI 2.0 SP §5.3.2.2", "Send data by Update Consent only", NO_RETURN, nothing_in_url),
    row!("I-07" Must, "After an approval the DC receives code, state and iss", "S1:L303; S3:L99; RFC 9207 §2", "Send the browser back to PayNet after Update Consent was answered", "no customer approved and went back", dc_gets_code),
    row!("I-08" Must, "After a rejection the DC receives error=access_denied and state", "S1:L302; RFC 6749 §4.1.2.1", "Send the browser back to PayNet after Update Consent was answered", NO_REJECTED_RETURN, dc_gets_error),
    row!("I-09" Own, "Without Update Consent a return of the browser yields no code", "S4:L198", "This tool's own affair", "no browser came back without an Update Consent", forged_return),
];

/// Returns of the browser: consent, URL, status of the redirect, exchange.
fn returns<'a>(facts: &Facts<'a>) -> Vec<(&'a ConsentId, &'a str, Option<u16>, ExchangeId)> {
    let of = |(consent, act): &(&'a ConsentId, &'a CustomerAct)| match act {
        CustomerAct::Returned { url, status, page } => {
            Some((*consent, url.as_str(), *status, *page))
        }
        _ => None,
    };
    facts.acts.iter().filter_map(of).collect()
}

/// What the customer of a consent decided.
fn decision(facts: &Facts<'_>, consent: &ConsentId) -> Option<bool> {
    facts.acts.iter().find_map(|(other, act)| match act {
        CustomerAct::Decided { approved, .. } if *other == consent => Some(*approved),
        _ => None,
    })
}

/// Scheme, host, port and path, however they are written.
fn place(url: &str) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url.into())
}

fn exact(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let expected = facts.settings.paynet_callback.as_str();
    for (_, url, _, page) in returns(facts) {
        let actual = place(url);
        let ok = actual.is_some() && actual == place(expected);
        ruling.judge(page, ok, expected, actual.unwrap_or_else(|| url.to_owned()));
    }
}

fn query(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let callback = facts.settings.paynet_callback.as_str();
    for (_, url, _, page) in returns(facts) {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let given = callback.split_once('?').map_or("", |(_, query)| query);
        let clean = query.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>#?\\^`{|}".contains(&b));
        let ok = query.starts_with(given) && clean && is_percent_encoded(query);
        ruling.judge(page, ok, "application/x-www-form-urlencoded parameters", query);
    }
}

fn is_percent_encoded(text: &str) -> bool {
    let hex =
        |part: &str| part.get(..2).is_some_and(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
    text.split('%').skip(1).all(hex)
}

fn status(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (_, _, status, page) in returns(facts) {
        let ok = matches!(status, None | Some(302 | 303));
        let actual = status.map_or_else(|| "a link".into(), |status| status.to_string());
        ruling.judge(page, ok, "303, 302 or a link", actual);
    }
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

fn rejected<'a>(facts: &Facts<'a>) -> Vec<(&'a ConsentId, &'a str, Option<u16>, ExchangeId)> {
    let is = |consent: &ConsentId| decision(facts, consent) == Some(false);
    returns(facts).into_iter().filter(|(consent, ..)| is(consent)).collect()
}

fn error(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (_, url, _, page) in rejected(facts) {
        let error = parameter(url, "error");
        let actual = error.clone().unwrap_or_else(|| "no error parameter".into());
        ruling.judge(page, error.is_some(), "error=access_denied", actual);
    }
}

fn no_success(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    const SAYS_YES: [&str; 8] =
        ["true", "ok", "success", "successful", "authorized", "authorised", "approved", "approve"];
    for (_, url, _, page) in rejected(facts) {
        let pairs = pairs(url);
        let success = pairs.iter().any(|(name, value)| {
            name == "code" || SAYS_YES.contains(&value.to_lowercase().as_str())
        });
        ruling.judge(page, !success, "no sign of success", url);
    }
}

/// The decoded parameters of a URL.
fn pairs(url: &str) -> Vec<(String, String)> {
    let url = Url::parse(url).ok();
    url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}

fn nothing_in_url(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let accounts = || facts.settings.customers.iter().flat_map(|customer| &customer.accounts);
    let tokens: Vec<&str> = facts.id_tokens().map(|(_, token)| token.text.as_str()).collect();
    for (_, url, _, page) in returns(facts) {
        let pairs = pairs(url);
        let bare = |value: &String| value.replace(['-', ' '], "");
        let any = |found: &dyn Fn(&String) -> bool| pairs.iter().any(|(_, value)| found(value));
        let leak = if parameter(url, "id_token").is_some() || any(&|v| tokens.contains(&v.as_str()))
        {
            Some("an id_token")
        } else if any(&|v| accounts().any(|account| bare(v).contains(&account.full_number))) {
            Some("an account number")
        } else if any(&|v| facts.settings.clear_identities().any(|id| bare(v).contains(id))) {
            Some("an id number")
        } else {
            None
        };
        ruling.judge(page, leak.is_none(), "nothing about the customer", leak.unwrap_or_default());
    }
}

/// What the DC received for a consent.
fn landings<'a>(facts: &Facts<'a>, wanted: bool) -> Vec<(ExchangeId, Option<&'a str>)> {
    let mut found = Vec::new();
    for (consent, _, _, page) in returns(facts) {
        if decision(facts, consent) != Some(wanted) {
            continue;
        }
        let at = facts.at(Endpoint::DcCallback).find(|x| x.consent.as_ref() == Some(consent));
        found.push(at.map_or((page, None), |exchange| (exchange.id, Some(exchange.url.as_str()))));
    }
    found
}

fn dc_gets_code(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let issuer = facts.settings.paynet_issuer.as_str();
    for (at, url) in landings(facts, true) {
        let has = |name| url.and_then(|url| response_parameter(url, name));
        let ok = has("code").is_some()
            && has("state").is_some()
            && has("iss").as_deref() == Some(issuer);
        let expected = format!("code, state and iss={issuer}");
        ruling.judge(at, ok, expected, received(url));
    }
}

fn dc_gets_error(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (at, url) in landings(facts, false) {
        let has = |name| url.and_then(|url| response_parameter(url, name));
        let ok = has("error").as_deref() == Some("access_denied") && has("state").is_some();
        ruling.judge(at, ok, "error=access_denied and state", received(url));
    }
}

/// A parameter of the authorization response, also where all of them are in a JWT (JARM §2.1).
fn response_parameter(url: &str, name: &str) -> Option<String> {
    let Some(response) = parameter(url, "response") else { return parameter(url, name) };
    let payload = CompactJws::parse(&response).ok()?.payload;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    claims.get(name)?.as_str().map(str::to_owned)
}

/// The parameters that the DC got, without the code itself.
fn received(url: Option<&str>) -> String {
    let Some(url) = url.and_then(|url| Url::parse(url).ok()) else {
        return "the browser never came back to the DC".into();
    };
    let shown = url.query_pairs().map(|(name, value)| match &*name {
        "code" | "state" | "response" => name.into_owned(),
        _ => format!("{name}={value}"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// PayNet gives no code for a consent that no decision authorized.
fn forged_return(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (consent, _, _, page) in returns(facts) {
        let authorized = facts.transitions.iter().any(|transition| {
            transition.consent == *consent && transition.to == ofp_types::ConsentStatus::Authorized
        });
        let with_code = facts.all_at(Endpoint::DcCallback).find(|exchange| {
            exchange.consent.as_ref() == Some(consent) && exchange.query().contains("code=")
        });
        if !authorized {
            let at = with_code.map_or(page, |exchange| exchange.id);
            ruling.judge(at, with_code.is_none(), "no code", "a code");
        }
    }
}

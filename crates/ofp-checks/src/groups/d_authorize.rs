//! D: the DP's authorize, D2.

use std::time::Duration;

use ofp_evidence::{CustomerAct, Endpoint, Exchange, ExchangeId, Outcome, Role, Screen, Stage};
use ofp_types::{ConsentStatus, Mutation};
use url::Url;

use super::{came, refusal, row, service};
use crate::{
    Facts, Requirement,
    requirement::Unserved::{Spoilt, While},
    ruling::Ruling,
};

const NO_LINK: &str = "the DP's authorize was not asked, or gave no answer";
const NO_PAGE: &str = "the browser did not arrive at the DP";

const VERIFY_LINK: &str = "Verify the signature over the bare consent_id of this very request";
const WHILE_AWAITING: &str = "Let a link work only while the consent awaits authorization";

pub(super) const ROWS: &[Requirement] = &[
    row!("D-01" Must, "Authorize answers a valid link with 303 and a Location", "S1:L385; X-12",
        "Answer GET /v1/oauth/authorize with 303 See Other and the address of the login page as Location", NO_LINK, redirects),
    row!("D-02" Must, "The Location is absolute https, and its page loads without a client certificate", "S4:L177; X-12",
        "Send the browser to a public listener that asks for no client certificate", NO_LINK, reachable),
    refusal!("D-03" Must, "A link for an unknown consent is refused",
        "S1:L388-404", "Answer with an error for a consent that no event told you of",
        &[Spoilt(Endpoint::DpAuthorize, Mutation::ConsentUnknown)]),
    refusal!("D-04" Must, "A link without a signature is refused",
        "S1:L388-404", VERIFY_LINK,
        &[Spoilt(Endpoint::DpAuthorize, Mutation::SignatureMissing), Spoilt(Endpoint::DpAuthorize, Mutation::SignatureEmpty)]),
    refusal!("D-05" Must, "A link whose signature is over another consent_id is refused",
        "S1:L388-404", VERIFY_LINK,
        &[Spoilt(Endpoint::DpAuthorize, Mutation::SignedForAnother)]),
    refusal!("D-06" Must, "A link whose consent_id was changed after it was signed is refused",
        "S1:L388-404", VERIFY_LINK,
        &[Spoilt(Endpoint::DpAuthorize, Mutation::ConsentIdSwapped)]),
    refusal!("D-07" Must, "A link whose signature was tampered with is refused",
        "S1:L388-404; RFC 7515 §5.2", VERIFY_LINK,
        &[Spoilt(Endpoint::DpAuthorize, Mutation::SignatureByteFlipped)]),
    refusal!("D-08" Must, "A link signed by the DC, by the DP or under an unknown kid is refused",
        "S1:L388-404", "Accept PayNet's keys alone",
        &[Spoilt(Endpoint::DpAuthorize, Mutation::SignedByDc), Spoilt(Endpoint::DpAuthorize, Mutation::SignedByDp), Spoilt(Endpoint::DpAuthorize, Mutation::UnknownKid)]),
    refusal!("D-09" Must, "A link signed with none, HS256 or RS256 is refused",
        "FAPI 2.0 SP §5.4.1; RFC 8725 §3.1", "Allow PS256 alone",
        &[Spoilt(Endpoint::DpAuthorize, Mutation::AlgNone), Spoilt(Endpoint::DpAuthorize, Mutation::AlgHs256), Spoilt(Endpoint::DpAuthorize, Mutation::AlgRs256)]),
    refusal!("D-10" Must, "A link with a redirect_uri that PayNet did not register is refused",
        "X-51; RFC 9700 §4.1", "Compare redirect_uri, byte for byte, with the callbacks that PayNet registered: the signature does not cover it",
        &[Spoilt(Endpoint::DpAuthorize, Mutation::RedirectUriForeignHost)]),
    refusal!("D-11" Must, "A link with a redirect_uri that only resembles a registered one is refused",
        "X-51; RFC 9700 §4.1", "Compare the whole redirect_uri, never a prefix or a host name",
        &[Spoilt(Endpoint::DpAuthorize, Mutation::RedirectUriExtraPath), Spoilt(Endpoint::DpAuthorize, Mutation::RedirectUriUserinfo), Spoilt(Endpoint::DpAuthorize, Mutation::RedirectUriHttp)]),
    refusal!("D-12" Should, "A link with a redirect_uri of more than 300 characters is refused",
        "S1:L398", "Limit redirect_uri to 300 characters",
        &[Spoilt(Endpoint::DpAuthorize, Mutation::RedirectUriTooLong)]),
    refusal!("D-13" Should, "A link with two consent_ids is refused",
        "RFC 6749 §3.1", "Refuse a parameter that is there twice",
        &[Spoilt(Endpoint::DpAuthorize, Mutation::ConsentIdTwice)]),
    refusal!("D-14" Must, "A link of a consent that was authorized is refused",
        "S1:L388-404; X-51", WHILE_AWAITING,
        &[While(Endpoint::DpAuthorize, ConsentStatus::Authorized)]),
    refusal!("D-15" Must, "A link of a consent that was rejected, revoked or expired is refused",
        "S1:L388-404; X-51", WHILE_AWAITING,
        &[While(Endpoint::DpAuthorize, ConsentStatus::Rejected), While(Endpoint::DpAuthorize, ConsentStatus::Revoked), While(Endpoint::DpAuthorize, ConsentStatus::Expired)]),
    refusal!("D-16" Must, "A link of a consent that failed is refused",
        "S1:L388-404; X-50", WHILE_AWAITING,
        &[While(Endpoint::DpAuthorize, ConsentStatus::Failed)]),
    service!("D-17" Should, "A link with parameters that nobody knows leads on", "S1:L388-404",
        "Ignore parameters that you do not know, such as state, nonce and scope", &[(Endpoint::DpAuthorize, Mutation::UnknownParameters)]),
    row!("D-18" Should, "A link that is opened in two tabs leads to one decision", "X-51",
        "Take the first decision on a consent, and tell the second browser that it is taken", "no link was opened in two tabs that both came to a decision", two_tabs),
    row!("D-19" Should, "The page at Location sends HSTS, no-store and a ban on framing", "FAPI 2.0 SP §5.2; RFC 6797, RFC 9700 §4.16",
        "Send Strict-Transport-Security, Cache-Control: no-store and Content-Security-Policy: frame-ancestors 'none'", NO_PAGE, headers),
    refusal!("D-20" Should, "No page at Location may be read by a script of another origin", "RFC 9700 §4.1; S4:L177",
        "Send no Access-Control-Allow-Origin on pages for customers", &[Spoilt(Endpoint::DpPage, Mutation::PreflightFromElsewhere)], no_cors),
    row!("D-21" Must, "Authorize and posted forms never redirect with 307 or 308", "FAPI 2.0 SP §5.3.2.2; RFC 9700 §4.12",
        "Redirect with 303 See Other", NO_LINK, never_307),
    service!("D-22" Info, "The path of the Universal Link behaves as authorize", "X-12",
        "Answer /OFM/MY/Authorize/AIS as /v1/oauth/authorize", &[(Endpoint::DpAuthorize, Mutation::PathUniversalLink)]),
    row!("D-23" Should, "Authorize answers within 5 s", "S3:L116", "Answer before asking slow systems", NO_LINK, in_time),
    row!("D-24" Should, "The Location does not carry PayNet's signature", "X-51; RFC 9700 §4.2",
        "Put an opaque, short-lived reference of your own into the Location", NO_LINK, keeps_signature),
];

fn location(exchange: &Exchange) -> Option<&str> {
    exchange.response()?.header("location")
}

fn redirects(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.at(Endpoint::DpAuthorize) {
        let expected = "303 with a Location";
        let by_browser = exchange.from == Role::Customer;
        match &exchange.outcome {
            Outcome::Failed(failure) => ruling.unanswered(exchange.id, expected, failure),
            Outcome::Answered { status, .. } => {
                let actual = match location(exchange) {
                    Some(_) => status.to_string(),
                    None => format!("{status} without a Location"),
                };
                match (status, location(exchange)) {
                    (303, Some(_)) => ruling.holds(exchange.id),
                    (302, Some(_)) => ruling.bent(exchange.id, expected, actual),
                    // the login page itself, to a browser
                    (200, None) if by_browser => ruling.holds(exchange.id),
                    _ => ruling.broken(exchange.id, expected, actual),
                }
            }
        }
    }
}

fn reachable(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.at(Endpoint::DpAuthorize) {
        let by_browser = exchange.from == Role::Customer;
        let Some(location) = location(exchange) else {
            if by_browser && exchange.status() == Some(200) {
                ruling.holds(exchange.id); // this was the page
            }
            continue;
        };
        // what a browser asked for it may resolve (RFC 9110 §10.2.2); PayNet hands on what it gets
        let url = match Url::parse(&exchange.url) {
            Ok(base) if by_browser => base.join(location).ok(),
            _ => Url::parse(location).ok(),
        };
        let url = url.filter(|url| url.scheme() == "https");
        if url.is_none() {
            ruling.broken(exchange.id, "an absolute https URL", location);
            continue;
        }
        let expected = "a page without a client certificate";
        let pages: Vec<&Exchange> =
            facts.at(Endpoint::DpPage).filter(|page| page.consent == exchange.consent).collect();
        if let Some((last, redirects)) = only_redirects(&pages) {
            let actual = format!("{redirects} redirects, and no page");
            ruling.broken(last, expected, actual);
            continue;
        }
        let page = pages.first();
        match page.map(|page| (&page.outcome, page.id)) {
            Some((Outcome::Answered { status, .. }, id)) => {
                ruling.judge(id, *status < 400, expected, format!("HTTP {status}"));
            }
            // a browser has no certificate to offer: asking for one is the breach itself
            Some((Outcome::Failed(failure), id)) if failure.detail.contains("alert") => {
                ruling.broken(id, expected, failure.to_string());
            }
            Some((Outcome::Failed(failure), id)) => ruling.unanswered(id, expected, failure),
            None => {}
        }
    }
}

/// The last of many redirects behind which no page ever came.
fn only_redirects(pages: &[&Exchange]) -> Option<(ExchangeId, usize)> {
    /// A login may take a few.
    const MANY: usize = 8;
    let is_redirect = |page: &&Exchange| page.status().is_some_and(|s| (300..400).contains(&s));
    let last = pages.last().filter(|_| pages.len() >= MANY && pages.iter().all(is_redirect))?;
    Some((last.id, pages.len()))
}

fn keeps_signature(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.at(Endpoint::DpAuthorize) {
        let Some(location) = location(exchange) else { continue };
        let query = Url::parse(&exchange.url).ok();
        let signature = query
            .as_ref()
            .and_then(|url| url.query_pairs().find(|(name, _)| name == "signature"))
            .map(|(_, value)| value.into_owned());
        let leaked = signature.is_some_and(|signature| location.contains(&signature));
        ruling.judge(
            exchange.id,
            !leaked,
            "a Location without the signature",
            "the signature is in it",
        );
    }
}

fn never_307(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    // a form that was posted carries credentials or a decision; a page that was fetched does not
    let posted = facts.at(Endpoint::DpPage).filter(|exchange| exchange.method == "POST");
    for exchange in facts.at(Endpoint::DpAuthorize).chain(posted) {
        if let Some(status) = exchange.status() {
            let ok = !matches!(status, 307 | 308);
            ruling.judge(exchange.id, ok, "no 307 or 308", status.to_string());
        }
    }
}

fn in_time(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.at(Endpoint::DpAuthorize) {
        let expected = "an answer within 5 s";
        match &exchange.outcome {
            Outcome::Failed(failure) if failure.stage == Stage::Timeout => {
                ruling.unanswered(exchange.id, expected, failure);
            }
            // what broke in less time says nothing about speed
            Outcome::Failed(_) => {}
            Outcome::Answered { .. } => {
                let ok = exchange.took <= Duration::from_secs(5);
                ruling.judge(exchange.id, ok, expected, format!("{:?}", exchange.took));
            }
        }
    }
}

fn headers(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (_, act) in &facts.acts {
        let CustomerAct::Arrived { screen: Screen::Login, page } = act else { continue };
        let response =
            facts.at(Endpoint::DpPage).find(|x| x.id == *page).and_then(Exchange::response);
        let Some(response) = response else { continue };
        let has = |name: &str, part: &str| {
            response.header(name).is_some_and(|value| value.to_ascii_lowercase().contains(part))
        };
        let missing: Vec<&str> = [
            ("Strict-Transport-Security", has("strict-transport-security", "max-age")),
            ("Cache-Control: no-store", has("cache-control", "no-store")),
            (
                "X-Frame-Options or frame-ancestors",
                response.header("x-frame-options").is_some()
                    || has("content-security-policy", "frame-ancestors"),
            ),
        ]
        .into_iter()
        .filter(|(_, there)| !there)
        .map(|(name, _)| name)
        .collect();
        let actual = format!("missing: {}", missing.join(", "));
        ruling.judge(*page, missing.is_empty(), "HSTS, no-store and a ban on framing", actual);
    }
}

fn two_tabs(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (at, (consent, act)) in facts.acts.iter().enumerate() {
        let CustomerAct::Decided { page, .. } = act else { continue };
        let decided = |other: &&(&ofp_types::ConsentId, &CustomerAct)| {
            other.0 == *consent && matches!(other.1, CustomerAct::Decided { .. })
        };
        if facts.acts[..at].iter().find(decided).is_none() {
            continue;
        }
        let taken = facts.updates.iter().filter(|update| {
            update.exchange.consent.as_ref() == Some(*consent) && update.exchange.succeeded()
        });
        let taken = taken.count();
        let refused = facts.updates.iter().filter(|update| {
            update.exchange.consent.as_ref() == Some(*consent)
                && update.exchange.status() == Some(403)
        });
        let told = taken + refused.count();
        let actual = format!("{told} decisions were told to PayNet");
        ruling.judge(*page, told <= 1, "one decision", actual);
    }
}

fn no_cors(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.sent_with(Endpoint::DpPage, Mutation::PreflightFromElsewhere) {
        let Some(response) = exchange.response() else { continue };
        let allowed = response.header("access-control-allow-origin");
        let foreign = exchange.request.header("origin");
        let ok = allowed.is_none_or(|allowed| allowed != "*" && Some(allowed) != foreign);
        let actual = match allowed {
            Some(origin) => format!("Access-Control-Allow-Origin: {origin}"),
            None => came(exchange),
        };
        ruling.judge(exchange.id, ok, "no leave for another origin", actual);
    }
}

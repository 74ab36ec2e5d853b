//! F: the DP as a client of PayNet's token endpoint. World evidence: a token serves many consents.

use std::collections::BTreeMap;

use ofp_evidence::Exchange;
use ofp_jose::{Claims, CompactJws};
use ofp_types::wire::ASSERTION_TYPE;
use url::form_urlencoded;

use super::{row, shown};
use crate::{Facts, Requirement, facts::Update, ruling::Ruling};

const NO_TOKEN: &str = "the DP asked for no access token";
const NO_USE: &str = "the DP used no access token";

pub(super) const ROWS: &[Requirement] = &[
    row!("F-01" Must World, "The DP asks for a token by POST of a form, with client_credentials and its client_id", "S1:L130-157; RFC 6749 §4.4",
        "POST grant_type=client_credentials, client_id and scope=accounts as application/x-www-form-urlencoded", NO_TOKEN, form),
    row!("F-02" Must World, "The client assertion is a PS256 JWS whose kid is the thumbprint of a registered certificate", "S1:L130-141; S1:L254; FAPI 2.0 SP §5.4.1",
        "Sign with PS256 and set kid to base64url(SHA-256(DER certificate))", NO_TOKEN, assertion),
    row!("F-03" Must World, "In the client assertion iss and sub are the client_id, aud the issuer of PayNet's metadata", "S1:L136-138; FAPI 2.0 SP §5.3.2.1; X-16",
        "Take aud from `issuer` in /.well-known/openid-configuration, as a single string", NO_TOKEN, assertion_parties),
    row!("F-04" Must World, "The client assertion lives at most 10 minutes and has a jti", "S1:L139-141",
        "Set exp at most 600 s after iat, and a fresh jti", NO_TOKEN, assertion_life),
    row!("F-05" Must World, "No two client assertions have the same jti", "S1:L141; RFC 7523 §3",
        "Draw a fresh UUID for every assertion", "the DP asked for fewer than two access tokens", assertion_jtis),
    row!("F-06" Must World, "With tls_client_auth the DP sends client_id and its certificate, and no assertion", "S1:L142-150; RFC 8705 §2.1",
        "Leave out client_assertion and client_assertion_type", NO_TOKEN, certificate_only),
    row!("F-07" Must World, "The access token travels only in the Authorization header", "S1:L158; RFC 6750 §2.1; FAPI 2.0 SP §5.3.4",
        "Send `Authorization: Bearer …`, and the token nowhere else", NO_USE, header_only),
    row!("F-08" Must World, "Update Consent presents the certificate that the token is bound to", "S1:L64; S1:L231; RFC 8705 §3",
        "Use the same client certificate for the token and for what it is used for", NO_USE, bound),
    row!("F-09" Info World, "The DP asks for at most one token per consent", "INF", "Keep a token until shortly before it expires", NO_TOKEN, thrifty),
    row!("F-10" Should World, "Where Update Consent is answered with 401, the DP gets another token and tries once more", "RFC 6750 §3.1; S1:L158",
        "Drop the token on 401, ask for another, and send the request once more", "PayNet refused no token of the DP", fresh_token),
    row!("F-11" Should World, "Where there is no token to be had, the customer is not told of success", "S1:L301; X-47",
        "Show an error, and return with error=server_error or temporarily_unavailable", "PayNet's token endpoint never failed for good", super::g_failure::without_token),
];

fn fields(exchange: &Exchange) -> BTreeMap<String, String> {
    form_urlencoded::parse(&exchange.request.body).into_owned().collect()
}

fn form(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.dp_tokens() {
        let (fields, request) = (fields(exchange), &exchange.request);
        let media_type = request.media_type().unwrap_or_else(|| "no Content-Type".into());
        let field = |name: &str| fields.get(name).map_or("missing", String::as_str);
        let client = facts.settings.dp_client_id.as_str();
        let ok = exchange.method == "POST"
            && media_type == "application/x-www-form-urlencoded"
            && field("grant_type") == "client_credentials"
            && field("client_id") == client;
        let expected =
            format!("POST of a form with grant_type=client_credentials, client_id={client}");
        let actual = format!(
            "{} of {media_type} with grant_type={}, client_id={}",
            exchange.method,
            field("grant_type"),
            field("client_id")
        );
        ruling.judge(exchange.id, ok, expected, actual);
    }
}

/// Each assertion of the DP, or why it is none.
fn assertions<'a>(facts: &Facts<'a>, ruling: &mut Ruling<'_>) -> Vec<(&'a Exchange, String)> {
    if !facts.settings.dp_uses_assertion {
        ruling.not_applicable("the DP authenticates with tls_client_auth");
        return Vec::new();
    }
    let mut found = Vec::new();
    for exchange in facts.dp_tokens() {
        match fields(exchange).remove("client_assertion") {
            Some(assertion) => found.push((exchange, assertion)),
            None => ruling.broken(exchange.id, "a client_assertion", "none"),
        }
    }
    found
}

fn assertion(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (exchange, assertion) in assertions(facts, ruling) {
        let kind = fields(exchange).remove("client_assertion_type").unwrap_or_default();
        if kind != ASSERTION_TYPE {
            let expected = format!("client_assertion_type={ASSERTION_TYPE}");
            ruling.broken(exchange.id, expected, kind);
            continue;
        }
        let verified =
            CompactJws::parse(&assertion).and_then(|jws| jws.verify(&facts.settings.dp_keys));
        match verified {
            Ok(_) => ruling.holds(exchange.id),
            Err(error) => {
                let expected = "a PS256 signature under the kid of a registered certificate";
                ruling.broken(exchange.id, expected, error.to_string());
            }
        }
    }
}

/// The claims of each assertion, whether or not its signature holds.
fn assertion_claims<'a>(facts: &Facts<'a>, ruling: &mut Ruling<'_>) -> Vec<(&'a Exchange, Claims)> {
    let claims = |assertion: &str| Claims::parse(&CompactJws::parse(assertion).ok()?.payload).ok();
    let found = assertions(facts, ruling).into_iter();
    found.filter_map(|(exchange, assertion)| Some((exchange, claims(&assertion)?))).collect()
}

fn assertion_parties(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let client = facts.settings.dp_client_id.as_str();
    let issuer = facts.settings.paynet_issuer.as_str();
    for (exchange, claims) in assertion_claims(facts, ruling) {
        let held = claims
            .equals("iss", client)
            .and_then(|()| claims.equals("sub", client))
            .and_then(|()| claims.addressed_only_to(issuer));
        let expected = format!("iss = sub = {client}, aud = {issuer}");
        match held {
            Ok(()) => ruling.holds(exchange.id),
            Err(error) => ruling.broken(exchange.id, expected, error.to_string()),
        }
    }
}

fn assertion_life(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (exchange, claims) in assertion_claims(facts, ruling) {
        let held = claims
            .not_expired(exchange.at)
            .and_then(|_| claims.lives_at_most("iat", 600))
            .and_then(|()| claims.text("jti").map(drop));
        match held {
            Ok(()) => ruling.holds(exchange.id),
            Err(error) => {
                let expected = "exp in the future, at most 600 s after iat, and a jti";
                ruling.broken(exchange.id, expected, error.to_string());
            }
        }
    }
}

fn assertion_jtis(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let mut seen: Vec<String> = Vec::new();
    for (at, (exchange, claims)) in assertion_claims(facts, ruling).into_iter().enumerate() {
        let jti = shown(claims.0.get("jti"));
        if seen.contains(&jti) {
            ruling.broken(exchange.id, "a jti that was not used before", jti.clone());
        } else if at > 0 {
            ruling.holds(exchange.id);
        }
        seen.push(jti);
    }
}

fn certificate_only(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    if facts.settings.dp_uses_assertion {
        ruling.not_applicable("the DP authenticates with private_key_jwt");
        return;
    }
    for exchange in facts.dp_tokens() {
        let fields = fields(exchange);
        let ok = fields.contains_key("client_id") && !fields.contains_key("client_assertion");
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        ruling.judge(exchange.id, ok, "client_id and no client_assertion", names.join(", "));
    }
}

/// The token that an update presents.
fn bearer<'a>(update: &Update<'a>) -> Option<&'a str> {
    let (scheme, token) = update.exchange.request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn header_only(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let issued: Vec<String> = facts.dp_tokens().filter_map(issued_token).collect();
    for update in &facts.updates {
        let exchange = update.exchange;
        let leaked = issued.iter().any(|token| {
            exchange.url.contains(token.as_str())
                || exchange.request.text().contains(token.as_str())
        });
        let actual = if leaked { "the token is in the URL or the body" } else { "no Bearer token" };
        let needed = facts.settings.profile.require_bearer_on_patch;
        let ok = !leaked && (bearer(update).is_some() || !needed);
        ruling.judge(exchange.id, ok, "the token in Authorization, and nowhere else", actual);
    }
}

fn issued_token(exchange: &Exchange) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&exchange.response()?.body).ok()?;
    body.get("access_token")?.as_str().map(str::to_owned)
}

fn bound(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for update in &facts.updates {
        let Some(token) = bearer(update) else { continue };
        let issued = facts
            .dp_tokens()
            .find(|issue| issue.response().is_some_and(|message| message.text().contains(token)));
        let Some(issued) = issued else { continue };
        let kid = |exchange: &Exchange| {
            exchange.client_certificate.as_ref().map(|c| c.thumbprint.to_string())
        };
        let (at_issue, at_use) = (kid(issued), kid(update.exchange));
        let expected = format!("certificate {}", at_issue.as_deref().unwrap_or("none"));
        let actual = format!("certificate {}", at_use.as_deref().unwrap_or("none"));
        ruling.judge(update.exchange.id, at_issue == at_use, expected, actual);
    }
}

fn thrifty(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    let tokens: Vec<&Exchange> = facts.dp_tokens().filter(|x| x.succeeded()).collect();
    let mut consents: Vec<_> = facts.updates.iter().map(|u| &u.exchange.consent).collect();
    consents.sort();
    consents.dedup();
    if let Some(last) = tokens.last() {
        let ok = tokens.len() <= consents.len().max(1);
        let actual = format!("{} tokens for {} consents", tokens.len(), consents.len());
        ruling.judge(last.id, ok, "at most one token per consent", actual);
    }
}

fn fresh_token(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (at, refused) in facts.updates.iter().enumerate() {
        if refused.exchange.status() != Some(401) {
            continue;
        }
        let token = |update: &Update<'_>| {
            update.exchange.request.header("authorization").map(str::to_owned)
        };
        let same = |later: &&Update<'_>| later.exchange.consent == refused.exchange.consent;
        // without a token there is nothing to try again with
        let without = facts.dp_tokens().any(|token| {
            token.id > refused.exchange.id
                && token.status().is_some_and(|status| status >= 500)
                && token.at.duration_since(refused.exchange.at) < jiff::SignedDuration::from_secs(5)
        });
        let again: Vec<&Update<'_>> = facts.updates[at + 1..].iter().filter(same).collect();
        if again.is_empty() && without {
            continue;
        }
        let fresh = again.first().is_some_and(|next| token(next) != token(refused));
        let actual = match (again.len(), fresh) {
            (0, _) => "no second Update Consent".to_owned(),
            (_, false) => "Update Consent again with the same token".to_owned(),
            (count, true) => format!("{count} more with a fresh token"),
        };
        let expected = "Update Consent once more, with a fresh token";
        ruling.judge(refused.exchange.id, fresh, expected, actual);
    }
}

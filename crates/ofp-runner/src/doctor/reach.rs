//! The half of the preflight that calls the DP: TCP, TLS, health, clock.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use ofp_evidence::{Failure, Stage};
use ofp_net::{
    HttpClient, InspectError, Inspected, Request, certificate_facts, connector, inspect, refusal,
};
use ofp_pki::{Pki, describe};
use ofp_types::{Clock, Origin};
use url::Url;

use super::{Report, certificates};
use crate::target::Target;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a DP may take to say by itself that it refuses a certificate.
const UNASKED: Duration = Duration::from_secs(2);
/// Clocks further apart than this make good signatures look old or premature.
const MOST_SKEW_SECONDS: i64 = 10;

/// Calls the DP as PayNet would, and fetches its keys where they are behind a URL.
pub async fn reach(target: &mut Target, pki: &Pki, clock: &dyn Clock, report: &mut Report) {
    let (first, second) = (&target.as_webhooks, &target.rs_webhooks);
    let mut reached = handshake(target, pki, report, "webhooks", first).await;
    if first != second {
        reached = handshake(target, pki, report, "webhooks (rs)", second).await;
    }
    if reached {
        health(target, pki, clock, report, second).await;
    }
    fetch_keys(target, report).await;
    report.not_seen(
        "T-14",
        "the DP's own calls to PayNet",
        "not seen yet: it calls when a customer has decided; `run` and `up` say what certificate it came with",
    );
}

fn address(origin: &Origin) -> Option<(String, u16)> {
    let url = Url::parse(origin.as_str()).ok()?;
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some((host, url.port_or_known_default()?))
}

async fn handshake(
    target: &Target,
    pki: &Pki,
    report: &mut Report,
    what: &str,
    origin: &Origin,
) -> bool {
    let Some((host, port)) = address(origin) else { return false };
    let checked = format!("{what} {origin}");
    let shaken =
        inspect((&host, port), Some(&pki.paynet.client), &target.server_trust, PATIENCE).await;
    match shaken {
        Ok(seen) => server(target, report, &checked, &host, &seen),
        Err(error) => {
            unreached(pki, report, &checked, &error);
            false
        }
    }
}

fn unreached(pki: &Pki, report: &mut Report, checked: &str, error: &InspectError) {
    let came = error.to_string();
    match error {
        InspectError::Connect(_) => {
            let mend =
                "is the DP started, and is this its webhooks' address as seen from this machine?";
            report.network("T-09", checked, came, mend);
        }
        InspectError::Timeout(_) => {
            let mend = "something takes the connection and says nothing: a firewall, another service on this port, or a DP that hangs";
            report.network("T-09", checked, came, mend);
        }
        InspectError::NotTls(_) => {
            let mend = "the webhooks must be served over TLS with client certificates (A-01): this port answers in clear";
            report.config("T-10", checked, format!("it speaks no TLS ({})", reason(&came)), mend);
        }
        InspectError::Handshake(text) => {
            let (came, mend) = refused(pki, text);
            report.config("T-10", checked, came, mend);
        }
        InspectError::Setup(_) => {
            report.config("T-10", checked, came, "make new keys: `ofp-sim pki renew`");
        }
    }
}

/// A handshake that the DP broke off, in words.
fn refused(pki: &Pki, text: &str) -> (String, String) {
    let client = &pki.paynet.client.certificate;
    let (subject, issuer) = (describe(client.subject_name()), describe(client.issuer_name()));
    let folder = pki.folder.as_deref().map(|folder| folder.join("ca.pem").display().to_string());
    let ca = folder.unwrap_or_else(|| "our CA".into());
    if text.contains("protocol version") || text.contains("unsupported protocol") {
        let came = format!("it takes neither TLS 1.2 nor 1.3 ({})", alert(text));
        return (came, "switch TLS 1.2 and 1.3 on at the DP (FAPI 2.0 SP §5.2.1, A-02)".into());
    }
    if text.contains("handshake failure") {
        let came = format!("no TLS parameters in common ({})", alert(text));
        let mend = "offer an ECDHE suite with AES-GCM or ChaCha20 on the DP (BCP 195), and a certificate that goes with it";
        return (came, mend.into());
    }
    if text.contains("alert") {
        let came = format!(
            "the DP refused PayNet's client certificate ({}): {subject}, issued by {issuer}",
            alert(text)
        );
        return (came, format!("make the DP trust {ca} for client certificates"));
    }
    let came = format!("the handshake broke off: {}", reason(text));
    (came, "look into the DP's own log; `openssl s_client -connect` shows more".into())
}

/// The alert's name, out of OpenSSL's text.
fn alert(text: &str) -> String {
    match text.find("alert ") {
        Some(at) => {
            let name = text[at..].split([':', '(']).next().unwrap_or_default().trim();
            format!("TLS {name}")
        }
        None => reason(text),
    }
}

/// The reason in OpenSSL's text, `error:0A00010B:SSL routines:function:wrong version number:file:line:`.
fn reason(text: &str) -> String {
    let start = text.find("error:").map(|at| &text[at..]);
    let reason = start.and_then(|text| text.split(':').nth(4)).filter(|reason| !reason.is_empty());
    reason.unwrap_or(text).to_owned()
}

/// What the server showed.
fn server(
    target: &Target,
    report: &mut Report,
    checked: &str,
    host: &str,
    seen: &Inspected,
) -> bool {
    report.good("T-09", checked, format!("reached, {} with {}", seen.version, seen.cipher));
    let offered = seen.offered();
    if seen.faults.is_empty() {
        report.good("T-11", checked, format!("its certificate is acceptable: {offered}"));
        return true;
    }
    if seen.wrong_name {
        let names = seen.chain.first().and_then(|leaf| certificate_facts(leaf));
        let names = names.map_or_else(String::new, |facts| facts.names.join(", "));
        let came = format!("its certificate ({offered}) is for {names}, not for {host}");
        let mend = format!(
            "call it by one of these names in `webhooks`, or issue a certificate with the subject alternative name {host}"
        );
        report.config("T-12", checked, came, mend);
        return false;
    }
    let known: Vec<String> =
        target.server_trust.anchors().map(|ca| describe(ca.subject_name())).collect();
    let why = seen.faults.join("; ");
    let came = format!("its certificate is not acceptable: {why}. It is {offered}");
    let mend = if why.contains("expired") || why.contains("not yet valid") {
        "renew the DP's server certificate, and compare the clocks".to_owned()
    } else if why.contains("purpose") {
        "its extended key usage must allow TLS server authentication".to_owned()
    } else {
        let issuer = seen.chain.first().map(|leaf| describe(leaf.issuer_name()));
        let alike = issuer.is_some_and(|issuer| known.contains(&issuer));
        let alike = if alike { ", of the same name and with another key" } else { "" };
        format!(
            "tls.server_ca holds {}{alike}: name the CA that issued the DP's server certificate, and let the DP send its intermediates",
            known.join("; ")
        )
    };
    report.config("T-11", checked, came, mend);
    false
}

/// The first request: a TLS 1.3 server refuses a client's certificate only now.
async fn health(
    target: &Target,
    pki: &Pki,
    clock: &dyn Clock,
    report: &mut Report,
    origin: &Origin,
) {
    let checked = format!("health {}", origin.join("/v1/health"));
    let tls = match connector(Some(&pki.paynet.client), &target.server_trust) {
        Ok(tls) => tls,
        Err(error) => {
            report.config("T-10", checked, error.to_string(), "`ofp-sim pki renew`");
            return;
        }
    };
    let client = HttpClient::new(tls, None);
    let reply = client.send(Request::get(origin.join("/v1/health"), PATIENCE)).await;
    match reply {
        Ok(reply) => {
            match reply.status {
                200..=299 => report.good("T-13", checked, format!("answered {}", reply.status)),
                status => {
                    let mend = "the platform asks for it (D4) and may leave out a DP that does not answer; any 2xx will do";
                    report.warn("T-13", checked, format!("answered {status}"), mend);
                }
            }
            skew(report, clock.now(), reply.message.header("date"));
        }
        Err(failure) if failure.detail.contains("alert") => {
            let (came, mend) = refused(pki, &failure.detail);
            report.config("T-10", checked, came, mend);
        }
        Err(failure) => match said_unasked(target, pki, origin, &failure).await {
            Some(alert) => {
                let (came, mend) = refused(pki, &alert);
                report.config("T-10", checked, came, mend);
            }
            None => {
                let mend = "PayNet's first call would fare the same: look into the DP's own log";
                report.network("T-13", checked, failure.to_string(), mend);
            }
        },
    }
}

/// The alert that was lost behind a reset, if that is what ended a connection.
async fn said_unasked(
    target: &Target,
    pki: &Pki,
    origin: &Origin,
    failure: &Failure,
) -> Option<String> {
    if !matches!(failure.stage, Stage::Send | Stage::Receive) {
        return None;
    }
    let (host, port) = address(origin)?;
    let client = &pki.paynet.client;
    let said = refusal((&host, port), client, &target.server_trust, UNASKED).await;
    said.filter(|text| text.contains("alert"))
}

fn skew(report: &mut Report, now: Timestamp, date: Option<&str>) {
    const CODE: &str = "T-15";
    let checked = "clock, by the Date header";
    let Some(date) = date else {
        report.warn(CODE, checked, "the DP sends no Date header", "RFC 9110 §6.6.1 asks for one");
        return;
    };
    match rfc2822::parse(date) {
        Ok(there) => {
            let apart = there.timestamp().duration_since(now).as_secs();
            if apart.abs() <= MOST_SKEW_SECONDS {
                report.good(CODE, checked, format!("{} s apart", apart.abs()));
            } else {
                let way = if apart > 0 { "ahead of" } else { "behind" };
                let came = format!("the DP's clock is {} s {way} this machine's", apart.abs());
                let mend =
                    "set both by NTP: signatures are refused as premature or too old otherwise";
                report.config(CODE, checked, came, mend);
            }
        }
        Err(_) => {
            report.warn(CODE, checked, format!("`{date}` is no date"), "RFC 9110 §5.6.7");
        }
    }
}

/// Fetches the DP's keys where they are behind a URL.
pub async fn fetch_keys(target: &mut Target, report: &mut Report) {
    let Some(url) = target.file.signing.value.jwks.clone() else { return };
    if !url.value.starts_with("https://") {
        return;
    }
    let checked = format!("signing.jwks {}", url.value);
    let reply = match connector(None, &target.server_trust) {
        Ok(tls) => HttpClient::new(tls, None).send(Request::get(&url.value, PATIENCE)).await,
        Err(error) => {
            report.config("T-06", checked, error.to_string(), "see tls.server_ca");
            return;
        }
    };
    match reply {
        Ok(reply) if reply.status == 200 => {
            if let Some(set) = certificates::jwks(report, &checked, &reply.message.body) {
                target.jwks = set;
            }
        }
        Ok(reply) => {
            let mend = "the URL must answer 200 with a JWK set, without a client certificate";
            report.config("T-06", checked, format!("answered {}", reply.status), mend);
        }
        Err(failure) => {
            let mend = "or give the certificate itself: signing: { certificate: FILE }";
            report.network("T-06", checked, failure.to_string(), mend);
        }
    }
}

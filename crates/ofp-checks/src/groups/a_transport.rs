//! A: transport and mutual TLS.

use ofp_evidence::{CertificateFacts, Endpoint, Exchange, Handshake, Outcome, Role, Stage};
use ofp_types::{AuthorizeMode, Mutation};

use super::{came, refusal, refuses, row, service};
use crate::{Facts, Requirement, refusal::served, requirement::Unserved::Spoilt, ruling::Ruling};

const NO_CALL: &str = "no call of PayNet to a webhook was answered";

const CLIENT_CERTIFICATE: &str = "Require a client certificate from the CA of PayNet on the webhook listener, and then that it is PayNet's own";

pub(super) const ROWS: &[Requirement] = &[
    row!("A-01" Must, "Webhooks complete a TLS 1.2 or 1.3 handshake in which PayNet offers its client certificate",
        "S1:L64; S4:L31-45; FAPI 2.0 SP §5.2", "Require client certificates on the webhook listener and trust the CA of PayNet's",
        NO_CALL, handshake),
    row!("A-02" Should, "A TLS 1.3 offer is accepted or answered with TLS 1.2", "FAPI 2.0 SP §5.2, BCP 195",
        "Enable TLS 1.3 on the webhook listener", NO_CALL, tls13),
    refusal!("A-03" Must, "A ClientHello that offers TLS 1.1 at most is refused",
        "FAPI 2.0 SP §5.2; RFC 8996", "Set TLS 1.2 as the lowest version of the webhook listener",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::TlsTooOld)]),
    refusal!("A-04" Must, "A ClientHello that offers broken suites alone is refused",
        "FAPI 2.0 SP §5.2; RFC 9325 §4.1", "Enable suites with ECDHE and an AEAD alone",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::TlsWeakSuites)]),
    refusal!("A-05" Must, "An event without a client certificate is refused",
        "S1:L64; S4:L31-45; FAPI 2.0 SP §5.2", CLIENT_CERTIFICATE,
        &[Spoilt(Endpoint::ConsentEvent, Mutation::NoClientCertificate)]),
    refusal!("A-06" Must, "An event with a client certificate of an unknown CA is refused",
        "S1:L64; S4:L31-45", CLIENT_CERTIFICATE,
        &[Spoilt(Endpoint::ConsentEvent, Mutation::ClientCertificateUntrusted)]),
    refusal!("A-07" Must, "An event with another participant's client certificate is refused",
        "S1:L64; S4:L31-45", "Compare the certificate with PayNet's: the same CA issues the DCs' and your own",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::ClientCertificateOfDc), Spoilt(Endpoint::ConsentEvent, Mutation::ClientCertificateOfDp)]),
    refusal!("A-08" Must, "An event with an expired client certificate is refused",
        "RFC 5280 §6.1.3", CLIENT_CERTIFICATE,
        &[Spoilt(Endpoint::ConsentEvent, Mutation::ClientCertificateExpired)]),
    refusal!("A-09" Should, "An event with a client certificate that is not valid yet is refused",
        "RFC 5280 §6.1.3", CLIENT_CERTIFICATE,
        &[Spoilt(Endpoint::ConsentEvent, Mutation::ClientCertificateNotYetValid)]),
    row!("A-10" Must, "The server certificate chains to the configured CA, names the host, is in date and strong",
        "S1:L225-231; FAPI 2.0 SP §5.4.1", "Install a certificate for the webhook's host name with an RSA key of at least 2048 bits or a P-256 key",
        NO_CALL, certificate),
    refusal!("A-11" Should, "Authorize is refused to a caller without a client certificate where PayNet relays it, and open to browsers where it does not",
        "X-12; S4:L31-45", "With authorize_mode relay serve authorize behind mutual TLS, with browser on a listener that asks for no certificate",
        &[Spoilt(Endpoint::DpAuthorize, Mutation::NoClientCertificate)], authorize_caller),
    refusal!("A-12" Must, "An event without TLS is not accepted",
        "S1:L64; FAPI 2.0 SP §5.2", "Speak TLS alone on the port of the webhooks",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::PlainHttp)], without_tls),
    refusal!("A-13" Must, "Userinfo and data without a client certificate are refused",
        "S1:L64; S4:L31-45; FAPI 2.0 SP §5.2", CLIENT_CERTIFICATE,
        &[Spoilt(Endpoint::Account, Mutation::NoClientCertificate), Spoilt(Endpoint::Balances, Mutation::NoClientCertificate), Spoilt(Endpoint::Transactions, Mutation::NoClientCertificate), Spoilt(Endpoint::Userinfo, Mutation::NoClientCertificate)]),
    refusal!("A-14" Must, "A self-signed client certificate with PayNet's name is refused",
        "S1:L64; S4:L31-45", "Verify the chain before you read the subject; best compare the thumbprint",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::ClientCertificateSelfSigned)]),
    service!("A-15" Should, "PayNet's next client certificate is accepted beside the present one",
        "S1:L223", "Keep a list of PayNet's certificates, not a single one", &[(Endpoint::ConsentEvent, Mutation::ClientCertificateRenewed)]),
    refusal!("A-16" Should, "A ClientHello that offers CBC suites with SHA-1 alone is refused",
        "RFC 9325 §4.2", "Enable suites with ECDHE and an AEAD alone",
        &[Spoilt(Endpoint::ConsentEvent, Mutation::TlsCbcSha1Suites)]),
];

/// A browser has no client certificate.
fn authorize_caller(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    if facts.settings.profile.authorize_mode == AuthorizeMode::Relay {
        return refuses(facts, ruling);
    }
    let expected = "303, or the login page, without a client certificate";
    for exchange in facts.at(Endpoint::DpAuthorize).filter(|x| x.from == Role::Customer) {
        match (served(exchange, &facts.settings.paynet_callback), &exchange.outcome) {
            (Ok(()), _) => ruling.holds(exchange.id),
            // asking for a certificate is the breach itself
            (Err(_), Outcome::Failed(failure)) if !failure.detail.contains("alert") => {
                ruling.unanswered(exchange.id, expected, failure);
            }
            (Err(instead), _) => ruling.broken(exchange.id, expected, instead.as_str()),
        }
    }
}

/// Handshakes for webhooks, each with the exchange that shows it.
fn each_handshake<'a>(facts: &Facts<'a>) -> Vec<(&'a Exchange, Option<&'a Handshake>)> {
    facts.to_dp().map(|exchange| (exchange, facts.handshake(exchange))).collect()
}

fn tls_failure(exchange: &Exchange) -> Option<&ofp_evidence::Failure> {
    match &exchange.outcome {
        Outcome::Failed(failure) if matches!(failure.stage, Stage::Tls | Stage::Trust) => {
            Some(failure)
        }
        _ => None,
    }
}

fn handshake(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (exchange, handshake) in each_handshake(facts) {
        let expected = "a TLS 1.2 or 1.3 handshake with PayNet's client certificate";
        // a certificate that we refuse is A-10
        if let Some(failure) = tls_failure(exchange).filter(|f| f.stage == Stage::Tls) {
            ruling.unanswered(exchange.id, expected, failure);
        } else if let Some(version) = handshake.and_then(|h| h.version.as_deref()) {
            ruling.judge(exchange.id, matches!(version, "TLSv1.2" | "TLSv1.3"), expected, version);
        }
    }
}

fn tls13(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (exchange, handshake) in each_handshake(facts) {
        if let Some(version) = handshake.and_then(|h| h.version.as_deref()) {
            let ok = matches!(version, "TLSv1.3" | "TLSv1.2");
            ruling.judge(exchange.id, ok, "TLSv1.3, or TLSv1.2 instead", version);
        }
    }
}

/// Chain, host name and dates are OpenSSL's judgement: without it there is no connection.
fn certificate(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for (exchange, handshake) in each_handshake(facts) {
        let expected = "a valid certificate with an RSA key of 2048 bits or more, or P-256 or more";
        if let Some(failure) = tls_failure(exchange).filter(|f| f.stage == Stage::Trust) {
            ruling.unanswered(exchange.id, expected, failure);
        } else if let Some(server) = handshake.and_then(|h| h.server.as_ref()) {
            let actual = format!("{} of {} bits", server.key_kind, server.key_bits);
            ruling.judge(exchange.id, is_strong(server), expected, actual);
        }
    }
}

fn is_strong(certificate: &CertificateFacts) -> bool {
    let needed = if certificate.key_kind == "RSA" { 2048 } else { 256 };
    certificate.key_bits >= needed
}

/// To a port that speaks TLS alone this is no TLS: whatever it answers, it must not be success.
fn without_tls(facts: &Facts<'_>, ruling: &mut Ruling<'_>) {
    for exchange in facts.sent_with(Endpoint::ConsentEvent, Mutation::PlainHttp) {
        let unreachable =
            matches!(&exchange.outcome, Outcome::Failed(f) if f.stage == Stage::Connect);
        if !unreachable {
            ruling.judge(exchange.id, !exchange.succeeded(), "no 2xx", came(exchange));
        }
    }
}

//! Certificates as evidence.

use std::net::IpAddr;

use ofp_evidence::CertificateFacts;
use ofp_pki::{describe, timestamp};
use openssl::x509::X509Ref;

/// What `certificate` says; `None` when OpenSSL cannot even encode it.
#[must_use]
pub fn certificate_facts(certificate: &X509Ref) -> Option<CertificateFacts> {
    let key = certificate.public_key().ok()?;
    let key_kind = match key.ec_key() {
        Ok(ec) => ec.group().curve_name().and_then(|n| n.short_name().ok()).unwrap_or("EC").into(),
        Err(_) if key.rsa().is_ok() => "RSA".to_owned(),
        Err(_) => format!("{:?}", key.id()),
    };
    let alternatives = certificate.subject_alt_names();
    let names = alternatives.iter().flatten().filter_map(|name| {
        name.dnsname().map(str::to_owned).or_else(|| name.ipaddress().and_then(address))
    });
    Some(CertificateFacts {
        thumbprint: ofp_jose::thumbprint(certificate).ok()?,
        subject: describe(certificate.subject_name()),
        issuer: describe(certificate.issuer_name()),
        names: names.collect(),
        not_after: timestamp(certificate.not_after()),
        key_kind,
        key_bits: key.bits(),
    })
}

fn address(octets: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    let v6 = <[u8; 16]>::try_from(octets).map(IpAddr::from);
    v4.or(v6).ok().map(|ip| ip.to_string())
}

//! Certificates and JWK sets in a target's files.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ofp_jose::{Jwk, JwkSet, KeyUse, thumbprint};
use ofp_net::Trust;
use ofp_pki::{describe, timestamp};
use openssl::{
    pkey::Id,
    x509::{X509, X509PurposeId},
};

use super::Report;
use crate::read::{read_found, text};

/// Certificates that live on for less than this are worth a word.
const SOON_DAYS: i64 = 14;
/// PS256 with less is not accepted (RFC 8725 §3.2, FAPI 2.0 SP §5.4.1).
const LEAST_RSA_BITS: u32 = 2048;
/// Longer files are none of ours.
const LONGEST: u64 = 1024 * 1024;

/// The text of a file that is one, and not absurdly long.
pub(crate) fn bounded_text(path: &Path) -> std::io::Result<String> {
    read_found(path, LONGEST).and_then(text)
}

/// A file of the target, by the key that names it.
pub(super) struct FileAt<'a> {
    pub(super) key: &'static str,
    pub(super) written: &'a str,
    pub(super) path: PathBuf,
}

impl<'a> FileAt<'a> {
    pub(super) fn new(folder: &Path, key: &'static str, written: &'a str) -> Self {
        Self { key, written, path: folder.join(written) }
    }

    fn checked(&self) -> String {
        format!("{} {}", self.key, self.written)
    }

    /// The text of a file that is not absurdly long.
    pub(super) fn read(&self, report: &mut Report, code: &'static str) -> Option<Vec<u8>> {
        match read_found(&self.path, LONGEST) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let came = format!("cannot read {}: {error}", self.path.display());
                let mend = "paths are relative to the target file's folder; `ofp-sim init` writes all that is needed";
                report.config(code, self.checked(), came, mend);
                None
            }
        }
    }

    /// The certificates of a PEM file: at least one.
    pub(super) fn certificates(
        &self,
        report: &mut Report,
        code: &'static str,
    ) -> Option<Vec<X509>> {
        let bytes = self.read(report, code)?;
        let text = String::from_utf8_lossy(&bytes);
        let found = X509::stack_from_pem(&bytes).unwrap_or_default();
        if !found.is_empty() {
            if text.contains("PRIVATE KEY") {
                let came = "it holds a private key beside the certificate";
                let mend =
                    "ofp-sim needs the certificate alone: keep the key where the DP reads it";
                report.warn(code, self.checked(), came, mend);
            }
            return Some(found);
        }
        let (came, mend) = if text.contains("PRIVATE KEY") {
            (
                "it holds a private key and no certificate",
                "name the certificate's file, not the key's",
            )
        } else if text.contains("CERTIFICATE REQUEST") {
            ("it holds a certificate request", "have it signed: `ofp-sim init --csr FILE`")
        } else if X509::from_der(&bytes).is_ok() {
            ("it is DER", "convert it: openssl x509 -inform der -in FILE -out FILE.pem")
        } else if bytes.starts_with(&[0x30]) {
            (
                "it looks like PKCS#12 or DER",
                "convert it: openssl pkcs12 -in FILE -nokeys -out FILE.pem",
            )
        } else {
            ("there is no PEM certificate in it", "it begins with -----BEGIN CERTIFICATE-----")
        };
        report.config(code, self.checked(), came, mend);
        None
    }
}

/// Whether a certificate is valid today.
pub(super) fn dates(
    report: &mut Report,
    code: &'static str,
    checked: &str,
    certificate: &X509,
    now: Timestamp,
) -> bool {
    let (from, until) = (timestamp(certificate.not_before()), timestamp(certificate.not_after()));
    let name = describe(certificate.subject_name());
    match (from, until) {
        (_, Some(until)) if until <= now => {
            let mend = "renew it; for our own throwaway ones: `ofp-sim pki renew`";
            report.config(code, checked, format!("{name} expired {until}"), mend);
            false
        }
        (Some(from), _) if from > now => {
            let mend = "compare the clocks of both machines";
            report.config(code, checked, format!("{name} is valid only from {from}"), mend);
            false
        }
        (_, Some(until)) if until.duration_since(now).as_hours() < SOON_DAYS * 24 => {
            report.warn(code, checked, format!("{name} expires {until}"), "renew it soon");
            true
        }
        _ => true,
    }
}

/// The certificate that the DP presents when it calls PayNet.
pub(super) fn client(
    report: &mut Report,
    file: &FileAt<'_>,
    ca: Option<&FileAt<'_>>,
    now: Timestamp,
) -> Option<(X509, Trust)> {
    const CODE: &str = "T-04";
    let chain = file.certificates(report, CODE)?;
    let (certificate, between) = (chain.first()?.clone(), &chain[1..]);
    let valid = dates(report, CODE, &file.checked(), &certificate, now);
    let subject = describe(certificate.subject_name());
    let trust = match ca {
        None => Trust::of(vec![certificate.clone()]),
        Some(ca) => Trust::of(ca.certificates(report, "T-05")?),
    };
    if !valid {
        return None;
    }
    let verdict = trust.judge(&certificate, between, X509PurposeId::SSL_CLIENT);
    match verdict {
        Ok(Ok(())) => {
            let kid = thumbprint(&certificate).map(|kid| kid.to_string()).unwrap_or_default();
            report.good(CODE, file.checked(), format!("{subject}, thumbprint {kid}"));
            Some((certificate, trust))
        }
        Ok(Err(why)) => {
            let why = why.error_string();
            let (code, mend) = if why.contains("purpose") {
                let mend = "its extended key usage must allow TLS client authentication: issue another one for the DP's calls";
                (CODE, mend.to_owned())
            } else {
                let issuer = describe(certificate.issuer_name());
                let known: Vec<String> =
                    trust.anchors().map(|ca| describe(ca.subject_name())).collect();
                let known = known.join("; ");
                let mend = format!(
                    "it was issued by {issuer}, and client_ca holds {known}: name the right CA, or leave client_ca out to trust this certificate alone"
                );
                ("T-05", mend)
            };
            report.config(code, file.checked(), format!("{subject}: {why}"), mend);
            None
        }
        Err(error) => {
            report.config(CODE, file.checked(), error.to_string(), "see openssl verify");
            None
        }
    }
}

/// The certificate that the DP signs with, as a JWK set.
pub(super) fn signing(report: &mut Report, file: &FileAt<'_>, now: Timestamp) -> Option<JwkSet> {
    const CODE: &str = "T-06";
    let chain = file.certificates(report, CODE)?;
    let certificate = chain.first()?;
    if !dates(report, CODE, &file.checked(), certificate, now) {
        return None;
    }
    let key = certificate.public_key().ok();
    let (kind, bits) = key.as_ref().map_or((Id::RSA, 0), |key| (key.id(), key.bits()));
    if key.is_none() || !matches!(kind, Id::RSA | Id::RSA_PSS) || bits < LEAST_RSA_BITS {
        let came = format!("its key is {} of {bits} bits", kind_name(kind));
        let mend = "PS256 needs an RSA key of at least 2048 bits (FAPI 2.0 SP §5.4.1)";
        report.config(CODE, file.checked(), came, mend);
        return None;
    }
    match Jwk::of_certificate(certificate, KeyUse::Sig) {
        Ok(jwk) => {
            let subject = describe(certificate.subject_name());
            let kid = thumbprint(certificate).map(|kid| kid.to_string()).unwrap_or_default();
            report.good(CODE, file.checked(), format!("{subject}; kid of its signatures is {kid}"));
            Some(JwkSet { keys: vec![jwk] })
        }
        Err(error) => {
            let mend = "an RSA certificate with digitalSignature is expected";
            report.config(CODE, file.checked(), error.to_string(), mend);
            None
        }
    }
}

fn kind_name(kind: Id) -> String {
    match kind {
        Id::EC => "an elliptic curve's".into(),
        Id::ED25519 => "Ed25519".into(),
        Id::RSA | Id::RSA_PSS => "RSA".into(),
        other => format!("{other:?}"),
    }
}

/// A JWK set with a key to sign, whose ids are thumbprints.
pub(super) fn jwks(report: &mut Report, checked: &str, bytes: &[u8]) -> Option<JwkSet> {
    const CODE: &str = "T-06";
    let set: JwkSet = match serde_json::from_slice(bytes) {
        Ok(set) => set,
        Err(error) => {
            let mend = "a JWK set is a JSON object with `keys` (RFC 7517 §5)";
            report.config(CODE, checked, format!("it is not a JWK set: {error}"), mend);
            return None;
        }
    };
    let (keys, rejected) = ofp_jose::KeySet::of_jwks("the DP", &set);
    let Some(first) = keys.first(KeyUse::Sig) else {
        let reasons: Vec<String> = rejected.iter().map(|key| key.reason.clone()).take(3).collect();
        let came = match reasons.is_empty() {
            true => "no key of use=sig".to_owned(),
            false => format!("no usable key of use=sig; {}", reasons.join("; ")),
        };
        let mend =
            "the DP's signing key must stand in it with use=sig, kty=RSA, at least 2048 bits";
        report.config(CODE, checked, came, mend);
        return None;
    };
    report.good(CODE, checked, format!("kid of its signatures is {}", first.kid()));
    Some(set)
}

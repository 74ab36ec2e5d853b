//! A certificate with its private key.

use jiff::{SignedDuration, Timestamp};
use ofp_jose::{DecryptionKey, KeyError, SigningKey};
use openssl::{
    asn1::{Asn1Time, Asn1TimeRef},
    nid::Nid,
    pkey::{PKey, Private},
    x509::{X509, X509NameRef, X509Ref},
};

use crate::PkiError;

/// A certificate with its private key.
#[derive(Clone)]
pub struct Credential {
    /// The certificate.
    pub certificate: X509,
    /// Its private key.
    pub key: PKey<Private>,
}

impl Credential {
    /// base64url(SHA-256(DER certificate)), as `cnf.x5t#S256` and kid have it.
    ///
    /// # Errors
    /// [`PkiError::Crypto`] when OpenSSL cannot encode the certificate.
    pub fn thumbprint(&self) -> Result<ofp_types::Kid, PkiError> {
        ofp_jose::thumbprint(&self.certificate)
            .map_err(PkiError::crypto("take a certificate's thumbprint"))
    }

    /// The key, ready to sign.
    ///
    /// # Errors
    /// [`KeyError`] when it is not RSA.
    pub fn signing_key(&self) -> Result<SigningKey, KeyError> {
        SigningKey::new(&self.key, &self.certificate)
    }

    /// The key, ready to decrypt.
    ///
    /// # Errors
    /// [`KeyError`] when it is not RSA.
    pub fn decryption_key(&self) -> Result<DecryptionKey, KeyError> {
        DecryptionKey::new(&self.key, &self.certificate)
    }

    /// When it stops being valid.
    #[must_use]
    pub fn not_after(&self) -> Option<Timestamp> {
        timestamp(self.certificate.not_after())
    }

    /// Whether it is valid at `now` and for `rest` longer.
    #[must_use]
    pub fn outlives(&self, now: Timestamp, rest: SignedDuration) -> bool {
        let starts = timestamp(self.certificate.not_before()).is_some_and(|start| start <= now);
        let lasts = self.not_after().is_some_and(|end| end.duration_since(now) > rest);
        starts && lasts
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential({})", describe(self.certificate.subject_name()))
    }
}

/// A name as `O=…, CN=…`.
#[must_use]
pub fn describe(name: &X509NameRef) -> String {
    let entry = |nid, label: &str| {
        let data = name.entries_by_nid(nid).next()?.data().to_string().ok()?;
        Some(format!("{label}={data}"))
    };
    let parts = [
        entry(Nid::ORGANIZATIONNAME, "O"),
        entry(Nid::ORGANIZATIONALUNITNAME, "OU"),
        entry(Nid::COMMONNAME, "CN"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// An ASN.1 time as a timestamp; `None` beyond what either can express.
#[must_use]
pub fn timestamp(time: &Asn1TimeRef) -> Option<Timestamp> {
    let epoch = Asn1Time::from_unix(0).ok()?;
    let since = epoch.diff(time).ok()?;
    Timestamp::from_second(i64::from(since.days) * 86_400 + i64::from(since.secs)).ok()
}

pub(crate) fn is_issued_by(certificate: &X509Ref, ca: &X509Ref) -> bool {
    ca.public_key().is_ok_and(|key| certificate.verify(&key).unwrap_or(false))
}

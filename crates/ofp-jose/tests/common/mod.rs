//! Keys that the tests share: made once a process, since an RSA key takes a tenth of a second.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part, and stops at its first surprise"
)]

use std::sync::OnceLock;

use ofp_jose::{DecryptionKey, KeySet, KeyUse, PublicKey, SigningKey};
use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    hash::MessageDigest,
    pkey::{PKey, Private},
    rsa::Rsa,
    x509::{X509, X509NameBuilder},
};

/// A private key and its self-signed certificate.
pub(crate) struct Pair {
    pub(crate) key: PKey<Private>,
    pub(crate) certificate: X509,
}

impl Pair {
    fn new(name: &str) -> Self {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let mut subject = X509NameBuilder::new().unwrap();
        subject.append_entry_by_text("CN", name).unwrap();
        let subject = subject.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        let serial = BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap();
        builder.set_serial_number(&serial).unwrap();
        builder.set_subject_name(&subject).unwrap();
        builder.set_issuer_name(&subject).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self { key, certificate: builder.build() }
    }

    pub(crate) fn signing(&self) -> SigningKey {
        SigningKey::new(&self.key, &self.certificate).unwrap()
    }

    pub(crate) fn decryption(&self) -> DecryptionKey {
        DecryptionKey::new(&self.key, &self.certificate).unwrap()
    }

    pub(crate) fn public(&self, key_use: KeyUse) -> PublicKey {
        PublicKey::of_certificate(&self.certificate, key_use).unwrap()
    }

    pub(crate) fn set(&self, owner: &str, key_use: KeyUse) -> KeySet {
        KeySet::new(owner, vec![self.public(key_use)])
    }
}

pub(crate) fn alice() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| Pair::new("alice"))
}

pub(crate) fn mallory() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| Pair::new("mallory"))
}

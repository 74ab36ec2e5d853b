//! Keys that probes sign with, and by which a proof knows them again.

use super::plan::Signer;
use ofp_jose::base64url;
use ofp_pki::{Credential, Pki, PkiError};
use openssl::{
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{PKey, Private},
    rsa::Padding,
    sign::{RsaPssSaltlen, Verifier},
};
use serde_json::{Value, json};

/// A key with what it is called.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kid: String,
    pub(super) key: PKey<Private>,
}

/// Everybody's keys.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) paynet: Key,
    pub(super) dc: Key,
    pub(super) other_dc: Key,
    pub(super) dp: Key,
    /// Published with use=enc.
    pub(super) dc_encryption: Key,
    /// A key that no sender of this DP has: another DC's encryption key.
    pub(super) stranger: Key,
    /// PayNet's key before the present one, where it is still published.
    pub(super) previous: Option<Key>,
    /// PayNet's key before the present one, where it is no longer published.
    pub(super) retired: Option<Key>,
}

impl Keys {
    pub(super) fn of(pki: &Pki) -> Result<Self, PkiError> {
        let [dc, other] = &pki.dcs;
        Ok(Self {
            paynet: Key::of("PayNet's key", &pki.paynet.signing)?,
            dc: Key::of("the DC's key", &dc.kit.signing)?,
            other_dc: Key::of("another DC's key", &other.kit.signing)?,
            dp: Key::of("the DP's key", &pki.dp.signing)?,
            dc_encryption: Key::of("the DC's encryption key", &dc.encryption)?,
            stranger: Key::of("a foreign key", &other.encryption)?,
            previous: None,
            retired: None,
        })
    }

    /// The same with another key of PayNet's, beside the one before it or alone.
    pub(super) fn with_paynet(&self, next: &Credential, alone: bool) -> Result<Self, PkiError> {
        let before = |name| Some(Key { name, ..self.paynet.clone() });
        Ok(Self {
            paynet: Key::of(self.paynet.name, next)?,
            previous: if alone { None } else { before("PayNet's previous key") },
            retired: if alone { before("PayNet's withdrawn key") } else { None },
            ..self.clone()
        })
    }

    pub(super) fn signer(&self, signer: Signer) -> &Key {
        match signer {
            Signer::PayNet => &self.paynet,
            Signer::Dc => &self.dc,
            Signer::OtherDc => &self.other_dc,
        }
    }

    /// Whose signature it is, by PS256 or RS256; `None` if no key of ours made it.
    pub(super) fn whose(&self, input: &[u8], signature: &[u8]) -> Option<&'static str> {
        let all =
            [&self.paynet, &self.dc, &self.other_dc, &self.dp, &self.dc_encryption, &self.stranger];
        let made = |key: &&Key| {
            [true, false]
                .into_iter()
                .any(|pss| verifies(&key.key, pss, input, signature).unwrap_or(false))
        };
        let before = [self.previous.as_ref(), self.retired.as_ref()];
        let mut all = all.into_iter().chain(before.into_iter().flatten());
        all.find(|key| made(key)).map(|key| key.name)
    }
}

fn verifies(
    key: &PKey<Private>,
    pss: bool,
    input: &[u8],
    signature: &[u8],
) -> Result<bool, ErrorStack> {
    let mut verifier = Verifier::new(MessageDigest::sha256(), key)?;
    if pss {
        verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
        verifier.set_rsa_mgf1_md(MessageDigest::sha256())?;
        verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
    }
    verifier.verify_oneshot(signature, input)
}

impl Key {
    fn of(name: &'static str, credential: &Credential) -> Result<Self, PkiError> {
        let kid = credential.thumbprint()?.to_string();
        Ok(Self { name, kid, key: credential.key.clone() })
    }

    /// The public key as a JWK (RFC 7518 §6.3.1).
    pub(super) fn public_jwk(&self) -> Result<Value, ErrorStack> {
        let rsa = self.key.rsa()?;
        let number = |number: &openssl::bn::BigNumRef| base64url(&number.to_vec());
        Ok(
            json!({ "kty": "RSA", "use": "sig", "alg": "PS256", "kid": self.kid, "n": number(rsa.n()), "e": number(rsa.e()) }),
        )
    }

    /// The public key in PEM, as a careless implementation would use it for HMAC.
    pub(super) fn public_pem(&self) -> Result<Vec<u8>, ErrorStack> {
        self.key.public_key_to_pem()
    }
}

//! Keys that probes sign with, and by which a proof knows them again.

use super::plan::Signer;
use ofp_pki::{Credential, Pki, PkiError};
use openssl::{
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{PKey, Private},
    rsa::Padding,
    sign::{RsaPssSaltlen, Verifier},
};

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
        })
    }

    /// The same with another key of PayNet's.
    pub(super) fn with_paynet(&self, next: &Credential) -> Result<Self, PkiError> {
        Ok(Self { paynet: Key::of(self.paynet.name, next)?, ..self.clone() })
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
        let made = |key: &&&Key| {
            [true, false]
                .into_iter()
                .any(|pss| verifies(&key.key, pss, input, signature).unwrap_or(false))
        };
        all.iter().find(made).map(|key| key.name)
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

    /// The public key in PEM, as a careless implementation would use it for HMAC.
    pub(super) fn public_pem(&self) -> Result<Vec<u8>, ErrorStack> {
        self.key.public_key_to_pem()
    }
}

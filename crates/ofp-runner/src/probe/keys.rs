//! Keys that probes sign with, and by which a proof knows them again.

use ofp_pki::{Credential, Pki, PkiError};
use openssl::{
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{PKey, Private},
    rsa::Padding,
    sign::{RsaPssSaltlen, Verifier},
};
use serde_json::{Value, json};

use super::plan::Signer;

/// A key with what it is called.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kid: String,
    pub(super) key: PKey<Private>,
}

/// Everybody's keys.
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
        let key = |name, credential: &Credential| {
            let kid = credential.thumbprint()?.to_string();
            Ok::<_, PkiError>(Key { name, kid, key: credential.key.clone() })
        };
        let [dc, other] = &pki.dcs;
        Ok(Self {
            paynet: key("PayNet's key", &pki.paynet.signing)?,
            dc: key("the DC's key", &dc.kit.signing)?,
            other_dc: key("another DC's key", &other.kit.signing)?,
            dp: key("the DP's key", &pki.dp.signing)?,
            dc_encryption: key("the DC's encryption key", &dc.encryption)?,
            stranger: key("a foreign key", &other.encryption)?,
        })
    }

    pub(super) fn signer(&self, signer: Signer) -> &Key {
        match signer {
            Signer::PayNet => &self.paynet,
            Signer::Dc => &self.dc,
            Signer::OtherDc => &self.other_dc,
        }
    }

    /// Whose signature it is, by PS256 or RS256; nobody's if no key of ours made it.
    pub(super) fn whose(&self, input: &[u8], signature: &[u8]) -> &'static str {
        let all =
            [&self.paynet, &self.dc, &self.other_dc, &self.dp, &self.dc_encryption, &self.stranger];
        for key in all {
            for pss in [true, false] {
                if verifies(&key.key, pss, input, signature).unwrap_or(false) {
                    return key.name;
                }
            }
        }
        "nobody's"
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
    /// The public key in PEM, as a careless implementation would use it for HMAC.
    pub(super) fn public_pem(&self) -> Result<Vec<u8>, ErrorStack> {
        self.key.public_key_to_pem()
    }

    /// The public key as a JWK.
    pub(super) fn jwk(&self) -> Result<Value, ErrorStack> {
        let rsa = self.key.rsa()?;
        Ok(json!({
            "kty": "RSA", "use": "sig", "alg": "PS256", "kid": self.kid,
            "n": ofp_jose::base64url(&rsa.n().to_vec()), "e": ofp_jose::base64url(&rsa.e().to_vec()),
        }))
    }
}

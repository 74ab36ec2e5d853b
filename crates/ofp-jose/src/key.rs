//! Private signing keys.

use josekit::jws::{JwsSigner as _, PS256 as PSS, alg::rsassa_pss::RsassaPssJwsSigner};
use ofp_types::Kid;
use openssl::{
    error::ErrorStack,
    pkey::{PKey, Private},
    x509::X509Ref,
};
use serde_json::{Map, Value, json};

use crate::{base64url, jwk::thumbprint};

/// Why a key or certificate cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not an RSA key.
    #[error("the key is {kind}, an RSA key is needed")]
    NotRsa {
        /// What it is.
        kind: String,
    },
    /// Shorter than 2048 bits (FAPI 2.0 SP §5.4.1).
    #[error("the RSA key has {bits} bits, at least 2048 are needed")]
    TooShort {
        /// Its length.
        bits: i32,
    },
    /// The private key does not belong to the certificate.
    #[error("the private key does not belong to the certificate")]
    Mismatch,
    /// Something else.
    #[error("the key cannot be used: {reason}")]
    Unusable {
        /// What.
        reason: String,
    },
}

/// Maps an OpenSSL error, with what was attempted.
pub(crate) fn openssl_failed(attempt: &'static str) -> impl Fn(ErrorStack) -> KeyError {
    move |e| KeyError::Unusable { reason: format!("OpenSSL could not {attempt}: {e}") }
}

/// A PS256 signing key under the thumbprint of its certificate: parsed once.
pub struct SigningKey {
    kid: Kid,
    signer: RsassaPssJwsSigner,
}

impl SigningKey {
    /// The signing key of `certificate`.
    ///
    /// # Errors
    /// [`KeyError`] when the key is not RSA, is short, or belongs to another certificate.
    pub fn new(key: &PKey<Private>, certificate: &X509Ref) -> Result<Self, KeyError> {
        let public =
            certificate.public_key().map_err(openssl_failed("read a certificate's key"))?;
        if !public.public_eq(key) {
            return Err(KeyError::Mismatch);
        }
        Ok(Self { kid: thumbprint(certificate)?, signer: signer(key)? })
    }

    /// The same key under another id: for messages that are wrong on purpose.
    ///
    /// # Errors
    /// [`KeyError`] when the key is not RSA or is short.
    pub fn with_kid(key: &PKey<Private>, kid: Kid) -> Result<Self, KeyError> {
        Ok(Self { kid, signer: signer(key)? })
    }

    /// Its id.
    #[must_use]
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// A compact JWS with `payload` inside.
    #[must_use]
    pub fn sign(&self, payload: &[u8]) -> String {
        self.sign_with(Map::new(), payload)
    }

    /// A compact JWS with `payload` inside and `extra` members in the header.
    #[must_use]
    pub fn sign_with(&self, extra: Map<String, Value>, payload: &[u8]) -> String {
        let (input, signature) = self.parts(extra, payload);
        format!("{input}.{signature}")
    }

    /// A compact JWS of a JSON object of claims.
    #[must_use]
    pub fn sign_claims(&self, claims: &Value) -> String {
        self.sign(claims.to_string().as_bytes())
    }

    /// A detached compact JWS over `body`, `header..signature` (RFC 7515 Appendix F).
    #[must_use]
    pub fn sign_detached(&self, extra: Map<String, Value>, body: &[u8]) -> String {
        let (input, signature) = self.parts(extra, body);
        let header = input.split('.').next().unwrap_or_default();
        format!("{header}..{signature}")
    }

    fn parts(&self, extra: Map<String, Value>, payload: &[u8]) -> (String, String) {
        let mut header = Map::new();
        header.insert("alg".into(), json!(crate::PS256));
        header.insert("kid".into(), json!(self.kid));
        header.extend(extra);
        let header = base64url(Value::Object(header).to_string().as_bytes());
        let input = format!("{header}.{}", base64url(payload));
        // Signing with a checked RSA key fails only when memory or randomness runs out; an empty
        // signature is then refused by every verifier.
        let signature = self.signer.sign(input.as_bytes()).unwrap_or_default();
        (input, base64url(&signature))
    }
}

fn signer(key: &PKey<Private>) -> Result<RsassaPssJwsSigner, KeyError> {
    let rsa = key.rsa().map_err(|_| KeyError::NotRsa { kind: format!("{:?}", key.id()) })?;
    if rsa.n().num_bits() < 2048 {
        return Err(KeyError::TooShort { bits: rsa.n().num_bits() });
    }
    let der = key.private_key_to_pkcs8().map_err(openssl_failed("encode a private key"))?;
    PSS.signer_from_der(&der).map_err(|e| KeyError::Unusable { reason: e.to_string() })
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

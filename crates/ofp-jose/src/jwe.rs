//! Compact JWE (RFC 7516): RSA-OAEP-256 with A256GCM and nothing else.

use josekit::jwe::{
    JweContext, JweHeader, RSA_OAEP_256 as OAEP,
    alg::rsaes::{RsaesJweDecrypter, RsaesJweEncrypter},
};
use ofp_types::Kid;
use openssl::{
    encrypt::Decrypter,
    hash::MessageDigest,
    pkey::{PKey, Private},
    rsa::Padding,
    sha::sha256,
    x509::X509Ref,
};
use serde_json::{Map, Value};

use crate::{
    A256GCM, JoseError, KeyError, MAX_TOKEN_BYTES, Part, RSA_OAEP_256, base64url_decode,
    jwk::thumbprint,
    jws::{alg_not_allowed, parse_header},
    key::openssl_failed,
};

/// A compact JWE taken apart; not decrypted, and not held to the profile yet.
#[derive(Debug, Clone)]
pub struct CompactJwe<'a> {
    text: &'a str,
    /// The protected header.
    pub header: Map<String, Value>,
    /// The initialization vector.
    pub iv: Vec<u8>,
    /// The encrypted content encryption key.
    pub encrypted_key: Vec<u8>,
    tag: Vec<u8>,
}

impl<'a> CompactJwe<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`JoseError`] about size, parts, base64url or the header's JSON.
    pub fn parse(text: &'a str) -> Result<Self, JoseError> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(JoseError::TooLarge { limit: MAX_TOKEN_BYTES, actual: text.len() });
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [header, key, iv, ciphertext, tag] = parts[..] else {
            return Err(JoseError::NotCompact { what: "JWE", expected: 5, actual: parts.len() });
        };
        let header = parse_header(header)?;
        let decode = |text, part| base64url_decode(text).ok_or(JoseError::BadBase64 { part });
        decode(ciphertext, Part::Ciphertext)?;
        Ok(Self {
            text,
            header,
            encrypted_key: decode(key, Part::EncryptedKey)?,
            iv: decode(iv, Part::Iv)?,
            tag: decode(tag, Part::Tag)?,
        })
    }

    /// A header member, if it is a string.
    #[must_use]
    pub fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// Holds the token to the profile, before any key touches it.
    ///
    /// # Errors
    /// [`JoseError`] with the first rule that it breaks.
    pub fn admit(&self) -> Result<(), JoseError> {
        if self.header_text("alg") != Some(RSA_OAEP_256) {
            return Err(alg_not_allowed(&self.header, RSA_OAEP_256));
        }
        if self.header_text("enc") != Some(A256GCM) {
            let actual = self.header_text("enc").map(str::to_owned);
            return Err(JoseError::EncNotAllowed { actual, allowed: A256GCM });
        }
        for name in ["crit", "zip"] {
            if self.header.contains_key(name) {
                return Err(JoseError::ForbiddenHeader { name });
            }
        }
        exactly(Part::Iv, 12, self.iv.len())?;
        exactly(Part::Tag, 16, self.tag.len())
    }
}

fn exactly(part: Part, expected: usize, actual: usize) -> Result<(), JoseError> {
    if actual == expected { Ok(()) } else { Err(JoseError::WrongLength { part, expected, actual }) }
}

/// A private decryption key under the thumbprint of its certificate: parsed once.
pub struct DecryptionKey {
    kid: Kid,
    decrypter: RsaesJweDecrypter,
    context: JweContext,
    key: PKey<Private>,
}

impl DecryptionKey {
    /// The decryption key of `certificate`.
    ///
    /// # Errors
    /// [`KeyError`] when the key is not RSA or belongs to another certificate.
    pub fn new(key: &PKey<Private>, certificate: &X509Ref) -> Result<Self, KeyError> {
        let public =
            certificate.public_key().map_err(openssl_failed("read a certificate's key"))?;
        if !public.public_eq(key) {
            return Err(KeyError::Mismatch);
        }
        let der = key.private_key_to_pkcs8().map_err(openssl_failed("encode a private key"))?;
        let decrypter = OAEP
            .decrypter_from_der(&der)
            .map_err(|e| KeyError::Unusable { reason: e.to_string() })?;
        Ok(Self {
            kid: thumbprint(certificate)?,
            decrypter,
            context: pinned_context(),
            key: key.clone(),
        })
    }

    /// Its id.
    #[must_use]
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// base64url(SHA-256(content encryption key)) of `jwe`: tells whether a sender uses one key twice
    /// without showing it. `None` when it is not encrypted to this key.
    #[must_use]
    pub fn content_key_fingerprint(&self, jwe: &CompactJwe<'_>) -> Option<String> {
        let mut decrypter = Decrypter::new(&self.key).ok()?;
        decrypter.set_rsa_padding(Padding::PKCS1_OAEP).ok()?;
        decrypter.set_rsa_oaep_md(MessageDigest::sha256()).ok()?;
        let mut key = vec![0; decrypter.decrypt_len(&jwe.encrypted_key).ok()?];
        let length = decrypter.decrypt(&jwe.encrypted_key, &mut key).ok()?;
        Some(crate::base64url(&sha256(key.get(..length)?)))
    }

    /// The plaintext of `jwe`.
    ///
    /// # Errors
    /// [`JoseError`] with the rule of the profile that it breaks, or
    /// [`JoseError::DecryptionFailed`].
    pub fn decrypt(&self, jwe: &CompactJwe<'_>) -> Result<Vec<u8>, JoseError> {
        jwe.admit()?;
        self.context
            .deserialize_compact(jwe.text, &self.decrypter)
            .map(|(plaintext, _)| plaintext)
            .map_err(|_| JoseError::DecryptionFailed { kid: self.kid.to_string() })
    }
}

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecryptionKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// A context that knows no content encryption but A256GCM and no compression.
fn pinned_context() -> JweContext {
    let mut context = JweContext::new();
    for enc in ["A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM"] {
        context.remove_content_encryption(enc);
    }
    context.remove_compression("DEF");
    context
}

pub(crate) fn encrypt_compact(
    encrypter: &RsaesJweEncrypter,
    kid: &str,
    plaintext: &[u8],
    cty: Option<&str>,
) -> Result<String, JoseError> {
    let mut header = JweHeader::new();
    header.set_content_encryption(A256GCM);
    header.set_key_id(kid);
    if let Some(cty) = cty {
        header.set_content_type(cty);
    }
    josekit::jwe::serialize_compact(plaintext, &header, encrypter)
        .map_err(|_| JoseError::DecryptionFailed { kid: kid.to_owned() })
}

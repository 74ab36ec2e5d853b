//! Deliberate corruption of tokens, for proofs that a check notices.

use josekit::jwe::{JweHeader, RSA_OAEP, RSA_OAEP_256};
use openssl::{
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{PKey, Private},
    rsa::Padding,
    sign::{RsaPssSaltlen, Signer},
};
use serde_json::{Map, Value};

use crate::{PublicKey, base64url, base64url_decode};

/// A kid that is nobody's.
pub const UNKNOWN_KID: &str = "nobody-nobody-nobody-nobody-nobody-nobody-0";

/// What signs, whatever the header says.
pub enum RawSigner<'a> {
    /// RSA-PSS with SHA-256 and a salt of 32 bytes, as `PS256` has it.
    Ps256(&'a PKey<Private>),
    /// RSASSA-PKCS1-v1_5 with SHA-256, as `RS256` has it.
    Rs256(&'a PKey<Private>),
    /// HMAC with SHA-256, as `HS256` has it, keyed with these bytes.
    Hs256(&'a [u8]),
    /// Nothing: the signature is empty.
    Nothing,
}

/// A compact JWS of any header and any signer, its payload left out where it is detached (RFC 7515
/// Appendix F).
///
/// # Errors
/// [`ErrorStack`] when OpenSSL cannot sign with the key.
pub fn compact(
    header: &Map<String, Value>,
    payload: &[u8],
    detached: bool,
    signer: &RawSigner<'_>,
) -> Result<String, ErrorStack> {
    let header = base64url(Value::Object(header.clone()).to_string().as_bytes());
    let payload = base64url(payload);
    let input = format!("{header}.{payload}");
    let signature = match signer {
        RawSigner::Nothing => Vec::new(),
        RawSigner::Hs256(secret) => {
            let key = PKey::hmac(secret)?;
            Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(input.as_bytes())?
        }
        RawSigner::Rs256(key) => {
            Signer::new(MessageDigest::sha256(), key)?.sign_oneshot_to_vec(input.as_bytes())?
        }
        RawSigner::Ps256(key) => {
            let mut signer = Signer::new(MessageDigest::sha256(), key)?;
            signer.set_rsa_padding(Padding::PKCS1_PSS)?;
            signer.set_rsa_mgf1_md(MessageDigest::sha256())?;
            signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
            signer.sign_oneshot_to_vec(input.as_bytes())?
        }
    };
    let payload = if detached { "" } else { &payload };
    Ok(format!("{header}.{payload}.{}", base64url(&signature)))
}

/// The JWS with the lowest bit of its signature's first byte flipped. A text that is no compact
/// JWS comes back as it is.
#[must_use]
pub fn flip_signature_bit(jws: &str) -> String {
    let Some((rest, signature)) = jws.rsplit_once('.') else { return jws.to_owned() };
    let Some(mut bytes) = base64url_decode(signature) else { return jws.to_owned() };
    if let Some(first) = bytes.first_mut() {
        *first ^= 1;
    }
    format!("{rest}.{}", base64url(&bytes))
}

/// The JWE with its authentication tag cut to `length` bytes.
#[must_use]
pub fn truncate_tag(jwe: &str, length: usize) -> String {
    let Some((rest, tag)) = jwe.rsplit_once('.') else { return jwe.to_owned() };
    let Some(mut bytes) = base64url_decode(tag) else { return jwe.to_owned() };
    bytes.truncate(length);
    format!("{rest}.{}", base64url(&bytes))
}

/// The JWS under a kid that is nobody's. Its signature no longer holds either.
#[must_use]
pub fn with_unknown_kid(jws: &str) -> String {
    with_header(jws, |header| drop(header.insert("kid".into(), UNKNOWN_KID.into())))
}

/// The JWS with `alg` `none` and an empty signature (RFC 7518 §3.6).
#[must_use]
pub fn with_alg_none(jws: &str) -> String {
    let unsigned = with_header(jws, |header| drop(header.insert("alg".into(), "none".into())));
    match unsigned.rsplit_once('.') {
        Some((rest, _)) => format!("{rest}."),
        None => unsigned,
    }
}

/// The JWS with its header changed and everything else as it was.
fn with_header(jws: &str, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let Some((header, rest)) = jws.split_once('.') else { return jws.to_owned() };
    let decoded = base64url_decode(header);
    let parsed = decoded.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let Some(Value::Object(mut header)) = parsed else { return jws.to_owned() };
    change(&mut header);
    format!("{}.{rest}", base64url(Value::Object(header).to_string().as_bytes()))
}

/// A compact JWE under a key-management and a content-encryption algorithm that the profile does not
/// have; none where there is no such pair.
#[must_use]
pub fn weak_jwe(key: &PublicKey, (alg, enc): (&str, &str), plaintext: &[u8]) -> Option<String> {
    let der = key.to_der()?;
    let alg = match alg {
        "RSA-OAEP" => RSA_OAEP,
        "RSA-OAEP-256" => RSA_OAEP_256,
        _ => return None,
    };
    let encrypter = alg.encrypter_from_der(&der).ok()?;
    let mut header = JweHeader::new();
    header.set_content_encryption(enc);
    header.set_key_id(key.kid());
    josekit::jwe::serialize_compact(plaintext, &header, &encrypter).ok()
}

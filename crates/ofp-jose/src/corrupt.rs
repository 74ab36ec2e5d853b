//! Deliberate corruption, for proofs that a check notices. Nothing else in the workspace makes a
//! wrong message out of a right one.

use crate::{base64url, base64url_decode};

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
    const NOBODY: &str = "nobody-nobody-nobody-nobody-nobody-nobody-0";
    with_header(jws, |header| drop(header.insert("kid".into(), NOBODY.into())))
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
fn with_header(
    jws: &str,
    change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>),
) -> String {
    let Some((header, rest)) = jws.split_once('.') else { return jws.to_owned() };
    let decoded = base64url_decode(header);
    let parsed = decoded.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let Some(serde_json::Value::Object(mut header)) = parsed else { return jws.to_owned() };
    change(&mut header);
    format!("{}.{rest}", base64url(serde_json::Value::Object(header).to_string().as_bytes()))
}

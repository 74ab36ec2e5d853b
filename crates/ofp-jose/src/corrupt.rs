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

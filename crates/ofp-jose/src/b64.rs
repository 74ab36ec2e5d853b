//! base64url without padding (RFC 7515 §2), strict in both directions.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// `bytes` in base64url without padding.
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes that `text` stands for; `None` for padding, white space, or stray trailing bits.
#[must_use]
pub fn base64url_decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

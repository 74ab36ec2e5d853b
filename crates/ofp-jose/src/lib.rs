//! The platform's messages: PS256 signatures (JWS, attached and detached), RSA-OAEP-256 with
//! A256GCM encryption (JWE), JWK sets, certificate thumbprints.
//!
//! Parsing is two steps on purpose. [`CompactJws::parse`] and [`CompactJwe::parse`] take a token
//! apart strictly and say what is wrong with its form; [`CompactJws::verify`] and
//! [`DecryptionKey::decrypt`] then hold it to the profile. Every refusal is a typed [`JoseError`],
//! because a conformance harness must say *why*.
//!
//! The mathematics is josekit's and OpenSSL's. What josekit lets pass and the profile forbids
//! (truncated GCM tags, `zip`, an unknown `crit`, duplicate header members) is refused here before
//! josekit sees it.
//!
//! ```
//! use ofp_jose::CompactJws;
//!
//! let error = CompactJws::parse("only.two").unwrap_err();
//! assert_eq!(error.to_string(), "a compact JWS has 3 parts separated by dots, this has 2");
//! ```

mod b64;
mod claims;
pub mod corrupt;
mod error;
mod jwe;
mod jwk;
mod jws;
mod key;
mod replay;
mod strict_json;

pub use b64::{base64url, base64url_decode};
pub use claims::{Audience, Claims};
pub use error::{Family, JoseError, Part};
pub use jwe::{CompactJwe, DecryptionKey};
pub use jwk::{Jwk, JwkSet, KeySet, KeyUse, PublicKey, RejectedKey, thumbprint};
pub use jws::{CompactJws, Verified};
pub use key::{KeyError, SigningKey};
pub use replay::ReplayGuard;
pub use strict_json::{StrictJsonError, strict_json, strict_object};

/// The only signature algorithm of the profile (X-18): RSASSA-PSS with SHA-256, 32 bytes of salt.
pub const PS256: &str = "PS256";
/// The only key management algorithm of the profile.
pub const RSA_OAEP_256: &str = "RSA-OAEP-256";
/// The only content encryption of the profile.
pub const A256GCM: &str = "A256GCM";
/// A token longer than this is refused unread.
pub const MAX_TOKEN_BYTES: usize = 2 * 1024 * 1024;

//! Throwaway keys and certificates for a whole platform on one machine.
//!
//! One CA, and for PayNet, two DCs and the DP separate leaves for TLS server, TLS client and
//! signing, for the DCs encryption as well. Every certificate is RFC 5280-strict: key identifiers,
//! basic constraints, key usage, extended key usage, subject alternative names, a short life.
//!
//! [`Pki::open`] keeps them in a folder (`certs-dev/`): made at first use, renewed when near
//! expiry, reused otherwise. [`Pki::in_memory`] makes a set that is never written, for tests.

mod credential;
mod error;
mod issue;
mod party;
mod set;
mod store;

pub use credential::{Credential, describe, timestamp};
pub use error::PkiError;
pub use party::{Leaf, Party, Purpose};
pub use set::{Action, DcKit, Kit, OpenOptions, Pki, self_signed_client, stranger_client};

/// Days that a leaf lives.
pub const LEAF_DAYS: i64 = 30;
/// Days before its end at which a leaf is renewed.
pub const RENEW_DAYS: i64 = 7;
/// Days that the CA lives.
pub const CA_DAYS: i64 = 365;

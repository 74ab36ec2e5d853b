//! HTTP over mutual TLS, with the facts that a conformance harness needs.
//!
//! [`HttpClient`] keeps connections alive and tells the truth about failures: which stage, which
//! TLS alert. [`Caller`] is the same with every exchange written to the journal. [`serve`] runs an
//! [`App`] on actix-web behind OpenSSL and hands it the caller's certificate. [`JwksCache`] fetches
//! and keeps a JWK set. A [`Shelf`] is a map that survives a restart if its [`Store`] has a file. The
//! real [`SystemClock`] and [`OsEntropy`] live here, because the crates below do no I/O.

mod caller;
mod client;
mod clock;
mod connector;
mod entropy;
mod error;
mod facts;
mod form;
mod hello;
mod inspect;
mod jwks;
mod listener;
mod passing;
mod reach;
mod server;
mod shelf;
mod store;
mod tls;
mod trouble;

pub use caller::{Call, Caller, Transport};
pub use client::{HttpClient, Reply, Request};
pub use clock::SystemClock;
pub use connector::Watcher;
pub use entropy::OsEntropy;
pub use error::NetError;
pub use facts::certificate_facts;
pub use form::{FormError, encode_form, parse_form, posted_form};
pub use hello::Hello;
pub use inspect::{InspectError, Inspected, inspect, refusal};
pub use jwks::JwksCache;
pub use listener::{RunningServer, serve, serve_plain};
pub use passing::Passing;
pub use reach::connect;
pub use server::{After, Answer, App, Inbound, Matched, Peer, Route, bind, local_port};
pub use shelf::Shelf;
pub use store::{Store, StoreError};
pub use tls::{ClientAuth, ClientTls, Trust, acceptor, connector};
pub use trouble::Trouble;

/// Whether two secrets are the same, in a time that does not tell where they differ.
#[must_use]
pub fn same_secret(one: &str, other: &str) -> bool {
    one.len() == other.len() && openssl::memcmp::eq(one.as_bytes(), other.as_bytes())
}

/// The longest answer that is read.
pub const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

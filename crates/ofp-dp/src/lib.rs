//! The reference Data Provider: what a careful bank builds, small enough to read.
//!
//! Two listeners. The *webhooks* behind mutual TLS answer PayNet (consent events, authorize,
//! userinfo, health, balances, account, transactions) and validate what they are sent as
//! suspiciously as the harness validates the DP. The *public* one shows the customer the four
//! screens: login, account selection, consent review, result.
//!
//! It shares nothing with the harness's checks but the primitives of `ofp-jose`; what a message must
//! hold is decided here a second time, independently. Its deliberate faults
//! ([`ofp_types::DpFault`]) prove that the checks notice.
//!
//! Folders: `webhooks` has one of PayNet's calls a file, `pages` one screen a file.

mod bank;
mod careless;
mod careless_pages;
mod careless_state;
mod careless_tls;
mod careless_words;
mod config;
mod consents;
mod core;
mod pages;
mod paynet;
mod refusal;
mod server;
mod sessions;
mod signatures;
mod variant;
mod webhooks;

pub use bank::{Account, AccountKind, AccountStatus, Bank, Books, Customer, InvalidBooks};
pub use config::{DpConfig, DpError, DpListeners};
pub use server::ReferenceDp;

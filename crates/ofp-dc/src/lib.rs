//! The mock Data Consumer: the protocol client that a DC would write, and the page on which the
//! customer ends up.
//!
//! [`MockDc::request_consent`] pushes a signed request object and says where to send the browser;
//! the browser comes back to the DC's callback page, where `state` and `iss` are checked;
//! [`MockDc::exchange_code`] redeems the code; [`MockDc::read`] asks for account data,
//! verifies the DP's signature and decrypts; [`MockDc::refresh`], [`MockDc::change_consent`] and their
//! neighbours do the rest. On its front page a person begins the same journey by hand. PayNet's events (C1) are taken and verified on a listener of their own.

mod callback;
mod client;
mod consent;
mod data;
mod error;
mod events;
mod life_cycle;
mod pages;
mod token;

pub use callback::Landing;
pub use client::{DcConfig, DcListeners, MockDc};
pub use consent::{ConsentRequest, Pending};
pub use data::{Reading, Resource};
pub use error::DcError;
pub use life_cycle::ConsentChange;
pub use token::Linked;

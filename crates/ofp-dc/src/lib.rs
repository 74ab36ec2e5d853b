//! The mock Data Consumer: the protocol client that a DC would write, and the page on which the
//! customer ends up.
//!
//! [`MockDc::request_consent`] pushes a signed request object and says where to send the browser;
//! the browser comes back to the DC's callback page, where `state` and `iss` are checked;
//! [`MockDc::exchange_code`] redeems the code; [`MockDc::read_balance`] asks for a balance,
//! verifies the DP's signature and decrypts.

mod balance;
mod callback;
mod client;
mod consent;
mod error;
mod token;

pub use balance::BalanceReading;
pub use callback::Landing;
pub use client::{DcConfig, MockDc};
pub use consent::{ConsentRequest, Pending};
pub use error::DcError;
pub use token::Linked;

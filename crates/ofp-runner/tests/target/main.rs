//! A DP that is not ours: its file, the preflight, and scenarios against it. The reference DP plays the stranger, all by
//! itself, configured as a bank's would be.
#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod doctor;
mod kit;
mod pages;
mod play;
mod server;

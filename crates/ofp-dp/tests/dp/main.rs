//! The reference DP does what a careful bank does, so that it can stand as the example of one.
#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]
#![expect(clippy::too_many_lines, reason = "tables of cases")]

mod accounts;
mod dashboard;
mod kit;
mod refusals;

//! The platform enforces its rules, so that nobody passes by accident: over real sockets and real
//! TLS, with raw clients that can say anything.
#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]
#![expect(clippy::too_many_lines, reason = "tables of cases")]

mod connections;
mod data;
mod fapi;
mod faults;
mod kit;
mod life_cycle;
mod pages;
mod restart;
mod rules;
mod tokens;

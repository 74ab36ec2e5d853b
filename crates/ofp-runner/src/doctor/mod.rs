//! The preflight: whether a target's file, certificates and connections are in order, before anything is said
//! about conformance. PayNet's pre-work checklist, on one's own machine.

mod certificates;
mod files;
mod lines;
mod reach;

pub(crate) use certificates::bounded_text;
pub use files::{Examined, Surroundings, examine};
pub use lines::{DoctorLine, Finding, Report};
pub use reach::{fetch_keys, reach};

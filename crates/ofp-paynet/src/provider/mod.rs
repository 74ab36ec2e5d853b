//! What PayNet calls at a Data Provider, D1 to D7 of `spec/ofp.md` section 1.1, and C1 at a DC.

mod event;
mod forward;
mod relay;

pub(crate) use event::EventDue;
pub(crate) use forward::Forward;
pub use forward::ForwardError;

//! What PayNet calls at a Data Provider, D1 to D9 of `spec/ofp.md` section 1.1, and C1 at a DC.

mod event;
mod forward;
mod outbox;
mod relay;
mod token;

pub(crate) use forward::Forward;
pub use forward::ForwardError;
pub(crate) use outbox::Outbox;

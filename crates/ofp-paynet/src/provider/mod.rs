//! What PayNet calls at a Data Provider, D1 to D6 of `spec/ofp.md` section 1.1.

mod event;
mod forward;
mod relay;

pub(crate) use forward::Forward;
pub use forward::ForwardError;

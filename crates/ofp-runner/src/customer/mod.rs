//! The customer: a browser without JavaScript that recognises the four screens and fills in forms.

mod browser;
mod page;
mod visit;

pub(crate) use browser::Customer;
pub(crate) use visit::{Visit, VisitError};

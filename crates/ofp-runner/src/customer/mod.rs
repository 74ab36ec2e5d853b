//! The customer: a browser without JavaScript that recognises the four screens and fills in forms.

mod browser;
mod dashboard;
mod form;
mod page;
mod selectors;
mod tricks;
mod visit;

pub(crate) use browser::{Customer, Places};
pub(crate) use dashboard::revoke_on_dashboard;
pub(crate) use page::{says_approve, says_back, says_reject};
pub(crate) use selectors::{NoSelector, Selectors};
pub(crate) use visit::{Visit, VisitError, code_in};

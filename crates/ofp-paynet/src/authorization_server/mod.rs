//! The Authorization Server's endpoints, A1 to A12 of `spec/ofp.md` section 1.1, a file each.

mod authorize;
mod callback;
mod discovery;
mod id_token;
mod introspect;
mod jwks;
mod par;
mod picker;
mod request_object;
mod response;
mod revoke;
mod token;
mod userinfo;

use std::collections::BTreeMap;

pub(crate) use authorize::cookie;
pub(crate) use callback::returning;
use ofp_net::{Inbound, posted_form};
pub(crate) use picker::style;
pub(crate) use request_object::RequestObject;

use crate::refusal::Refusal;

/// The form that was posted.
fn posted(inbound: &Inbound) -> Result<BTreeMap<String, String>, Refusal> {
    posted_form(inbound).map_err(|e| Refusal::bad_request(e.to_string()))
}

/// A parameter that the form must have.
fn required<'a>(form: &'a BTreeMap<String, String>, name: &str) -> Result<&'a String, Refusal> {
    form.get(name).ok_or_else(|| Refusal::bad_request(format!("the form has no {name}")))
}

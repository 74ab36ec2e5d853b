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

pub(crate) use authorize::cookie;
pub(crate) use picker::style;
pub(crate) use request_object::RequestObject;

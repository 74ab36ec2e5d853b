//! The Authorization Server's endpoints, A1 to A9 of `spec/ofp.md` section 1.1.

mod authorize;
mod callback;
mod discovery;
mod jwks;
mod par;
mod request_object;
mod token;

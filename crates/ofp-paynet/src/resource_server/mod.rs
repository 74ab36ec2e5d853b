//! The Resource Server's endpoints, B1 to B8 of `spec/ofp.md` section 1.1.

mod consent;
mod dp_answer;
mod life_cycle;
mod paging;
mod providers;
mod request_rules;
mod resource;
mod update_consent;
mod update_rules;

pub(crate) use resource::Resource;

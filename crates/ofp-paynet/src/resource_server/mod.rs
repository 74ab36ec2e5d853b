//! The Resource Server's endpoints, B3 to B6 of `spec/ofp.md` section 1.1.

mod balances;
mod consent;
mod update_consent;
mod update_rules;

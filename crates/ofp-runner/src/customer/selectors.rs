//! What the target file says about pages that the heuristics do not understand.

use ofp_scenario::{Located, Pages};
use scraper::Selector;

/// CSS selectors, ready for use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selectors {
    pub(super) username: Option<Selector>,
    pub(super) password: Option<Selector>,
    pub(super) log_in: Option<Selector>,
    pub(super) accounts: Option<Selector>,
    pub(super) next: Option<Selector>,
    pub(super) approve: Option<Selector>,
    pub(super) reject: Option<Selector>,
    pub(super) back: Option<Selector>,
    pub(super) error: Option<Selector>,
}

/// Text that is no CSS selector.
pub(crate) struct NoSelector {
    /// Where it stands.
    pub(crate) written: Located<String>,
    pub(crate) why: String,
}

impl Selectors {
    pub(crate) fn parse(pages: &Pages) -> Result<Self, NoSelector> {
        let one = |written: &Option<Located<String>>| {
            let parse = |written: &Located<String>| {
                Selector::parse(&written.value)
                    .map_err(|e| NoSelector { written: written.clone(), why: e.to_string() })
            };
            written.as_ref().map(parse).transpose()
        };
        Ok(Self {
            username: one(&pages.username)?,
            password: one(&pages.password)?,
            log_in: one(&pages.log_in)?,
            accounts: one(&pages.accounts)?,
            next: one(&pages.next)?,
            approve: one(&pages.approve)?,
            reject: one(&pages.reject)?,
            back: one(&pages.back)?,
            error: one(&pages.error)?,
        })
    }
}

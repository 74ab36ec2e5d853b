//! Rules of the platform that reach beyond one consent.

use serde::{Deserialize, Serialize};

/// A rule of the platform that reaches beyond one consent. `ofp-sim up` enforces all of them;
/// scenarios, which run side by side, only where they say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// A newly authorized consent supersedes an older one of the same DP, DC, customer and purpose
    /// (`spec/ofp.md` 1.4).
    Duplicates,
    /// At most `rate_limit` requests a minute for DC and DP.
    RateLimit,
}

impl Policy {
    /// Every rule.
    pub const ALL: [Self; 2] = [Self::Duplicates, Self::RateLimit];
}

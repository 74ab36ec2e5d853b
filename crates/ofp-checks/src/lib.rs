//! The requirement catalogue and the pure checks.
//!
//! A [`Requirement`] is an assertion about a Data Provider, with the clause that it comes from and
//! a check: a pure function from [`Facts`] to an [`ofp_evidence::Verdict`]. No I/O, no clock of its own, so that
//! every check can be tested from a file and a run can be judged again offline.
//!
//! ```
//! let requirement = ofp_checks::find("K-04").unwrap();
//! assert_eq!(requirement.level.to_string(), "must");
//! assert!(requirement.title.contains("signature"));
//! ```
//!
//! `facts` turns records into what checks look at, each message taken apart once; `groups` has a
//! group of requirements a file, lettered as in the specification.

mod depends;
mod facts;
mod follows;
mod groups;
mod innocent;
mod page;
mod readings;
mod refusal;
mod requirement;
mod ruling;
mod settings;

pub use facts::Facts;
pub use follows::root_of;
pub use page::{MOST_TAGS, ParsedPage, parse_page, visible_text};
pub use refusal::{refused, served};
pub use requirement::{Requirement, Scope, Unserved, catalogue, find, group_title};
pub use ruling::{judge, merge};
pub use settings::{Settings, TestAccount, TestCustomer};

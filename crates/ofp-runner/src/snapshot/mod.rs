//! A scenario's conversation made stable, and compared with the one that was accepted.

mod conversation;
mod names;
mod store;

pub(crate) use conversation::conversation;
pub use store::pending_snapshot;
pub(crate) use store::{SnapshotOptions, check};

/// What to do with snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SnapshotMode {
    /// Compare; a missing one is written, except under CI, where it is a failure.
    #[default]
    Check,
    /// Write what was seen.
    Accept,
    /// Leave them alone.
    Off,
}

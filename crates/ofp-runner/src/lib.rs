//! Boots a world, plays scenarios in it, gathers the evidence, lets the checks judge it, compares
//! snapshots, and tells all of it in one event stream.
//!
//! [`load`] parses every scenario and reports all problems at once; [`run`] boots and plays. What
//! the run amounts to is in the [`ofp_evidence::Summary`], with an exit code of [`exit`].
//!
//! Folders: `customer` is the browser that fills in the DP's forms, `play` carries out a scenario's
//! steps, `snapshot` makes a conversation stable and compares it,
//! `control` is the HTTP API of a world that stays up.

mod baseline;
mod chromium;
mod control;
mod customer;
pub mod doctor;
mod evidence;
pub mod exit;
mod load;
mod play;
mod probe;
mod profile;
mod program;
mod reach;
mod read;
mod run;
mod snapshot;
mod target;
mod world;

pub use control::{RunningControl, WorldView, control_openapi};
pub use evidence::{EvidenceError, evidence, judge_evidence};
pub use load::{Asked, LoadError, LoadOptions, Loaded, Reading, load, load_with};
pub use ofp_paynet::platform_openapi;
pub use profile::{ProfileError, profile};
pub use read::{LONGEST_TEXT, read_found, read_given, text};
pub use run::{RunOptions, run};
pub use snapshot::{SnapshotMode, pending_snapshot};
pub use target::Target;
pub use world::{LinkError, Origins, Voice, World, WorldError, WorldOptions};

//! What people and programs get to see of a run: consumers of its event stream.
//!
//! [`Terminal`] writes lines as events come; [`json`] and [`junit`] render the summary. Every text
//! passes through the summary's secrets, so that no writer shows one.

mod curl;
mod json;
mod junit;
mod markdown;
mod run;
mod shown;
mod terminal;
mod words;

pub use json::json;
pub use junit::{JunitError, junit};
pub use markdown::markdown;
pub use terminal::{Terminal, tame};

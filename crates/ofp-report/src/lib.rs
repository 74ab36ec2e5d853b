//! What people and programs get to see of a run: consumers of its event stream.
//!
//! [`Terminal`] and [`Ndjson`] write lines as events come; [`json`], [`junit`], [`markdown`] and [`html`] render the
//! summary. Every text passes through the summary's secrets, so that no writer shows one.

mod block;
mod conversation;
mod curl;
mod html;
mod json;
mod junit;
mod markdown;
mod ndjson;
mod progress;
mod run;
mod schema;
mod shell;
mod shown;
mod terminal;
mod tokens;
mod words;

pub use conversation::conversation;
pub use html::html;
pub use json::json;
pub use junit::{JunitError, junit};
pub use markdown::markdown;
pub use ndjson::Ndjson;
pub use schema::{event_schema, report_schema};
pub use shell::{shell_path, shell_word};
pub use terminal::{Terminal, tame};

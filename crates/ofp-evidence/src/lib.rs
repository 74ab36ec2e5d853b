//! What was recorded, and what is said about it.
//!
//! Roles act and record: every HTTP exchange, TLS handshake, decryption, page a customer saw and
//! status transition becomes a [`Record`] in the [`Journal`]. Checks turn records into
//! [`Verdict`]s. A [`Finding`] cannot be built without subject, expected, actual and severity, nor
//! a pass without [`Evidence`]:
//!
//! ```
//! use ofp_evidence::{Evidence, ExchangeId, Verdict};
//!
//! assert!(Evidence::of(vec![]).is_none(), "nothing rests on nothing");
//! let evidence = Evidence::of(vec![ExchangeId(7)]).unwrap();
//! assert_eq!(Verdict::Pass { evidence }.word(), "pass");
//! ```
//!
//! No I/O. Writers of reports pass every text through [`Secrets::mask`], messages through
//! [`Secrets::shown_body`] and its like.

mod bytes;
mod event;
mod exchange;
mod handshake;
mod journal;
mod record;
mod secrets;
mod shown;
mod verdict;

pub use event::{
    Baseline, REFERENCE_DP, RequirementResult, RunEvent, RunStarted, ScenarioId, ScenarioResult,
    ScenarioStatus, Stale, StepResult, StepStatus, Summary,
};
pub use exchange::{Endpoint, Exchange, ExchangeId, Failure, Message, Outcome, Role, Stage};
pub use handshake::{CertificateFacts, ConnectionId, Handshake};
pub use journal::{Journal, JournalBound};
pub use record::{
    AccountChange, AccountStanding, CustomerAct, Decryption, Difference, KeySetChange, KeySetState,
    OtherReading, Reader, Record, Restart, Screen, Transition,
};
pub use secrets::{Secrets, cut};
pub use verdict::{Cause, Evidence, Excerpt, Finding, Level, Severity, Subject, Verdict};

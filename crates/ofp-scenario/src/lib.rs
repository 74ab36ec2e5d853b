//! The scenario language: plain YAML data in which every node keeps its position.
//!
//! [`parse_scenarios`] turns a text into a [`Scenario`] *and* all the problems it found, each a
//! [`Diagnostic`] with line and caret. Scalars keep their text, so that no number is ever silently
//! changed: `0123456789` stays an account number. No I/O: whoever reads the file hands in a
//! [`Source`].
//!
//! ```
//! use ofp_scenario::{Source, parse_scenarios, render};
//!
//! let source = Source::new("a.yaml", "scenario: a\ntitle: A\nsteps:\n  - dc.request_concent:\n");
//! let (_, problems) = parse_scenarios(&source, &|_| true);
//! let text = render(&source, &problems[0], false);
//! assert!(text.contains("a.yaml:4:5"), "{text}");
//! assert!(text.contains("did you mean `dc.request_consent`?"), "{text}");
//! ```

mod action;
mod baseline;
pub mod builtin;
mod customer;
mod decode;
mod diagnostic;
mod duration;
mod expect;
mod located;
mod node;
mod parse;
mod probe;
mod profile;
mod rows;
mod scenario;
mod suggest;
mod target;
mod text_or;
mod yaml;

pub use action::{
    AccountStatus, Action, Change, DpRevokes, ExpectConsent, ExpectDc, ExpectDcTold, Inject,
    InjectScope, LinkMany, LogIn, Pick, PickProvider, Read, ReadTransactions, Resource,
    RevokeToken, RotateKeys, SelectAccounts, SetAccount, SetCore, VERBS, WhichAccount,
    WhichConsent, WhichToken,
};
pub use baseline::{Known, parse_baseline};
pub use customer::{CustomerSpec, Driver, Pages};
pub use diagnostic::{Diagnostic, Label, Source, render};
pub use duration::Span;
pub use expect::{Expect, Screen, Statuses};
pub use located::Located;
pub use parse::parse_scenarios;
pub use probe::{AskHealth, EventWord, Forward, Probe, SendEvent};
pub use profile::{PROFILES, load_profile};
pub use scenario::{ConsentSpec, Provider, ResponseMode, Scenario, Skip, Step};
pub use suggest::closest;
pub use target::{
    AccountKindWord, ClientAuthWord, Hooks, Listen, ScopeWord, SecretSource, TargetFile,
    TargetWebhooks, TestCustomerSpec, parse_target, target_schema,
};
pub use text_or::TextOr;

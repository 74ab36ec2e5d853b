//! The scenario language: plain YAML data in which every node keeps its position.
//!
//! [`parse_scenarios`] turns a text into a [`Scenario`] *and* all the problems it found, each a
//! [`Diagnostic`] with line and caret. Scalars keep their text, so that no number is ever silently
//! changed: `0123456789` stays an account number. No I/O: whoever reads the file hands in a
//! [`Source`].
//!
//! ```
//! use ofp_scenario::{Context, Source, parse_scenarios, render};
//!
//! let source = Source::new("a.yaml", "scenario: a\ntitle: A\nsteps:\n  - dc.request_concent:\n");
//! let (_, problems) = parse_scenarios(&source, &Context::default());
//! let text = render(&source, &problems[0], false);
//! assert!(text.contains("a.yaml:4:5"), "{text}");
//! assert!(text.contains("did you mean `dc.request_consent`?"), "{text}");
//! ```

mod action;
mod baseline;
pub mod builtin;
mod capture;
mod context;
mod customer;
mod decode;
mod decode_all;
mod diagnostic;
mod duration;
mod expect;
mod explain;
mod filter;
mod fragment;
mod hidden;
mod language;
mod located;
mod node;
mod order;
mod outline;
mod parse;
mod probe;
mod problems;
mod profile;
mod rows;
mod scenario;
mod schema;
mod scope;
mod sense;
mod step;
mod steps;
mod suggest;
mod target;
mod template;
mod text_or;
mod vars;
mod verb;
mod yaml;

pub use action::{
    AccountStatus, Action, Change, DpRevokes, ExpectConsent, ExpectDc, ExpectDcTold, Inject,
    InjectScope, LinkMany, LogIn, Pick, PickProvider, Read, ReadTransactions, Resource,
    RevokeToken, RotateKeys, SelectAccounts, SetAccount, SetCore, WhichAccount, WhichConsent,
    WhichToken,
};
pub use baseline::{Known, parse_baseline};
pub use capture::{Capture, CaptureFrom, ConsentMember};
pub use context::{Context, Values};
pub use customer::{CustomerSpec, Driver, Pages};
pub use diagnostic::{Diagnostic, Label, Source, Used, render};
pub use duration::Span;
pub use expect::{
    Expect, ExpectJwe, ExpectJwt, ExpectTime, ExpectTls, Presence, Refused, RequirementKey, Screen,
    Statuses, VerdictWord,
};
pub use filter::{Candidate, Filter};
pub use language::{language_page, verb_page};
pub use located::Located;
pub use outline::{Outline, outlines};
pub use parse::parse_scenarios;
pub use probe::{AskHealth, EventWord, Forward, Probe, SendEvent};
pub use problems::{PROBLEMS, Problem, problem, problems_page};
pub use profile::{PROFILES, load_profile};
pub use scenario::{ConsentSpec, Provider, ResponseMode, Scenario, Skip, Step, Until};
pub use schema::{profile_schema, scenario_schema};
pub use suggest::closest;
pub use target::{
    AccountKindWord, ClientAuthWord, Hooks, Listen, ScopeWord, SecretSource, TargetFile,
    TargetWebhooks, TestCustomerSpec, parse_target, target_schema,
};
pub use text_or::TextOr;
pub use vars::parse_values;
pub use verb::{Answers, Gain, VERBS, Verb};
pub use yaml::LONGEST_FILE;

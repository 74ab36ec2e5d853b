//! The vocabulary of PayNet's Open Finance Platform (OFP).
//!
//! Ids as newtypes whose constructor parses, the [`Consent`] and its state machine, the bodies that
//! travel on the wire, the platform's error codes, and [`Profile`], which holds a switch for every
//! place where PayNet's own pages disagree.
//!
//! This crate knows nothing else of the workspace, and does no I/O: time comes through [`Clock`],
//! randomness through [`Entropy`].
//!
//! ```
//! use ofp_types::{ConsentStatus, Trigger};
//!
//! let status = ConsentStatus::AwaitingAuthorization.apply(Trigger::Approve)?;
//! assert_eq!(status, ConsentStatus::Authorized);
//! assert!(status.apply(Trigger::Reject).is_err(), "a decision is final");
//! # Ok::<(), ofp_types::IllegalTransition>(())
//! ```

mod clock;
mod consent;
mod entropy;
mod error_code;
mod fault;
mod hex;
mod id;
mod mutation;
mod named;
mod origin;
mod platform_fault;
mod policy;
mod profile;
mod request_claims;
mod switches;
mod variant;
pub mod wire;

pub use clock::{Clock, ManualClock, OffsetClock};
pub use consent::{
    Consent, ConsentAccount, ConsentStatus, IllegalTransition, Permission, Purpose, ReasonCode,
    StatusReason, Trigger, UpdatedBy,
};
pub use entropy::{Entropy, token, uuid_v4};
pub use error_code::ErrorCode;
pub use fault::DpFault;
pub use id::{
    AccountId, ClientId, ConsentId, DcId, DpId, InteractionId, InvalidId, Kid, RequirementId,
};
pub use mutation::{Mutation, MutationPart};
pub use origin::{InvalidOrigin, Origin};
pub use platform_fault::{Effect, FaultLife, FaultPoint, InvalidFault, JoseFault, PlatformFault};
pub use policy::Policy;
pub use profile::{
    AccountNumberName, AccountsShape, AuthorizeMode, IdHash, JwePlaintext, NumericDateForm,
    Profile, ResourceSigner, SigBody, SigHeader, SigResource, SigUserinfo, SubClaim, UpdateVerb,
};
pub use request_claims::{RequestClaims, RequestSigner, SignedCall, signature_header};
pub use switches::Switch;
pub use variant::DpVariant;

/// The audience value by which signed messages name the platform itself (`spec/ofp.md` 5.3).
pub const PLATFORM_AUDIENCE: &str = "Paynet OFP";

/// The platform as a client of a DP that runs a token endpoint of its own (profile switch `oidc_at_dp`). Nothing public
/// says what it is called.
pub const PAYNET_CLIENT_ID: &str = "paynet-ofp";

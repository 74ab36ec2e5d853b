//! Why the DC could not go on.

use ofp_evidence::Failure;
use ofp_jose::JoseError;

/// Why the DC could not go on.
#[derive(Debug, thiserror::Error)]
pub enum DcError {
    /// No complete answer.
    #[error("{what}: {failure}")]
    Network {
        /// What was asked for.
        what: &'static str,
        /// How far it got.
        failure: Failure,
    },
    /// An answer other than success.
    #[error("{what}: PayNet answered {status}: {body}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// HTTP status code.
        status: u16,
        /// The body, cut short.
        body: String,
    },
    /// An answer that is not what the specification says.
    #[error("{what}: {reason}")]
    Protocol {
        /// What was asked for.
        what: &'static str,
        /// What is wrong with the answer.
        reason: String,
    },
    /// A signature, a claim or an encryption that does not hold.
    #[error("{what}: {error}")]
    Jose {
        /// What was looked at.
        what: &'static str,
        /// What is wrong with it.
        error: JoseError,
    },
    /// A step before its time.
    #[error("{0}")]
    TooEarly(&'static str),
    /// The DC could not be started.
    #[error(transparent)]
    Start(#[from] ofp_net::NetError),
    /// The state file.
    #[error(transparent)]
    Store(#[from] ofp_net::StoreError),
    /// One of the DC's keys.
    #[error("the DC's keys: {0}")]
    Key(#[from] ofp_jose::KeyError),
}

impl DcError {
    pub(crate) fn jose(what: &'static str) -> impl Fn(JoseError) -> Self {
        move |error| Self::Jose { what, error }
    }

    pub(crate) fn protocol(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Protocol { what, reason: reason.into() }
    }
}

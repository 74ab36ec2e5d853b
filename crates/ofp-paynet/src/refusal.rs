//! A refusal has two texts: one for the wire, one for the developer.

use ofp_jose::{Family, JoseError};
use ofp_net::Answer;
use ofp_types::{ErrorCode, wire::ErrorBody};

/// A refusal: what the peer sees, and the reason that only the journal gets.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    status: u16,
    /// None where the specification wants none.
    code: Option<ErrorCode>,
    description: String,
    /// Why, in words that the wire must not carry.
    pub(crate) reason: String,
    header: Option<(&'static str, String)>,
}

impl Refusal {
    /// A refusal whose reason may also be told to the peer.
    pub(crate) fn new(status: u16, code: ErrorCode, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { status, code: Some(code), description: reason.clone(), reason, header: None }
    }

    /// A refusal that tells the peer less than the journal.
    pub(crate) fn discreet(
        status: u16,
        code: ErrorCode,
        description: &str,
        reason: impl Into<String>,
    ) -> Self {
        let (description, reason) = (description.to_owned(), reason.into());
        Self { status, code: Some(code), description, reason, header: None }
    }

    /// A refusal that tells the peer nothing (RFC 6750 §3.1: a request without credentials).
    pub(crate) fn without_code(status: u16, reason: &str) -> Self {
        let (description, reason) = (String::new(), reason.to_owned());
        Self { status, code: None, description, reason, header: None }
    }

    /// `invalid_request` (RFC 6749 §5.2).
    pub(crate) fn bad_request(reason: impl Into<String>) -> Self {
        Self::new(400, ErrorCode::InvalidRequest, reason)
    }

    /// `invalid_client` (RFC 6749 §5.2).
    pub(crate) fn invalid_client(reason: impl Into<String>) -> Self {
        Self::discreet(401, ErrorCode::InvalidClient, "client authentication failed", reason)
    }

    /// `unauthorized_client` (RFC 6749 §5.2).
    pub(crate) fn unauthorized_client(reason: &str) -> Self {
        Self::new(400, ErrorCode::UnauthorizedClient, reason)
    }

    /// `invalid_grant` (RFC 6749 §5.2).
    pub(crate) fn invalid_grant(reason: impl Into<String>) -> Self {
        let description =
            "the code or refresh token is invalid, expired, used, revoked or another client's";
        Self::discreet(400, ErrorCode::InvalidGrant, description, reason)
    }

    /// `Consent.Invalid`, in whatever status the case asks for (`spec/ofp.md` 6.2).
    pub(crate) fn consent(status: u16, reason: impl Into<String>) -> Self {
        Self::new(status, ErrorCode::ConsentInvalid, reason)
    }

    /// A signature or claim that does not hold (`spec/ofp.md` 6.2).
    pub(crate) fn jws(what: &str, error: &JoseError) -> Self {
        let (code, description) = match error.family() {
            Family::Claim => (ErrorCode::JwsInvalidClaim, "a claim of the JWS is not acceptable"),
            _ => (ErrorCode::JwsInvalidSignature, "the JWS signature is not acceptable"),
        };
        Self::discreet(400, code, description, format!("{what}: {error}"))
    }

    /// With a header, such as `WWW-Authenticate`.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.header = Some((name, value.into()));
        self
    }

    /// The answer on the wire.
    pub(crate) fn answer(&self) -> Answer {
        let answer = match self.code {
            None => Answer::empty(self.status),
            Some(code) => {
                let error_description = Some(self.description.clone());
                let body = ErrorBody { error: code.as_str().to_owned(), error_description };
                let body = serde_json::to_vec(&body).unwrap_or_default();
                Answer::new(self.status, "application/json", body)
            }
        };
        let answer = answer.header("cache-control", "no-store");
        match &self.header {
            Some((name, value)) => answer.header(name, value),
            None => answer,
        }
    }
}

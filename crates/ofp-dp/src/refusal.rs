//! The DP's error answers (S1:L376-379).

use ofp_jose::{Family, JoseError};
use ofp_net::Answer;
use ofp_types::ErrorCode;
use serde_json::json;

/// A refusal of a webhook call.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    status: u16,
    code: ErrorCode,
    description: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: ErrorCode, description: impl Into<String>) -> Self {
        Self { status, code, description: description.into() }
    }

    pub(crate) fn bad_request(description: impl Into<String>) -> Self {
        Self::new(400, ErrorCode::InvalidRequest, description)
    }

    pub(crate) fn code(&self) -> ErrorCode {
        self.code
    }

    pub(crate) fn answer(&self) -> Answer {
        let body = json!({ "error": self.code, "error_description": self.description });
        Answer::json(self.status, &body).header("cache-control", "no-store")
    }
}

impl From<JoseError> for Refusal {
    fn from(error: JoseError) -> Self {
        let code = match error.family() {
            Family::Signature => ErrorCode::JwsInvalidSignature,
            Family::Claim => ErrorCode::JwsInvalidClaim,
            Family::Encryption => ErrorCode::JweDecryptionError,
        };
        Self::new(400, code, error.to_string())
    }
}

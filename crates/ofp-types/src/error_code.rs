//! The error codes that PayNet lists for its endpoints and for a DP's (S1:L328-370).

use serde::{Deserialize, Serialize};

/// An error code as it stands in the `error` member of an error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErrorCode {
    /// RFC 6749 §5.2: a parameter is missing, repeated or malformed.
    #[serde(rename = "invalid_request")]
    InvalidRequest,
    /// RFC 9101 §7: the request object is not acceptable.
    #[serde(rename = "invalid_request_object")]
    InvalidRequestObject,
    /// RFC 9396 §5: the authorization details are not acceptable.
    #[serde(rename = "invalid_authorization_details")]
    InvalidAuthorizationDetails,
    /// RFC 6749 §5.2: client authentication failed.
    #[serde(rename = "invalid_client")]
    InvalidClient,
    /// RFC 6749 §5.2: the code or refresh token is wrong, used, expired or somebody else's.
    #[serde(rename = "invalid_grant")]
    InvalidGrant,
    /// RFC 6749 §5.2: this client may not use this grant.
    #[serde(rename = "unauthorized_client")]
    UnauthorizedClient,
    /// RFC 6749 §5.2: the grant type is unknown.
    #[serde(rename = "unsupported_grant_type")]
    UnsupportedGrantType,
    /// RFC 6749 §4.1.2.1: the customer or the server said no.
    #[serde(rename = "access_denied")]
    AccessDenied,
    /// RFC 6749 §5.2: the scope is unknown or more than granted.
    #[serde(rename = "invalid_scope")]
    InvalidScope,
    /// RFC 6750 §3.1: the access token is unknown, expired or bound to another certificate.
    #[serde(rename = "invalid_token")]
    InvalidToken,
    /// RFC 6750 §3.1: the access token does not cover this.
    #[serde(rename = "insufficient_scope")]
    InsufficientScope,
    /// RFC 6749 §4.1.2.1: an unexpected condition.
    #[serde(rename = "server_error")]
    ServerError,
    /// RFC 6749 §4.1.2.1: overloaded or in maintenance.
    #[serde(rename = "temporarily_unavailable")]
    TemporarilyUnavailable,
    /// The account is suspended or blocked at the DP.
    #[serde(rename = "Consent.AccountTemporarilyBlocked")]
    AccountTemporarilyBlocked,
    /// The account is closed, or was never part of the consent.
    #[serde(rename = "Consent.PermanentAccountAccessFailure")]
    PermanentAccountAccessFailure,
    /// The core system behind the account is down.
    #[serde(rename = "Consent.TransientAccountAccessFailure")]
    TransientAccountAccessFailure,
    /// The access token lacks the scope or permission.
    #[serde(rename = "AccessToken.InvalidScope")]
    AccessTokenInvalidScope,
    /// The consent is unknown, or not in a state that allows this.
    #[serde(rename = "Consent.Invalid")]
    ConsentInvalid,
    /// A business rule of the DP prevents the operation.
    #[serde(rename = "Consent.BusinessRuleViolation")]
    BusinessRuleViolation,
    /// The signature is missing, malformed, by an unknown key, or wrong.
    #[serde(rename = "JWS.InvalidSignature")]
    JwsInvalidSignature,
    /// The signature holds but a claim does not.
    #[serde(rename = "JWS.InvalidClaim")]
    JwsInvalidClaim,
    /// The encrypted message, or the key it must be encrypted to, is unusable.
    #[serde(rename = "JWE.DecryptionError")]
    JweDecryptionError,
    /// The DP did not answer in time (not in PayNet's list, seen with its DCs).
    #[serde(rename = "Upstream.Timeout")]
    UpstreamTimeout,
    /// The DP's answer is not acceptable (not in PayNet's list, seen with its DCs).
    #[serde(rename = "Upstream.InvalidResponse")]
    UpstreamInvalidResponse,
    /// More than the DC may ask of the DP in a minute (not in PayNet's list, seen with its DCs).
    #[serde(rename = "Request.RateLimited")]
    RateLimited,
}

impl ErrorCode {
    /// The code spelled exactly `text`, if it is one of these.
    #[must_use]
    pub fn exact(text: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
    }

    /// The code as it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::InvalidAuthorizationDetails => "invalid_authorization_details",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::AccessDenied => "access_denied",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::AccountTemporarilyBlocked => "Consent.AccountTemporarilyBlocked",
            Self::PermanentAccountAccessFailure => "Consent.PermanentAccountAccessFailure",
            Self::TransientAccountAccessFailure => "Consent.TransientAccountAccessFailure",
            Self::AccessTokenInvalidScope => "AccessToken.InvalidScope",
            Self::ConsentInvalid => "Consent.Invalid",
            Self::BusinessRuleViolation => "Consent.BusinessRuleViolation",
            Self::JwsInvalidSignature => "JWS.InvalidSignature",
            Self::JwsInvalidClaim => "JWS.InvalidClaim",
            Self::JweDecryptionError => "JWE.DecryptionError",
            Self::UpstreamTimeout => "Upstream.Timeout",
            Self::UpstreamInvalidResponse => "Upstream.InvalidResponse",
            Self::RateLimited => "Request.RateLimited",
        }
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

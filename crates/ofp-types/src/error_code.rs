//! The error codes that PayNet lists for its endpoints and for a DP's (S1:L328-370).

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[doc = $what:literal])+ $member:ident $code:literal,)+) => {
        /// An error code as it stands in the `error` member of an error body.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ErrorCode { $($(#[doc = $what])+ #[serde(rename = $code)] $member),+ }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$member),+];

            /// The code as it stands on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$member => $code),+ }
            }
        }
    };
}

codes! {
    /// RFC 6749 §5.2: a parameter is missing, repeated or malformed.
    InvalidRequest "invalid_request",
    /// RFC 9101 §7: the request object is not acceptable.
    InvalidRequestObject "invalid_request_object",
    /// RFC 9396 §5: the authorization details are not acceptable.
    InvalidAuthorizationDetails "invalid_authorization_details",
    /// RFC 6749 §5.2: client authentication failed.
    InvalidClient "invalid_client",
    /// RFC 6749 §5.2: the code or refresh token is wrong, used, expired or somebody else's.
    InvalidGrant "invalid_grant",
    /// RFC 6749 §5.2: this client may not use this grant.
    UnauthorizedClient "unauthorized_client",
    /// RFC 6749 §5.2: the grant type is unknown.
    UnsupportedGrantType "unsupported_grant_type",
    /// RFC 6749 §4.1.2.1: the customer or the server said no.
    AccessDenied "access_denied",
    /// RFC 6749 §5.2: the scope is unknown or more than granted.
    InvalidScope "invalid_scope",
    /// RFC 6750 §3.1: the access token is unknown, expired or bound to another certificate.
    InvalidToken "invalid_token",
    /// RFC 6750 §3.1: the access token does not cover this.
    InsufficientScope "insufficient_scope",
    /// RFC 6749 §4.1.2.1: an unexpected condition.
    ServerError "server_error",
    /// RFC 6749 §4.1.2.1: overloaded or in maintenance.
    TemporarilyUnavailable "temporarily_unavailable",
    /// The account is suspended or blocked at the DP.
    AccountTemporarilyBlocked "Consent.AccountTemporarilyBlocked",
    /// The account is closed, or was never part of the consent.
    PermanentAccountAccessFailure "Consent.PermanentAccountAccessFailure",
    /// The core system behind the account is down.
    TransientAccountAccessFailure "Consent.TransientAccountAccessFailure",
    /// The access token lacks the scope or permission.
    AccessTokenInvalidScope "AccessToken.InvalidScope",
    /// The consent is unknown, or not in a state that allows this.
    ConsentInvalid "Consent.Invalid",
    /// A business rule of the DP prevents the operation.
    BusinessRuleViolation "Consent.BusinessRuleViolation",
    /// The signature is missing, malformed, by an unknown key, or wrong.
    JwsInvalidSignature "JWS.InvalidSignature",
    /// The signature holds but a claim does not.
    JwsInvalidClaim "JWS.InvalidClaim",
    /// The encrypted message, or the key it must be encrypted to, is unusable.
    JweDecryptionError "JWE.DecryptionError",
    /// The DP did not answer in time (not in PayNet's list, seen with its DCs).
    UpstreamTimeout "Upstream.Timeout",
    /// The DP's answer is not acceptable (not in PayNet's list, seen with its DCs).
    UpstreamInvalidResponse "Upstream.InvalidResponse",
    /// More than the DC may ask of the DP in a minute (not in PayNet's list, seen with its DCs).
    RateLimited "Request.RateLimited",
}

impl ErrorCode {
    /// The code spelled exactly `text`, if it is one of these.
    #[must_use]
    pub fn exact(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

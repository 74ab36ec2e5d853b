//! Every way in which a signed or encrypted message can fail.

/// A part of a compact token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The protected header.
    Header,
    /// The payload of a JWS.
    Payload,
    /// The signature of a JWS.
    Signature,
    /// The encrypted key of a JWE.
    EncryptedKey,
    /// The initialization vector of a JWE.
    Iv,
    /// The ciphertext of a JWE.
    Ciphertext,
    /// The authentication tag of a JWE.
    Tag,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
            Self::EncryptedKey => "encrypted key",
            Self::Iv => "initialization vector",
            Self::Ciphertext => "ciphertext",
            Self::Tag => "authentication tag",
        })
    }
}

/// Which of the platform's error codes a failure belongs to (`spec/ofp.md` 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `JWS.InvalidSignature`.
    Signature,
    /// `JWS.InvalidClaim`.
    Claim,
    /// `JWE.DecryptionError`.
    Encryption,
}

/// Why a JWS, a JWE or a claim was refused. Times are NumericDates, in seconds since 1970.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum JoseError {
    /// Longer than [`crate::MAX_TOKEN_BYTES`].
    #[error("the token has {actual} bytes, at most {limit} are read")]
    TooLarge {
        /// The most that is read.
        limit: usize,
        /// What came.
        actual: usize,
    },
    /// A compact token with the wrong number of dots.
    #[error("a compact {what} has {expected} parts separated by dots, this has {actual}")]
    NotCompact {
        /// `JWS` or `JWE`.
        what: &'static str,
        /// 3 or 5.
        expected: usize,
        /// What came.
        actual: usize,
    },
    /// A part that is not unpadded base64url.
    #[error("the {part} is not base64url without padding")]
    BadBase64 {
        /// Which part.
        part: Part,
    },
    /// A part that must not be empty.
    #[error("the {part} is empty")]
    Empty {
        /// Which part.
        part: Part,
    },
    /// A header that is not a JSON object, or whose members have the wrong type.
    #[error("the header is unusable: {detail}")]
    BadHeader {
        /// What is wrong.
        detail: String,
    },
    /// An algorithm that the profile does not name.
    #[error("alg is {}, only {allowed} is allowed", actual.as_deref().unwrap_or("missing"))]
    AlgNotAllowed {
        /// What came.
        actual: Option<String>,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A content encryption that the profile does not name.
    #[error("enc is {}, only {allowed} is allowed", actual.as_deref().unwrap_or("missing"))]
    EncNotAllowed {
        /// What came.
        actual: Option<String>,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A critical header parameter that is not understood (RFC 7515 §4.1.11).
    #[error("crit names `{name}`, which is not understood")]
    UnsupportedCritical {
        /// The parameter.
        name: String,
    },
    /// A header parameter that the profile forbids.
    #[error("the header carries `{name}`, which the profile forbids")]
    ForbiddenHeader {
        /// The parameter.
        name: &'static str,
    },
    /// No `kid`.
    #[error("the header has no kid")]
    KidMissing,
    /// A `kid` that the key set does not hold.
    #[error("kid {kid} is not in the key set of {owner}")]
    UnknownKid {
        /// What came.
        kid: String,
        /// Whose keys were searched.
        owner: String,
    },
    /// The key that `kid` names is for something else.
    #[error("kid {kid} names a key with use={actual}, use={expected} is needed")]
    WrongUse {
        /// What came.
        kid: String,
        /// The use that is needed.
        expected: &'static str,
        /// The use that the key has.
        actual: &'static str,
    },
    /// The signature does not verify.
    #[error("the signature does not verify with key {kid} over the bytes received")]
    SignatureWrong {
        /// The key that was tried.
        kid: String,
    },
    /// A detached signature where the payload was expected inside.
    #[error("the JWS is detached, its payload must be inside")]
    UnexpectedlyDetached,
    /// An attached signature over something other than the body.
    #[error("the JWS carries a payload that differs from the body received")]
    PayloadDiffers,
    /// A payload that is not a JSON object of claims.
    #[error("the payload is not a JSON object of claims: {detail}")]
    ClaimsNotJson {
        /// What is wrong.
        detail: String,
    },
    /// A claim that must be there.
    #[error("claim {claim} is missing")]
    ClaimMissing {
        /// Its name.
        claim: &'static str,
    },
    /// A claim of the wrong JSON type.
    #[error("claim {claim} must be {expected}, not {actual}")]
    ClaimType {
        /// Its name.
        claim: &'static str,
        /// The type that is needed.
        expected: &'static str,
        /// What came, as JSON, cut short.
        actual: String,
    },
    /// A claim with another value than expected.
    #[error("claim {claim} must be {expected}, not {actual}")]
    ClaimValue {
        /// Its name.
        claim: &'static str,
        /// What was expected.
        expected: String,
        /// What came.
        actual: String,
    },
    /// `exp` has passed.
    #[error("expired: exp {exp} is not after now {now}")]
    Expired {
        /// The claim.
        exp: f64,
        /// The clock it was held to.
        now: i64,
    },
    /// `nbf` lies ahead.
    #[error("not yet valid: nbf {nbf} is more than {leeway} s after now {now}")]
    NotYetValid {
        /// The claim.
        nbf: f64,
        /// The clock it was held to.
        now: i64,
        /// Seconds of tolerance.
        leeway: i64,
    },
    /// `iat` lies ahead.
    #[error("issued in the future: iat {iat} is more than {leeway} s after now {now}")]
    IssuedInFuture {
        /// The claim.
        iat: f64,
        /// The clock it was held to.
        now: i64,
        /// Seconds of tolerance.
        leeway: i64,
    },
    /// `iat` or `nbf` lies too far back.
    #[error("too old: {claim} {at} is more than {limit} s before now {now}")]
    TooOld {
        /// `iat` or `nbf`.
        claim: &'static str,
        /// The claim.
        at: f64,
        /// The clock it was held to.
        now: i64,
        /// Seconds.
        limit: i64,
    },
    /// `exp` lies too far after `iat` or `nbf`.
    #[error("lives too long: exp is {actual} s after {from}, at most {limit} s are allowed")]
    LivesTooLong {
        /// `iat` or `nbf`.
        from: &'static str,
        /// Seconds.
        actual: f64,
        /// Seconds.
        limit: i64,
    },
    /// `aud` names somebody else.
    #[error("aud must be {expected}, not {actual}")]
    WrongAudience {
        /// Who must be named.
        expected: String,
        /// What came.
        actual: String,
    },
    /// This `jti` has been used.
    #[error("jti {jti} of {iss} has been used before")]
    Replayed {
        /// The claim.
        jti: String,
        /// Its issuer.
        iss: String,
    },
    /// An initialization vector or tag of the wrong length.
    #[error("the {part} has {actual} bytes, {expected} are required")]
    WrongLength {
        /// Which part.
        part: Part,
        /// Bytes that A256GCM has.
        expected: usize,
        /// What came.
        actual: usize,
    },
    /// Decryption failed; which step is not said (RFC 7516 §11.5).
    #[error("the JWE does not decrypt with key {kid}")]
    DecryptionFailed {
        /// The key that was tried.
        kid: String,
    },
}

impl JoseError {
    /// The platform's error code for this failure.
    #[must_use]
    pub fn family(&self) -> Family {
        match self {
            Self::ClaimsNotJson { .. }
            | Self::ClaimMissing { .. }
            | Self::ClaimType { .. }
            | Self::ClaimValue { .. }
            | Self::Expired { .. }
            | Self::NotYetValid { .. }
            | Self::IssuedInFuture { .. }
            | Self::TooOld { .. }
            | Self::LivesTooLong { .. }
            | Self::WrongAudience { .. }
            | Self::Replayed { .. } => Family::Claim,
            Self::EncNotAllowed { .. }
            | Self::WrongLength { .. }
            | Self::DecryptionFailed { .. } => Family::Encryption,
            _ => Family::Signature,
        }
    }
}

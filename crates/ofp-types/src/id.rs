//! Identifiers as newtypes: holding one means that it has been parsed.

use serde::{Deserialize, Serialize};

/// A text that is not the identifier it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {expected}, not `{got}`")]
pub struct InvalidId {
    /// The kind of identifier, as the platform's pages name it.
    pub what: &'static str,
    /// What the identifier must look like.
    pub expected: &'static str,
    /// What came, cut after 60 characters.
    pub got: String,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes `text` if it has the identifier's form.
            ///
            /// # Errors
            /// [`InvalidId`] says what was expected and what came.
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let holds: fn(&str) -> bool = $check;
                if holds(&text) {
                    Ok(Self(text))
                } else {
                    let got = text.chars().take(60).collect();
                    Err(InvalidId { what: $what, expected: $expected, got })
                }
            }

            /// The identifier as it stands on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// Identifies a consent. At most 36 characters (S1:L390); the platform uses UUIDs.
    ConsentId, "consent_id", "1 to 36 visible ASCII characters", |t| graphic(t, 36)
);
id!(
    /// The legal entity behind a Data Consumer, 24 hexadecimal digits in PayNet's samples. Not its `client_id`.
    DcId, "dc_id", "1 to 100 visible ASCII characters", |t| graphic(t, 100)
);
id!(
    /// Identifies a Data Provider, `DP9876543210` in PayNet's samples.
    DpId, "dp_id", "1 to 100 visible ASCII characters", |t| graphic(t, 100)
);
id!(
    /// The OAuth 2.0 client identifier (RFC 6749 §2.2) of a DC or DP at PayNet's Authorization Server.
    ClientId, "client_id", "1 to 100 visible ASCII characters", |t| graphic(t, 100)
);
id!(
    /// Identifies an account towards DCs: opaque, assigned by the DP when the customer authorizes.
    AccountId, "account_id", "1 to 300 visible ASCII characters", |t| graphic(t, 300)
);
id!(
    /// `x-fapi-interaction-id`: a UUID that correlates the messages of one call.
    InteractionId, "x-fapi-interaction-id", "a UUID of 36 characters", |t| t.len() == 36
        && uuid::Uuid::try_parse(t).is_ok()
);
id!(
    /// The key id that the platform uses everywhere: base64url(SHA-256(DER certificate)), unpadded,
    /// which is also the JWK's `x5t#S256` (S1:L254). Not the RFC 7638 thumbprint of the key.
    Kid, "kid", "43 characters of base64url, the SHA-256 thumbprint of a certificate", |t| t.len() == 43
        && t.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
);

id!(
    /// Identifies an assertion about a DP, such as `C-05` (`spec/requirements.md`).
    RequirementId, "requirement", "a letter A to P, a dash and two digits", |t| {
        matches!(t.as_bytes(), [b'A'..=b'P', b'-', tens, ones] if tens.is_ascii_digit() && ones.is_ascii_digit())
    }
);

impl AccountId {
    /// The id as one segment of a path (RFC 3986 §3.3), everything but unreserved characters
    /// percent-encoded.
    #[must_use]
    pub fn path_segment(&self) -> String {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let encode = |b: u8| match unreserved(b) {
            true => char::from(b).to_string(),
            false => format!("%{b:02X}"),
        };
        self.0.bytes().map(encode).collect()
    }
}

fn graphic(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_parse_or_say_why() {
        assert!(ConsentId::parse("a7cb03ff-4c70-4eaa-87f4-f2a4c4c87b0d").is_ok());
        for bad in ["", "two words", "0123456789012345678901234567890123456", "é"] {
            let error = ConsentId::parse(bad).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("consent_id must be 1 to 36 visible ASCII characters, not `{bad}`")
            );
        }
        assert_eq!(AccountId::parse("../a:1").unwrap().path_segment(), "..%2Fa%3A1");
        assert!(InteractionId::parse("3649a602-566c-49b1-b6c6-ae67519cbba0").is_ok());
        assert!(InteractionId::parse("3649a602566c49b1b6c6ae67519cbba0").is_err());
        assert!(Kid::parse("bixwEcSUVgkSaHPTvyNpimiI5Lm6f2bCAWoD5MpdDic").is_ok());
        assert!(Kid::parse("dp-key-id-001").is_err());
    }

    #[test]
    fn serde_goes_through_the_parser() {
        assert!(serde_json::from_str::<DpId>("\"DP9876543210\"").is_ok());
        assert!(serde_json::from_str::<DpId>("\"\"").is_err());
    }
}

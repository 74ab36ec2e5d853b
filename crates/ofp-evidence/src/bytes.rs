//! Bytes in a file of evidence: text where they are text, else base64url.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Bytes as they are written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Base64 { base64url: String },
}

impl Written {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64 { base64url: URL_SAFE_NO_PAD.encode(bytes) },
        }
    }

    fn bytes(self) -> Result<Vec<u8>, base64::DecodeError> {
        match self {
            Self::Text(text) => Ok(text.into_bytes()),
            Self::Base64 { base64url } => URL_SAFE_NO_PAD.decode(base64url),
        }
    }
}

pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    Written::of(bytes).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    Written::deserialize(deserializer)?.bytes().map_err(D::Error::custom)
}

/// Bytes, or why there are none.
pub(crate) mod or_reason {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Written};
    use serde::de::Error as _;

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Outcome {
        Plaintext(Written),
        Reason(String),
    }

    pub(crate) fn serialize<S: Serializer>(
        outcome: &Result<Vec<u8>, String>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match outcome {
            Ok(bytes) => Outcome::Plaintext(Written::of(bytes)).serialize(serializer),
            Err(reason) => Outcome::Reason(reason.clone()).serialize(serializer),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Result<Vec<u8>, String>, D::Error> {
        Ok(match Outcome::deserialize(deserializer)? {
            Outcome::Plaintext(written) => Ok(written.bytes().map_err(D::Error::custom)?),
            Outcome::Reason(reason) => Err(reason),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Message;

    #[test]
    fn text_and_bytes_come_back_as_they_were() {
        for body in [b"{}".to_vec(), vec![0xff, 0, 7], Vec::new()] {
            let message = Message { headers: vec![("a".into(), "b".into())], body };
            let text = serde_json::to_string(&message).unwrap();
            assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message, "{text}");
        }
    }
}

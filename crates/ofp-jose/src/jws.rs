//! Compact JWS (RFC 7515), attached and detached.

use ofp_types::SigBody;
use serde_json::{Map, Value};

use crate::{
    Claims, JoseError, KeySet, KeyUse, MAX_TOKEN_BYTES, PS256, Part, PublicKey, base64url,
    base64url_decode, strict_object,
};

/// A compact JWS taken apart; nothing about it has been verified.
#[derive(Debug, Clone)]
pub struct CompactJws<'a> {
    header_text: &'a str,
    payload_text: &'a str,
    /// The protected header.
    pub header: Map<String, Value>,
    /// The payload; empty when detached.
    pub payload: Vec<u8>,
    signature: Vec<u8>,
}

/// A JWS whose signature held.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The protected header.
    pub header: Map<String, Value>,
    /// The payload.
    pub payload: Vec<u8>,
    /// The key that it verified with.
    pub kid: String,
}

impl Verified {
    /// The payload as claims.
    ///
    /// # Errors
    /// [`JoseError::ClaimsNotJson`].
    pub fn claims(&self) -> Result<Claims, JoseError> {
        Claims::parse(&self.payload)
    }
}

impl<'a> CompactJws<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`JoseError`] about size, parts, base64url or the header's JSON.
    pub fn parse(text: &'a str) -> Result<Self, JoseError> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(JoseError::TooLarge { limit: MAX_TOKEN_BYTES, actual: text.len() });
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [header_text, payload_text, signature_text] = parts[..] else {
            return Err(JoseError::NotCompact { what: "JWS", expected: 3, actual: parts.len() });
        };
        let header = parse_header(header_text)?;
        let decode = |text, part| base64url_decode(text).ok_or(JoseError::BadBase64 { part });
        let payload = decode(payload_text, Part::Payload)?;
        let signature = decode(signature_text, Part::Signature)?;
        Ok(Self { header_text, payload_text, header, payload, signature })
    }

    /// `alg`, if it is a string.
    #[must_use]
    pub fn alg(&self) -> Option<&str> {
        self.header.get("alg").and_then(Value::as_str)
    }

    /// `kid`, if it is a string.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// Whether the payload was left out.
    #[must_use]
    pub fn is_detached(&self) -> bool {
        self.payload_text.is_empty()
    }

    /// Verifies an attached JWS.
    ///
    /// # Errors
    /// [`JoseError`] with the first rule of the profile that it breaks.
    pub fn verify(&self, keys: &KeySet) -> Result<Verified, JoseError> {
        if self.is_detached() {
            return Err(JoseError::UnexpectedlyDetached);
        }
        if self.unencoded()? {
            // RFC 7797 §5.2 allows it, but not for JWTs (§7), and nothing else here is attached.
            return Err(JoseError::UnsupportedCritical { name: "b64".into() });
        }
        let input = format!("{}.{}", self.header_text, self.payload_text);
        self.verify_input(keys, input.as_bytes(), &self.payload)
    }

    /// Verifies the signature over `body`, the bytes as they were received: detached, or attached
    /// with a payload that equals the body.
    ///
    /// # Errors
    /// [`JoseError`] with the first rule of the profile that it breaks.
    pub fn verify_over(&self, keys: &KeySet, body: &[u8]) -> Result<Verified, JoseError> {
        if !self.is_detached() && self.payload != body {
            return Err(JoseError::PayloadDiffers);
        }
        let mut input = format!("{}.", self.header_text).into_bytes();
        if self.unencoded()? {
            input.extend_from_slice(body);
        } else {
            input.extend_from_slice(base64url(body).as_bytes());
        }
        self.verify_input(keys, &input, body)
    }

    /// Verifies the signature of a message with a body in the profile's form: over the body, or a JWT whose claim
    /// `body` is the body.
    ///
    /// # Errors
    /// [`JoseError`] with the first rule of the profile that it breaks.
    pub fn verify_body(
        &self,
        keys: &KeySet,
        body: &[u8],
        form: SigBody,
    ) -> Result<Verified, JoseError> {
        if form == SigBody::Detached {
            return self.verify_over(keys, body);
        }
        let verified = self.verify(keys)?;
        match verified.claims()?.text("body")?.as_bytes() == body {
            true => Ok(verified),
            false => Err(JoseError::PayloadDiffers),
        }
    }

    /// Verifies an attached JWS with whichever key fits, whatever its kid says.
    ///
    /// # Errors
    /// [`JoseError`] with the first rule of the profile that it breaks.
    pub fn verify_with_any(&self, keys: &KeySet) -> Result<Verified, JoseError> {
        match self.verify(keys) {
            Err(JoseError::UnknownKid { .. } | JoseError::KidMissing) => {}
            decided => return decided,
        }
        let input = format!("{}.{}", self.header_text, self.payload_text);
        let fits = |key: &&PublicKey| {
            key.key_use() == KeyUse::Sig && key.verify(input.as_bytes(), &self.signature).is_ok()
        };
        let kid = self.kid().unwrap_or("missing").to_owned();
        let key = keys.iter().find(fits).ok_or(JoseError::SignatureWrong { kid })?;
        Ok(Verified {
            header: self.header.clone(),
            payload: self.payload.clone(),
            kid: key.kid().to_owned(),
        })
    }

    /// Whether any signing key of `keys` made the signature, whatever the kid says: for a verifier that is
    /// careless on purpose.
    #[must_use]
    pub fn verify_unnamed(&self, keys: &KeySet) -> bool {
        let input = format!("{}.{}", self.header_text, self.payload_text);
        keys.iter().any(|key| {
            key.key_use() == KeyUse::Sig && key.verify(input.as_bytes(), &self.signature).is_ok()
        })
    }

    fn verify_input(
        &self,
        keys: &KeySet,
        input: &[u8],
        payload: &[u8],
    ) -> Result<Verified, JoseError> {
        if self.alg() != Some(PS256) {
            return Err(alg_not_allowed(&self.header, PS256));
        }
        if self.signature.is_empty() {
            return Err(JoseError::Empty { part: Part::Signature });
        }
        let kid = self.kid().ok_or(JoseError::KidMissing)?;
        keys.find(kid, KeyUse::Sig)?.verify(input, &self.signature)?;
        Ok(Verified { header: self.header.clone(), payload: payload.to_vec(), kid: kid.to_owned() })
    }

    /// Whether `b64: false` is in force (RFC 7797 §3, §6); any other `crit` is an error.
    fn unencoded(&self) -> Result<bool, JoseError> {
        let critical = match self.header.get("crit") {
            None => return Ok(false),
            Some(Value::Array(names)) if !names.is_empty() => names,
            Some(_) => {
                return Err(JoseError::BadHeader { detail: "crit must be a list of names".into() });
            }
        };
        match critical.iter().find(|name| name.as_str() != Some("b64")) {
            Some(name) => {
                let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
                Err(JoseError::UnsupportedCritical { name })
            }
            None => match self.header.get("b64") {
                Some(Value::Bool(encoded)) => Ok(!encoded),
                _ => {
                    Err(JoseError::BadHeader { detail: "crit names b64, which is missing".into() })
                }
            },
        }
    }
}

pub(crate) fn parse_header(text: &str) -> Result<Map<String, Value>, JoseError> {
    let bytes = base64url_decode(text).ok_or(JoseError::BadBase64 { part: Part::Header })?;
    let header =
        strict_object(&bytes).map_err(|e| JoseError::BadHeader { detail: e.to_string() })?;
    for name in ["alg", "kid", "enc"] {
        if header.get(name).is_some_and(|value| !value.is_string()) {
            return Err(JoseError::BadHeader { detail: format!("{name} must be a string") });
        }
    }
    Ok(header)
}

pub(crate) fn alg_not_allowed(header: &Map<String, Value>, allowed: &'static str) -> JoseError {
    let actual = header.get("alg").and_then(Value::as_str).map(str::to_owned);
    JoseError::AlgNotAllowed { actual, allowed }
}

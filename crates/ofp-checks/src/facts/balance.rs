//! The DP's answer to a balance request, taken apart.

use ofp_evidence::{Decryption, Exchange, Message, Reader};
use ofp_jose::{Claims, CompactJwe, CompactJws, JoseError};
use ofp_types::wire::wrapped_jws;
use serde_json::{Map, Value};

use crate::Settings;

/// The DP's answer to a balance request, taken apart.
pub(crate) struct Balance<'a> {
    pub(crate) exchange: &'a Exchange,
    /// The compact JWS as sent.
    pub(crate) text: String,
    /// Its header, or why it is no compact JWS.
    pub(crate) header: Result<Map<String, Value>, JoseError>,
    /// What came of verifying it with the DP's registered keys.
    pub(crate) verified: Option<JoseError>,
    /// Its claims, whether or not the signature holds.
    pub(crate) claims: Option<Claims>,
    /// The encrypted part, or why it is none.
    pub(crate) jwe: Result<Jwe, String>,
    /// What the DC got out of it; `None` when it never tried.
    pub(crate) plaintext: Option<Result<Vec<u8>, String>>,
    /// What the DC got, as JSON.
    pub(crate) json: Option<Value>,
    /// SHA-256 of the content encryption key, where the DC has it.
    pub(crate) content_key: Option<String>,
    /// Whether another DC got anything out of it; `None` when none tried.
    pub(crate) stranger_read: Option<bool>,
}

/// The encrypted part.
pub(crate) struct Jwe {
    pub(crate) header: Map<String, Value>,
    pub(crate) iv: Vec<u8>,
}

impl Jwe {
    pub(crate) fn header_text(&self, name: &str) -> &str {
        self.header.get(name).and_then(Value::as_str).unwrap_or("missing")
    }
}

impl<'a> Balance<'a> {
    pub(super) fn of(
        settings: &Settings,
        exchange: &'a Exchange,
        decryptions: &[&Decryption],
    ) -> Self {
        let text = exchange.response().map(jws_text).unwrap_or_default();
        let jws = CompactJws::parse(&text);
        let claims = jws.as_ref().ok().and_then(|jws| Claims::parse(&jws.payload).ok());
        let verified = jws.as_ref().ok().and_then(|jws| jws.verify(&settings.dp_keys).err());
        let by = |reader: Reader| {
            decryptions.iter().find(|d| d.exchange == exchange.id && d.reader == reader)
        };
        let plaintext = by(Reader::Addressee).map(|decryption| decryption.outcome.clone());
        let plaintext = plaintext.map(|outcome| outcome.and_then(|p| unnested(settings, p)));
        let json = plaintext.as_ref().and_then(|p| serde_json::from_slice(p.as_ref().ok()?).ok());
        Self {
            exchange,
            header: jws.as_ref().map(|jws| jws.header.clone()).map_err(Clone::clone),
            verified,
            jwe: jwe(claims.as_ref()),
            claims,
            plaintext,
            json,
            content_key: by(Reader::Addressee)
                .and_then(|decryption| decryption.content_key.clone()),
            stranger_read: by(Reader::Stranger).map(|decryption| decryption.outcome.is_ok()),
            text,
        }
    }

    /// A claim, whether or not the signature holds.
    pub(crate) fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.as_ref()?.0.get(name)
    }

    /// A member of `data` in the decrypted JSON.
    pub(crate) fn data(&self, name: &str) -> Option<&Value> {
        self.json.as_ref()?.get("data")?.get(name)
    }

    /// The `…_balance` members of the decrypted JSON.
    pub(crate) fn amounts(&self) -> impl Iterator<Item = (&String, &Value)> {
        let data = self.json.as_ref().and_then(|json| json.get("data")?.as_object());
        data.into_iter()
            .flatten()
            .filter(|(name, value)| name.ends_with("_balance") && !value.is_null())
    }

    /// The account that the path names.
    pub(crate) fn account(&self) -> String {
        let path = self.exchange.path().trim_end_matches("/balances");
        let segment = path.rsplit('/').next().unwrap_or_default().replace('+', "%2B");
        let decoded = url::form_urlencoded::parse(segment.as_bytes()).next();
        decoded.map(|(name, _)| name.into_owned()).unwrap_or_default()
    }
}

/// The compact JWS of an answer, bare or in the reference's JSON wrapper.
fn jws_text(message: &Message) -> String {
    let media_type = message.media_type().unwrap_or_default();
    let wrapped = wrapped_jws(&media_type, &message.body);
    wrapped.unwrap_or_else(|| message.text().into_owned())
}

/// JSON as it is, or what a nested compact JWS by the DP holds.
fn unnested(settings: &Settings, plaintext: Vec<u8>) -> Result<Vec<u8>, String> {
    let text = String::from_utf8_lossy(&plaintext);
    match CompactJws::parse(&text) {
        Err(_) => Ok(plaintext),
        Ok(jws) => jws.verify(&settings.dp_keys).map(|v| v.payload).map_err(|e| e.to_string()),
    }
}

fn jwe(claims: Option<&Claims>) -> Result<Jwe, String> {
    let claims = claims.ok_or("the answer is no JWS of claims")?;
    let data = claims.0.get("data").ok_or("claim data is missing")?;
    let text = data.as_str().ok_or("claim data is not text")?;
    let jwe = CompactJwe::parse(text).map_err(|e| e.to_string())?;
    Ok(Jwe { header: jwe.header, iv: jwe.iv })
}

//! An Update Consent, taken apart.

use jiff::Timestamp;
use ofp_evidence::{Exchange, ExchangeId};
use ofp_jose::{Claims, CompactJws, JoseError, Verified};
use ofp_types::ConsentStatus;
use serde_json::{Map, Value};

use crate::Settings;

/// An Update Consent, taken apart.
pub(crate) struct Update<'a> {
    pub(crate) exchange: &'a Exchange,
    /// The body, or why it is no JSON object.
    pub(crate) body: Result<Map<String, Value>, String>,
    /// What came of verifying the signature over the raw body; `None` without a header.
    pub(crate) signature: Option<Result<Verified, JoseError>>,
    pub(crate) id_token: Option<IdToken>,
}

/// The id_token of an approval, taken apart.
pub(crate) struct IdToken {
    /// The message that carried it.
    pub(crate) at: ExchangeId,
    /// When it came.
    pub(crate) time: Timestamp,
    pub(crate) text: String,
    /// Its header, if it is a compact JWS at all.
    pub(crate) header: Result<Map<String, Value>, JoseError>,
    /// What came of verifying it with any of the DP's keys.
    pub(crate) verified: Result<Verified, JoseError>,
    /// Its claims, whether or not the signature holds.
    pub(crate) claims: Option<Claims>,
}

impl<'a> Update<'a> {
    pub(super) fn of(settings: &Settings, exchange: &'a Exchange) -> Self {
        let request = &exchange.request;
        let body = ofp_jose::strict_object(&request.body).map_err(|e| e.to_string());
        let header = request.header("x-fapi-signature").or_else(|| request.header("x-signature"));
        let signature = header.map(|text| {
            let form = settings.profile.sig_body;
            CompactJws::parse(text)
                .and_then(|jws| jws.verify_body(&settings.dp_keys, &request.body, form))
        });
        let id_token = body.as_ref().ok().and_then(|body| body.get("id_token")?.as_str());
        let id_token = id_token.map(|text| IdToken::of(settings, exchange, text));
        Self { exchange, body, signature, id_token }
    }

    /// A member of the body.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.body.as_ref().ok()?.get(name)
    }

    /// A member of the body, if it is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_str()
    }

    /// Whether `status` means this, in any spelling.
    pub(crate) fn is(&self, status: ConsentStatus) -> bool {
        self.text("status").and_then(ConsentStatus::lenient) == Some(status)
    }

    /// `accounts`, as far as they are objects.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let accounts = self.member("accounts").and_then(Value::as_array);
        accounts.into_iter().flatten().filter_map(Value::as_object)
    }

    /// A member of `user_identity`.
    pub(crate) fn identity(&self, name: &str) -> Option<&str> {
        self.member("user_identity")?.get(name)?.as_str()
    }
}

impl IdToken {
    pub(super) fn of(settings: &Settings, exchange: &Exchange, text: &str) -> Self {
        let jws = CompactJws::parse(text);
        let claims = jws.as_ref().ok().and_then(|jws| Claims::parse(&jws.payload).ok());
        let header = jws.as_ref().map(|jws| jws.header.clone()).map_err(Clone::clone);
        let verified = jws.and_then(|jws| jws.verify_with_any(&settings.dp_keys));
        let (at, time) = (exchange.id, exchange.at);
        Self { at, time, text: text.to_owned(), header, verified, claims }
    }

    /// A claim, whether or not the signature holds.
    pub(crate) fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.as_ref()?.0.get(name)
    }
}

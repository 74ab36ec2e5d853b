//! The signed request object of a pushed authorization request (RFC 9101; FAPI 2.0 Message
//! Signing §5.3; `spec/ofp.md` 5.6).

use jiff::{SignedDuration, Timestamp};
use ofp_jose::{Claims, CompactJws, JoseError};
use ofp_types::{DpId, ErrorCode, Permission, Purpose, wire::CONSENT_RAR_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::token::known_scope;
use crate::{
    DcRegistration, client_auth::AHEAD, platform::Platform, refusal::Refusal, state::PkceRequest,
};

/// FAPI MS §5.3.1: nbf at most 60 minutes in the past, exp at most 60 minutes after it.
const REQUEST_OBJECT_LIFE: i64 = 3600;

/// Longer ones are mistakes, and could leave the calendar.
const LONGEST_CONSENT: SignedDuration = SignedDuration::from_hours(24 * 366 * 20);

/// What a valid request object asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RequestObject {
    pub(super) request: PkceRequest,
    /// Left out where the customer is to pick the DP.
    pub(super) dp_id: Option<DpId>,
    pub(super) purpose: Purpose,
    pub(super) permissions: Vec<Permission>,
    pub(super) expiration: Timestamp,
}

/// `authorization_details` of the platform's type (RFC 9396).
#[derive(Deserialize)]
struct Detail {
    consent: DetailConsent,
}

#[derive(Deserialize)]
struct DetailConsent {
    dc_id: Option<String>,
    dp_id: Option<String>,
    consent_type: Option<String>,
    consent_purpose: Purpose,
    permissions: Vec<Permission>,
    expiration_datetime: Timestamp,
}

impl Platform {
    pub(super) fn request_object(
        &self,
        dc: &DcRegistration,
        object: &str,
    ) -> Result<RequestObject, Refusal> {
        let verified = CompactJws::parse(object)
            .and_then(|jws| jws.verify(&dc.client.keys))
            .map_err(|e| bad_object(&e))?;
        check_type(&verified.header)?;
        let claims = verified.claims().map_err(|e| bad_object(&e))?;
        for name in ["request", "request_uri"] {
            // RFC 9101 §4
            if claims.0.contains_key(name) {
                return Err(unacceptable(format!("{name} must not be inside the request object")));
            }
        }
        self.check_object_claims(dc, &claims).map_err(|e| bad_object(&e))?;
        let redirect_uri = claims.text("redirect_uri").map_err(|e| bad_object(&e))?;
        if !dc.redirect_uris.iter().any(|registered| registered == redirect_uri) {
            let reason = format!("redirect_uri {redirect_uri} is not registered for this client");
            return Err(Refusal::bad_request(reason));
        }
        let code_challenge = code_challenge(&claims)?;
        let nonce = optional(&claims, "nonce")?;
        if nonce.as_ref().is_some_and(|nonce| nonce.len() > 64) {
            return Err(Refusal::bad_request("nonce is longer than 64 characters"));
        }
        let scope = optional(&claims, "scope")?.unwrap_or_else(|| "accounts".into());
        known_scope(&scope)?;
        let consent = self.detail(dc, claims.0.get("authorization_details"))?;
        let request = PkceRequest {
            redirect_uri: redirect_uri.to_owned(),
            state: optional(&claims, "state")?,
            nonce,
            code_challenge,
            scope,
            as_jwt: self.as_jwt(optional(&claims, "response_mode")?.as_deref())?,
        };
        Ok(RequestObject {
            request,
            dp_id: self.known_dp(consent.dp_id)?,
            purpose: consent.consent_purpose,
            permissions: consent.permissions,
            expiration: consent.expiration_datetime,
        })
    }

    fn check_object_claims(&self, dc: &DcRegistration, claims: &Claims) -> Result<(), JoseError> {
        let (now, id) = (self.now(), dc.client.client_id.as_str());
        claims.equals("iss", id)?;
        claims.equals("client_id", id)?;
        // FAPI MS §5.3.1: the issuer, or a list with it
        claims.addressed_to(self.issuer.as_str())?;
        claims.not_expired(now)?;
        claims.issued_within("nbf", now, REQUEST_OBJECT_LIFE, AHEAD)?;
        if claims.0.contains_key("iat") {
            claims.issued_within("iat", now, i64::MAX / 4, AHEAD)?;
        }
        claims.lives_at_most("nbf", REQUEST_OBJECT_LIFE)?;
        claims.equals("response_type", "code")
    }

    fn detail(
        &self,
        dc: &DcRegistration,
        details: Option<&Value>,
    ) -> Result<DetailConsent, Refusal> {
        let refuse =
            |reason: String| Refusal::new(400, ErrorCode::InvalidAuthorizationDetails, reason);
        let [detail] = details.and_then(Value::as_array).map_or(&[][..], Vec::as_slice) else {
            return Err(refuse(
                "authorization_details must be a list of exactly one consent".into(),
            ));
        };
        let kind = detail.get("type").and_then(Value::as_str).unwrap_or("missing");
        if kind != CONSENT_RAR_TYPE {
            return Err(refuse(format!("type must be {CONSENT_RAR_TYPE}, not {kind}")));
        }
        let Detail { consent } = Detail::deserialize(detail)
            .map_err(|e| refuse(format!("authorization_details: {e}")))?;
        if consent.permissions.is_empty() {
            return Err(refuse("permissions must not be empty".into()));
        }
        if consent.expiration_datetime <= self.now() {
            return Err(refuse("expiration_datetime must lie in the future".into()));
        }
        if consent.expiration_datetime > self.now() + LONGEST_CONSENT {
            return Err(refuse("expiration_datetime must lie within the next 20 years".into()));
        }
        if let Some(kind) = consent.consent_type.as_deref().filter(|kind| *kind != CONSENT_RAR_TYPE)
        {
            return Err(refuse(format!("consent_type must be {CONSENT_RAR_TYPE}, not {kind}")));
        }
        match &consent.dc_id {
            Some(id) if id != dc.dc_id.as_str() => {
                Err(refuse(format!("dc_id must be {}, not {id}", dc.dc_id)))
            }
            _ => Ok(consent),
        }
    }

    /// A DP that is named must be known; one that is not, the customer picks. Blank is not named.
    fn known_dp(&self, id: Option<String>) -> Result<Option<DpId>, Refusal> {
        let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(None) };
        let known = self.dps.iter().find(|dp| dp.dp_id.as_str() == id);
        known.map(|dp| Some(dp.dp_id.clone())).ok_or_else(|| {
            let reason = format!("no DP `{id}` is registered");
            Refusal::new(400, ErrorCode::InvalidAuthorizationDetails, reason)
        })
    }

    /// Whether the authorization response is to be a JWT (JARM §2.3); the profile may want it always.
    fn as_jwt(&self, mode: Option<&str>) -> Result<bool, Refusal> {
        match mode {
            None | Some("query") => Ok(self.profile.jarm),
            Some("jwt" | "query.jwt") => Ok(true),
            Some(other) => {
                let reason = format!("response_mode must be query, jwt or query.jwt, not {other}");
                Err(Refusal::bad_request(reason))
            }
        }
    }
}

fn code_challenge(claims: &Claims) -> Result<String, Refusal> {
    let method = optional(claims, "code_challenge_method")?;
    if method.as_deref() != Some("S256") {
        let actual = method.as_deref().unwrap_or("missing");
        return Err(Refusal::bad_request(format!(
            "code_challenge_method must be S256, not {actual}"
        )));
    }
    let challenge = claims.text("code_challenge").map_err(|e| bad_object(&e))?;
    match ofp_jose::base64url_decode(challenge) {
        Some(hash) if hash.len() == 32 => Ok(challenge.to_owned()),
        _ => Err(Refusal::bad_request("code_challenge is not base64url of a SHA-256 hash")),
    }
}

fn optional(claims: &Claims, name: &'static str) -> Result<Option<String>, Refusal> {
    match claims.0.get(name) {
        None => Ok(None),
        Some(_) => claims.text(name).map(|text| Some(text.to_owned())).map_err(|e| bad_object(&e)),
    }
}

/// RFC 9101 §10.8: `typ`, where there is one, says that it is a request object.
fn check_type(header: &serde_json::Map<String, Value>) -> Result<(), Refusal> {
    match header.get("typ").map(|typ| typ.as_str().unwrap_or_default().to_ascii_lowercase()) {
        None => Ok(()),
        Some(typ) if matches!(typ.as_str(), "oauth-authz-req+jwt" | "jwt") => Ok(()),
        Some(typ) => Err(unacceptable(format!("typ must be oauth-authz-req+jwt, not {typ}"))),
    }
}

fn bad_object(error: &JoseError) -> Refusal {
    unacceptable(error.to_string())
}

fn unacceptable(reason: String) -> Refusal {
    let description = "the request object is not acceptable";
    let reason = format!("request: {reason}");
    Refusal::discreet(400, ErrorCode::InvalidRequestObject, description, reason)
}

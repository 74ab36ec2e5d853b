//! Bodies as they travel (`spec/ofp.md` sections 1.2 to 1.4).

use jiff::{Timestamp, tz::Offset};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    AccountNumberName, AccountsShape, Consent, ConsentAccount, Profile, StatusReason, UpdatedBy,
};

/// The RAR type of an account access consent (RFC 9396 §2; X-27).
pub const CONSENT_RAR_TYPE: &str = "urn:openfinance-ml:account-access-consent:v1.2";
/// `client_assertion_type` of private_key_jwt (RFC 7523 §2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// What a `request_uri` of the platform begins with (RFC 9126 §2.2).
pub const REQUEST_URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// `event_type` of a consent event (S1:L521).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// The DC asked for a consent.
    ConsentCreated,
    /// Something other than the status changed.
    ConsentUpdated,
    /// The status changed.
    ConsentStatusUpdated,
}

/// Body of Update Consent, `PATCH /v1/consents/{consent_id}` (S1:L547-608).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateConsent {
    /// Must equal the path's, if present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_id: Option<String>,
    /// `authorized` or `rejected`; at most 32 characters.
    pub status: String,
    /// Required when authorized; at most 3000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// Required when authorized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_identity: Option<UserIdentity>,
    /// Required when authorized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Vec<ConsentAccount>>,
    /// Required when rejected, left out when authorized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<StatusReason>,
}

/// Who approved, without saying who it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserIdentity {
    /// `nric` or `passport`.
    pub id_type: String,
    /// Standard base64 of SHA-256, 44 characters (X-28).
    pub hashed_id_number: String,
}

/// Answer of the token endpoint (RFC 6749 §5.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenResponse {
    /// The token.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds.
    pub expires_in: u64,
    /// What was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Echo of the authorization request's state, as the sandbox does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Good for as long as the consent, never rotated (S3:L103; FAPI 2.0 SP §5.3.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The platform's id_token for the DC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// The consents granted (RFC 9396 §7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<Value>,
}

/// Body of the life cycle calls: revoke, suspend, reactivate (B7, B8 of `spec/ofp.md`). Every member
/// may be left out, and so may the body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifeCycleRequest {
    /// Who wants it; the caller itself unless it says that it is its customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<UpdatedBy>,
    /// Why; required to suspend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<StatusReason>,
}

/// The error body of the platform and of a DP (S1:L376-379).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The code.
    pub error: String,
    /// A sentence, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

/// Answer of the pushed authorization request endpoint (RFC 9126 §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParResponse {
    /// What the browser brings to the authorization endpoint.
    pub request_uri: String,
    /// Seconds.
    pub expires_in: u64,
}

/// The JWS of an account response in the reference's wrapper, `{"status", "error_message", "data"}`
/// as `application/json` (S1:L505-511), which is tolerated beside a bare JWS (X-05).
#[must_use]
pub fn wrapped_jws(media_type: &str, body: &[u8]) -> Option<String> {
    if media_type != "application/json" {
        return None;
    }
    let wrapper: Value = serde_json::from_slice(body).ok()?;
    wrapper.get("data")?.as_str().map(str::to_owned)
}

/// The body of a consent event towards a DP (S4:L146-171), in the profile's shape.
#[must_use]
pub fn consent_event(event: EventType, consent: &Consent, profile: &Profile) -> Value {
    json!({ "event_type": event, "data": consent_object(consent, &profile.consent_type_value, profile) })
}

/// The body of a consent event towards a DC: the same, with the consent type that it asked for (X-27).
#[must_use]
pub fn dc_consent_event(event: EventType, consent: &Consent, profile: &Profile) -> Value {
    json!({ "event_type": event, "data": consent_object(consent, CONSENT_RAR_TYPE, profile) })
}

/// The consent object (S4:L400-427), in the profile's shape.
#[must_use]
pub fn consent_object(consent: &Consent, consent_type: &str, profile: &Profile) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("consent_id", json!(consent.consent_id));
    put("dc_id", json!(consent.dc_id));
    put("dp_id", json!(consent.dp_id));
    if let Some((id_type, hashed)) = &consent.identity {
        put("id_type", json!(id_type));
        put("hashed_id_number", json!(hashed));
    }
    put("consent_type", json!(consent_type));
    put("consent_purpose", json!(consent.purpose));
    put("permissions", json!(consent.permissions));
    put("expiration_datetime", json!(malaysian(consent.expiration)));
    put("status", json!(consent.status));
    if let Some(reason) = &consent.status_reason {
        put("status_reason", json!(reason));
    }
    if !consent.accounts.is_empty() {
        let accounts: Vec<Value> = consent.accounts.iter().map(|a| account(a, profile)).collect();
        if profile.accounts_shape != AccountsShape::AccountAccess {
            put("accounts", json!(accounts));
        }
        if profile.accounts_shape != AccountsShape::Top {
            put("account_access", json!({ "accounts": accounts }));
        }
    }
    put("created_at", json!(malaysian(consent.created_at)));
    put("updated_at", json!(malaysian(consent.updated_at)));
    put("updated_by", json!(consent.updated_by));
    Value::Object(object)
}

fn account(account: &ConsentAccount, profile: &Profile) -> Value {
    let mut object = Map::from_iter([("account_id".to_owned(), json!(account.account_id))]);
    if profile.account_number_name != AccountNumberName::AccountReference {
        object.insert("account_number".into(), json!(account.account_number));
    }
    if profile.account_number_name != AccountNumberName::AccountNumber {
        object.insert("account_reference".into(), json!(account.account_number));
    }
    object.insert("account_name".into(), json!(account.account_name));
    Value::Object(object)
}

/// `time` in RFC 3339 with Malaysia's offset, `+08:00` (X-48), in whole seconds.
#[must_use]
pub fn malaysian(time: Timestamp) -> String {
    let whole = Timestamp::from_second(time.as_second()).unwrap_or(time);
    whole.display_with_offset(Offset::constant(8)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_wraps() {
        let body = br#"{"status":"ok","data":"a.b.c"}"#;
        assert_eq!(wrapped_jws("application/json", body).as_deref(), Some("a.b.c"));
        assert_eq!(wrapped_jws("application/jwt", body), None);
        assert_eq!(wrapped_jws("application/json", b"a.b.c"), None);
    }

    #[test]
    fn times_are_malaysian() {
        let time: Timestamp = "2026-11-20T15:59:59.123Z".parse().unwrap();
        assert_eq!(malaysian(time), "2026-11-20T23:59:59+08:00");
    }
}

//! What the body of Update Consent must hold (S1:L547-608; `spec/ofp.md` 1.2 B5 and 5.8).

use ofp_jose::{Claims, CompactJws, JoseError};
use ofp_types::{
    ConsentAccount, ConsentStatus, PAYNET_CLIENT_ID, PLATFORM_AUDIENCE,
    wire::{UpdateConsent, UserIdentity},
};

use crate::{
    DpRegistration, client_auth::AHEAD, platform::Platform, refusal::Refusal, state::Held,
};

/// S1:L590.
const LONGEST_ID_TOKEN: usize = 3000;

/// An approval whose every part has been checked.
pub(super) struct Approval {
    pub(super) accounts: Vec<ConsentAccount>,
    pub(super) identity: UserIdentity,
    /// Of the id_token; the DP's token endpoint gives it where there is one.
    pub(super) subject: Option<String>,
    pub(super) auth_time: Option<i64>,
}

impl Platform {
    /// The body, and the status that it means.
    pub(super) fn parse_update(
        &self,
        held: &Held,
        body: &[u8],
    ) -> Result<(UpdateConsent, ConsentStatus), Refusal> {
        let mut object = ofp_jose::strict_object(body)
            .map_err(|e| Refusal::bad_request(format!("the body is not a JSON object: {e}")))?;
        let status = object.get("status").and_then(serde_json::Value::as_str);
        if status.and_then(ConsentStatus::lenient) == Some(ConsentStatus::Authorized) {
            // has no business there, but does no harm (G-10 is a should)
            object.remove("status_reason");
        }
        let update: UpdateConsent = serde_json::from_value(object.into())
            .map_err(|e| Refusal::bad_request(format!("the body: {e}")))?;
        let id = held.consent.consent_id.as_str();
        if let Some(other) = update.consent_id.as_deref().filter(|other| *other != id) {
            let reason = format!("consent_id in the body is {other}, in the path {id}");
            return Err(Refusal::bad_request(reason));
        }
        let read = if self.profile.strict_status_case {
            ConsentStatus::exact(&update.status)
        } else {
            ConsentStatus::lenient(&update.status)
        };
        match read {
            Some(status @ (ConsentStatus::Authorized | ConsentStatus::Rejected)) => {
                Ok((update, status))
            }
            _ => Err(Refusal::bad_request(format!(
                "status must be authorized or rejected, not `{}`",
                update.status
            ))),
        }
    }

    pub(super) fn check_approval(
        &self,
        dp: &DpRegistration,
        held: &Held,
        update: UpdateConsent,
    ) -> Result<Approval, Refusal> {
        let missing =
            |what: &str| Refusal::bad_request(format!("{what} is required when authorized"));
        let id_token = update.id_token;
        if id_token.is_none() && !self.profile.oidc_at_dp {
            return Err(missing("id_token"));
        }
        let identity = update.user_identity.ok_or_else(|| missing("user_identity"))?;
        let accounts =
            update.accounts.filter(|a| !a.is_empty()).ok_or_else(|| missing("accounts"))?;
        for account in &accounts {
            if account.account_number.is_empty() || account.account_name.is_empty() {
                let reason = "every account needs a non-empty account_number and account_name";
                return Err(Refusal::bad_request(reason));
            }
        }
        let mut ids: Vec<_> = accounts.iter().map(|account| &account.account_id).collect();
        ids.sort();
        ids.dedup();
        if ids.len() < accounts.len() {
            return Err(Refusal::bad_request("an account_id is there twice"));
        }
        let (subject, auth_time) = match id_token {
            None => (None, None),
            Some(token) => {
                let (subject, auth_time) = self.accept_id_token(dp, held, &identity, &token)?;
                (Some(subject), auth_time)
            }
        };
        Ok(Approval { accounts, identity, subject, auth_time })
    }

    /// `sub` and `auth_time` of an id_token that holds.
    fn accept_id_token(
        &self,
        dp: &DpRegistration,
        held: &Held,
        identity: &UserIdentity,
        token: &str,
    ) -> Result<(String, Option<i64>), Refusal> {
        if token.len() > LONGEST_ID_TOKEN {
            let length = token.len();
            return Err(Refusal::bad_request(format!(
                "id_token has {length} characters, at most {LONGEST_ID_TOKEN} are allowed"
            )));
        }
        CompactJws::parse(token)
            // its kid is a should, so any of the DP's keys will do
            .and_then(|jws| jws.verify_with_any(&dp.client.keys))
            .and_then(|verified| verified.claims())
            .and_then(|claims| self.check_id_token(dp, held, identity, &claims))
            .map_err(|e| Refusal::jws("id_token", &e))
    }

    pub(crate) fn check_id_token(
        &self,
        dp: &DpRegistration,
        held: &Held,
        identity: &UserIdentity,
        claims: &Claims,
    ) -> Result<(String, Option<i64>), JoseError> {
        let now = self.now();
        claims.equals("iss", &dp.issuer)?;
        claims.valid_from(now, AHEAD)?;
        self.addressed_to_dc_or_platform(held, claims)?;
        claims.not_expired(now)?;
        claims.issued_within("iat", now, i64::MAX / 4, AHEAD)?;
        if claims.0.contains_key("hashed_id_number") {
            claims.equals("hashed_id_number", &identity.hashed_id_number)?;
        }
        if claims.0.contains_key("id_type") {
            claims.equals("id_type", &identity.id_type)?;
        }
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 fit in 64 bits")]
        let auth_time = claims.numeric_date("auth_time")?.map(|seconds| seconds as i64);
        Ok((claims.text("sub")?.to_owned(), auth_time))
    }

    /// PayNet's sample addresses the DC although PayNet verifies: either will do.
    fn addressed_to_dc_or_platform(&self, held: &Held, claims: &Claims) -> Result<(), JoseError> {
        let aud = claims.audience()?;
        let dc = &held.consent.dc_id;
        let client = self.dc(dc).map(|dc| dc.client.client_id.as_str()).unwrap_or_default();
        let known = [dc.as_str(), self.issuer.as_str(), PLATFORM_AUDIENCE, client];
        let as_client = self.profile.oidc_at_dp.then_some(PAYNET_CLIENT_ID);
        if known.into_iter().chain(as_client).any(|name| aud.contains(name)) {
            return Ok(());
        }
        Err(JoseError::WrongAudience { expected: dc.to_string(), actual: aud.to_string() })
    }
}

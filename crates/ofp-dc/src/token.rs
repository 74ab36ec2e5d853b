//! Redeems the code.

use ofp_net::Reply;
use ofp_types::{AccountId, ConsentId, DpId, PLATFORM_AUDIENCE, wire::TokenResponse};
use serde::{Deserialize, Serialize};

use crate::{
    DcError, MockDc, Pending,
    client::{parse, success},
};
use ofp_jose::{CompactJws, JoseError, KeyUse};

const WHAT: &str = "token request";

/// A customer's accounts, linked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Linked {
    /// The token that reads them.
    pub access_token: String,
    /// The token that gets another one, as long as the consent.
    pub refresh_token: String,
    /// The consent behind it.
    pub consent_id: ConsentId,
    /// Who has them.
    pub dp_id: DpId,
    /// Which.
    pub accounts: Vec<AccountId>,
}

#[derive(Deserialize)]
struct Details {
    consent: DetailConsent,
}

#[derive(Deserialize)]
struct DetailConsent {
    consent_id: ConsentId,
    dp_id: DpId,
    #[serde(default)]
    accounts: Vec<DetailAccount>,
    #[serde(default)]
    account_access: Option<AccountAccess>,
}

#[derive(Deserialize)]
struct AccountAccess {
    accounts: Vec<DetailAccount>,
}

#[derive(Deserialize)]
struct DetailAccount {
    account_id: AccountId,
}

impl MockDc {
    /// Redeems the code that the browser brought back for `pending`.
    ///
    /// # Errors
    /// [`DcError`]: no code yet, PayNet's refusal, or an id_token that does not hold.
    pub async fn exchange_code(&self, pending: &Pending) -> Result<Linked, DcError> {
        let code = self.landed_code(&pending.state)?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &self.redirect_uri()),
            ("code_verifier", &pending.code_verifier),
        ];
        let response: TokenResponse = parse(WHAT, &self.token_request(WHAT, &form).await?)?;
        self.check_id_token(response.id_token.as_deref(), pending).await?;
        let linked = linked(response)?;
        self.remember(&linked);
        Ok(linked)
    }

    /// A request to the token endpoint that must succeed.
    pub(crate) async fn token_request(
        &self,
        what: &'static str,
        fields: &[(&str, &str)],
    ) -> Result<Reply, DcError> {
        let url = &self.metadata().await?.token_endpoint;
        success(what, self.authenticated_form(what, url, fields).await?, 200)
    }

    pub(crate) async fn authenticated_form(
        &self,
        what: &'static str,
        url: &str,
        fields: &[(&str, &str)],
    ) -> Result<Reply, DcError> {
        let id = self.new_interaction();
        let call = self.form(url, fields).header("x-fapi-interaction-id", id.as_str());
        self.send(what, call).await
    }

    /// OpenID Connect Core §3.1.3.7.
    async fn check_id_token(&self, token: Option<&str>, pending: &Pending) -> Result<(), DcError> {
        let token = token.ok_or_else(|| DcError::protocol(WHAT, "there is no id_token"))?;
        let jose = DcError::jose("id_token of PayNet");
        let jws = CompactJws::parse(token).map_err(&jose)?;
        let kid = jws.kid().ok_or(JoseError::KidMissing).map_err(&jose)?;
        let keys = self.paynet_keys.holding(kid, KeyUse::Sig).await.map_err(&jose)?;
        let claims = jws.verify(&keys).and_then(|v| v.claims()).map_err(&jose)?;
        claims.equals("iss", self.config.issuer.as_str()).map_err(&jose)?;
        claims.addressed_to(self.config.client_id.as_str()).map_err(&jose)?;
        claims.not_expired(self.clock.now()).map_err(&jose)?;
        claims.equals("nonce", &pending.nonce).map_err(&jose)
    }
}

fn linked(response: TokenResponse) -> Result<Linked, DcError> {
    let details = response.authorization_details.unwrap_or_default();
    let details: Vec<Details> = serde_json::from_value(details)
        .map_err(|e| DcError::protocol(WHAT, format!("authorization_details: {e}")))?;
    let Ok([Details { consent }]) = <[Details; 1]>::try_from(details) else {
        let reason = format!("authorization_details must hold one consent for {PLATFORM_AUDIENCE}");
        return Err(DcError::protocol(WHAT, reason));
    };
    let nested = consent.account_access.map(|access| access.accounts).unwrap_or_default();
    let accounts = if consent.accounts.is_empty() { nested } else { consent.accounts };
    Ok(Linked {
        access_token: response.access_token,
        refresh_token: response
            .refresh_token
            .ok_or_else(|| DcError::protocol(WHAT, "there is no refresh_token"))?,
        consent_id: consent.consent_id,
        dp_id: consent.dp_id,
        accounts: accounts.into_iter().map(|account| account.account_id).collect(),
    })
}

//! What the DC does with a consent and its tokens besides reading data.

use ofp_net::{Reply, Request};
use ofp_types::{
    ConsentId, StatusReason,
    wire::{LifeCycleRequest, TokenResponse},
};
use serde_json::Value;

use crate::{
    DcError, Linked, MockDc,
    client::{parse, success},
};

/// A change of a consent that a DC may ask for (B7, B8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentChange {
    /// Ends it.
    Revoke,
    /// Puts it on hold.
    Suspend,
    /// Lifts the hold.
    Reactivate,
}

impl ConsentChange {
    fn verb(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::Suspend => "suspend",
            Self::Reactivate => "reactivate",
        }
    }
}

impl MockDc {
    /// A fresh access token for a link; its refresh token stays the same.
    ///
    /// # Errors
    /// [`DcError`], with PayNet's answer when it refused.
    pub async fn refresh(&self, linked: &Linked) -> Result<Linked, DcError> {
        const WHAT: &str = "refresh";
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", linked.refresh_token.as_str())];
        let response: TokenResponse = parse(WHAT, &self.token_request(WHAT, &form).await?)?;
        if response.refresh_token.as_ref().is_some_and(|token| *token != linked.refresh_token) {
            return Err(DcError::protocol(WHAT, "PayNet rotated the refresh token"));
        }
        let fresh = Linked { access_token: response.access_token, ..linked.clone() };
        self.remember(&fresh);
        Ok(fresh)
    }

    /// Tells PayNet that a token is no longer needed (A11).
    ///
    /// # Errors
    /// [`DcError`], with PayNet's answer when it refused.
    pub async fn revoke_token(&self, token: &str) -> Result<(), DcError> {
        const WHAT: &str = "token revocation";
        let url = &self.metadata().await?.revocation_endpoint;
        let reply = self.authenticated_form(WHAT, url, &[("token", token)]).await?;
        success(WHAT, reply, 200).map(drop)
    }

    /// What PayNet says of a token (A10).
    ///
    /// # Errors
    /// [`DcError`], with PayNet's answer when it refused.
    pub async fn introspect(&self, token: &str) -> Result<Value, DcError> {
        const WHAT: &str = "introspection";
        let url = &self.metadata().await?.introspection_endpoint;
        let reply = self.authenticated_form(WHAT, url, &[("token", token)]).await?;
        parse(WHAT, &success(WHAT, reply, 200)?)
    }

    /// Asks PayNet to change a consent.
    ///
    /// # Errors
    /// [`DcError::Network`] and what a token of the DC's own needs; PayNet's answer comes back as it is.
    pub async fn change_consent(
        &self,
        consent: &ConsentId,
        change: ConsentChange,
        reason: Option<StatusReason>,
    ) -> Result<Reply, DcError> {
        let request = LifeCycleRequest { updated_by: None, status_reason: reason };
        let body = serde_json::to_vec(&request).unwrap_or_default();
        let path = format!("/v1/consents/{consent}/{}", change.verb());
        let mut call = self.own_call(&path).await?.header("content-type", "application/json");
        call.method = http::Method::POST;
        call.body = body;
        self.send("consent change", call).await
    }

    /// A consent as PayNet holds it (B6).
    ///
    /// # Errors
    /// As [`MockDc::change_consent`].
    pub async fn retrieve_consent(&self, consent: &ConsentId) -> Result<Reply, DcError> {
        let call = self.own_call(&format!("/v1/consents/{consent}")).await?;
        self.send("consent retrieval", call).await
    }

    /// The directory of DPs (B1).
    ///
    /// # Errors
    /// As [`MockDc::change_consent`].
    pub async fn providers(&self) -> Result<Reply, DcError> {
        let call = self.own_call("/v1/providers").await?;
        self.send("directory request", call).await
    }

    /// Who the customer is (A12).
    ///
    /// # Errors
    /// [`DcError::Network`]; PayNet's answer comes back as it is.
    pub async fn userinfo(&self, linked: &Linked) -> Result<Reply, DcError> {
        let url = &self.metadata().await?.userinfo_endpoint;
        let call = Request::get(url, self.config.deadline)
            .header("authorization", format!("Bearer {}", linked.access_token))
            .header("x-fapi-interaction-id", self.new_interaction().as_str());
        self.send("userinfo", call).await
    }

    /// A token for the DC itself.
    ///
    /// # Errors
    /// [`DcError`], with PayNet's answer when it refused.
    pub async fn own_token(&self) -> Result<String, DcError> {
        const WHAT: &str = "token request";
        let form = [("grant_type", "client_credentials"), ("scope", "accounts")];
        let response: TokenResponse = parse(WHAT, &self.token_request(WHAT, &form).await?)?;
        Ok(response.access_token)
    }

    /// A call of the RS with a token of the DC's own.
    async fn own_call(&self, path: &str) -> Result<Request, DcError> {
        let token = self.own_token().await?;
        Ok(Request::get(self.config.paynet_rs.join(path), self.config.deadline)
            .header("authorization", format!("Bearer {token}"))
            .header("x-fapi-interaction-id", self.new_interaction().as_str()))
    }
}

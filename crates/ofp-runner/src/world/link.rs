//! A consent in one go: the whole journey with a test customer's usual choices.

use ofp_dc::{ConsentRequest, DcError, Linked, Reading, Resource};
use ofp_scenario::Pick;
use ofp_types::AccountId;

use super::World;
use crate::customer::{Visit, VisitError};

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is what it carries")]
pub enum LinkError {
    #[error("{0}")]
    Dc(#[from] DcError),
    #[error("the customer: {0}")]
    Customer(String),
    #[error("the DP's test data has no customer `{0}`")]
    NoCustomer(String),
}

impl From<VisitError> for LinkError {
    fn from(error: VisitError) -> Self {
        Self::Customer(error.to_string())
    }
}

impl World {
    /// The DC asks, `username` logs in, shares every eligible account and approves, the DC redeems the
    /// code.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn link(
        &self,
        username: &str,
        request: &ConsentRequest,
    ) -> Result<Linked, LinkError> {
        let customer = self.settings.customers.iter().find(|one| one.username == username);
        let customer = customer.ok_or_else(|| LinkError::NoCustomer(username.to_owned()))?;
        let password = customer.password.as_str();
        let pending = self.dc.request_consent(request).await?;
        let consent = self.paynet.consent_of_request(&pending.state);
        let mut visit = Visit::new(&self.customer, &self.journal, consent);
        visit.arrive(&pending.authorize_url).await?;
        visit.log_in(username, password, true).await?;
        visit.select(&Pick::All).await?;
        visit.decide(true).await?;
        visit.go_back().await?;
        Ok(self.dc.exchange_code(&pending).await?)
    }

    /// The DC reads data of an account.
    ///
    /// # Errors
    /// [`DcError`] when there is no answer.
    pub async fn read(
        &self,
        linked: &Linked,
        account: &AccountId,
        resource: Resource,
    ) -> Result<Reading, DcError> {
        self.dc.read(linked, account, resource, &[]).await
    }

    /// The DC gets a fresh access token.
    ///
    /// # Errors
    /// [`DcError`].
    pub async fn refresh(&self, linked: &Linked) -> Result<Linked, DcError> {
        self.dc.refresh(linked).await
    }

    /// The DC gets a token of its own, which it does not keep.
    ///
    /// # Errors
    /// [`DcError`].
    pub async fn own_token(&self) -> Result<(), DcError> {
        self.dc.own_token().await.map(drop)
    }
}

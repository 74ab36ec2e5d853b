//! The Data Provider as PayNet, the DC and the checks know it.

use ofp_checks::{TestAccount, TestCustomer};
use ofp_dp::{AccountKind, Bank};
use ofp_jose::{JwkSet, KeySet};
use ofp_net::Trust;
use ofp_pki::{Party, Pki};
use ofp_types::{ClientId, DpId, DpVariant, Kid, Origin};

use super::{
    WorldError, WorldOptions,
    participants::{DP_CLIENT_ID, DP_ID, keys},
    sockets::Origins,
};
use crate::target::Target;

/// The Data Provider as PayNet, the DC and the checks know it.
pub(super) struct Provider {
    pub(super) dp_id: DpId,
    pub(super) client_id: ClientId,
    pub(super) name: String,
    /// `iss` of its id_tokens.
    pub(super) issuer: String,
    /// Whether it authenticates with an assertion, else with its certificate alone.
    pub(super) uses_assertion: bool,
    /// The client certificate that it may present.
    pub(super) certificate: Kid,
    pub(super) jwks: JwkSet,
    pub(super) as_webhooks: Origin,
    pub(super) rs_webhooks: Origin,
    pub(super) server_trust: Trust,
    pub(super) client_trust: Trust,
    pub(super) customers: Vec<TestCustomer>,
    /// Whether its private keys are ours, so that somebody else can be made to use them.
    pub(super) keys_are_ours: bool,
}

impl Provider {
    /// The one that the options name.
    pub(super) fn of(
        options: &WorldOptions,
        pki: &Pki,
        origins: &Origins,
        bank: &Bank,
    ) -> Result<Self, WorldError> {
        let uses_assertion = !options.variants.contains(&DpVariant::TlsClientAuth);
        match &options.target {
            Some(target) => Self::of_target(target, pki),
            None => Self::reference(pki, origins, bank, uses_assertion),
        }
    }

    /// Ours.
    fn reference(
        pki: &Pki,
        origins: &Origins,
        bank: &Bank,
        uses_assertion: bool,
    ) -> Result<Self, WorldError> {
        Ok(Self {
            dp_id: DpId::parse(DP_ID)?,
            client_id: ClientId::parse(DP_CLIENT_ID)?,
            name: "Reference DP".into(),
            issuer: origins.dp.to_string(),
            uses_assertion,
            certificate: pki.dp.client.thumbprint()?,
            jwks: pki.jwks(Party::Dp)?,
            as_webhooks: origins.dp_webhooks.clone(),
            rs_webhooks: origins.dp_rs_webhooks.clone(),
            server_trust: (&pki.ca).into(),
            client_trust: (&pki.ca).into(),
            customers: bank.books().customers.iter().map(test_customer).collect(),
            keys_are_ours: true,
        })
    }

    /// Somebody else's.
    fn of_target(target: &Target, pki: &Pki) -> Result<Self, WorldError> {
        let ours = pki.dp.client.thumbprint()?;
        let signing = pki.dp.signing.thumbprint()?;
        let signs_with_ours =
            target.jwks.keys.iter().any(|key| key.kid.as_deref() == Some(signing.as_str()));
        Ok(Self {
            dp_id: target.file.dp_id.clone(),
            client_id: target.file.client.id.clone(),
            name: target.file.name.clone(),
            issuer: target.file.issuer.value.clone(),
            uses_assertion: target.uses_assertion(),
            certificate: target.client_thumbprint.clone(),
            jwks: target.jwks.clone(),
            as_webhooks: target.as_webhooks.clone(),
            rs_webhooks: target.rs_webhooks.clone(),
            server_trust: target.server_trust.clone(),
            client_trust: target.client_trust.clone(),
            customers: target.customers.clone(),
            keys_are_ours: ours == target.client_thumbprint && signs_with_ours,
        })
    }

    pub(super) fn keys(&self) -> KeySet {
        keys(&self.name, &self.jwks)
    }
}

fn test_customer(customer: &ofp_dp::Customer) -> TestCustomer {
    let account = |account: &ofp_dp::Account| TestAccount {
        number: account.shown_number(),
        full_number: account.number.clone(),
        name: account.name.clone(),
        is_card: account.kind == AccountKind::CreditCard,
        balance: Some(account.balance.clone()),
    };
    let (password, id_number) = customer.test_credentials();
    TestCustomer {
        username: customer.username.clone(),
        password: password.to_owned(),
        id_number: Some(id_number.chars().filter(char::is_ascii_digit).collect()),
        accounts: customer.accounts.iter().map(account).collect(),
    }
}

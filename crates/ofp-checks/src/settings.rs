//! What a check must know besides the evidence.

use ofp_jose::KeySet;
use ofp_types::{ClientId, DcId, DpId, Kid, Profile};

/// What a check must know besides the evidence: who the DP is, and what its test data says.
#[derive(Debug)]
pub struct Settings {
    /// The reading of the specification.
    pub profile: Profile,
    /// The DP's id.
    pub dp_id: DpId,
    /// The DP's client at PayNet's AS.
    pub dp_client_id: ClientId,
    /// `iss` of the DP's id_tokens.
    pub dp_issuer: String,
    /// The DP's registered signing keys.
    pub dp_keys: KeySet,
    /// Whether the DP authenticates with an assertion (else with its certificate alone).
    pub dp_uses_assertion: bool,
    /// PayNet's issuer.
    pub paynet_issuer: String,
    /// Where PayNet lets DPs return the browser to.
    pub paynet_callback: String,
    /// The DC's id.
    pub dc_id: DcId,
    /// The DC's name and client, by which a page may call it instead.
    pub dc_names: Vec<String>,
    /// The DC's encryption key.
    pub dc_enc_kid: Kid,
    /// The customers in the DP's test data.
    pub customers: Vec<TestCustomer>,
}

/// A customer in the DP's test data.
#[derive(Debug, Clone)]
pub struct TestCustomer {
    /// What they log in with.
    pub username: String,
    /// What they log in with.
    pub password: String,
    /// Their id number, digits only, if known.
    pub id_number: Option<String>,
    /// Their accounts.
    pub accounts: Vec<TestAccount>,
}

/// An account in the DP's test data.
#[derive(Debug, Clone)]
pub struct TestAccount {
    /// As the DP shows and sends it.
    pub number: String,
    /// As the bank knows it, where that differs.
    pub full_number: String,
    /// As the customer knows it.
    pub name: String,
    /// Whether it is a credit card.
    pub is_card: bool,
    /// Its balance, if known.
    pub balance: Option<String>,
}

impl Settings {
    /// The account whose number, as sent, is `number`.
    pub(crate) fn account(&self, number: &str) -> Option<&TestAccount> {
        self.customers
            .iter()
            .flat_map(|customer| &customer.accounts)
            .find(|account| account.number == number || account.full_number == number)
    }

    /// The accounts of everybody but the customer who can log in with `username`.
    pub(crate) fn accounts_of_others(&self, username: &str) -> impl Iterator<Item = &TestAccount> {
        self.customers
            .iter()
            .filter(move |customer| customer.username != username)
            .flat_map(|customer| &customer.accounts)
    }

    /// Texts that identify a customer: never to be sent or shown in clear.
    pub(crate) fn clear_identities(&self) -> impl Iterator<Item = &str> {
        self.customers.iter().filter_map(|customer| customer.id_number.as_deref())
    }
}

//! What a check must know besides the evidence.

use ofp_jose::{JwkSet, KeySet};
use ofp_types::{ClientId, DcId, DpId, Kid, Profile};
use serde::{Deserialize, Serialize};

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
    /// The same, as published.
    pub dp_jwks: JwkSet,
    /// Whether the DP authenticates with an assertion (else with its certificate alone).
    pub dp_uses_assertion: bool,
    /// PayNet's issuer.
    pub paynet_issuer: String,
    /// Where PayNet lets DPs return the browser to.
    pub paynet_callback: String,
    /// The DC's id.
    pub dc_id: DcId,
    /// The DC's client at PayNet's AS.
    pub dc_client_id: ClientId,
    /// The DC's registered name, by which a page may call it instead.
    pub dc_names: Vec<String>,
    /// The DC's encryption key.
    pub dc_enc_kid: Kid,
    /// The customers in the DP's test data.
    pub customers: Vec<TestCustomer>,
}

/// A customer in the DP's test data.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    /// The customer who logs in with `username`.
    pub(crate) fn customer(&self, username: &str) -> Option<&TestCustomer> {
        self.customers.iter().find(|customer| customer.username == username)
    }

    /// The account that a label or a number means: by its number however it is grouped or masked,
    /// else by its name.
    pub(crate) fn resolve(&self, text: &str) -> Option<&TestAccount> {
        let accounts = || self.customers.iter().flat_map(|customer| &customer.accounts);
        let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        accounts()
            .find(|a| bare.contains(&a.full_number) || bare.contains(&a.number))
            .or_else(|| accounts().find(|account| is_masked_form(&bare, &account.full_number)))
            .or_else(|| accounts().find(|a| !a.name.is_empty() && text.contains(&a.name)))
    }

    /// Whether a label on a page and an account number mean the same account, where that can be told:
    /// by the test data, else by the digits in the label, which may be masked.
    pub(crate) fn same_account(&self, label: &str, number: &str) -> Option<bool> {
        if let Some(account) = self.resolve(number) {
            return self.resolve(label).map(|labelled| labelled.number == account.number);
        }
        let bare: String = label.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if number.is_empty() || bare.contains(number) || is_masked_form(&bare, number) {
            return Some(!number.is_empty());
        }
        let digits = bare.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() >= 4);
        digits.then_some(false)
    }

    /// Whether anything is known by which a leak could be noticed.
    pub(crate) fn knows_identities(&self) -> bool {
        self.clear_identities().next().is_some()
    }

    /// What of a customer stands in clear in a JSON text: an id number, a mobile number or a
    /// password.
    pub(crate) fn leak(&self, text: &str) -> Option<&'static str> {
        let bare: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        let secret = |customer: &TestCustomer| {
            customer.password != customer.username
                && text.contains(&format!("\"{}\"", customer.password))
        };
        if self.clear_identities().any(|id| bare.contains(id)) {
            Some("the customer's id number")
        } else if bare.contains("+601") {
            Some("a mobile number")
        } else if text.contains("\"password\"") || self.customers.iter().any(secret) {
            Some("a password")
        } else {
            None
        }
    }

    /// Texts that identify a customer: never to be sent or shown in clear.
    pub(crate) fn clear_identities(&self) -> impl Iterator<Item = &str> {
        self.customers.iter().filter_map(|customer| customer.id_number.as_deref())
    }
}

/// Whether `bare` ends in a masked form of `number`: its last four digits behind a mask, and what
/// stands before the mask, if it is digits, its beginning.
fn is_masked_form(bare: &str, number: &str) -> bool {
    let Some(last) = number.get(number.len().saturating_sub(4)..).filter(|l| l.len() == 4) else {
        return false;
    };
    let Some(head) = bare.strip_suffix(last) else { return false };
    let unmasked = head.trim_end_matches(['*', 'X', 'x', '•', '.', '#']);
    let digits = unmasked.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    unmasked.len() < head.len() && number.starts_with(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody() -> Settings {
        let id = "id".to_owned();
        Settings {
            profile: Profile::default(),
            dp_id: DpId::parse(id.clone()).unwrap(),
            dp_client_id: ClientId::parse(id.clone()).unwrap(),
            dp_issuer: String::new(),
            dp_keys: KeySet::new("the DP", Vec::new()),
            dp_jwks: JwkSet { keys: Vec::new() },
            dp_uses_assertion: true,
            paynet_issuer: String::new(),
            paynet_callback: String::new(),
            dc_id: DcId::parse(id.clone()).unwrap(),
            dc_client_id: ClientId::parse(id).unwrap(),
            dc_names: Vec::new(),
            dc_enc_kid: Kid::parse("k".repeat(43)).unwrap(),
            customers: Vec::new(),
        }
    }

    #[test]
    fn accounts_that_no_test_data_knows_are_told_by_their_digits() {
        let settings = nobody();
        for (label, number, same) in [
            ("Savings 1140 9876 5432", "114098765432", Some(true)),
            ("Savings ****5432", "114098765432", Some(true)),
            ("Savings 114098765433", "114098765432", Some(false)),
            ("My money", "114098765432", None),
            ("Savings 114098765432", "", Some(false)),
        ] {
            assert_eq!(settings.same_account(label, number), same, "{label}");
        }
    }

    #[test]
    fn masked_numbers_are_recognised() {
        let number = "5196030012345678";
        for masked in
            ["519603******5678", "519603*5678", "XXXXXXXXXXXX5678", "Card****5678", "....5678"]
        {
            assert!(is_masked_form(masked, number), "{masked}");
        }
        for other in ["519604******5678", "5678", "519603******5679", ""] {
            assert!(!is_masked_form(other, number), "{other}");
        }
    }
}

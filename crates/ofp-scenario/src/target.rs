//! The target file: a Data Provider (DP) that is not ours, where it answers, and how its customers are played.

use ofp_types::{ClientId, DpId, InvalidOrigin, Origin};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::{CustomerSpec, Diagnostic, Driver, Located, Source, TextOr, decode::decode, yaml};

/// A Data Provider under test: who it is, where it answers, and how its customers are played. Paths are relative to this file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetFile {
    /// What the DP is called in reports.
    pub name: String,
    /// The reading of the specification: a built-in name (`ofp-sim list profiles`), or a YAML file of switches.
    #[serde(default)]
    pub profile: Option<Located<String>>,
    /// The DP's id at PayNet, such as `DP9876543210`.
    #[schemars(with = "String")]
    pub dp_id: DpId,
    /// `iss` of the DP's id_tokens, an https URL: what it is registered with at PayNet.
    pub issuer: Located<String>,
    /// The DP's client at PayNet's Authorization Server.
    pub client: TargetClient,
    /// Base URL of the DP's webhooks (D1 to D7), behind mutual TLS; or `as` for D1 to D3 and `rs` for D4 to D7.
    pub webhooks: Located<TextOr<TargetWebhooks>>,
    /// Certificates of the DP's connections.
    pub tls: TargetTls,
    /// The key that the DP signs with.
    pub signing: Located<TargetSigning>,
    /// Where the simulated PayNet and Data Consumer (DC) answer.
    #[serde(default)]
    pub listen: Listen,
    /// What the DP claims to offer; what belongs to the rest is not applicable. Drop 1 is always in it.
    #[serde(default)]
    pub scope: Vec<ScopeWord>,
    /// Who plays the customer, and how.
    #[serde(default)]
    pub customer: Option<Located<CustomerSpec>>,
    /// Customers and accounts that exist in the DP's test data.
    pub test_data: TestData,
    /// Commands that do to the DP what nobody can do from outside.
    #[serde(default)]
    pub hooks: Hooks,
    /// Folder of this DP's own snapshots; without it none are compared.
    #[serde(default)]
    pub snapshots: Option<Located<String>>,
}

/// The DP's client at PayNet's Authorization Server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetClient {
    /// Its `client_id`.
    #[schemars(with = "String")]
    pub id: ClientId,
    /// How it authenticates at the token endpoint.
    #[serde(default)]
    pub auth: ClientAuthWord,
}

/// How a client authenticates at the token endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthWord {
    /// A signed assertion (RFC 7523).
    #[default]
    PrivateKeyJwt,
    /// The client certificate alone (RFC 8705 §2.1).
    TlsClientAuth,
}

/// Base URLs of the DP's webhooks, where they differ.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetWebhooks {
    /// For events, authorize and userinfo (D1 to D3).
    #[serde(rename = "as")]
    #[schemars(with = "String")]
    pub authorization: Origin,
    /// For health, account, balances and transactions (D4 to D7).
    #[serde(rename = "rs")]
    #[schemars(with = "String")]
    pub resource: Origin,
}

/// Certificates of the DP's connections, as PEM files.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetTls {
    /// The CA that the DP's server certificates come from, or a bundle of them.
    pub server_ca: Located<String>,
    /// The certificate that the DP presents when it calls PayNet.
    pub client_certificate: Located<String>,
    /// The CA that it comes from; without it the certificate itself is trusted, and no other.
    #[serde(default)]
    pub client_ca: Option<Located<String>>,
    /// Whether the DP knows PayNet's next client certificate, `paynet/next-client.pem` of the folder of keys, beside
    /// the present one: only then A-15 is tested.
    #[serde(default)]
    pub next_paynet_certificate: bool,
}

/// The key that the DP signs with: one of the two.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetSigning {
    /// Its certificate as a PEM file; the `kid` is its thumbprint.
    #[serde(default)]
    pub certificate: Option<Located<String>>,
    /// A JWK set: a file, or an https URL that is fetched once at start.
    #[serde(default)]
    pub jwks: Option<Located<String>>,
}

/// Where the simulated PayNet and DC answer. The DP must be configured with these addresses.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// The local address to listen on.
    pub bind: String,
    /// The host name by which the DP calls PayNet, and the browser PayNet and the DC. It gets into the certificates.
    pub host: String,
    /// Port of PayNet's public Authorization Server, which is also the issuer; 0 for a free one.
    #[serde(rename = "as")]
    pub authorization: u16,
    /// Port of PayNet's Authorization Server behind mutual TLS; 0 for a free one.
    #[serde(rename = "as_mtls")]
    pub authorization_mtls: u16,
    /// Port of PayNet's Resource Server behind mutual TLS; 0 for a free one.
    #[serde(rename = "rs")]
    pub resource: u16,
    /// Port of the DC's pages; 0 for a free one.
    pub dc: u16,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            bind: "127.0.0.1".into(),
            host: "localhost".into(),
            authorization: 8441,
            authorization_mtls: 8442,
            resource: 8443,
            dc: 8444,
        }
    }
}

/// A part of the platform that a DP may claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScopeWord {
    /// The mandatory first drop: events, authorize, userinfo, balances, Update Consent.
    #[serde(rename = "drop-1")]
    #[schemars(rename = "drop-1")]
    Drop1,
    /// Account information (D5).
    Accounts,
    /// Transactions (D7).
    Transactions,
}

impl ScopeWord {
    /// Everything that there is.
    pub const ALL: [Self; 3] = [Self::Drop1, Self::Accounts, Self::Transactions];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Drop1 => "drop-1",
            Self::Accounts => "accounts",
            Self::Transactions => "transactions",
        }
    }
}

/// What exists in the DP's test data.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestData {
    /// Customers, the first of whom plays unless a scenario says otherwise.
    pub customers: Located<Vec<TestCustomerSpec>>,
}

/// A customer in the DP's test data.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestCustomerSpec {
    /// What they log in with.
    pub username: String,
    /// What they log in with: `{ env: NAME }` or `{ file: PATH }`, or the text itself for a throwaway one.
    pub password: Located<TextOr<SecretSource>>,
    /// What kind of document `id_number` is of: `nric`, `passport`, `army_id` ...
    #[serde(default)]
    pub id_type: Option<String>,
    /// Their id number, to see whether it leaks and whether its hash is right.
    #[serde(default)]
    pub id_number: Option<Located<TextOr<SecretSource>>>,
    /// Their accounts.
    #[serde(default)]
    pub accounts: Vec<TestAccountSpec>,
    /// Whether repeated wrong passwords may lock them out: scenarios that do so are played only with such customers.
    #[serde(default)]
    pub may_be_locked: bool,
}

/// An account in the DP's test data.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestAccountSpec {
    /// Its id in the DP's answers, where it is known.
    #[serde(default)]
    pub id: Option<String>,
    /// Its number, as the bank knows it.
    pub number: String,
    /// As the customer knows it.
    pub name: String,
    /// Its balance, such as `1024.50`, where it stands still.
    #[serde(default)]
    pub balance: Option<String>,
    /// What it is.
    #[serde(default)]
    pub kind: AccountKindWord,
}

/// What an account is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountKindWord {
    /// Current or savings.
    #[default]
    Casa,
    /// A credit card: its number is masked.
    CreditCard,
    /// Anything else.
    Other,
}

/// Commands that do to the DP what nobody can do from outside. Each is a program and its arguments.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hooks {
    /// Restarts the DP: when the command ends, the old process is gone; the new one need not be up yet.
    pub restart: Vec<String>,
    /// Makes the DP forget the JWK sets that it has fetched.
    pub flush_jwks: Vec<String>,
    /// Makes the DP's core banking unreachable.
    pub core_down: Vec<String>,
    /// Makes it reachable again.
    pub core_up: Vec<String>,
    /// Makes the DP revoke a consent: its id is the last argument.
    pub revoke: Vec<String>,
    /// Sets an account's status: its id and `active`, `blocked` or `closed` are the last arguments.
    pub set_account: Vec<String>,
}

/// Where a secret comes from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// The first line of a file.
    File(String),
}

/// Reads a target file.
///
/// # Errors
/// The problems, with their places in the text: one if it is not of the right shape, else all.
pub fn parse_target(source: &Source) -> Result<TargetFile, Vec<Diagnostic>> {
    let tree = yaml::parse(&source.text).map_err(|problem| vec![problem])?;
    let file: TargetFile = decode(&tree).map_err(|problem| vec![problem.about("target")])?;
    let problems = file.problems();
    if problems.is_empty() { Ok(file) } else { Err(problems) }
}

impl TargetFile {
    /// What the types cannot say.
    fn problems(&self) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        let mut add = |title: &str, at: &std::ops::Range<usize>, help: &str| {
            let problem = Diagnostic::new("target", title, at.clone(), "here");
            problems.push(problem.help(help));
        };
        let signing = &self.signing;
        if signing.value.certificate.is_some() == signing.value.jwks.is_some() {
            let title = "`signing` needs `certificate` or `jwks`, and not both";
            add(title, &signing.span, "certificate: dp-sig.pem, or jwks: a file or an https URL");
        }
        let customers = &self.test_data.customers;
        if customers.value.is_empty() {
            let help = "at least one customer, with the accounts that they may share";
            add("nobody could log in: `customers` is empty", &customers.span, help);
        }
        if let Some(customer) = &self.customer
            && customer.value.driver == Driver::Command
            && customer.value.command.is_empty()
        {
            let help = "command: [./drive, --headless]";
            add("driver `command` needs the key `command`", &customer.span, help);
        }
        if self.issuer().is_err() {
            let title = "an issuer is an https URL (RFC 8414 §2)";
            add(title, &self.issuer.span, "https://dp.bank.test");
        }
        if let Err(wrong) = self.webhooks() {
            add(&wrong.to_string(), &self.webhooks.span, "https://dp.bank.test:9443");
        }
        problems
    }

    /// The base URL of the issuer.
    ///
    /// # Errors
    /// [`InvalidOrigin`] when it is no https URL.
    pub fn issuer(&self) -> Result<Origin, InvalidOrigin> {
        let text = &self.issuer.value;
        let url = Url::parse(text).map_err(|_| InvalidOrigin { got: text.clone() })?;
        Origin::of(&url)
    }

    /// Base URLs of the webhooks, D1 to D3 and D4 to D7.
    ///
    /// # Errors
    /// [`InvalidOrigin`] with what stands there instead.
    pub fn webhooks(&self) -> Result<TargetWebhooks, InvalidOrigin> {
        match &self.webhooks.value {
            TextOr::Map(two) => Ok(two.clone()),
            TextOr::Text(one) => {
                let authorization = Origin::parse(one)?;
                Ok(TargetWebhooks { resource: authorization.clone(), authorization })
            }
        }
    }

    /// Who plays the customer, and how.
    #[must_use]
    pub fn customer(&self) -> CustomerSpec {
        self.customer.as_ref().map(|customer| customer.value.clone()).unwrap_or_default()
    }
}

/// The JSON Schema (draft-07) of a target file.
#[must_use]
pub fn target_schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft07();
    let schema = settings.into_generator().into_root_schema_for::<TargetFile>();
    serde_json::to_value(schema).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render;

    const GOOD: &str = r#"name: PayBank
dp_id: DP9876543210
issuer: https://dp.paybank.test
client: { id: 7f0c3c1e, auth: tls_client_auth }
webhooks: { as: https://localhost:9443, rs: https://localhost:9444 }
tls: { server_ca: ca.pem, client_certificate: client.pem }
signing: { certificate: sig.pem }
listen: { as: 0 }
scope: [drop-1, transactions]
customer: { driver: form, pages: { approve: "button.yes" } }
test_data:
  customers:
    - { username: paynet, password: { env: SECRET }, id_number: "900101145678", accounts: [ { number: "0123", name: Savings } ] }
"#;

    #[test]
    fn a_target_has_defaults() {
        let file = parse_target(&Source::new("t.yaml", GOOD)).unwrap();
        assert_eq!(file.client.auth, ClientAuthWord::TlsClientAuth);
        assert_eq!((file.listen.authorization, file.listen.resource), (0, 8443));
        let customer = &file.test_data.customers.value[0];
        assert_eq!(customer.accounts[0].number, "0123");
        assert!(
            matches!(&customer.password.value, TextOr::Map(SecretSource::Env(name)) if name == "SECRET")
        );
        assert!(matches!(file.webhooks(), Ok(hooks) if hooks.resource.as_str().ends_with(":9444")));
    }

    #[test]
    fn problems_name_line_and_cure() {
        for (from, to, wanted) in [
            ("dp_id:", "dpid:", "t.yaml:2:1"),
            ("dp_id:", "dpid:", "did you mean `dp_id`?"),
            ("certificate: sig.pem", "certificate: sig.pem, jwks: keys.json", "and not both"),
            ("https://localhost:9443", "http://localhost:9443", "a base URL must be https"),
            (
                "{ as: https://localhost:9443, rs: https://localhost:9444 }",
                "https://localhost:9443/hooks",
                "t.yaml:5:11",
            ),
            ("driver: form", "driver: command", "needs the key `command`"),
            ("driver: form", "driver: fom", "did you mean `form`?"),
            ("[drop-1, transactions]", "[drop-2]", "did you mean `drop-1`?"),
            ("issuer: https", "issuer: http", "an issuer is an https URL"),
            ("approve:", "aprove:", "did you mean `approve`?"),
            ("env: SECRET", "enviroment: SECRET", "not one of the known values"),
        ] {
            let source = Source::new("t.yaml", GOOD.replace(from, to));
            let problems = parse_target(&source).unwrap_err();
            let text: String = problems.iter().map(|p| render(&source, p, false)).collect();
            assert!(text.contains(wanted), "{from} -> {to}: {text}");
        }
    }

    #[test]
    fn the_schema_knows_every_key() {
        let schema = target_schema();
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert_eq!(schema["additionalProperties"], false);
        let described = |(name, schema): (&String, &serde_json::Value)| {
            assert!(schema["description"].is_string(), "{name}: {schema}");
        };
        let properties = schema["properties"].as_object().unwrap();
        properties.iter().for_each(described);
        for key in ["name", "dp_id", "webhooks", "listen", "hooks", "test_data"] {
            assert!(properties.contains_key(key), "{key}");
        }
    }
}

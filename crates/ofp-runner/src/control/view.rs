//! Everything that somebody outside must know of a world.

use ofp_checks::TestCustomer;
use ofp_net::SystemClock;
use ofp_pki::Party;
use ofp_types::Clock as _;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{World, target::Target};

/// Everything that somebody outside must know of a world: URLs, ids, certificates, test customers.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorldView {
    /// Version of ofp-sim.
    pub version: String,
    /// The reading of the specification.
    pub profile: String,
    /// When it was ready, RFC 3339.
    pub ready_at: String,
    /// Process id.
    pub pid: u32,
    /// The CA of every certificate, PEM; none when they are only in memory.
    pub ca: Option<String>,
    /// The platform.
    pub paynet: PaynetView,
    /// The clients of Data Consumers; the first is the mock DC's.
    pub dcs: Vec<DcView>,
    /// The reference DP.
    pub dp: DpView,
    /// Where a person begins: the mock DC's page, on which accounts are linked by hand.
    pub start: String,
    /// Who can log in at the DP.
    pub customers: Vec<CustomerView>,
    /// The control surface.
    pub control: ControlView,
}

/// The platform.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaynetView {
    /// The issuer: the public AS.
    pub issuer: String,
    /// Server metadata.
    pub discovery: String,
    /// The platform's JWK set.
    pub jwks_uri: String,
    /// The AS behind mutual TLS.
    pub as_mtls: String,
    /// The RS behind mutual TLS.
    pub rs: String,
    /// Folder of its keys and certificates.
    pub certificates: Option<String>,
    /// Id of its signing key, unless it has been rotated since.
    pub signing_kid: String,
}

/// A client of a Data Consumer.
#[derive(Debug, Serialize, ToSchema)]
pub struct DcView {
    /// The legal entity.
    pub dc_id: String,
    /// Its client.
    pub client_id: String,
    /// `private_key_jwt` or `tls_client_auth`.
    pub token_endpoint_auth_method: String,
    /// Where authorization responses may go.
    pub redirect_uris: Vec<String>,
    /// Folder of its keys and certificates.
    pub certificates: Option<String>,
    /// Id of its signing key.
    pub signing_kid: String,
    /// Id of its encryption key.
    pub encryption_kid: String,
}

/// The DP.
#[derive(Debug, Serialize, ToSchema)]
pub struct DpView {
    /// What it is called: `Reference DP`, or as its target file says.
    pub name: String,
    /// Its id.
    pub dp_id: String,
    /// Its client.
    pub client_id: String,
    /// `iss` of its id_tokens, where its pages are.
    pub issuer: String,
    /// Id of its signing key.
    pub signing_kid: String,
    /// Its webhooks.
    pub webhooks: String,
    /// The consent dashboard, of the reference DP.
    pub dashboard: Option<String>,
    /// Folder of its keys and certificates, of the reference DP.
    pub certificates: Option<String>,
}

/// A test customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerView {
    /// What they log in with.
    pub username: String,
    /// What they log in with.
    pub password: String,
    /// Their accounts, as they are shown.
    pub accounts: Vec<String>,
}

/// The control surface.
#[derive(Debug, Serialize, ToSchema)]
pub struct ControlView {
    /// Its base URL.
    pub url: String,
    /// `Authorization: Bearer` needs it.
    pub token: String,
    /// Its OpenAPI document.
    pub openapi: String,
}

impl WorldView {
    pub(super) fn of(world: &World, url: String, token: String) -> Self {
        let folder = world.pki.folder.clone();
        let absolute = |path: &std::path::Path| {
            let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            whole.display().to_string()
        };
        let of =
            |party: Party| folder.as_ref().map(|folder| absolute(&folder.join(party.folder())));
        let origins = &world.origins;
        let is_ours = world.dp.target().is_none();
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            profile: world.settings.profile.name.clone(),
            ready_at: SystemClock.now().to_string(),
            pid: std::process::id(),
            ca: folder.as_ref().map(|folder| absolute(&folder.join("ca.pem"))),
            paynet: PaynetView {
                issuer: origins.paynet_as.to_string(),
                discovery: origins.paynet_as.join("/.well-known/openid-configuration"),
                jwks_uri: origins.paynet_as.join("/v1/oauth/jwks/paynet"),
                as_mtls: origins.paynet_as_mtls.to_string(),
                rs: origins.paynet_rs.to_string(),
                certificates: of(Party::PayNet),
                signing_kid: kid(&world.pki.paynet.signing),
            },
            dcs: world
                .dcs()
                .into_iter()
                .map(|(party, dc)| DcView { certificates: of(party), ..dc })
                .collect(),
            dp: DpView {
                name: world.dp.target().map_or("Reference DP", Target::name).to_owned(),
                dp_id: world.dp_id.to_string(),
                client_id: world.settings.dp_client_id.to_string(),
                issuer: origins.dp.to_string(),
                signing_kid: signing_kid(world),
                webhooks: origins.dp_webhooks.to_string(),
                dashboard: is_ours.then(|| origins.dp.join("/dashboard")),
                certificates: of(Party::Dp).filter(|_| is_ours),
            },
            start: world.dc.front_page(),
            customers: world.settings.customers.iter().map(|one| customer(world, one)).collect(),
            control: ControlView { openapi: format!("{url}/openapi.json"), url, token },
        }
    }
}

fn kid(credential: &ofp_pki::Credential) -> String {
    credential.thumbprint().map(|kid| kid.to_string()).unwrap_or_default()
}

/// Of the keys that the DP is registered with, the first.
fn signing_kid(world: &World) -> String {
    let keys = &world.settings.dp_jwks.keys;
    keys.iter().find_map(|key| key.kid.clone()).unwrap_or_default()
}

fn customer(world: &World, customer: &TestCustomer) -> CustomerView {
    // a bank's secret is for nobody's terminal; who set the variable knows it
    let is_secret =
        world.dp.target().is_some_and(|target| target.secrets.contains(&customer.password));
    let password = if is_secret { "[secret]" } else { &customer.password };
    CustomerView {
        username: customer.username.clone(),
        password: password.to_owned(),
        accounts: customer.accounts.iter().map(|a| format!("{} {}", a.name, a.number)).collect(),
    }
}

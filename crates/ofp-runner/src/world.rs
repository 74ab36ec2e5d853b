//! Everybody on one machine: PayNet, the DC, and the reference DP.

use std::{collections::HashSet, net::TcpListener, sync::Arc, time::Duration};

use ofp_checks::{Settings, TestAccount, TestCustomer};
use ofp_dc::{DcConfig, DcError, MockDc};
use ofp_dp::{AccountKind, Bank, DpConfig, DpError, DpListeners, ReferenceDp};
use ofp_evidence::Journal;
use ofp_jose::{DecryptionKey, JwkSet, KeySet};
use ofp_net::{NetError, Store, bind, local_port};
use ofp_paynet::{
    AuthMethod, Client, DcRegistration, DpRegistration, Listeners, PayNet, PaynetConfig,
    PaynetError, ProviderType,
};
use ofp_pki::{Kit, Party, Pki, PkiError};
use ofp_types::{
    ClientId, Clock, DcId, DpFault, DpId, Entropy, InvalidId, InvalidOrigin, Origin, Profile,
};

use crate::customer::Customer;

const DP_ID: &str = "DP9876543210";
const DP_CLIENT_ID: &str = "7f0c3c1e-2f4b-4c8f-9a55-0d5d2f6a9b10";
const DC_ID: &str = "16f87e367071230059bff09a";
const DC_CLIENT_ID: &str = "55aa605c-89ef-4473-aa88-47709f0ff383";
const OTHER_DC_ID: &str = "26f87e367071230059bff09b";
const OTHER_DC_CLIENT_ID: &str = "66bb605c-89ef-4473-aa88-47709f0ff384";
/// DC and browser wait longer than PayNet waits for a DP, also when PAR waits for an event.
fn patience(profile: &Profile) -> Duration {
    profile.dp_deadline() * 2 + Duration::from_secs(5)
}

/// How to boot a world.
#[derive(Debug, Clone, Default)]
pub struct WorldOptions {
    /// The reading of the specification.
    pub profile: Profile,
    /// What the reference DP does wrong on purpose.
    pub faults: HashSet<DpFault>,
}

/// Why a world cannot be booted.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is the crate whose error it carries")]
pub enum WorldError {
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error("PayNet: {0}")]
    Paynet(#[from] PaynetError),
    #[error("the DC: {0}")]
    Dc(#[from] DcError),
    #[error("the reference DP: {0}")]
    Dp(#[from] DpError),
    #[error(transparent)]
    Id(#[from] InvalidId),
    #[error(transparent)]
    Origin(#[from] InvalidOrigin),
    #[error("a key: {0}")]
    Key(#[from] ofp_jose::KeyError),
}

/// Everybody on one machine.
pub struct World {
    pub(crate) paynet: PayNet,
    pub(crate) dc: MockDc,
    pub(crate) dp: ReferenceDp,
    pub(crate) dp_id: DpId,
    /// Another DC's key, which must not open anything.
    pub(crate) stranger: DecryptionKey,
    pub(crate) customer: Customer,
    pub(crate) settings: Settings,
    pub(crate) journal: Arc<Journal>,
    pub(crate) clock: Arc<dyn Clock>,
    /// What each origin and certificate is called in snapshots.
    pub(crate) names: Vec<(String, String)>,
}

impl World {
    /// Boots everybody on free ports of the loopback interface. Must be called within a Tokio
    /// runtime.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn boot(
        pki: &Pki,
        options: &WorldOptions,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, WorldError> {
        let journal = Arc::new(Journal::default());
        let (as_public, as_mtls, rs) = (listen()?, listen()?, listen()?);
        let (dp_public, dc_public, webhooks) = (listen()?, listen()?, listen()?);
        let issuer = as_public.1.clone();
        let names = names(
            pki,
            &[
                ("paynet-as", &as_public.1),
                ("paynet-as-mtls", &as_mtls.1),
                ("paynet-rs", &rs.1),
                ("dp", &dp_public.1),
                ("dp-webhooks", &webhooks.1),
                ("dc", &dc_public.1),
            ],
        )?;
        let origins = Origins {
            issuer: issuer.clone(),
            token_endpoint: as_mtls.1.join("/v1/oauth/token"),
            rs: rs.1.clone(),
        };
        let profile = &options.profile;
        let config = paynet_config(pki, profile, &webhooks.1, &dp_public.1, &dc_public.1)?;
        let listeners = Listeners { as_public, as_mtls, rs };
        let (j, c, e) = (Arc::clone(&journal), Arc::clone(&clock), Arc::clone(&entropy));
        let paynet = PayNet::start(config, listeners, j, c, e)?;
        let (dp_issuer, dc_origin) = (dp_public.1.clone(), dc_public.1.clone());
        let dp_config = dp_config(pki, options, &origins, &dp_issuer, &paynet)?;
        let dp_listeners = DpListeners { webhooks: webhooks.0, public: dp_public };
        let bank = Bank::with_test_data();
        let settings = settings(pki, profile, &bank, &paynet, &dp_issuer)?;
        for customer in &bank.books().customers {
            let (_, id_number) = customer.test_credentials();
            let digits: String = id_number.chars().filter(char::is_ascii_digit).collect();
            [id_number, &digits].into_iter().for_each(|secret| journal.secret(secret));
        }
        let (c, e) = (Arc::clone(&clock), Arc::clone(&entropy));
        let dp = ReferenceDp::start(dp_config, dp_listeners, bank, c, e)?;
        let (c, e) = (Arc::clone(&clock), entropy);
        let dc = MockDc::start(dc_config(pki, profile, &origins)?, dc_public, c, e)?;
        let paynet_origins = [origins.issuer, origins.rs];
        let customer =
            Customer::new(pki, &paynet_origins, &dc_origin, &journal, &clock, patience(profile))?;
        Ok(Self {
            paynet,
            dc,
            dp,
            dp_id: DpId::parse(DP_ID)?,
            stranger: pki.dcs[1].encryption.decryption_key()?,
            customer,
            settings,
            journal,
            clock,
            names,
        })
    }

    /// What the checks must know besides the evidence.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Stops everybody.
    pub async fn stop(self) {
        tokio::join!(self.paynet.stop(), self.dc.stop(), self.dp.stop());
    }
}

/// Where PayNet is.
struct Origins {
    issuer: Origin,
    token_endpoint: String,
    rs: Origin,
}

fn listen() -> Result<(TcpListener, Origin), WorldError> {
    let listener = bind("127.0.0.1", 0)?;
    let origin = Origin::parse(&format!("https://localhost:{}", local_port(&listener)?))?;
    Ok((listener, origin))
}

/// A client's registration, with the keys of its JWK set.
fn client(pki: &Pki, party: Party, client_id: &str, name: &str) -> Result<Client, WorldError> {
    let jwks = pki.jwks(party)?;
    Ok(Client {
        client_id: ClientId::parse(client_id)?,
        name: name.to_owned(),
        auth: AuthMethod::PrivateKeyJwt,
        certificates: vec![pki.kit(party).client.thumbprint()?],
        keys: keys(name, &jwks),
        jwks,
    })
}

fn keys(owner: &str, jwks: &JwkSet) -> KeySet {
    KeySet::of_jwks(owner, jwks).0
}

fn paynet_config(
    pki: &Pki,
    profile: &Profile,
    webhooks: &Origin,
    dp_issuer: &Origin,
    dc: &Origin,
) -> Result<PaynetConfig, WorldError> {
    let dc_of = |party, id, client_id, name, redirect_uris| {
        Ok::<_, WorldError>(DcRegistration {
            dc_id: DcId::parse(id)?,
            client: client(pki, party, client_id, name)?,
            redirect_uris,
            webhooks: None,
        })
    };
    let redirect_uris = vec![dc.join("/callback")];
    Ok(PaynetConfig {
        profile: profile.clone(),
        kit: pki.paynet.clone(),
        client_ca: pki.ca.clone(),
        dcs: vec![
            dc_of(Party::Dc1, DC_ID, DC_CLIENT_ID, "Mock DC One", redirect_uris)?,
            dc_of(Party::Dc2, OTHER_DC_ID, OTHER_DC_CLIENT_ID, "Mock DC Two", Vec::new())?,
        ],
        dps: vec![DpRegistration {
            dp_id: DpId::parse(DP_ID)?,
            provider_type: ProviderType::Bank,
            client: client(pki, Party::Dp, DP_CLIENT_ID, "Reference DP")?,
            issuer: dp_issuer.to_string(),
            as_webhooks: webhooks.clone(),
            rs_webhooks: webhooks.clone(),
            ca: pki.ca.clone(),
        }],
        policies: HashSet::new(),
        store: Store::none(),
    })
}

fn dp_config(
    pki: &Pki,
    options: &WorldOptions,
    origins: &Origins,
    dp_issuer: &Origin,
    paynet: &PayNet,
) -> Result<DpConfig, WorldError> {
    Ok(DpConfig {
        dp_id: DpId::parse(DP_ID)?,
        client_id: ClientId::parse(DP_CLIENT_ID)?,
        issuer: dp_issuer.to_string(),
        kit: pki.dp.clone(),
        ca: pki.ca.clone(),
        paynet_certificates: vec![pki.paynet.client.thumbprint()?],
        paynet_as: origins.issuer.clone(),
        paynet_token_endpoint: origins.token_endpoint.clone(),
        paynet_rs: origins.rs.clone(),
        paynet_callbacks: vec![paynet.callback_uri()],
        profile: options.profile.clone(),
        faults: options.faults.clone(),
        store: Store::none(),
    })
}

fn dc_config(pki: &Pki, profile: &Profile, origins: &Origins) -> Result<DcConfig, WorldError> {
    Ok(DcConfig {
        dc_id: DcId::parse(DC_ID)?,
        client_id: ClientId::parse(DC_CLIENT_ID)?,
        kit: pki.dcs[0].clone(),
        ca: pki.ca.clone(),
        issuer: origins.issuer.clone(),
        paynet_rs: origins.rs.clone(),
        dp_keys: Arc::new(keys("Reference DP", &pki.jwks(Party::Dp)?)),
        profile: profile.clone(),
        deadline: patience(profile),
    })
}

fn settings(
    pki: &Pki,
    profile: &Profile,
    bank: &Bank,
    paynet: &PayNet,
    dp_issuer: &Origin,
) -> Result<Settings, WorldError> {
    Ok(Settings {
        profile: profile.clone(),
        dp_id: DpId::parse(DP_ID)?,
        dp_client_id: ClientId::parse(DP_CLIENT_ID)?,
        dp_issuer: dp_issuer.to_string(),
        dp_keys: keys("Reference DP", &pki.jwks(Party::Dp)?),
        dp_uses_assertion: true,
        paynet_issuer: paynet.issuer().to_string(),
        paynet_callback: paynet.callback_uri(),
        dc_id: DcId::parse(DC_ID)?,
        dc_client_id: ClientId::parse(DC_CLIENT_ID)?,
        dc_names: vec!["Mock DC One".into()],
        dc_enc_kid: pki.dcs[0].encryption.thumbprint()?,
        customers: bank.books().customers.iter().map(test_customer).collect(),
    })
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

/// What origins and certificates are called in snapshots.
fn names(pki: &Pki, origins: &[(&str, &Origin)]) -> Result<Vec<(String, String)>, WorldError> {
    let mut names: Vec<(String, String)> =
        origins.iter().map(|(name, origin)| (origin.to_string(), format!("[{name}]"))).collect();
    let mut kit = |owner: &str, kit: &Kit| {
        for (credential, what) in
            [(&kit.server, "server"), (&kit.client, "client"), (&kit.signing, "signing")]
        {
            names.push((credential.thumbprint()?.to_string(), format!("[key:{owner}-{what}]")));
        }
        Ok::<_, WorldError>(())
    };
    for party in Party::ALL {
        kit(party.folder(), pki.kit(party))?;
    }
    for (dc, owner) in pki.dcs.iter().zip(["dc-1", "dc-2"]) {
        let kid = dc.encryption.thumbprint()?.to_string();
        names.push((kid, format!("[key:{owner}-encryption]")));
    }
    // a port that begins with another port's digits must be replaced first
    names.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    Ok(names)
}

//! Who takes part: ids, registrations at PayNet, and what each is configured with.

use std::{sync::Arc, time::Duration};

use ofp_checks::Settings;
use ofp_dc::DcConfig;
use ofp_dp::DpConfig;
use ofp_evidence::Journal;
use ofp_jose::{Jwk, JwkSet, KeySet, KeyUse};
use ofp_net::{Store, Trust};
use ofp_paynet::{
    AuthMethod, Client, DcRegistration, DpRegistration, PayNet, PaynetConfig, ProviderType,
    Webhooks,
};
use ofp_pki::{Kit, Party, Pki};
use ofp_types::{AuthorizeMode, ClientId, Clock, DcId, DpId, Origin, Profile};

use super::{WorldError, WorldOptions, provider::Provider, sockets::Origins};
use crate::customer::{Customer, Places};

pub(super) const DP_ID: &str = "DP9876543210";
pub(super) const DP_CLIENT_ID: &str = "7f0c3c1e-2f4b-4c8f-9a55-0d5d2f6a9b10";
pub(super) const DC_ID: &str = "16f87e367071230059bff09a";
pub(super) const DC_CLIENT_ID: &str = "55aa605c-89ef-4473-aa88-47709f0ff383";
pub(super) const OTHER_DC_ID: &str = "26f87e367071230059bff09b";
pub(super) const OTHER_DC_CLIENT_ID: &str = "66bb605c-89ef-4473-aa88-47709f0ff384";

/// How long a page of a DP that is not ours may take.
const LONGEST_PAGE: Duration = Duration::from_secs(35);

/// DC and browser wait longer than PayNet waits for a DP, also when PAR waits for an event.
pub(super) fn patience(profile: &Profile) -> Duration {
    profile.dp_deadline() * 2 + Duration::from_secs(5)
}

pub(super) fn keys(owner: &str, jwks: &JwkSet) -> KeySet {
    KeySet::of_jwks(owner, jwks).0
}

/// A client's registration, with the keys of its JWK set.
fn client(
    pki: &Pki,
    party: Party,
    client_id: &str,
    name: &str,
    auth: AuthMethod,
) -> Result<Client, WorldError> {
    let jwks = pki.jwks(party)?;
    Ok(Client {
        client_id: ClientId::parse(client_id)?,
        name: name.to_owned(),
        auth,
        certificates: vec![pki.kit(party).client.thumbprint()?],
        keys: keys(name, &jwks),
        jwks,
    })
}

/// Two DCs, so that there is a stranger to every consent; the second authenticates with its
/// certificate alone, so that either way can be tried.
pub(super) fn paynet_config(
    pki: &Pki,
    options: &WorldOptions,
    origins: &Origins,
    dp: &Provider,
) -> Result<PaynetConfig, WorldError> {
    let mut redirect_uris = vec![origins.dc.join("/callback")];
    redirect_uris.extend(options.redirect_uris.iter().cloned());
    let webhooks_at =
        |origin: &Origin| Webhooks { origin: origin.clone(), trust: (&pki.ca).into() };
    let elsewhere = options.dc_webhooks.as_ref().map(webhooks_at);
    let our_own = webhooks_at(&origins.dc_webhooks);
    let (by_key, by_certificate) = (AuthMethod::PrivateKeyJwt, AuthMethod::TlsClientAuth);
    let dp_auth = if dp.uses_assertion { by_key } else { by_certificate };
    let (one, two) = ("Mock DC One", "Mock DC Two");
    Ok(PaynetConfig {
        profile: options.profile.clone(),
        kit: pki.paynet.clone(),
        client_trust: Trust::from(&pki.ca).and(&dp.client_trust),
        dcs: vec![
            DcRegistration {
                dc_id: DcId::parse(DC_ID)?,
                client: client(pki, Party::Dc1, DC_CLIENT_ID, one, by_key)?,
                redirect_uris: redirect_uris.clone(),
                webhooks: Some(elsewhere.clone().unwrap_or(our_own)),
            },
            DcRegistration {
                dc_id: DcId::parse(OTHER_DC_ID)?,
                client: client(pki, Party::Dc2, OTHER_DC_CLIENT_ID, two, by_certificate)?,
                redirect_uris,
                webhooks: elsewhere,
            },
        ],
        dps: vec![DpRegistration {
            dp_id: dp.dp_id.clone(),
            provider_type: ProviderType::Bank,
            client: Client {
                client_id: dp.client_id.clone(),
                name: dp.name.clone(),
                auth: dp_auth,
                certificates: vec![dp.certificate.clone()],
                keys: dp.keys(),
                jwks: dp.jwks.clone(),
            },
            issuer: dp.issuer.clone(),
            as_webhooks: dp.as_webhooks.clone(),
            rs_webhooks: dp.rs_webhooks.clone(),
            trust: dp.server_trust.clone(),
        }],
        policies: options.policies.clone(),
        store: options.store.clone(),
    })
}

/// Another DC's encryption key, for both uses: what a DP must never take for somebody else's.
fn strangers(pki: &Pki) -> Result<KeySet, WorldError> {
    let certificate = &pki.dcs[1].encryption.certificate;
    let jwk = |key_use| Jwk::of_certificate(certificate, key_use);
    Ok(keys("another DC", &JwkSet { keys: vec![jwk(KeyUse::Sig)?, jwk(KeyUse::Enc)?] }))
}

/// The customer's browser.
pub(super) fn customer(
    trust: &Trust,
    options: &WorldOptions,
    origins: &Origins,
    journal: &Arc<Journal>,
    clock: &Arc<dyn Clock>,
) -> Result<Customer, WorldError> {
    let usual = patience(&options.profile);
    // a DP that is not ours may take half a minute to give a PayNet up that never answers (G-16)
    let patience = if options.target.is_some() { usual.max(LONGEST_PAGE) } else { usual };
    let selectors = options.target.as_ref().map(|target| target.selectors.clone());
    let selectors = selectors.unwrap_or_default();
    let by_browser = options.profile.authorize_mode == AuthorizeMode::Browser;
    let places = Places {
        paynet: vec![origins.paynet_as.clone(), origins.paynet_rs.clone()],
        dc: origins.dc.clone(),
        authorize: by_browser.then(|| origins.dp_webhooks.clone()),
    };
    Ok(Customer::new(trust, places, journal, clock, patience, selectors)?)
}

pub(super) fn dp_config(
    pki: &Pki,
    options: &WorldOptions,
    origins: &Origins,
) -> Result<DpConfig, WorldError> {
    Ok(DpConfig {
        dp_id: DpId::parse(DP_ID)?,
        client_id: ClientId::parse(DP_CLIENT_ID)?,
        issuer: origins.dp.to_string(),
        kit: pki.dp.clone(),
        ca: pki.ca.clone(),
        paynet_certificates: vec![pki.paynet.client.thumbprint()?],
        paynet_as: origins.paynet_as.clone(),
        paynet_token_endpoint: origins.paynet_as_mtls.join("/v1/oauth/token"),
        paynet_rs: origins.paynet_rs.clone(),
        paynet_callbacks: vec![origins.paynet_as.join("/v1/oauth/callback")],
        profile: options.dp_profile.as_ref().unwrap_or(&options.profile).clone(),
        faults: options.faults.clone(),
        store: options.store.clone(),
        variants: options.variants.clone(),
        other_keys: Arc::new(strangers(pki)?),
        patience: options.dp_patience.unwrap_or(Duration::from_secs(5)),
    })
}

pub(super) fn dc_config(
    pki: &Pki,
    profile: &Profile,
    store: &Store,
    origins: &Origins,
    dp: &Provider,
) -> Result<DcConfig, WorldError> {
    Ok(DcConfig {
        dc_id: DcId::parse(DC_ID)?,
        client_id: ClientId::parse(DC_CLIENT_ID)?,
        kit: pki.dcs[0].clone(),
        ca: pki.ca.clone(),
        issuer: origins.paynet_as.clone(),
        paynet_rs: origins.paynet_rs.clone(),
        paynet_certificates: vec![pki.paynet.client.thumbprint()?],
        uses_assertion: true,
        dp_keys: Arc::new(dp.keys()),
        profile: profile.clone(),
        store: store.clone(),
        deadline: patience(profile),
    })
}

pub(super) fn settings(
    pki: &Pki,
    profile: &Profile,
    paynet: &PayNet,
    dp: &Provider,
) -> Result<Settings, WorldError> {
    Ok(Settings {
        profile: profile.clone(),
        dp_id: dp.dp_id.clone(),
        dp_client_id: dp.client_id.clone(),
        dp_issuer: dp.issuer.clone(),
        dp_keys: dp.keys(),
        dp_jwks: dp.jwks.clone(),
        dp_uses_assertion: dp.uses_assertion,
        paynet_issuer: paynet.issuer().to_string(),
        paynet_callback: paynet.callback_uri(),
        dc_id: DcId::parse(DC_ID)?,
        dc_client_id: ClientId::parse(DC_CLIENT_ID)?,
        dc_names: vec!["Mock DC One".into()],
        dc_enc_kid: pki.dcs[0].encryption.thumbprint()?,
        customers: dp.customers.clone(),
    })
}

/// What origins and certificates are called in snapshots.
pub(super) fn names(
    pki: &Pki,
    origins: &Origins,
    dp: &Provider,
) -> Result<Vec<(String, String)>, WorldError> {
    let mut names: Vec<(String, String)> = origins
        .named()
        .into_iter()
        .map(|(name, origin)| (origin.to_string(), format!("[{name}]")))
        .collect();
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
    if !dp.keys_are_ours {
        let signing = dp.jwks.keys.iter().filter_map(|key| key.kid.clone());
        names.extend(signing.map(|kid| (kid, "[key:dp-signing]".to_owned())));
        names.push((dp.certificate.to_string(), "[key:dp-client]".into()));
    }
    // a port that begins with another port's digits must be replaced first
    names.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    Ok(names)
}

//! The reference DP all by itself, as a DP that is not ours would be: it knows of the platform what a bank's
//! configuration would tell it. `lone_dp PKI AS AS_MTLS RS PAGES WEBHOOKS`, the last five ports on localhost.
#![expect(clippy::print_stderr, reason = "it is run by hand")]

use std::{collections::HashSet, path::Path, sync::Arc, time::Duration};

use ofp_dp::{Bank, DpConfig, DpListeners, ReferenceDp};
use ofp_jose::{Jwk, JwkSet, KeySet, KeyUse};
use ofp_net::{OsEntropy, Store, SystemClock, bind, local_port};
use ofp_pki::{OpenOptions, Pki};
use ofp_types::{ClientId, Clock as _, DpId, Origin, Profile};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [pki, rest @ ..] = arguments.as_slice() else {
        return Err("lone_dp PKI AS AS_MTLS RS PAGES WEBHOOKS".into());
    };
    let ports: Vec<u16> = rest.iter().map(|port| port.parse()).collect::<Result<_, _>>()?;
    let [paynet_as, as_mtls, rs, pages, webhooks] = ports.as_slice() else {
        return Err("five ports are needed".into());
    };
    let (pki, _) = Pki::open(Path::new(pki), &OpenOptions::at(SystemClock.now()))?;
    let at = |port: &u16| Origin::parse(&format!("https://localhost:{port}"));
    let listen = |port: &u16| -> Result<_, Box<dyn std::error::Error>> {
        let listener = bind("127.0.0.1", *port)?;
        let port = local_port(&listener)?;
        Ok((listener, at(&port)?))
    };
    let (pages, webhooks) = (listen(pages)?, listen(webhooks)?);
    eprintln!("pages {}, webhooks {}", pages.1, webhooks.1);
    let certificate = &pki.dcs[1].encryption.certificate;
    let strangers = JwkSet { keys: vec![Jwk::of_certificate(certificate, KeyUse::Enc)?] };
    let config = DpConfig {
        dp_id: DpId::parse("DP9876543210")?,
        client_id: ClientId::parse("7f0c3c1e-2f4b-4c8f-9a55-0d5d2f6a9b10")?,
        issuer: pages.1.to_string(),
        kit: pki.dp.clone(),
        ca: pki.ca.clone(),
        paynet_certificates: vec![pki.paynet.client.thumbprint()?],
        paynet_as: at(paynet_as)?,
        paynet_token_endpoint: at(as_mtls)?.join("/v1/oauth/token"),
        paynet_rs: at(rs)?,
        paynet_callbacks: vec![at(paynet_as)?.join("/v1/oauth/callback")],
        profile: Profile::default(),
        faults: HashSet::new(),
        store: Store::none(),
        variants: HashSet::new(),
        other_keys: Arc::new(KeySet::of_jwks("another DC", &strangers).0),
        patience: Duration::from_millis(1_500),
    };
    let listeners = DpListeners { webhooks: webhooks.0, public: pages };
    let bank = Bank::open(&Store::none(), None)?;
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(OsEntropy));
    let _dp = ReferenceDp::start(config, listeners, bank, clock, entropy)?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}

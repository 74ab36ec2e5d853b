//! `ofp-sim up`: the platform stays up until it is interrupted.

use std::{fmt::Write as _, sync::Arc};

use ofp_net::{OsEntropy, Store, SystemClock};
use ofp_pki::{OpenOptions, Pki};
use ofp_runner::{RunningControl, World, WorldOptions, WorldView, exit};
use ofp_types::{Clock as _, Policy};

use super::{
    doctor::target,
    print,
    run::{faults, profile, variants},
};
use crate::{args::UpArgs, environment::Environment, failure::Failure};

pub(super) fn up(args: &UpArgs, environment: &Environment) -> Result<u8, Failure> {
    let asked = args.profile.as_deref().map(profile).transpose()?;
    let faults = faults(&args.fault)?;
    let (target, pki) = match &args.target {
        None => (None, Pki::open(&args.pki, &OpenOptions::at(SystemClock.now()))?.0),
        Some(file) => {
            let (target, pki) = target(file, &args.pki, asked.clone(), environment)?;
            (Some(target), pki)
        }
    };
    let profile = asked.or_else(|| target.as_ref().map(|target| target.profile().clone()));
    let store = args.state.as_deref().map_or_else(|| Ok(Store::none()), Store::open)?;
    let options = WorldOptions {
        profile: profile.unwrap_or_default(),
        dp_profile: None,
        target,
        faults,
        variants: variants(&args.variant)?,
        port_base: (args.port_base != 0).then_some(args.port_base),
        policies: Policy::ALL.into(),
        store,
        journal: Some(World::SANDBOX_JOURNAL),
        redirect_uris: args.redirect_uri.clone(),
        dc_webhooks: args.dc_webhooks.clone(),
        seed: args.seed,
        voice: None,
        dp_patience: None,
    };
    let runtime = super::runtime()?;
    runtime.block_on(stay_up(&pki, &options, args.json))?;
    runtime.shutdown_background();
    Ok(exit::PASSED)
}

/// Until somebody says stop: then requests in hand are answered, and what they rest on is stored.
async fn stay_up(pki: &Pki, options: &WorldOptions, json: bool) -> Result<(), Failure> {
    // before anything is said to be ready, so that no signal is missed
    let stop = stop().map_err(Failure::Runtime)?;
    let listener = World::control_socket(options)?;
    let world = World::boot(pki, options, Arc::new(SystemClock), Arc::new(OsEntropy))?;
    let world = Arc::new(world);
    let control = RunningControl::start(Arc::clone(&world), listener)?;
    let view = control.view();
    print(&if json { as_json(&view) } else { as_text(&view) })?;
    stop.await;
    control.stop().await;
    world.stop().await;
    Ok(options.store.settled().await?)
}

/// Ends at the first signal that says stop; listens from now on.
#[cfg(unix)]
fn stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // without it there is nothing to wait for, and the process ends
        let _ = tokio::signal::ctrl_c().await;
    })
}

fn as_json(view: &WorldView) -> String {
    let text = serde_json::to_string(view).unwrap_or_default();
    format!("{text}\n")
}

fn as_text(view: &WorldView) -> String {
    let mut text = format!("ofp-sim {}  profile {}  is up\n\n", view.version, view.profile);
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "{label:<22}{value}");
    };
    line("Begin here", &view.start);
    if let Some(ca) = &view.ca {
        line("  trust in a browser", ca);
    }
    line("PayNet, issuer", &view.paynet.issuer);
    line("  discovery", &view.paynet.discovery);
    line("  AS, mutual TLS", &view.paynet.as_mtls);
    line("  RS, mutual TLS", &view.paynet.rs);
    line("  signing key", &view.paynet.signing_kid);
    for dc in &view.dcs {
        line("DC client", &format!("{}  {}", dc.client_id, dc.token_endpoint_auth_method));
        line("  dc_id", &dc.dc_id);
        dc.redirect_uris.iter().for_each(|uri| line("  redirect URI", uri));
        line("  keys", dc.certificates.as_deref().unwrap_or("in memory"));
        line("  signing key", &dc.signing_kid);
        line("  encryption key", &dc.encryption_kid);
    }
    line(&view.dp.name, &format!("{}  {}", view.dp.dp_id, view.dp.issuer));
    line("  client", &view.dp.client_id);
    match &view.dp.dashboard {
        Some(dashboard) => {
            line("  keys", view.dp.certificates.as_deref().unwrap_or("in memory"));
            line("  dashboard", dashboard);
        }
        None => line("  signing key", &view.dp.signing_kid),
    }
    line("  webhooks", &view.dp.webhooks);
    for customer in &view.customers {
        let credentials = format!("{} / {}", customer.username, customer.password);
        line("  customer", &format!("{credentials}  {}", customer.accounts.join(", ")));
    }
    line("CA of everything", view.ca.as_deref().unwrap_or("in memory"));
    line("Control surface", &view.control.url);
    line("  OpenAPI", &view.control.openapi);
    line("  bearer token", &view.control.token);
    text.push_str("\nCtrl-C stops it.\n");
    text
}

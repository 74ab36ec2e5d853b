//! The handle: starts the platform, and lets a test read it, shift its consents' clocks and make
//! it call the DP.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::SignedDuration;
use ofp_evidence::{ExchangeId, Failure, Journal, Message, Role};
use ofp_jose::{Jwk, JwkSet, KeyUse};
use ofp_net::{Caller, ClientAuth, RunningServer, acceptor, connector, serve};
use ofp_types::{
    Clock, Consent, ConsentId, ConsentStatus, DpId, Entropy, Origin, Trigger, UpdatedBy,
};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    ForwardError, Listeners, PaynetConfig, PaynetError,
    platform::{Change, Platform},
    serve::{MtlsAs, PublicAs, Rs},
};

/// The running platform.
pub struct PayNet {
    platform: Arc<Platform>,
    servers: Vec<RunningServer>,
    timekeeper: JoinHandle<()>,
}

/// Something did not come about in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("after {waited:?} consent {consent} is {}, not {expected}", status_text(*.actual))]
pub struct Unsettled {
    /// Which consent.
    pub consent: ConsentId,
    /// What was waited for.
    pub expected: String,
    /// Where it stands.
    pub actual: Option<ConsentStatus>,
    /// How long was waited.
    pub waited: Duration,
}

fn status_text(status: Option<ConsentStatus>) -> &'static str {
    status.map_or("unknown", ConsentStatus::as_str)
}

impl PayNet {
    /// Starts the platform. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`PaynetError`].
    pub fn start(
        config: PaynetConfig,
        listeners: Listeners,
        journal: Arc<Journal>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, PaynetError> {
        config.check()?;
        let mut callers = HashMap::new();
        for dp in &config.dps {
            let ssl = connector(Some(&config.kit.client), &dp.ca)?;
            let (journal, clock) = (Arc::clone(&journal), Arc::clone(&clock));
            let caller = Caller::new(ssl, Role::PayNet, Role::Dp, journal, clock);
            callers.insert(dp.dp_id.clone(), caller);
        }
        let public = acceptor(&config.kit.server, &config.client_ca, ClientAuth::None)?;
        let mtls = || acceptor(&config.kit.server, &config.client_ca, ClientAuth::Required);
        let (as_tls, rs_tls) = (mtls()?, mtls()?);
        let signing = &config.kit.signing;
        let jwk = Jwk::of_certificate(&signing.certificate, KeyUse::Sig)?;
        let platform = Arc::new(Platform {
            profile: config.profile,
            issuer: listeners.as_public.1,
            as_mtls: listeners.as_mtls.1,
            rs: listeners.rs.1,
            dcs: config.dcs,
            dps: config.dps,
            callers,
            signing: signing.signing_key()?,
            jwks: JwkSet { keys: vec![jwk] },
            clock,
            entropy,
            journal,
            state: std::sync::Mutex::default(),
            changed: watch::Sender::new(0),
            deadlines: tokio::sync::Notify::new(),
        });
        let app = || Arc::clone(&platform);
        let servers = vec![
            serve(Arc::new(PublicAs(app())), listeners.as_public.0, public)?,
            serve(Arc::new(MtlsAs(app())), listeners.as_mtls.0, as_tls)?,
            serve(Arc::new(Rs(app())), listeners.rs.0, rs_tls)?,
        ];
        let timekeeper = tokio::spawn(Arc::clone(&platform).keep_time());
        Ok(Self { platform, servers, timekeeper })
    }

    /// The AS's issuer.
    #[must_use]
    pub fn issuer(&self) -> &Origin {
        &self.platform.issuer
    }

    /// Where DPs return the browser to.
    #[must_use]
    pub fn callback_uri(&self) -> String {
        self.platform.callback_uri()
    }

    /// A consent as it stands now.
    #[must_use]
    pub fn consent(&self, id: &ConsentId) -> Option<Consent> {
        self.platform.held(id).map(|held| held.consent)
    }

    /// Waits until a consent has a status.
    ///
    /// # Errors
    /// [`Unsettled`] when it has not by then.
    pub async fn wait_for(
        &self,
        id: &ConsentId,
        status: ConsentStatus,
        within: Duration,
    ) -> Result<Consent, Unsettled> {
        self.wait(id, within, status.as_str(), |platform| {
            platform.held(id).map(|held| held.consent).filter(|consent| consent.status == status)
        })
        .await
    }

    /// Waits until no event about a consent is under way to the DP.
    ///
    /// # Errors
    /// [`Unsettled`] when one still is by then.
    pub async fn settled(&self, id: &ConsentId, within: Duration) -> Result<(), Unsettled> {
        let expected = "at rest (an event to the DP is still under way)";
        self.wait(id, within, expected, |platform| {
            (platform.events_in_flight(id) == 0).then_some(())
        })
        .await
    }

    async fn wait<T>(
        &self,
        id: &ConsentId,
        within: Duration,
        expected: &str,
        reached: impl Fn(&Arc<Platform>) -> Option<T>,
    ) -> Result<T, Unsettled> {
        let mut changes = self.platform.changed.subscribe();
        let watching = async {
            loop {
                if let Some(found) = reached(&self.platform) {
                    return found;
                }
                // the sender lives as long as the platform, which we borrow
                let _ = changes.changed().await;
            }
        };
        tokio::time::timeout(within, watching).await.map_err(|_| Unsettled {
            consent: id.clone(),
            expected: expected.to_owned(),
            actual: self.platform.held(id).map(|held| held.consent.status),
            waited: within,
        })
    }

    /// Shifts the time that a consent lives in, and applies what that does to it. False when there
    /// is no such consent.
    #[must_use]
    pub fn advance_clock(&self, id: &ConsentId, by: SignedDuration) -> bool {
        let known = match self.platform.state().consents.get_mut(id) {
            Some(held) => {
                held.offset = held.offset.saturating_add(by);
                true
            }
            None => false,
        };
        self.platform.let_time_pass(id);
        self.platform.deadlines.notify_one();
        known
    }

    /// Revokes a consent that is still live, in the platform's own name. False when it is not.
    #[must_use]
    pub fn revoke(&self, id: &ConsentId) -> bool {
        let change =
            Change { trigger: Trigger::Revoke, by: UpdatedBy::Ofp, reason: None, cause: None };
        self.platform.transition(id, change, |_| {}).is_ok()
    }

    /// Asks the DP's userinfo (D3).
    ///
    /// # Errors
    /// [`ForwardError`] when there is nobody to ask.
    pub async fn call_userinfo(
        &self,
        id: &ConsentId,
    ) -> Result<(ExchangeId, Result<(u16, Message), Failure>), ForwardError> {
        let unknown = || ForwardError::UnknownConsent(id.clone());
        let consent = self.consent(id).ok_or_else(unknown)?;
        self.platform.call_userinfo(&consent).await
    }

    /// Asks the DP's health (D4).
    ///
    /// # Errors
    /// [`ForwardError`] when there is nobody to ask.
    pub async fn call_health(
        &self,
        dp: &DpId,
        consent: Option<ConsentId>,
    ) -> Result<(ExchangeId, Result<(u16, Message), Failure>), ForwardError> {
        self.platform.call_health(dp, consent).await
    }

    /// Stops the platform.
    pub async fn stop(self) {
        self.timekeeper.abort();
        for server in self.servers {
            server.stop().await;
        }
    }
}

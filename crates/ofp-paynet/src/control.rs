//! The handle: starts the platform, and lets a test read it, shift its consents' clocks and make
//! it call the DP.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use ofp_evidence::{ExchangeId, Failure, Journal, Message, Role};
use ofp_jose::Jwk;
use ofp_net::{Caller, ClientAuth, RunningServer, Trust, acceptor, connector, serve};
use ofp_pki::Credential;
use ofp_types::{
    Clock, Consent, ConsentId, ConsentStatus, DcId, DpId, Entropy, InteractionId, Kid, Origin,
    PlatformFault, Policy, StatusReason, Trigger, UpdatedBy, uuid_v4,
};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    ActiveFault, FaultId, FaultScope, ForwardError, ListenerKind, Listeners, PaynetConfig,
    PaynetError,
    keys::Keys,
    platform::{Change, Platform},
    serve::Listener,
    state::{Owed, State},
};

/// The running platform.
pub struct PayNet {
    platform: Arc<Platform>,
    servers: Vec<RunningServer>,
    timekeeper: JoinHandle<()>,
}

/// How long a platform that stops waits for its last events.
const LAST_EVENTS: Duration = Duration::from_secs(2);

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
    /// Whether it would never have come about.
    pub is_in_vain: bool,
}

impl Unsettled {
    /// Where the consent stands, in a few words.
    #[must_use]
    pub fn came(&self) -> String {
        match self.actual {
            Some(status) if self.is_in_vain => {
                format!("{status}, which never becomes {}", self.expected)
            }
            actual => format!("{} after {:?}", status_text(actual), self.waited),
        }
    }
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
        let caller = |trust: &Trust, to| {
            let ssl = connector(Some(&config.kit.client), trust)?;
            let (journal, clock) = (Arc::clone(&journal), Arc::clone(&clock));
            Ok::<_, PaynetError>(Caller::new(ssl, Role::PayNet, to, journal, clock))
        };
        let (mut dp_callers, mut dc_callers) = (HashMap::new(), HashMap::new());
        for dp in &config.dps {
            dp_callers.insert(dp.dp_id.clone(), caller(&dp.trust, Role::Dp)?);
        }
        for dc in &config.dcs {
            if let Some(webhooks) = &dc.webhooks {
                dc_callers.insert(dc.dc_id.clone(), caller(&webhooks.trust, Role::Dc)?);
            }
        }
        let public = acceptor(&config.kit.server, &config.client_trust, ClientAuth::None)?;
        let mtls = || acceptor(&config.kit.server, &config.client_trust, ClientAuth::Required);
        let (as_tls, rs_tls) = (mtls()?, mtls()?);
        let platform = Arc::new(Platform {
            profile: config.profile,
            issuer: listeners.as_public.1,
            as_mtls: listeners.as_mtls.1,
            rs: listeners.rs.1,
            dcs: config.dcs,
            dps: config.dps,
            dp_callers,
            dc_callers,
            keys: Keys::open(&config.kit.signing, &config.store)?,
            clock,
            entropy,
            journal,
            state: std::sync::Mutex::new(State::open(&config.store)?),
            store: config.store,
            policies: config.policies,
            outbox: std::sync::Mutex::default(),
            runtime: tokio::runtime::Handle::current(),
            changed: watch::Sender::new(0),
            deadlines: tokio::sync::Notify::new(),
        });
        let app = |kind| Arc::new(Listener { platform: Arc::clone(&platform), kind });
        let servers = vec![
            serve(app(ListenerKind::AsPublic), listeners.as_public.0, public)?,
            serve(app(ListenerKind::AsMtls), listeners.as_mtls.0, as_tls)?,
            serve(app(ListenerKind::Rs), listeners.rs.0, rs_tls)?,
        ];
        platform.send_what_is_owed();
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
        let began = Instant::now();
        // what can never come about is not waited for
        let settled =
            |consent: &Consent| consent.status == status || !consent.status.leads_to(status);
        let reached =
            |platform: &Arc<Platform>| platform.held(id).map(|held| held.consent).filter(settled);
        let found = self.wait(id, within, status.as_str(), reached).await?;
        match found.status == status {
            true => Ok(found),
            false => Err(Unsettled {
                consent: id.clone(),
                expected: status.to_string(),
                actual: Some(found.status),
                waited: began.elapsed(),
                is_in_vain: true,
            }),
        }
    }

    /// The consent that was made of the request with this `state`.
    #[must_use]
    pub fn consent_of_request(&self, state: &str) -> Option<ConsentId> {
        let held = self.platform.state();
        let mut all = held.consents.iter();
        let found = all.find(|held| held.request.state.as_deref() == Some(state));
        found.map(|held| held.consent.consent_id.clone())
    }

    /// Every consent that is kept, in the order of creation.
    #[must_use]
    pub fn consents(&self) -> Vec<Consent> {
        let state = self.platform.state();
        let mut all: Vec<Consent> =
            state.consents.iter().map(|held| held.consent.clone()).collect();
        all.sort_by(|a, b| {
            (a.created_at, a.consent_id.as_str()).cmp(&(b.created_at, b.consent_id.as_str()))
        });
        all
    }

    /// How far a consent's clock is ahead of the wall's.
    #[must_use]
    pub fn clock_offset(&self, id: &ConsentId) -> Option<SignedDuration> {
        self.platform.state().consents.get(id).map(|held| held.offset)
    }

    /// Waits until no event about a consent is under way.
    ///
    /// # Errors
    /// [`Unsettled`] when one still is by then.
    pub async fn settled(&self, id: &ConsentId, within: Duration) -> Result<(), Unsettled> {
        let expected = "at rest (an event is still under way)";
        self.wait(id, within, expected, |platform| {
            let state = platform.state();
            state.consents.get(id).is_none_or(|held| held.owed.is_empty()).then_some(())
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
        let watching = self.platform.until(reached);
        tokio::time::timeout(within, watching).await.map_err(|_| Unsettled {
            consent: id.clone(),
            expected: expected.to_owned(),
            actual: self.platform.held(id).map(|held| held.consent.status),
            waited: within,
            is_in_vain: false,
        })
    }

    /// Shifts the time that a consent lives in, and applies what that does to it. False when there
    /// is no such consent.
    #[must_use]
    pub fn advance_clock(&self, id: &ConsentId, by: SignedDuration) -> bool {
        let known = self
            .platform
            .state()
            .consents
            .change(id, |held| held.offset = held.offset.saturating_add(by))
            .is_some();
        self.platform.let_time_pass(id);
        self.platform.deadlines.notify_one();
        known
    }

    /// Changes a consent's status in the platform's own name.
    ///
    /// # Errors
    /// [`ofp_types::IllegalTransition`] when the state machine has no such step.
    pub fn change(
        &self,
        id: &ConsentId,
        trigger: Trigger,
        reason: Option<StatusReason>,
    ) -> Result<Consent, ofp_types::IllegalTransition> {
        let change = Change { trigger, by: UpdatedBy::Ofp, reason, cause: None };
        self.platform.transition(id, change, |_| {})
    }

    /// Revokes a consent that is still live, in the platform's own name. False when it is not.
    #[must_use]
    pub fn revoke(&self, id: &ConsentId) -> bool {
        self.change(id, Trigger::Revoke, None).is_ok()
    }

    /// Lets rules that reach beyond a consent hold for it.
    pub fn enforce(&self, id: &ConsentId, policies: &[Policy]) {
        self.platform.state().consents.change(id, |held| held.policies.extend(policies));
    }

    /// Switches a fault on.
    #[must_use]
    pub fn inject(&self, scope: FaultScope, fault: PlatformFault) -> FaultId {
        self.platform.state().faults.inject(scope, fault)
    }

    /// The faults that are switched on.
    #[must_use]
    pub fn faults(&self) -> Vec<ActiveFault> {
        self.platform.state().faults.active().to_vec()
    }

    /// Switches off every fault, or those of one scope; says how many. Events that they held back
    /// leave.
    #[must_use]
    pub fn reset_faults(&self, scope: Option<&FaultScope>) -> usize {
        let (reset, late) = {
            let mut state = self.platform.state();
            let within = |at, owed: &Owed| {
                scope.is_none_or(|scope| self.platform.strikes_event(scope, at, owed))
            };
            (state.faults.reset(scope), state.faults.let_all_go(within))
        };
        late.into_iter().for_each(|(at, owed)| self.platform.send_late(at, owed));
        reset
    }

    /// Signs with `next` from now on. The keys before it stay published, unless it is to be alone.
    ///
    /// # Errors
    /// [`PaynetError::Key`] when it is no signing key.
    pub fn rotate_signing_key(&self, next: &Credential, alone: bool) -> Result<Kid, PaynetError> {
        self.platform.keys.rotate(next, alone)
    }

    /// Publishes keys of a kind that nobody knows beside the platform's own, or no longer.
    pub fn publish_unknown_kinds(&self, unknown_kinds: bool) {
        self.platform.keys.publish_unknown_kinds(unknown_kinds);
    }

    /// Publishes a DC's next encryption key beside those it has registered, or takes it back. It is not
    /// kept over a restart.
    pub fn publish_encryption_key(&self, dc: &DcId, next: Option<Jwk>) {
        let mut state = self.platform.state();
        match next {
            Some(jwk) => drop(state.encryption_keys.insert(dc.clone(), jwk)),
            None => drop(state.encryption_keys.remove(dc)),
        }
    }

    /// Waits until everything that has been acknowledged is on disk.
    ///
    /// # Errors
    /// [`ofp_net::StoreError`] when it cannot be written.
    pub async fn stored(&self) -> Result<(), ofp_net::StoreError> {
        self.platform.store.settled().await
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
        let interaction = uuid_v4(&*self.platform.entropy).to_string();
        // a UUID has the form of an interaction id
        let interaction = InteractionId::parse(interaction).map_err(|_| unknown())?;
        self.platform.call_userinfo(&consent, &interaction, None).await
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

    /// Stops the platform, waiting for requests in hand and, for a moment, for events on their way.
    /// What is still owed then stands in the state file, if there is one.
    pub async fn stop(&self) {
        self.timekeeper.abort();
        for server in &self.servers {
            server.stop().await;
        }
        let _ = self.platform.close_outbox(LAST_EVENTS).await;
    }
}

//! The platform: its parts, its participants, and every change of a consent.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use ofp_evidence::{ExchangeId, Journal, Record, Role, Transition};
use ofp_net::{Caller, Store};
use ofp_types::{
    ClientId, Clock, Consent, ConsentId, ConsentStatus, DcId, DpId, Effect, Entropy,
    IllegalTransition, Kid, Origin, Policy, Profile, ReasonCode, StatusReason, Trigger, UpdatedBy,
    wire::EventType,
};
use tokio::sync::{Notify, watch};

use crate::{
    DcRegistration, DpRegistration,
    config::Client,
    faults::Struck,
    keys::Keys,
    provider::Outbox,
    state::{Held, Owed, State},
};

/// The platform, shared by its listeners.
pub(crate) struct Platform {
    pub(crate) profile: Profile,
    /// The AS's issuer: the origin of its public listener.
    pub(crate) issuer: Origin,
    pub(crate) as_mtls: Origin,
    pub(crate) rs: Origin,
    pub(crate) dcs: Vec<DcRegistration>,
    pub(crate) dps: Vec<DpRegistration>,
    /// Who calls each DP and DC.
    pub(crate) dp_callers: HashMap<DpId, Caller>,
    pub(crate) dc_callers: HashMap<DcId, Caller>,
    pub(crate) keys: Keys,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) store: Store,
    /// The rules that hold for every consent.
    pub(crate) policies: HashSet<Policy>,
    pub(crate) state: Mutex<State>,
    /// Taken after `state` where both are.
    pub(crate) outbox: Mutex<Outbox>,
    /// Where events are sent from: the runtime that the platform was started on.
    pub(crate) runtime: tokio::runtime::Handle,
    /// Counts changes of consents, for whoever waits for one.
    pub(crate) changed: watch::Sender<u64>,
    /// Wakes the timekeeper when a deadline was added or moved.
    pub(crate) deadlines: Notify,
}

/// A client of the AS, with what it is.
#[derive(Clone, Copy)]
pub(crate) enum Participant<'a> {
    Dc(&'a DcRegistration),
    Dp(&'a DpRegistration),
}

impl<'a> Participant<'a> {
    pub(crate) fn client(self) -> &'a Client {
        match self {
            Participant::Dc(dc) => &dc.client,
            Participant::Dp(dp) => &dp.client,
        }
    }

    /// Its id: dc_id or dp_id.
    pub(crate) fn name(self) -> &'a str {
        match self {
            Participant::Dc(dc) => dc.dc_id.as_str(),
            Participant::Dp(dp) => dp.dp_id.as_str(),
        }
    }

    pub(crate) fn role(self) -> Role {
        match self {
            Participant::Dc(_) => Role::Dc,
            Participant::Dp(_) => Role::Dp,
        }
    }
}

impl Platform {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn participants(&self) -> impl Iterator<Item = Participant<'_>> {
        self.dcs.iter().map(Participant::Dc).chain(self.dps.iter().map(Participant::Dp))
    }

    pub(crate) fn participant(&self, client_id: &str) -> Option<Participant<'_>> {
        self.participants().find(|p| p.client().client_id.as_str() == client_id)
    }

    pub(crate) fn participant_by_certificate(&self, thumbprint: &Kid) -> Option<Participant<'_>> {
        self.participants().find(|p| p.client().certificates.contains(thumbprint))
    }

    pub(crate) fn dc(&self, id: &DcId) -> Option<&DcRegistration> {
        self.dcs.iter().find(|dc| dc.dc_id == *id)
    }

    pub(crate) fn dp(&self, id: &DpId) -> Option<&DpRegistration> {
        self.dps.iter().find(|dp| dp.dp_id == *id)
    }

    /// The fault that strikes a message, if one does.
    pub(crate) fn strike(&self, struck: &Struck<'_>) -> Option<Effect> {
        self.state().faults.strike(struck)
    }

    /// The client behind a certificate.
    pub(crate) fn client_of(&self, thumbprint: &Kid) -> Option<&ClientId> {
        self.participant_by_certificate(thumbprint).map(|p| &p.client().client_id)
    }

    /// A consent as it stands at its own time: what time alone does to it has been done.
    pub(crate) fn held(self: &Arc<Self>, id: &ConsentId) -> Option<Held> {
        self.let_time_pass(id);
        self.state().consents.get(id).cloned()
    }

    /// Adds a new consent.
    pub(crate) fn create(&self, held: Held, cause: ExchangeId) {
        let transition = Transition {
            consent: held.consent.consent_id.clone(),
            from: None,
            to: held.consent.status,
            trigger: None,
            by: held.consent.updated_by,
            cause: Some(cause),
            at: held.consent.created_at,
        };
        let now = self.now();
        self.state().consents.add(held, now);
        self.journal.add(Record::Transition(transition));
        self.touched();
        self.deadlines.notify_one();
    }

    /// Changes a consent's status, if the state machine allows it, writes it down, and tells DP and
    /// DC: once the request that caused it has been answered, if one did. `amend` changes what else
    /// goes with it.
    pub(crate) fn transition(
        self: &Arc<Self>,
        id: &ConsentId,
        change: Change,
        amend: impl FnOnce(&mut Held),
    ) -> Result<Consent, IllegalTransition> {
        let wall = self.now();
        let (trigger, by, cause) = (change.trigger, change.by, change.cause);
        let changed = self.state().consents.change(id, |held| {
            let from = held.consent.status;
            let to = from.apply(trigger)?;
            held.consent.status = to;
            // `spec/ofp.md` section 3: none when authorized, cleared when authorized again
            held.consent.status_reason = change.reason.filter(|_| to != ConsentStatus::Authorized);
            held.consent.updated_at = held.now(wall);
            held.consent.updated_by = by;
            amend(held);
            let (event, consent) = (EventType::ConsentStatusUpdated, held.consent.clone());
            held.owe(Owed::new(event, consent, cause));
            Ok((from, held.clone()))
        });
        // only ids that were looked up get here
        let unknown = Err(IllegalTransition { from: ConsentStatus::Failed, trigger });
        let (from, held) = changed.unwrap_or(unknown)?;
        let consent = held.consent.clone();
        self.journal.add(Record::Transition(Transition {
            consent: id.clone(),
            from: Some(from),
            to: consent.status,
            trigger: Some(trigger),
            by,
            cause,
            at: consent.updated_at,
        }));
        self.touched();
        self.deadlines.notify_one();
        self.send_next(id);
        if trigger == Trigger::Approve {
            self.supersede_others(&held, cause);
        }
        Ok(consent)
    }

    /// Revokes what a newly authorized consent supersedes: one consent stands for DP, DC, customer
    /// and purpose (`spec/ofp.md` 1.4).
    fn supersede_others(self: &Arc<Self>, newer: &Held, cause: Option<ExchangeId>) {
        if !newer.policies.contains(&Policy::Duplicates) {
            return;
        }
        let older: Vec<ConsentId> = {
            let state = self.state();
            let superseded = state.consents.iter().filter(|held| held.is_superseded_by(newer));
            superseded.map(|held| held.consent.consent_id.clone()).collect()
        };
        for id in older {
            let reason = StatusReason::new(
                ReasonCode::Duplicate,
                "a newer consent of the same customer, DP, DC and purpose took its place",
            );
            let (trigger, by) = (Trigger::Revoke, UpdatedBy::Ofp);
            // refused only when something else ended it meanwhile
            let _ =
                self.transition(&id, Change { trigger, by, reason: Some(reason), cause }, |_| {});
        }
    }

    /// Applies what the passing of time alone does to a consent.
    pub(crate) fn let_time_pass(self: &Arc<Self>, id: &ConsentId) {
        let due = {
            let state = self.state();
            let next = state.consents.get(id).and_then(Held::next_by_time);
            next.filter(|(at, _)| *at <= self.now()).map(|(_, trigger)| trigger)
        };
        let Some(trigger) = due else { return };
        let reason = (trigger == Trigger::WindowElapsed).then(|| {
            StatusReason::new(ReasonCode::Timeout, "no decision within the authorization window")
        });
        let change = Change { trigger, by: UpdatedBy::Ofp, reason, cause: None };
        // lost only to another change at the same instant, which then stands
        let _ = self.transition(id, change, |_| {});
    }

    /// Applies what time does to every consent, for as long as the platform lives.
    pub(crate) async fn keep_time(self: Arc<Self>) {
        loop {
            let (due, next) = self.due();
            for id in due {
                self.let_time_pass(&id);
            }
            let wait = next.map(|at| at.duration_since(self.now()).unsigned_abs());
            match wait {
                Some(wait) => {
                    let _ = tokio::time::timeout(wait, self.deadlines.notified()).await;
                }
                None => self.deadlines.notified().await,
            }
        }
    }

    /// Consents whose time has come, and when the next one's will.
    fn due(&self) -> (Vec<ConsentId>, Option<Timestamp>) {
        let now = self.now();
        let state = self.state();
        let deadlines =
            || state.consents.iter().filter_map(|held| Some((held, held.next_by_time()?.0)));
        let over = deadlines().filter(|(_, at)| *at <= now);
        let due = over.map(|(held, _)| held.consent.consent_id.clone()).collect();
        (due, deadlines().map(|(_, at)| at).filter(|at| *at > now).min())
    }

    pub(crate) fn touched(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Waits until a change of some consent brings about what is looked for.
    pub(crate) async fn until<T>(self: &Arc<Self>, reached: impl Fn(&Arc<Self>) -> Option<T>) -> T {
        let mut changes = self.changed.subscribe();
        loop {
            if let Some(found) = reached(self) {
                return found;
            }
            // the sender lives as long as the platform, which we borrow
            let _ = changes.changed().await;
        }
    }
}

/// A change of a consent's status.
pub(crate) struct Change {
    pub(crate) trigger: Trigger,
    pub(crate) by: UpdatedBy,
    pub(crate) reason: Option<StatusReason>,
    pub(crate) cause: Option<ExchangeId>,
}

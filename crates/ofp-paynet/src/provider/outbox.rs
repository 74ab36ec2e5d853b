//! When an event leaves: one at a time for each consent, in the order in which they came about, and
//! none before the request that caused it has been answered.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError},
    time::Duration,
};

use ofp_evidence::ExchangeId;
use ofp_types::{
    Consent, ConsentId, FaultPoint, ReasonCode, StatusReason, Trigger, UpdatedBy, wire::EventType,
};

use crate::{
    platform::{Change, Platform},
    state::{Owed, State},
};

/// Which events may not leave yet. What is owed stands with each consent.
#[derive(Default)]
pub(crate) struct Outbox {
    /// Requests that are not answered yet, with the consents whose oldest event waits for that.
    in_hand: HashMap<ExchangeId, Vec<ConsentId>>,
    /// Consents of which an event is on its way.
    sending: HashSet<ConsentId>,
    /// Whether what cannot be delivered any more stays owed.
    stopping: bool,
}

impl Outbox {
    /// Whether a consent's oldest event may leave now. If not, it is asked again in time.
    fn may_leave(&mut self, id: &ConsentId, oldest: &Owed) -> bool {
        if self.sending.contains(id) {
            return false;
        }
        let after = oldest.cause.filter(|_| oldest.event != EventType::ConsentCreated);
        match after.and_then(|cause| self.in_hand.get_mut(&cause)) {
            Some(waiting) => waiting.push(id.clone()),
            None => return self.sending.insert(id.clone()),
        }
        false
    }
}

impl Platform {
    fn outbox(&self) -> std::sync::MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request came: what it causes waits.
    pub(crate) fn request_begins(&self, exchange: ExchangeId) {
        self.outbox().in_hand.insert(exchange, Vec::new());
    }

    /// A request has been answered: what it caused may leave.
    pub(crate) fn request_ended(self: &Arc<Self>, exchange: ExchangeId) {
        let waiting = self.outbox().in_hand.remove(&exchange).unwrap_or_default();
        waiting.iter().for_each(|id| self.send_next(id));
    }

    /// Sends a consent's oldest event, if it may leave, and then those after it.
    pub(crate) fn send_next(self: &Arc<Self>, id: &ConsentId) {
        let Some(mut due) = self.oldest(&self.state(), id) else { return };
        let platform = Arc::clone(self);
        // not on the runtime of the listener that it came about on, which ends before the platform
        self.runtime.spawn(async move {
            loop {
                let taken = platform.send(&due).await;
                match platform.landed(&due, taken) {
                    Some(next) => due = next,
                    None => break,
                }
            }
        });
    }

    fn oldest(&self, state: &State, id: &ConsentId) -> Option<Owed> {
        let oldest = state.consents.get(id)?.owed.front()?;
        self.outbox().may_leave(id, oldest).then(|| oldest.clone())
    }

    /// An event has been answered, or given up: the next one, if it may leave. One that a platform
    /// about to stop could not deliver is still owed.
    fn landed(self: &Arc<Self>, due: &Owed, taken: bool) -> Option<Owed> {
        let id = &due.consent.consent_id;
        let kept = !taken && self.outbox().stopping;
        let decides = due.only != Some(FaultPoint::DcEvent);
        if due.event == EventType::ConsentCreated && decides && !taken && !kept {
            self.never_announced(due);
        }
        let next = {
            let mut state = self.state();
            if !kept {
                state.consents.change(id, |held| held.owed.pop_front());
            }
            self.outbox().sending.remove(id);
            self.oldest(&state, id).filter(|_| !kept)
        };
        self.touched();
        next
    }

    /// A DP that never takes `consent_created` fails the consent.
    fn never_announced(self: &Arc<Self>, due: &Owed) {
        let description = "the Data Provider did not take the event consent_created";
        let change = Change {
            trigger: Trigger::ProviderFailure,
            by: UpdatedBy::Ofp,
            reason: Some(StatusReason::new(ReasonCode::ProviderError, description)),
            cause: due.cause,
        };
        // refused only when the consent was decided all the same, which then stands
        let _ = self.transition(&due.consent.consent_id, change, |_| {});
    }

    /// `consent_created` to the DP, which does not wait for the answer to the authorization request:
    /// that one waits for it, though for at most 5 s. What is under way then goes on.
    pub(crate) async fn announce(self: &Arc<Self>, consent: &Consent, cause: ExchangeId) {
        let (event, id) = (EventType::ConsentCreated, &consent.consent_id);
        self.owe(Owed::new(event, consent.clone(), Some(cause)));
        let landed = self.until(|platform| {
            let state = platform.state();
            let mut owed = state.consents.get(id).into_iter().flat_map(|held| &held.owed);
            owed.all(|owed| owed.event != event).then_some(())
        });
        let _ = tokio::time::timeout(Duration::from_secs(5), landed).await;
    }

    fn owe(self: &Arc<Self>, owed: Owed) {
        let id = owed.consent.consent_id.clone();
        self.state().consents.change(&id, |held| held.owe(owed));
        self.send_next(&id);
    }

    /// Sends an event that a fault held back, to the one whom it was held back from.
    pub(crate) fn send_late(self: &Arc<Self>, at: FaultPoint, late: Owed) {
        self.owe(Owed { only: Some(at), ..late });
    }

    /// Sends what was owed when the platform ended last.
    pub(crate) fn send_what_is_owed(self: &Arc<Self>) {
        let owing: Vec<ConsentId> = {
            let state = self.state();
            let owing = state.consents.iter().filter(|held| !held.owed.is_empty());
            owing.map(|held| held.consent.consent_id.clone()).collect()
        };
        owing.iter().for_each(|id| self.send_next(id));
    }

    /// Waits for what is on its way, for at most `within`. False when something still is. What could
    /// not be delivered stays owed.
    pub(crate) async fn close_outbox(self: &Arc<Self>, within: Duration) -> bool {
        self.outbox().stopping = true;
        let empty = self.until(|platform| platform.outbox().sending.is_empty().then_some(()));
        tokio::time::timeout(within, empty).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ofp_types::{ConsentStatus, DcId, DpId, Purpose};

    use super::*;

    fn owed(event: EventType, cause: Option<u64>) -> Owed {
        let now = Timestamp::UNIX_EPOCH;
        let consent = Consent {
            consent_id: ConsentId::parse("consent").unwrap(),
            dc_id: DcId::parse("dc").unwrap(),
            dp_id: DpId::parse("dp").unwrap(),
            purpose: Purpose::Pfm,
            permissions: Vec::new(),
            expiration: now,
            status: ConsentStatus::Authorized,
            status_reason: None,
            accounts: Vec::new(),
            identity: None,
            created_at: now,
            updated_at: now,
            updated_by: UpdatedBy::Ofp,
        };
        Owed::new(event, consent, cause.map(ExchangeId))
    }

    #[test]
    fn the_oldest_event_waits_for_the_answer_to_its_cause_and_for_the_one_before() {
        let mut outbox = Outbox::default();
        let id = ConsentId::parse("consent").unwrap();
        let changed = |cause| owed(EventType::ConsentStatusUpdated, cause);
        outbox.in_hand.insert(ExchangeId(1), Vec::new());
        assert!(!outbox.may_leave(&id, &changed(Some(1))), "not answered yet");
        assert_eq!(outbox.in_hand[&ExchangeId(1)].len(), 1, "and then it is asked again");
        outbox.in_hand.clear();
        assert!(outbox.may_leave(&id, &changed(Some(1))), "answered");
        assert!(!outbox.may_leave(&id, &changed(None)), "one is on its way");
        outbox.sending.clear();
        assert!(outbox.may_leave(&id, &changed(None)), "time or PayNet caused it");
        outbox.sending.clear();
        outbox.in_hand.insert(ExchangeId(2), Vec::new());
        assert!(
            outbox.may_leave(&id, &owed(EventType::ConsentCreated, Some(2))),
            "PAR waits for it"
        );
    }
}

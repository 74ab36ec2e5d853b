//! Faults of the platform: which are switched on, and for whom.

mod strike;

use crate::state::Owed;
use ofp_types::{ClientId, ConsentId, Effect, FaultLife, FaultPoint, InteractionId, PlatformFault};

pub(crate) use strike::{answer_instead, answer_struck, point_of, spoil};

/// Whom a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultScope {
    /// Messages about one consent.
    Consent(ConsentId),
    /// Messages from or to one client.
    Client(ClientId),
    /// The message with this interaction id.
    Interaction(InteractionId),
    /// Every message: the only scope for a listener that asks for no certificate and a request that
    /// names no consent, such as one for PayNet's keys.
    Everyone,
}

/// Names a fault that is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultId(pub u64);

/// A fault that is switched on.
#[derive(Debug, Clone)]
pub struct ActiveFault {
    /// Its name.
    pub id: FaultId,
    /// Whom it strikes.
    pub scope: FaultScope,
    /// What it does; how often is what is left.
    pub fault: PlatformFault,
}

/// How many faults may be switched on at once.
const MOST: usize = 1_000;

/// Faults that are switched on, oldest first.
#[derive(Default)]
pub(crate) struct Faults {
    active: Vec<ActiveFault>,
    next: u64,
    /// Events that wait for the one after them.
    held_back: Vec<(FaultPoint, Owed)>,
}

/// What a message is about, as far as is known when it comes or goes.
pub(crate) struct Struck<'a> {
    pub(crate) at: FaultPoint,
    pub(crate) consent: Option<&'a ConsentId>,
    pub(crate) client: Option<&'a ClientId>,
    pub(crate) interaction: Option<&'a str>,
}

impl Faults {
    /// Switches a fault on; above a thousand, the oldest goes.
    pub(crate) fn inject(&mut self, scope: FaultScope, fault: PlatformFault) -> FaultId {
        if self.active.len() >= MOST {
            self.active.remove(0);
        }
        self.next += 1;
        let id = FaultId(self.next);
        self.active.push(ActiveFault { id, scope, fault });
        id
    }

    /// Keeps an event back until the next one about its consent has been sent.
    pub(crate) fn hold_back(&mut self, at: FaultPoint, due: Owed) {
        if self.held_back.len() >= MOST {
            self.held_back.remove(0);
        }
        self.held_back.push((at, due));
    }

    /// What was kept back for one recipient of a consent's events.
    pub(crate) fn let_go(&mut self, at: FaultPoint, consent: &ConsentId) -> Vec<Owed> {
        let ours =
            |(there, due): &(FaultPoint, Owed)| *there == at && due.consent.consent_id == *consent;
        self.held_back.extract_if(.., |held| ours(held)).map(|(_, due)| due).collect()
    }

    pub(crate) fn active(&self) -> &[ActiveFault] {
        &self.active
    }

    /// What was kept back of what `within` tells.
    pub(crate) fn let_all_go(
        &mut self,
        within: impl Fn(FaultPoint, &Owed) -> bool,
    ) -> Vec<(FaultPoint, Owed)> {
        self.held_back.extract_if(.., |(at, owed)| within(*at, owed)).collect()
    }

    /// Switches everything off, or all that strikes one scope; says how many.
    pub(crate) fn reset(&mut self, scope: Option<&FaultScope>) -> usize {
        let before = self.active.len();
        self.active.retain(|fault| scope.is_some_and(|scope| fault.scope != *scope));
        before - self.active.len()
    }

    /// The oldest fault that strikes, which it does once less from now on.
    pub(crate) fn strike(&mut self, struck: &Struck<'_>) -> Option<Effect> {
        let at = self.active.iter().position(|fault| fault.strikes(struck))?;
        let fault = &mut self.active[at].fault;
        let effect = fault.effect;
        match &mut fault.life {
            FaultLife::UntilReset => {}
            FaultLife::Times(left) if *left > 1 => *left -= 1,
            FaultLife::Times(_) => drop(self.active.remove(at)),
        }
        Some(effect)
    }
}

impl ActiveFault {
    fn strikes(&self, struck: &Struck<'_>) -> bool {
        self.fault.at == struck.at && self.scope.covers(struck)
    }
}

impl FaultScope {
    pub(crate) fn covers(&self, struck: &Struck<'_>) -> bool {
        match self {
            Self::Consent(id) => struck.consent == Some(id),
            Self::Client(id) => struck.client == Some(id),
            Self::Interaction(id) => struck.interaction == Some(id.as_str()),
            Self::Everyone => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_its_scope_as_often_as_it_says() {
        let (one, two) = (ConsentId::parse("one").unwrap(), ConsentId::parse("two").unwrap());
        let fault = PlatformFault {
            at: FaultPoint::Token,
            effect: Effect::Status(503),
            life: FaultLife::Times(2),
        };
        let mut faults = Faults::default();
        faults.inject(FaultScope::Consent(one.clone()), fault);
        let mut strike = |at, consent| {
            let struck = Struck { at, consent: Some(consent), client: None, interaction: None };
            faults.strike(&struck).is_some()
        };
        assert!(!strike(FaultPoint::Token, &two), "another consent");
        assert!(!strike(FaultPoint::Par, &one), "another message");
        assert!(strike(FaultPoint::Token, &one) && strike(FaultPoint::Token, &one));
        assert!(!strike(FaultPoint::Token, &one), "twice is twice");
    }

    #[test]
    fn what_lasts_until_reset_is_reset() {
        let scope = FaultScope::Client(ClientId::parse("dc").unwrap());
        let fault = PlatformFault {
            at: FaultPoint::Jwks,
            effect: Effect::Status(500),
            life: FaultLife::UntilReset,
        };
        let mut faults = Faults::default();
        let id = faults.inject(scope.clone(), fault);
        assert_eq!(faults.active().iter().map(|fault| fault.id).collect::<Vec<_>>(), [id]);
        let other = FaultScope::Client(ClientId::parse("other").unwrap());
        assert_eq!((faults.reset(Some(&other)), faults.reset(Some(&scope))), (0, 1));
    }
}

//! Whether PayNet and the DP get through to each other at all: where they never did, playing on is a waste of
//! everybody's time, and a verdict on the DP would blame it for a configuration.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

use ofp_evidence::{Exchange, Failure, Outcome, Record, Role, Stage};

use crate::World;

/// So many calls in a row that never got to the DP are enough.
const ENOUGH: usize = 3;

/// Remembers that the DP was reached once, and that it has reached PayNet.
#[derive(Default)]
pub(crate) struct Reach {
    dp: AtomicBool,
    paynet: AtomicBool,
}

/// Why nothing can be said of the DP.
#[derive(Debug, Clone)]
pub(crate) enum Lost {
    /// PayNet's calls never got to it.
    Dp(Failure),
    /// Its calls never got to PayNet: the handshake failed.
    PayNet(String),
    /// It takes another reading of PayNet's pages than the profile.
    Reading(String),
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dp(failure) => write!(f, "the DP cannot be reached: {failure}"),
            Self::Reading(switches) => {
                write!(f, "the DP takes another reading than the profile: {switches}")
            }
            Self::PayNet(reason) => write!(
                f,
                "the DP's own calls do not get through to PayNet: {reason}. Configuration: tls.client_certificate and \
                 client_ca of the target file must be what the DP presents, and the DP must trust PayNet's CA"
            ),
        }
    }
}

impl Reach {
    /// Why nothing can be said of the DP, if there is nothing.
    pub(crate) fn lost(&self, world: &World) -> Option<Lost> {
        let dp = || self.dp_out_of_reach(world).map(Lost::Dp);
        let reading = || world.tried_readings.taken().map(|s| Lost::Reading(s.to_owned()));
        dp().or_else(reading).or_else(|| self.paynet_out_of_reach(world).map(Lost::PayNet))
    }

    /// Why the DP's calls cannot get through: a handshake has failed, and none has ever succeeded.
    fn paynet_out_of_reach(&self, world: &World) -> Option<String> {
        // ours is configured by ourselves
        if world.dp.target().is_none() || self.paynet.load(Ordering::Relaxed) {
            return None;
        }
        let behind_tls = [&world.origins.paynet_as_mtls, &world.origins.paynet_rs];
        let ours = |exchange: &Exchange| {
            behind_tls.iter().any(|origin| exchange.url.starts_with(origin.as_str()))
        };
        let mut refused = None;
        for record in world.journal.records() {
            let Record::Exchange(exchange) = &*record else { continue };
            if exchange.to != Role::PayNet || !ours(exchange) {
                continue;
            }
            if exchange.from == Role::Dp && exchange.client_certificate.is_some() {
                self.paynet.store(true, Ordering::Relaxed);
                return None;
            }
            if let Outcome::Failed(failure) = &exchange.outcome
                && failure.stage == Stage::Tls
            {
                refused = refused.or_else(|| Some(failure.detail.clone()));
            }
        }
        refused
    }

    /// Why the DP cannot be reached, if that has been tried often enough and never worked.
    fn dp_out_of_reach(&self, world: &World) -> Option<Failure> {
        if self.dp.load(Ordering::Relaxed) {
            return None;
        }
        let mut failures = Vec::new();
        for record in world.journal.records() {
            let Record::Exchange(exchange) = &*record else { continue };
            if exchange.from != Role::PayNet || exchange.to != Role::Dp {
                continue;
            }
            match &exchange.outcome {
                Outcome::Failed(failure)
                    if matches!(failure.stage, Stage::Connect | Stage::Tls | Stage::Trust) =>
                {
                    failures.push(failure.clone());
                }
                // one that is refused only after the handshake may look like a connection that ends
                Outcome::Failed(_) => {}
                Outcome::Answered { .. } => {
                    self.dp.store(true, Ordering::Relaxed);
                    return None;
                }
            }
        }
        failures.pop().filter(|_| failures.len() + 1 >= ENOUGH)
    }
}

//! Whether the DP can be reached at all: where it never was, playing on is a waste of everybody's time.

use std::sync::atomic::{AtomicBool, Ordering};

use ofp_evidence::{Failure, Outcome, Record, Role, Stage};

use crate::World;

/// So many calls in a row that never got to the DP are enough.
const ENOUGH: usize = 3;

/// Remembers that the DP was reached once.
#[derive(Default)]
pub(crate) struct Reach(AtomicBool);

impl Reach {
    /// Why the DP cannot be reached, if that has been tried often enough and never worked.
    pub(crate) fn lost(&self, world: &World) -> Option<Failure> {
        if self.0.load(Ordering::Relaxed) {
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
                    self.0.store(true, Ordering::Relaxed);
                    return None;
                }
            }
        }
        failures.pop().filter(|_| failures.len() + 1 >= ENOUGH)
    }
}

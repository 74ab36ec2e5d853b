//! The one place where the machine's clock is read.

use jiff::Timestamp;
use ofp_types::Clock;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody is given")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

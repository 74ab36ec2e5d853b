//! Which answers a step's author can live with.

use ofp_dc::DcError;
use ofp_scenario::{Expect, Step};

/// What the author of a step says of the answer: in an attempt of `until`, what ends the waiting.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    expect: &'a Expect,
    /// Whether the step is done again until something holds.
    waits: bool,
}

impl<'a> Wanted<'a> {
    pub(super) fn of(step: &'a Step) -> Self {
        Self { expect: &step.expect, waits: step.until.is_some() }
    }

    /// Whether the author says anything of the status: what is another is a mismatch then, and no error.
    pub(super) fn names_a_status(self) -> bool {
        self.expect.status.is_some()
    }

    /// Whether the author says that this status may come.
    pub(super) fn allows(self, status: u16) -> bool {
        self.expect.status.as_ref().is_some_and(|expected| expected.value.contains(status))
    }

    /// Whether the author says that this failure may come: a refusal with a status that is allowed, and nothing else.
    /// An answer that cannot be verified or decrypted is never as it should be.
    pub(super) fn excuses(self, failure: &DcError) -> bool {
        matches!(failure, DcError::Refused { status, .. } if self.allows(*status))
    }

    /// Whether the call is meant to be refused, so that what comes of it is no evidence of good behaviour. Of a step
    /// that waits, only the try that was refused.
    pub(super) fn means_refusal(self, came: Option<u16>) -> bool {
        let by_status = self.expect.status.as_ref().is_some_and(|status| status.value.are_errors());
        let by_word = self.expect.refused.as_ref().is_some_and(|refused| refused.value.is_wanted());
        match self.waits {
            true => by_status && came.is_some_and(|status| self.allows(status)),
            false => by_status || by_word,
        }
    }

    /// Whether something is expected that only an answer can meet.
    pub(super) fn needs_answer(self) -> bool {
        self.of_answer() > 0
    }

    /// How many keys are expected of the answer.
    pub(super) fn of_answer(self) -> usize {
        let of_answer =
            ["status", "headers", "json", "json_exact", "json_absent", "redirect", "jwt", "jwe"];
        self.expect.written().iter().filter(|key| of_answer.contains(*key)).count()
    }
}

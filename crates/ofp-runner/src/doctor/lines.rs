//! What the preflight says, line by line.

use ofp_evidence::Cause;

use crate::exit;

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct DoctorLine {
    /// Its code, for search: stable.
    pub code: &'static str,
    /// What was looked at.
    pub checked: String,
    /// What came.
    pub came: String,
    /// What that means.
    pub finding: Finding,
}

/// What a line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// In order.
    Good,
    /// Odd, and no reason to stop.
    Warning {
        /// What to do.
        mend: String,
    },
    /// Nothing can be said about conformance before this is mended.
    Bad {
        /// Whose: the configuration's or the network's.
        cause: Cause,
        /// What to do.
        mend: String,
    },
    /// It cannot be seen before the DP calls.
    NotSeen,
}

/// Everything that was looked at.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// In the order in which it was looked at.
    pub lines: Vec<DoctorLine>,
}

impl Report {
    pub(super) fn good(
        &mut self,
        code: &'static str,
        checked: impl Into<String>,
        came: impl Into<String>,
    ) {
        self.add(code, checked.into(), came.into(), Finding::Good);
    }

    pub(super) fn warn(
        &mut self,
        code: &'static str,
        checked: impl Into<String>,
        came: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.add(code, checked.into(), came.into(), Finding::Warning { mend: mend.into() });
    }

    pub(super) fn config(
        &mut self,
        code: &'static str,
        checked: impl Into<String>,
        came: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let finding = Finding::Bad { cause: Cause::Config, mend: mend.into() };
        self.add(code, checked.into(), came.into(), finding);
    }

    pub(super) fn network(
        &mut self,
        code: &'static str,
        checked: impl Into<String>,
        came: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let finding = Finding::Bad { cause: Cause::Network, mend: mend.into() };
        self.add(code, checked.into(), came.into(), finding);
    }

    pub(super) fn not_seen(
        &mut self,
        code: &'static str,
        checked: impl Into<String>,
        came: impl Into<String>,
    ) {
        self.add(code, checked.into(), came.into(), Finding::NotSeen);
    }

    fn add(&mut self, code: &'static str, checked: String, came: String, finding: Finding) {
        self.lines.push(DoctorLine { code, checked, came, finding });
    }

    /// Lines that stop a run.
    pub fn bad(&self) -> impl Iterator<Item = &DoctorLine> {
        self.lines.iter().filter(|line| matches!(line.finding, Finding::Bad { .. }))
    }

    /// What the preflight amounts to: a configuration to mend, a DP out of reach, or nothing.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let codes: Vec<u8> = self
            .bad()
            .map(|line| match &line.finding {
                Finding::Bad { cause: Cause::Network, .. } => exit::UNTESTED,
                _ => exit::CONFIG,
            })
            .collect();
        exit::worst(&codes)
    }
}

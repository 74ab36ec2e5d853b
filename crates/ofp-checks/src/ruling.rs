//! From observations to a verdict.

use ofp_evidence::{
    Cause, Endpoint, Evidence, ExchangeId, Failure, Finding, Level, Severity, Stage, Subject,
    Verdict,
};

use ofp_types::Mutation;

use crate::{Facts, Requirement, Unserved};

/// What one check observes while it goes through the facts.
pub(crate) struct Ruling<'a> {
    requirement: &'a Requirement,
    level: Level,
    seen: Vec<ExchangeId>,
    findings: Vec<Finding>,
    not_applicable: Option<String>,
}

impl Ruling<'_> {
    /// The requirement held there.
    pub(crate) fn holds(&mut self, at: ExchangeId) {
        self.seen.push(at);
    }

    /// The requirement was broken there.
    pub(crate) fn broken(
        &mut self,
        at: ExchangeId,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        self.find(at, expected.into(), actual.into(), self.severity(), Cause::Dp);
    }

    /// The requirement was broken there, but only in a way that the reading tolerates.
    pub(crate) fn bent(
        &mut self,
        at: ExchangeId,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        let severity = self.severity().min(Severity::Warning);
        self.find(at, expected.into(), actual.into(), severity, Cause::Dp);
    }

    /// There was no complete answer there.
    pub(crate) fn unanswered(&mut self, at: ExchangeId, expected: &str, failure: &Failure) {
        let cause = match failure.stage {
            Stage::Connect | Stage::Send => Cause::Network,
            Stage::Tls | Stage::Trust => Cause::Config,
            Stage::Greeted | Stage::Timeout | Stage::Receive | Stage::Body => Cause::Dp,
        };
        self.find(at, expected.to_owned(), failure.to_string(), self.severity(), cause);
    }

    /// Held or broken, as `ok` says.
    pub(crate) fn judge(
        &mut self,
        at: ExchangeId,
        ok: bool,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        if ok { self.holds(at) } else { self.broken(at, expected, actual) }
    }

    /// The profile or the target leaves the requirement out.
    pub(crate) fn not_applicable(&mut self, because: impl Into<String>) {
        self.not_applicable = Some(because.into());
    }

    /// The requests that the requirement wants served.
    pub(crate) fn services(&self) -> &'static [(Endpoint, Mutation)] {
        self.requirement.services
    }

    /// The requests that the requirement wants refused.
    pub(crate) fn refusals(&self) -> &'static [Unserved] {
        self.requirement.refusals
    }

    fn severity(&self) -> Severity {
        match self.level {
            Level::Must => Severity::Failure,
            Level::Should => Severity::Warning,
            Level::Info | Level::Own => Severity::Info,
        }
    }

    fn find(
        &mut self,
        at: ExchangeId,
        expected: String,
        actual: String,
        severity: Severity,
        cause: Cause,
    ) {
        self.seen.push(at);
        let subject = Subject::Requirement(self.requirement.requirement_id());
        let finding = Finding::new(subject, expected, actual, severity)
            .caused_by(cause)
            .hint(self.requirement.mend)
            .seen_in(at);
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// What the facts say about a requirement.
#[must_use]
pub fn judge(requirement: &Requirement, facts: &Facts<'_>) -> Verdict {
    let level = requirement.level_in(&facts.settings.profile);
    let (seen, findings) = (Vec::new(), Vec::new());
    let mut ruling = Ruling { requirement, level, seen, findings, not_applicable: None };
    (requirement.check)(facts, &mut ruling);
    ruling.findings.iter_mut().for_each(|finding| facts.reread(finding));
    if let Some(because) = ruling.not_applicable {
        return Verdict::NotApplicable { because };
    }
    match Evidence::of(ruling.seen) {
        None => Verdict::NotTested { because: requirement.unseen.to_owned() },
        Some(evidence) => weigh(evidence, ruling.findings),
    }
}

/// One verdict on several scenarios' verdicts: the worst, on all their evidence.
#[must_use]
pub fn merge(requirement: &Requirement, verdicts: &[Verdict]) -> Verdict {
    let evidence = verdicts.iter().flat_map(Verdict::evidence).copied().collect();
    let findings = verdicts.iter().flat_map(Verdict::findings).cloned().collect();
    match Evidence::of(evidence) {
        Some(evidence) => weigh(evidence, findings),
        None => {
            let left_out = verdicts.iter().find(|v| matches!(v, Verdict::NotApplicable { .. }));
            left_out
                .cloned()
                .unwrap_or_else(|| Verdict::NotTested { because: requirement.unseen.to_owned() })
        }
    }
}

fn weigh(evidence: Evidence, findings: Vec<Finding>) -> Verdict {
    if findings.is_empty() {
        Verdict::Pass { evidence }
    } else if findings.iter().any(|finding| finding.severity == Severity::Failure) {
        Verdict::Fail { evidence, findings }
    } else {
        Verdict::Warn { evidence, findings }
    }
}

//! The JUnit report: a suite a scenario, a case a step, and a suite `requirements`.

use ofp_evidence::{
    Baseline, Cause, Finding, RequirementResult, ScenarioResult, Secrets, Severity, StepResult,
    StepStatus, Subject, Summary, Verdict, cut,
};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// A message is for a list of failures.
const LONGEST_MESSAGE: usize = 160;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[error("cannot render JUnit: {0}")]
pub struct JunitError(#[from] quick_junit::SerializeError);

/// The whole run as JUnit XML.
///
/// # Errors
/// [`JunitError`].
pub fn junit(summary: &Summary) -> Result<String, JunitError> {
    let mut report = Report::new("ofp-sim");
    report.set_time(summary.took);
    for scenario in &summary.scenarios {
        report.add_test_suite(suite(&summary.secrets, scenario));
    }
    let mut requirements = TestSuite::new("requirements");
    for requirement in &summary.requirements {
        requirements.add_test_case(requirement_case(&summary.secrets, requirement));
    }
    report.add_test_suite(requirements);
    // characters that XML 1.0 §2.2 does not know, and the writer lets through
    Ok(report.to_string()?.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"))
}

fn suite(secrets: &Secrets, scenario: &ScenarioResult) -> TestSuite {
    let mut suite = TestSuite::new(scenario.id.to_string());
    suite.set_time(scenario.took);
    for (number, step) in scenario.steps.iter().enumerate() {
        let name = format!("{} {}", number + 1, step.name);
        let mut case = TestCase::new(name, step_status(secrets, step));
        case.set_classname(scenario.id.to_string());
        let file = step.file.as_ref().unwrap_or(&scenario.file);
        case.extra.insert("file".into(), file.clone().into());
        case.extra.insert("line".into(), step.line.to_string().into());
        warnings(secrets, &mut case, &step.findings);
        suite.add_test_case(case);
    }
    if !scenario.findings.is_empty() {
        let status = findings_status(secrets, &scenario.findings);
        let mut case = TestCase::new("scenario", status);
        case.set_classname(scenario.id.to_string());
        case.extra.insert("file".into(), scenario.file.clone().into());
        suite.add_test_case(case);
    }
    suite
}

fn step_status(secrets: &Secrets, step: &StepResult) -> TestCaseStatus {
    match (step.status, &step.error) {
        (StepStatus::Skipped | StepStatus::NotApplicable, because) => {
            skipped(&secrets.mask(because.as_deref().unwrap_or("an earlier step did not succeed")))
        }
        (StepStatus::Error, Some(error)) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(secrets.mask(error).into_owned());
            // a must may have been broken on the way
            let failures = failures(&step.findings);
            if !failures.is_empty() {
                status.set_description(all_described(secrets, &failures));
            }
            status
        }
        _ => findings_status(secrets, &step.findings),
    }
}

fn skipped(because: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(because.to_owned());
    status
}

/// What fails a step or requirement. The DP's requirements first: what a scenario's author expected often follows from them.
fn failures(findings: &[Finding]) -> Vec<&Finding> {
    let mut failures: Vec<&Finding> =
        findings.iter().filter(|finding| finding.severity == Severity::Failure).collect();
    failures.sort_by_key(|finding| match &finding.subject {
        Subject::Requirement(id) => (0, id.to_string()),
        other => (1, other.to_string()),
    });
    failures
}

fn all_described(secrets: &Secrets, failures: &[&Finding]) -> String {
    let mut text: Vec<String> =
        failures.iter().map(|finding| described(secrets, finding)).collect();
    text.dedup();
    text.join("\n\n")
}

/// One failure that lists everything, the first in its message; an error when nothing of it is the DP's.
fn findings_status(secrets: &Secrets, findings: &[Finding]) -> TestCaseStatus {
    let failures = failures(findings);
    let Some(first) = failures.first() else { return TestCaseStatus::success() };
    let is_dp = failures.iter().any(|finding| finding.cause == Cause::Dp);
    let kind = if is_dp { NonSuccessKind::Failure } else { NonSuccessKind::Error };
    let mut status = TestCaseStatus::non_success(kind);
    let short = |text: &str| cut(&secrets.mask(text), LONGEST_MESSAGE);
    let (expected, actual) = (short(&first.expected), short(&first.actual));
    let mut others: Vec<String> = failures.iter().map(|f| f.subject.to_string()).collect();
    others.dedup();
    let others = match others.len() {
        0 | 1 => String::new(),
        many => format!(" (and {} more)", many - 1),
    };
    let subject = &first.subject;
    status.set_message(format!("{subject}: expected {expected}, came {actual}{others}"));
    status.set_description(all_described(secrets, &failures));
    status
}

fn described(secrets: &Secrets, finding: &Finding) -> String {
    let mut text = format!(
        "{}\n  expected  {}\n  actual    {}",
        finding.subject,
        secrets.mask(&finding.expected),
        secrets.mask(&finding.actual)
    );
    for (label, value) in
        [("exchange", finding.exchange.map(|id| id.to_string())), ("mend", finding.hint.clone())]
    {
        text.extend(value.map(|value| format!("\n  {label:<9} {value}")));
    }
    text
}

fn warnings(secrets: &Secrets, case: &mut TestCase, findings: &[Finding]) {
    let lesser = findings.iter().filter(|finding| finding.severity != Severity::Failure);
    let text: Vec<String> = lesser.map(|finding| described(secrets, finding)).collect();
    if !text.is_empty() {
        case.set_system_out(text.join("\n\n"));
    }
}

fn requirement_case(secrets: &Secrets, requirement: &RequirementResult) -> TestCase {
    let known = match &requirement.baseline {
        Some(Baseline::Known { comment }) => Some(comment.as_str()),
        _ => None,
    };
    let status = match &requirement.verdict {
        Verdict::Pass { .. } | Verdict::Warn { .. } => TestCaseStatus::success(),
        Verdict::Fail { .. } if known.is_some() => {
            skipped(&format!("known: {}", known.unwrap_or_default()))
        }
        Verdict::Fail { findings, .. } => findings_status(secrets, findings),
        Verdict::NotTested { because } | Verdict::NotApplicable { because } => {
            skipped(&secrets.mask(because))
        }
    };
    let name = format!("{} {} {}", requirement.id, requirement.level, requirement.title);
    let mut case = TestCase::new(name, status);
    case.set_classname("requirements");
    if let Verdict::Warn { findings, .. } = &requirement.verdict {
        warnings(secrets, &mut case, findings);
    }
    case
}

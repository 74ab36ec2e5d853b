//! Scenarios that did not pass, and those that were left out.

use std::{collections::BTreeMap, io::Write};

use colored::Colorize as _;
use ofp_evidence::{Finding, ScenarioResult, ScenarioStatus, StepResult, StepStatus, Subject};
use ofp_types::Mutation;

use super::{Terminal, left_out, tame};
use crate::{
    block, curl,
    run::Run,
    shell::shell_path,
    words::{self, count},
};

impl<W: Write> Terminal<W> {
    /// Scenarios that did not pass: where they stopped, and what their authors expected.
    pub(super) fn scenarios(&mut self, run: &Run<'_>) -> std::io::Result<()> {
        let bad = |scenario: &&ScenarioResult| scenario.status != ScenarioStatus::Passed;
        let bad: Vec<&ScenarioResult> = run.summary.scenarios.iter().filter(bad).collect();
        let (left_out, bad): (Vec<_>, Vec<_>) =
            bad.into_iter().partition(|scenario| left_out(scenario).is_some());
        self.left_out(run, &left_out)?;
        if !bad.is_empty() {
            writeln!(self.out, "\n{}", "Scenarios that did not pass".bold())?;
        }
        for scenario in bad {
            writeln!(self.out, "\n  {}  {}", scenario.id.0.bold(), tame(&scenario.title))?;
            for step in &scenario.steps {
                self.step(run, scenario, step)?;
            }
            let own: Vec<&Finding> = scenario.findings.iter().filter(|f| is_own(f)).collect();
            self.own(run, &own)?;
            let played = shell_path(&words::played(scenario));
            let started = &run.summary.started;
            let variables = words::variables(started, scenario);
            let rerun = format!("ofp-sim run {played}{}{variables}", started.rerun_flags);
            self.field("rerun", &rerun)?;
        }
        Ok(())
    }

    /// Scenarios that the profile or the target leaves out, by reason.
    fn left_out(&mut self, run: &Run<'_>, scenarios: &[&ScenarioResult]) -> std::io::Result<()> {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for scenario in scenarios {
            if let Some(reason) = left_out(scenario) {
                reasons.entry(without_mutation(reason)).or_default().push(&scenario.id.0);
            }
        }
        if !reasons.is_empty() {
            writeln!(self.out, "\n{}", "Left out".bold())?;
        }
        for (reason, ids) in reasons {
            writeln!(self.out, "\n  {}", count(ids.len(), "scenario").bold())?;
            self.field("because", &run.summary.secrets.mask(reason))?;
            self.field("these", &words::together(&ids))?;
        }
        Ok(())
    }

    fn step(
        &mut self,
        run: &Run<'_>,
        scenario: &ScenarioResult,
        step: &StepResult,
    ) -> std::io::Result<()> {
        let own: Vec<&Finding> = step.findings.iter().filter(|finding| is_own(finding)).collect();
        let is_stopped = step.error.is_some() && step.status != StepStatus::NotApplicable;
        if !is_stopped && own.is_empty() {
            return Ok(());
        }
        let at = format!("{}:{}", step.file.as_ref().unwrap_or(&scenario.file), step.line);
        let number = scenario.steps.iter().position(|other| std::ptr::eq(other, step));
        let mut later = scenario.steps.iter().skip(number.map_or(0, |number| number + 1));
        let stopped = later.len() > 0 && later.all(|later| later.status == StepStatus::Skipped);
        let label = if stopped { "stopped" } else { "failed" };
        self.field(label, &format!("{} ({at})", run.summary.secrets.mask(&step.name)))?;
        if let Some(error) = &step.error {
            self.field("because", &run.summary.secrets.mask(error))?;
        }
        let said = notes(run, step);
        let (blocks, plain): (Vec<&Finding>, Vec<&Finding>) =
            own.into_iter().partition(|finding| !finding.excerpts.is_empty());
        self.own(run, &plain)?;
        if blocks.is_empty() {
            said.iter().try_for_each(|note| self.field("PayNet", note))?;
        }
        let notes: Vec<String> = said.iter().map(|note| format!("PayNet: {note}")).collect();
        let mut shown: Vec<(&str, &str)> = Vec::new();
        for finding in &blocks {
            let pair = (finding.expected.as_str(), finding.actual.as_str());
            if !shown.contains(&pair) {
                // why PayNet answered so is said once
                let notes = if shown.is_empty() { notes.as_slice() } else { &[] };
                self.block(run, finding, notes)?;
                shown.push(pair);
            }
        }
        // a step of a fragment is found by its number in the scenario
        let place = match (&step.file, number) {
            (Some(_), Some(number)) => format!("{}#{}", words::played(scenario), number + 1),
            _ => format!("{}:{}", words::played(scenario), step.line),
        };
        let started = &run.summary.started;
        let flags = format!("{}{}", started.step_flags, words::variables(started, scenario));
        self.field("look", &format!("ofp-sim explain step {}{flags}", shell_path(&place)))?;
        let exchange = blocks.iter().find_map(|finding| finding.exchange);
        match exchange.or(step.exchanges.first().copied()).and_then(|id| curl::line_below(run, id))
        {
            Some(line) => {
                writeln!(self.out, "    {}  {}", "curl    ".dimmed(), tame(&line).dimmed())
            }
            None => Ok(()),
        }
    }

    fn block(&mut self, run: &Run<'_>, finding: &Finding, notes: &[String]) -> std::io::Result<()> {
        let colour = colored::control::SHOULD_COLORIZE.should_colorize();
        let helps: Vec<String> = finding.hint.iter().cloned().collect();
        let block = block::block(&run.summary.secrets, finding, notes, &helps, colour);
        for line in block.unwrap_or_default().lines() {
            writeln!(self.out, "    {line}")?;
        }
        Ok(())
    }

    /// Findings about expectations and snapshots, each pair of expected and actual once.
    fn own(&mut self, run: &Run<'_>, findings: &[&Finding]) -> std::io::Result<()> {
        let mut said: Vec<(&str, &str)> = Vec::new();
        for finding in findings {
            let pair = (finding.expected.as_str(), finding.actual.as_str());
            if said.contains(&pair) {
                continue;
            }
            said.push(pair);
            if let Subject::Snapshot { file } = &finding.subject {
                self.field("snapshot", file)?;
            }
            self.field("expected", &run.summary.secrets.mask(pair.0))?;
            self.field("actual", &run.summary.secrets.mask(pair.1))?;
            if let Some(hint) = &finding.hint {
                self.field("mend", hint)?;
            }
        }
        Ok(())
    }
}

/// Why PayNet answered as it did in a step's exchanges, each reason once.
fn notes(run: &Run<'_>, step: &StepResult) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for note in step.exchanges.iter().filter_map(|id| run.exchange(*id)?.note.as_deref()) {
        let note = run.summary.secrets.mask(note).into_owned();
        if !said.contains(&note) {
            said.push(note);
        }
    }
    said
}

/// A reason without the mutation that it begins with: the scenario's id has it.
fn without_mutation(reason: &str) -> &str {
    let (name, rest) = reason.split_once(": ").unwrap_or(("", reason));
    if Mutation::by_name(name).is_some() { rest } else { reason }
}

/// Whether a finding is about what the scenario's author wrote.
fn is_own(finding: &Finding) -> bool {
    !matches!(finding.subject, Subject::Requirement(_))
}

//! What a person sees: a line a scenario as it ends, everything that is wrong at the end.

use std::{collections::BTreeMap, io::Write, time::Duration};

use colored::Colorize as _;
use ofp_checks::{find, group_title};
use ofp_evidence::{
    Baseline, Difference, ExchangeId, Finding, Level, RequirementResult, RunEvent, RunStarted,
    ScenarioResult, ScenarioStatus, Stale, StepResult, StepStatus, Subject, Summary, Verdict,
};

use ofp_types::Mutation;

use crate::{
    block, curl,
    progress::Progress,
    run::Run,
    words::{self, count},
};

/// Writes a run to a terminal or a log. Colour is decided once, in `main`, for the whole process.
pub struct Terminal<W> {
    out: W,
    /// Columns that the longest scenario id needs.
    width: usize,
    /// Rows of `for_each` that passed, by the scenario that they are rows of.
    rows: BTreeMap<String, PassedRows>,
    progress: Progress,
}

/// Rows of one scenario that passed: one line for all of them.
struct PassedRows {
    count: usize,
    /// The id of the one that passed, as long as it is one.
    only: Option<String>,
    took: Duration,
    title: String,
}

impl<W: Write> Terminal<W> {
    /// Writes to `out`; `width` is the length of the longest scenario id. With a bar, a line that says how far the run has
    /// come is written over and over: for a terminal, and never for a file.
    pub fn new(out: W, width: usize, has_bar: bool) -> Self {
        Self { out, width, rows: BTreeMap::new(), progress: Progress::new(has_bar) }
    }

    /// Shows an event.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn show(&mut self, event: &RunEvent) -> std::io::Result<()> {
        match event {
            RunEvent::Started(started) => self.started(started),
            RunEvent::ScenarioStarted(id) => {
                self.progress.begins(id);
                self.progress.show(&mut self.out)
            }
            RunEvent::StepFinished { .. } => Ok(()),
            RunEvent::ScenarioFinished(scenario) => {
                self.progress.ends();
                self.progress.clear(&mut self.out)?;
                self.scenario(scenario)?;
                self.progress.show(&mut self.out)
            }
            RunEvent::Finished(summary) => {
                self.progress.clear(&mut self.out)?;
                self.finished(summary)
            }
        }
    }

    fn started(&mut self, started: &RunStarted) -> std::io::Result<()> {
        self.progress.starts(started.scenarios);
        let scenarios = count(started.scenarios, "scenario");
        let (tool, profile, target) =
            (started.tool.bold(), words::profile(started), &started.target);
        writeln!(self.out, "{tool}  profile {profile}  against {target}  {scenarios}\n")
    }

    fn scenario(&mut self, scenario: &ScenarioResult) -> std::io::Result<()> {
        if scenario.status == ScenarioStatus::Passed
            && let Some((of, _)) = scenario.id.0.split_once('[')
        {
            let none = || PassedRows {
                count: 0,
                took: Duration::ZERO,
                title: scenario.title.clone(),
                only: None,
            };
            let rows = self.rows.entry(of.to_owned()).or_insert_with(none);
            rows.count += 1;
            rows.only = (rows.count == 1).then(|| scenario.id.0.clone());
            rows.took += scenario.took;
            return Ok(());
        }
        // the end says which, and why
        if left_out(scenario).is_some() {
            return Ok(());
        }
        let word = match scenario.status {
            ScenarioStatus::Passed => "PASS ".green(),
            ScenarioStatus::Failed => "FAIL ".red().bold(),
            ScenarioStatus::Error => "ERROR".yellow().bold(),
            ScenarioStatus::Skipped => "SKIP ".dimmed(),
        };
        let (id, width) = (&scenario.id.0, self.width);
        let (ms, title) = (scenario.took.as_millis(), tame(&scenario.title));
        let counter = self.progress.counter();
        writeln!(self.out, "  {word}  {counter}{id:width$}  {ms:>6} ms  {title}")
    }

    fn passed_rows(&mut self) -> std::io::Result<()> {
        let (word, width) = ("PASS ".green(), self.width);
        for (of, rows) in std::mem::take(&mut self.rows) {
            let (ms, title) = (rows.took.as_millis(), tame(&rows.title));
            let id = match &rows.only {
                Some(only) => only.clone(),
                None => format!("{of}[{}]", count(rows.count, "row")),
            };
            let blank = " ".repeat(self.progress.counter().len());
            writeln!(self.out, "  {word}  {blank}{id:width$}  {ms:>6} ms  {title}")?;
        }
        Ok(())
    }

    fn finished(&mut self, summary: &Summary) -> std::io::Result<()> {
        self.passed_rows()?;
        let run = &Run::of(summary);
        self.findings(run, "Failures", |verdict| matches!(verdict, Verdict::Fail { .. }))?;
        self.findings(run, "Warnings", |verdict| matches!(verdict, Verdict::Warn { .. }))?;
        self.scenarios(run)?;
        self.requirements(summary)?;
        self.not_tested(summary)?;
        self.baseline(summary)?;
        self.totals(summary)
    }

    /// Scenarios that did not pass: where they stopped, and what their authors expected.
    fn scenarios(&mut self, run: &Run<'_>) -> std::io::Result<()> {
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
            let played = words::shell(&words::played(scenario));
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
        let went_on = scenario.steps.iter().skip(number.map_or(0, |number| number + 1));
        let went_on = went_on.clone().any(|later| later.status != StepStatus::Skipped);
        let label = if went_on { "failed" } else { "stopped" };
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
        self.field("look", &format!("ofp-sim explain step {}{flags}", words::shell(&place)))?;
        let exchange = blocks.iter().find_map(|finding| finding.exchange);
        match exchange.or(step.exchanges.first().copied()).and_then(|id| curl::line(run, id)) {
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

    fn findings(
        &mut self,
        run: &Run<'_>,
        title: &str,
        wanted: fn(&Verdict) -> bool,
    ) -> std::io::Result<()> {
        let bad: Vec<&RequirementResult> =
            run.summary.requirements.iter().filter(|r| wanted(&r.verdict)).collect();
        if bad.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "\n{}", title.bold())?;
        for requirement in bad {
            self.requirement(run, requirement)?;
        }
        Ok(())
    }

    fn requirement(&mut self, run: &Run<'_>, result: &RequirementResult) -> std::io::Result<()> {
        let id = result.id.to_string();
        let id =
            if matches!(result.verdict, Verdict::Fail { .. }) { id.red() } else { id.yellow() };
        writeln!(self.out, "\n  {} {}  {}", id.bold(), result.level, result.title.bold())?;
        if let Some(Baseline::Known { comment }) = &result.baseline {
            self.field("known", comment)?;
        }
        let findings = result.verdict.findings();
        if let Some(first) = findings.first() {
            self.finding(run, first)?;
        }
        let more = findings.len().saturating_sub(1);
        if more > 0 {
            self.field(
                "more",
                &format!("{} like this, see --report json", count(more, "finding")),
            )?;
        }
        let scenarios: Vec<&str> = result.scenarios.iter().map(|id| id.0.as_str()).collect();
        if !scenarios.is_empty() {
            self.field("in", &scenarios.join(", "))?;
        }
        if let Some(requirement) = find(result.id.as_str()) {
            self.field("source", requirement.source)?;
        }
        let switches: Vec<String> = result.switches.iter().map(ToString::to_string).collect();
        if !switches.is_empty() {
            self.field("profile", &format!("{} in this profile", switches.join(", ")))?;
        }
        findings.first().map_or(Ok(()), |first| self.curl(run, first))
    }

    fn finding(&mut self, run: &Run<'_>, finding: &Finding) -> std::io::Result<()> {
        let secrets = &run.summary.secrets;
        self.field("expected", &secrets.mask(&finding.expected))?;
        self.field("actual", &secrets.mask(&finding.actual))?;
        let exchange = finding.exchange.and_then(|id| run.exchange(id));
        if let Some(exchange) = exchange {
            self.field("exchange", &exchange.headline())?;
            if let Some(note) = &exchange.note {
                self.field("PayNet", &secrets.mask(note))?;
            }
            self.spoilt(run, exchange.id)?;
        }
        self.field("whose", &finding.cause.to_string())?;
        if let Some(hint) = &finding.hint {
            self.field("mend", hint)?;
        }
        Ok(())
    }

    /// What was spoilt of a request, as it would have been and as it was sent.
    fn spoilt(&mut self, run: &Run<'_>, id: ExchangeId) -> std::io::Result<()> {
        let Some((mutation, differences)) = run.spoilt(id) else { return Ok(()) };
        let cut = |text: &str| {
            let start: String = run.summary.secrets.mask(text).chars().take(80).collect();
            if start.len() < text.len() { format!("{start}…") } else { start }
        };
        let each = differences.iter().map(|difference| {
            let Difference { what, good, sent } = difference;
            format!("{what}: {} instead of {}", cut(sent), cut(good))
        });
        let lines: Vec<String> = each.collect();
        self.field("spoilt", &format!("{mutation}\n{}", lines.join("\n")))
    }

    /// Long, so last, and dimmed.
    fn curl(&mut self, run: &Run<'_>, finding: &Finding) -> std::io::Result<()> {
        match finding.exchange.and_then(|id| curl::line(run, id)) {
            Some(line) => {
                writeln!(self.out, "    {}  {}", "curl    ".dimmed(), tame(&line).dimmed())
            }
            None => Ok(()),
        }
    }

    /// `label     value`, later lines of the value below its first; lines of a diff in colour.
    fn field(&mut self, label: &str, value: &str) -> std::io::Result<()> {
        let mut label = label;
        for line in value.lines() {
            let line = tame(line);
            let coloured = match line.as_bytes().first() {
                Some(b'+') => line.green(),
                Some(b'-') => line.red(),
                _ => line.normal(),
            };
            writeln!(self.out, "    {}  {coloured}", format!("{label:<8}").dimmed())?;
            label = "";
        }
        Ok(())
    }

    fn requirements(&mut self, summary: &Summary) -> std::io::Result<()> {
        let mut groups: BTreeMap<char, BTreeMap<&str, usize>> = BTreeMap::new();
        for requirement in of_dp(summary) {
            let letter = requirement.id.as_str().chars().next().unwrap_or('?');
            let words = groups.entry(letter).or_default();
            *words.entry(requirement.verdict.word()).or_default() += 1;
        }
        writeln!(self.out, "\n{}", "Requirements".bold())?;
        for (letter, words) in groups {
            let of = |word: &str| words.get(word).copied().unwrap_or(0);
            let parts = [
                (of("pass"), "passed", colored::Color::Green),
                (of("fail"), "failed", colored::Color::Red),
                (of("warn"), "warned", colored::Color::Yellow),
                (of("not_tested"), "not tested", colored::Color::BrightBlack),
                (of("not_applicable"), "not applicable", colored::Color::BrightBlack),
            ];
            let parts: Vec<String> = parts
                .into_iter()
                .filter(|(number, ..)| *number > 0)
                .map(|(number, word, colour)| format!("{number} {word}").color(colour).to_string())
                .collect();
            writeln!(self.out, "  {letter}  {:<26}  {}", group_title(letter), parts.join(", "))?;
        }
        Ok(())
    }

    /// Reasons, each once, with the requirements that they are given for.
    fn not_tested(&mut self, summary: &Summary) -> std::io::Result<()> {
        let untested = |requirement: &&RequirementResult| {
            matches!(requirement.verdict, Verdict::NotTested { .. })
        };
        let many = of_dp(summary).filter(untested).count();
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        // who plays few scenarios does not want to read about all that they do not come to
        let shown = of_dp(summary).filter(|one| many <= MOST_UNTESTED || !untested(one));
        for requirement in shown {
            let Some(because) = requirement.verdict.because() else { continue };
            let id = requirement.id.as_str();
            match reasons.iter_mut().find(|(reason, _)| *reason == because) {
                Some((_, ids)) => ids.push(id),
                None => reasons.push((because, vec![id])),
            }
        }
        if reasons.is_empty() && many == 0 {
            return Ok(());
        }
        writeln!(self.out, "\n{}", "Not tested or not applicable, and why".bold())?;
        if many > MOST_UNTESTED {
            let of = count(many, "requirement");
            writeln!(
                self.out,
                "  {of}: these scenarios do not come to them (each reason: --report json=FILE)"
            )?;
        }
        for (because, ids) in reasons {
            let because = tame(&summary.secrets.mask(because));
            writeln!(self.out, "  {}: {because}", ids.join(", "))?;
        }
        Ok(())
    }

    /// What a baseline knows and no longer happens, and entries for what it does not know.
    fn baseline(&mut self, summary: &Summary) -> std::io::Result<()> {
        if !summary.stale.is_empty() {
            writeln!(self.out, "\n{}", "Known failures that no longer happen".bold())?;
        }
        for Stale { requirement, scenario, comment } in &summary.stale {
            let place =
                scenario.as_deref().map_or_else(String::new, |place| format!(" in {place}"));
            let comment = tame(comment);
            writeln!(self.out, "  {requirement}{place}: remove it from the baseline ({comment})")?;
        }
        let new = summary.requirements.iter().filter_map(|result| match &result.baseline {
            Some(Baseline::New { scenarios }) => Some((&result.id, scenarios)),
            _ => None,
        });
        let new: Vec<_> = new.collect();
        if !new.is_empty() {
            let title = "Not in the baseline; to put up with it, add and say why";
            writeln!(self.out, "\n{}", title.bold())?;
        }
        for (id, scenarios) in new {
            if scenarios.is_empty() {
                writeln!(self.out, "  - requirement: {id}\n    comment: TODO")?;
            }
            for scenario in scenarios {
                let scenario = &scenario.0;
                writeln!(
                    self.out,
                    "  - requirement: {id}\n    scenario: \"{scenario}\"\n    comment: TODO"
                )?;
            }
        }
        Ok(())
    }

    fn totals(&mut self, summary: &Summary) -> std::io::Result<()> {
        let scenarios = words::scenarios(summary);
        let of = |word: &str| of_dp(summary).filter(|r| r.verdict.word() == word).count();
        let verdict = match summary.exit_code {
            0 => "PASSED".green().bold(),
            1 => "FAILED".red().bold(),
            2 => "NOT A VALID RUN".yellow().bold(),
            4 => "COULD NOT BE TESTED".yellow().bold(),
            5 => "NOTHING WAS PLAYED".yellow().bold(),
            _ => "DID NOT PASS".red().bold(),
        };
        writeln!(
            self.out,
            "\n{verdict}  {scenarios}; of {}: {} passed, {} failed, {} warned, {} not tested, {} not \
             applicable  ({} ms, exit code {})",
            count(of_dp(summary).count(), "requirement"),
            of("pass"),
            of("fail"),
            of("warn"),
            of("not_tested"),
            of("not_applicable"),
            summary.took.as_millis(),
            summary.exit_code,
        )
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

/// More requirements that were not tested are counted, not named.
const MOST_UNTESTED: usize = 40;

/// A reason without the mutation that it begins with: the scenario's id has it.
fn without_mutation(reason: &str) -> &str {
    let (name, rest) = reason.split_once(": ").unwrap_or(("", reason));
    if Mutation::by_name(name).is_some() { rest } else { reason }
}

/// Why a scenario was left out, if it was.
fn left_out(scenario: &ScenarioResult) -> Option<&str> {
    let skipped = scenario.status == ScenarioStatus::Skipped;
    scenario.steps.iter().find_map(|step| step.error.as_deref()).filter(|_| skipped)
}

/// What is said about the DP, and not about this tool.
fn of_dp(summary: &Summary) -> impl Iterator<Item = &RequirementResult> {
    summary.requirements.iter().filter(|requirement| requirement.level != Level::Own)
}

/// A text without characters that a terminal would obey: it may come from a DP.
#[must_use]
pub fn tame(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Whether a finding is about what the scenario's author wrote.
fn is_own(finding: &Finding) -> bool {
    !matches!(finding.subject, Subject::Requirement(_))
}

//! What a person sees: a line a scenario as it ends, everything that is wrong at the end.

mod failed;
mod requirements;

use std::{collections::BTreeMap, io::Write, time::Duration};

use colored::Colorize as _;
use ofp_evidence::{
    Level, RequirementResult, RunEvent, RunStarted, ScenarioResult, ScenarioStatus, Summary,
    Verdict,
};

use crate::{
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
        let (tool, profile) = (started.tool.bold(), tame(&words::profile(started)));
        let target = tame(&started.target);
        writeln!(self.out, "{tool}  profile {profile}  against {target}  {scenarios}\n")
    }

    fn scenario(&mut self, scenario: &ScenarioResult) -> std::io::Result<()> {
        if scenario.status == ScenarioStatus::Passed
            && let Some((of, _)) = words::row_of(&scenario.id.0)
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

/// Why a scenario was left out, if it was.
fn left_out(scenario: &ScenarioResult) -> Option<&str> {
    scenario.reason().filter(|_| scenario.status == ScenarioStatus::Skipped)
}

/// What is said about the DP, and not about this tool.
fn of_dp(summary: &Summary) -> impl Iterator<Item = &RequirementResult> {
    summary.requirements.iter().filter(|requirement| requirement.level != Level::Own)
}

/// A text without characters that a terminal would obey: it may come from a DP.
#[must_use]
pub fn tame(text: &str) -> String {
    text.chars().map(|c| if is_obeyed(c) { '\u{fffd}' } else { c }).collect()
}

/// Control characters, and those that turn what stands behind them around (UAX #9).
fn is_obeyed(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

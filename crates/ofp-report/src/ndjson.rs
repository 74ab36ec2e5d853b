//! The NDJSON report: a line of JSON for each event, written when it comes.

use std::io::Write;

use ofp_evidence::{RunEvent, Secrets};
use serde_json::{Value, json};

use crate::json::{SCHEMA_VERSION, requirement, scenario, step};

/// Writes a run's events as lines of JSON (`ofp-sim schema event`), each flushed, so that others can read along.
pub struct Ndjson<W> {
    out: W,
}

impl<W: Write> Ndjson<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes an event.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn show(&mut self, event: &RunEvent) -> std::io::Result<()> {
        writeln!(self.out, "{}", line(event))?;
        self.out.flush()
    }
}

fn line(event: &RunEvent) -> Value {
    // what comes before the end has been masked where it was told
    let none = Secrets::default();
    match event {
        RunEvent::Started(started) => json!({
            "event": "run_started",
            "schema_version": SCHEMA_VERSION,
            "tool": started.tool,
            "profile": started.profile,
            "profile_experimental": started.experimental,
            "target": { "name": started.target },
            "scenarios": started.scenarios,
        }),
        RunEvent::ScenarioStarted(id) => json!({ "event": "scenario_started", "scenario": id }),
        RunEvent::StepFinished { scenario, number, step: result } => json!({
            "event": "step_finished",
            "scenario": scenario,
            "number": number,
            "step": step(&none, result),
        }),
        RunEvent::ScenarioFinished(result) => {
            json!({ "event": "scenario_finished", "scenario": scenario(&none, result) })
        }
        RunEvent::Finished(summary) => json!({
            "event": "run_finished",
            "exit_code": summary.exit_code,
            "duration_ms": summary.took.as_millis(),
            "requirements": summary.requirements.iter().map(|one| requirement(summary, one)).collect::<Vec<_>>(),
        }),
    }
}

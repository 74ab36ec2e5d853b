//! How far a run has come: a bar on a terminal, a counter in a log.

use std::io::Write;

use ofp_evidence::ScenarioId;

use crate::terminal::tame;

/// How far a run has come.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Whether a person watches, so that a line can be written over.
    has_bar: bool,
    all: usize,
    ended: usize,
    /// Which scenario began last.
    newest: String,
}

impl Progress {
    pub(crate) fn new(has_bar: bool) -> Self {
        Self { has_bar, all: 0, ended: 0, newest: String::new() }
    }

    /// The run begins, with so many scenarios.
    pub(crate) fn starts(&mut self, all: usize) {
        self.all = all;
    }

    pub(crate) fn begins(&mut self, id: &ScenarioId) {
        self.newest = tame(&id.0).chars().take(40).collect();
    }

    pub(crate) fn ends(&mut self) {
        self.ended += 1;
    }

    /// Writes the bar over itself.
    pub(crate) fn show(&self, out: &mut impl Write) -> std::io::Result<()> {
        /// Characters of the bar itself.
        const LENGTH: usize = 24;
        if !self.has_bar || self.ended == self.all {
            return Ok(());
        }
        let done = LENGTH * self.ended / self.all.max(1);
        let bar = format!("{}{}", "=".repeat(done), " ".repeat(LENGTH - done));
        let (ended, all, newest) = (self.ended, self.all, &self.newest);
        write!(out, "\r\x1b[2K  [{bar}] {ended}/{all}  {newest}")?;
        out.flush()
    }

    /// Makes room for a line.
    pub(crate) fn clear(&self, out: &mut impl Write) -> std::io::Result<()> {
        if self.has_bar { write!(out, "\r\x1b[2K") } else { Ok(()) }
    }

    /// How many have ended, in a log: on a terminal the bar says so.
    pub(crate) fn counter(&self) -> String {
        if self.has_bar || self.all < 2 {
            return String::new();
        }
        let digits = self.all.to_string().len();
        format!("({:>digits$}/{})  ", self.ended, self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_sees_a_bar_and_a_log_a_counter() {
        let shown = |has_bar: bool| {
            let (mut progress, mut out) = (Progress::new(has_bar), Vec::new());
            progress.starts(12);
            progress.begins(&ScenarioId("journey/approve".into()));
            (0..6).for_each(|_| progress.ends());
            progress.show(&mut out).unwrap();
            (String::from_utf8(out).unwrap(), progress.counter())
        };
        let bar = "\r\u{1b}[2K  [============            ] 6/12  journey/approve";
        assert_eq!(shown(true), (bar.to_owned(), String::new()));
        assert_eq!(shown(false), (String::new(), "( 6/12)  ".to_owned()));
    }
}

//! What is said of requirements: broken ones, the totals of each group, what was not tested, the baseline.

use std::{collections::BTreeMap, io::Write};

use colored::Colorize as _;
use ofp_checks::{find, group_title};
use ofp_evidence::{
    Baseline, Difference, ExchangeId, Finding, RequirementResult, Stale, Summary, Verdict,
};

use super::{Terminal, of_dp, tame};
use crate::{curl, run::Run, words::count};

/// More requirements that were not tested are counted, not named.
const MOST_UNTESTED: usize = 40;

/// More groups of which nothing was tested are told in one line.
const MOST_QUIET_GROUPS: usize = 3;

impl<W: Write> Terminal<W> {
    pub(super) fn findings(
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
        match finding.exchange.and_then(|id| curl::line_below(run, id)) {
            Some(line) => {
                writeln!(self.out, "    {}  {}", "curl    ".dimmed(), tame(&line).dimmed())
            }
            None => Ok(()),
        }
    }

    pub(super) fn requirements(&mut self, summary: &Summary) -> std::io::Result<()> {
        let mut groups: BTreeMap<char, BTreeMap<&str, usize>> = BTreeMap::new();
        for requirement in of_dp(summary) {
            let letter = requirement.id.as_str().chars().next().unwrap_or('?');
            let words = groups.entry(letter).or_default();
            *words.entry(requirement.verdict.word()).or_default() += 1;
        }
        writeln!(self.out, "\n{}", "Requirements".bold())?;
        let is_quiet = |words: &BTreeMap<&str, usize>| {
            words.contains_key("not_tested")
                && words.keys().all(|word| matches!(*word, "not_tested" | "not_applicable"))
        };
        let quiet: Vec<(char, usize)> = groups
            .iter()
            .filter(|(_, words)| is_quiet(words))
            .map(|(letter, words)| (*letter, words["not_tested"]))
            .collect();
        let folds = quiet.len() > MOST_QUIET_GROUPS;
        for (letter, words) in groups.into_iter().filter(|(_, words)| !(folds && is_quiet(words))) {
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
        if folds {
            let letters: Vec<String> = quiet.iter().map(|(letter, _)| letter.to_string()).collect();
            let count: usize = quiet.iter().map(|(_, number)| number).sum();
            let word = format!("{count} not tested").bright_black();
            writeln!(self.out, "  {:<29}  {word}", letters.join(" "))?;
        }
        Ok(())
    }

    /// Reasons, each once, with the requirements that they are given for.
    pub(super) fn not_tested(&mut self, summary: &Summary) -> std::io::Result<()> {
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
    pub(super) fn baseline(&mut self, summary: &Summary) -> std::io::Result<()> {
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
}

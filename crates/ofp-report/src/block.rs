//! A finding as rustc would show it: what is expected as it is written, what came, and what to do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use ofp_evidence::{Excerpt, Finding, Secrets, cut};

use crate::terminal::tame;

/// More of what came stands in the answer.
const LONGEST: usize = 72;

/// The block; `None` for a finding that has no text to look at.
pub(crate) fn block(
    secrets: &Secrets,
    finding: &Finding,
    notes: &[String],
    helps: &[String],
    colour: bool,
) -> Option<String> {
    let masked = finding.clone().masked(secrets);
    let (expected, actual, mut excerpts) = (masked.expected, masked.actual, masked.excerpts);
    excerpts.iter_mut().for_each(tamed);
    // long texts stand in the answer below
    let first = actual.lines().next().unwrap_or_default();
    let short = cut(first, LONGEST);
    // what no answer below shows is said in full
    let rest = (short != actual && excerpts.len() == 1).then(|| format!("came: {actual}"));
    if let Some(first) = excerpts.first_mut() {
        first.label = format!("came: {short}");
    }
    let (expected, short) = (tame(&expected), tame(&short));
    let title = format!("expected {expected}, came {short}");
    let mut group = Group::with_title(Level::ERROR.primary_title(title.as_str()));
    for (at, excerpt) in excerpts.iter().enumerate() {
        let kind = if at == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let annotation = kind.span(excerpt.span.clone()).label(excerpt.label.as_str());
        let snippet = Snippet::source(excerpt.text.as_str())
            .path(excerpt.name.as_str())
            .line_start(excerpt.first_line)
            .fold(true)
            .annotation(annotation);
        group = group.element(snippet);
    }
    let (notes, helps): (Vec<String>, Vec<String>) = (
        rest.iter().chain(notes).map(|note| tame(note)).collect(),
        helps.iter().map(|help| tame(help)).collect(),
    );
    for note in &notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    for help in &helps {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    (!excerpts.is_empty()).then(|| renderer.render(&[group]))
}

/// Without characters that a terminal would obey, and with a place that can be shown: evidence may come from anywhere.
fn tamed(excerpt: &mut Excerpt) {
    let tame = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    for text in [&mut excerpt.name, &mut excerpt.text, &mut excerpt.label] {
        // one byte for one byte, so that places stay
        if text.bytes().any(|byte| byte < 0x20 && byte != b'\n' || byte == 0x7f) {
            *text = text.chars().map(|c| if c.is_ascii() { tame(c) } else { c }).collect();
        }
    }
    let at = |wanted: usize| {
        let boundary = |at: &usize| excerpt.text.is_char_boundary(*at);
        (0..=wanted.min(excerpt.text.len())).rev().find(boundary).unwrap_or(0)
    };
    let start = at(excerpt.span.start);
    excerpt.span = start..at(excerpt.span.end).max(start);
    excerpt.first_line = excerpt.first_line.max(1);
}

#[cfg(test)]
mod tests {
    use ofp_evidence::{Severity, Subject};

    use super::*;

    #[test]
    fn a_secret_in_an_excerpt_is_masked_and_its_line_is_marked() {
        let subject = Subject::Expectation { file: "a.yaml".into(), line: 3 };
        let finding = Finding::new(subject, "a: 1", "hunter22", Severity::Failure)
            .showing(Excerpt {
                name: "a.yaml".into(),
                text: "- dc.read_balance:\n  expect: { json: { a: 1 } }".into(),
                first_line: 3,
                span: 43..44,
                label: String::new(),
            })
            .showing(Excerpt {
                name: "the answer".into(),
                text: "{\n  \"token\": \"hunter22\"\n}".into(),
                first_line: 1,
                span: 13..23,
                label: "the answer has this".into(),
            });
        let mut secrets = Secrets::default();
        secrets.add("hunter22");
        let helps = ["ofp-sim explain step a.yaml:3".to_owned()];
        let block = block(&secrets, &finding, &["PayNet: it is so".into()], &helps, false).unwrap();
        assert!(!block.contains("hunter22"), "{block}");
        for wanted in ["a.yaml:4", "came: [secret]", "PayNet: it is so", "explain step a.yaml:3"] {
            assert!(block.contains(wanted), "{wanted}: {block}");
        }
    }
}

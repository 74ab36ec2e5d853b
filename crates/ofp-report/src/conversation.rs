//! Exchanges in full, for a terminal: request and answer, and what is signed or encrypted in them.

use std::fmt::Write as _;

use colored::Colorize as _;
use ofp_evidence::{ExchangeId, Summary};
use serde_json::Value;

use crate::{curl, run::Run, shown, terminal::tame, tokens::tokens};

/// Longer texts are cut: the rest is in the reports.
const LONGEST: usize = 2_000;

/// Some of a run's exchanges, each in full.
#[must_use]
pub fn conversation(summary: &Summary, ids: &[ExchangeId]) -> String {
    let run = Run::of(summary);
    ids.iter().map(|id| one(&run, *id)).collect()
}

fn one(run: &Run<'_>, id: ExchangeId) -> String {
    let Some(exchange) = run.exchange(id) else { return String::new() };
    let secrets = &run.summary.secrets;
    let value = shown::exchange(secrets, exchange);
    let mut text = format!("\n{}\n", exchange.headline().bold());
    let mut say = |label: &str, line: &str| {
        let _ = writeln!(text, "  {}  {}", format!("{label:<8}").dimmed(), tame(line));
    };
    let url = value["url"].as_str().unwrap_or_default();
    say("request", &format!("{} {url}", exchange.method));
    tokens("URL", url).iter().for_each(|token| decoded(&mut say, token, secrets));
    message(&mut say, "request", &value["request"], secrets);
    match &value["status"] {
        Value::Null => say("failed", value["failed"].as_str().unwrap_or_default()),
        status => say("answer", &status.to_string()),
    }
    message(&mut say, "answer", &value["response"], secrets);
    if let Some(plain) = run.decrypted(id) {
        let text = String::from_utf8_lossy(plain);
        let json: Value =
            serde_json::from_slice(plain).unwrap_or_else(|_| Value::String(text.into()));
        let pretty = serde_json::to_string_pretty(&json).unwrap_or_default();
        let cut = ofp_evidence::cut(&secrets.mask(&pretty), LONGEST);
        for (at, line) in cut.lines().enumerate() {
            say(if at == 0 { "decrypted" } else { "" }, line);
        }
    }
    if let Some(note) = value["note"].as_str() {
        say("PayNet", note);
    }
    if let Some((mutation, _)) = run.spoilt(id) {
        say("spoilt", &format!("{mutation}: {}", mutation.what()));
    }
    if let Some(line) = curl::line(run, id) {
        say("curl", &line);
    }
    text
}

fn message(
    say: &mut dyn FnMut(&str, &str),
    side: &str,
    message: &Value,
    secrets: &ofp_evidence::Secrets,
) {
    let pretty = |text: &str| match serde_json::from_str::<Value>(text) {
        Ok(json) => serde_json::to_string_pretty(&json).unwrap_or_default(),
        Err(_) => text.to_owned(),
    };
    for header in message["headers"].as_array().into_iter().flatten() {
        let (name, value) = (header[0].as_str().unwrap_or_default(), header[1].as_str());
        let value = value.unwrap_or_default();
        let found = tokens(&format!("{side} header {name}"), value);
        match found.is_empty() {
            true => say("", &format!("{name}: {value}")),
            false => say("", &format!("{name}: ({} characters, below)", value.len())),
        }
        found.iter().for_each(|token| decoded(say, token, secrets));
    }
    let body = message["body"].as_str().unwrap_or_default();
    let found = tokens(&format!("{side} body"), body);
    if found.is_empty() && !body.is_empty() {
        let cut: String = pretty(body).chars().take(LONGEST).collect();
        cut.lines().for_each(|line| say("", line));
    }
    found.iter().for_each(|token| decoded(say, token, secrets));
}

fn decoded(say: &mut dyn FnMut(&str, &str), token: &Value, secrets: &ofp_evidence::Secrets) {
    let kind = token["kind"].as_str().unwrap_or_default();
    say(kind, &format!("in the {}", token["in"].as_str().unwrap_or_default()));
    let header = serde_json::to_string(&token["header"]).unwrap_or_default();
    say("", &format!("header  {}", secrets.mask(&header)));
    let says = match &token["says"] {
        Value::Null => "(encrypted)".to_owned(),
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    let cut: String = secrets.mask(&says).chars().take(LONGEST).collect();
    for (at, line) in cut.lines().enumerate() {
        say("", &format!("{}{line}", if at == 0 { "says    " } else { "        " }));
    }
}

//! An HTTP answer that a step got, held to what its author expects, and what is captured of it.

use std::ops::Range;

use ofp_evidence::{Excerpt, Finding, Message, cut};
use ofp_jose::{CompactJwe, CompactJws, KeySet};
use ofp_scenario::{CaptureFrom, ExpectJwe, ExpectJwt, Located, Presence, Step};
use ofp_types::wire::wrapped_jws;
use serde_json::{Map, Value, json};

use super::{
    expect::{holds, on_the_way, query, shown_json, unmet},
    wanted::Wanted,
};

/// Headers that may carry a signed message.
const SIGNATURES: [&str; 2] = ["x-signature", "x-fapi-signature"];

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) status: u16,
    pub(super) message: Message,
    /// What it says: what was decrypted, where it came encrypted.
    pub(super) json: Option<Value>,
}

impl Heard {
    /// An answer that says what its body says.
    pub(super) fn of(status: u16, message: Message) -> Self {
        let json = serde_json::from_slice(&message.body).ok();
        Self { status, message, json }
    }

    /// The same, which says something else than its body does.
    pub(super) fn saying(self, json: Value) -> Self {
        Self { json: Some(json), ..self }
    }

    /// Every mismatch at once; of an answer with another status, the status alone, with what came instead.
    pub(super) fn held_to(&self, step: &Step, keys: &KeySet) -> Vec<Finding> {
        let expect = &step.expect;
        let mut findings = Vec::new();
        if let Some(expected) = &expect.status
            && !expected.value.contains(self.status)
        {
            // what was decrypted says more than what came
            let said = self.json.as_ref().map(ToString::to_string);
            let start = cut(&said.unwrap_or_else(|| self.message.text().into_owned()), 120);
            let (wanted, came) = (format!("status {}", expected.value), self.status.to_string());
            let came = format!("{came} {start}").trim_end().to_owned();
            // what else is expected is expected of another answer
            let missed = unmet(step, &expected.span, wanted, came);
            let missed = missed.showing(self.shown(&[], "this came"));
            let others = Wanted::of(step).of_answer() - 1;
            return vec![match others {
                0 => missed,
                _ => missed.hint("what else is expected of the answer was not looked at"),
            }];
        }
        for (name, expected) in expect.headers.iter().flatten() {
            let came = self.message.header(&name.to_ascii_lowercase());
            findings.extend(presence(step, &format!("header {name}"), expected, came));
        }
        for (path, expected) in expect.json.iter().flatten() {
            let wanted = |found: &Value| holds(&expected.value, found);
            findings.extend(self.at_path(step, path, &expected.span, &wanted, &expected.value));
        }
        for (path, expected) in expect.json_exact.iter().flatten() {
            findings.extend(self.exactly(step, path, expected));
        }
        for path in expect.json_absent.iter().flatten() {
            findings.extend(self.absent(step, path));
        }
        findings.extend(expect.jwt.iter().flat_map(|jwt| self.jwt(step, jwt, keys)));
        findings.extend(expect.jwe.iter().flat_map(|jwe| self.jwe(step, jwe)));
        findings
    }

    fn at_path(
        &self,
        step: &Step,
        path: &str,
        span: &Range<usize>,
        wanted: &dyn Fn(&Value) -> bool,
        expected: &Value,
    ) -> Option<Finding> {
        let missed = |actual: String, paths: &[String], label: &str| {
            let finding = unmet(step, span, format!("{path}: {expected}"), actual);
            Some(finding.showing(self.shown(paths, label)))
        };
        let Some(body) = &self.json else { return missed("no JSON".into(), &[], "") };
        match query(body, path) {
            Err(problem) => missed(format!("a JSONPath that cannot be read: {problem}"), &[], ""),
            Ok(found) if found.values.iter().any(|one| wanted(one)) => None,
            Ok(found) if found.values.is_empty() => {
                let parent = path.rsplit_once(['.', '[']).map_or("$", |(parent, _)| parent);
                let parent = query(body, parent).unwrap_or_default().paths;
                let finding = missed(format!("nothing at {path}"), &parent, "it is missing here");
                finding.map(|finding| match on_the_way(body, path) {
                    Some(there) => finding.hint(there),
                    None => finding,
                })
            }
            Ok(found) => missed(found.shown(), &found.paths, "the answer has this"),
        }
    }

    /// Every value at the path must be this one.
    fn exactly(&self, step: &Step, path: &str, expected: &Located<Value>) -> Option<Finding> {
        let same = |found: &Value| *found == expected.value;
        let missed = self.at_path(step, path, &expected.span, &same, &expected.value);
        let found = query(self.json.as_ref().unwrap_or(&Value::Null), path).unwrap_or_default();
        if missed.is_some() || found.values.iter().all(|one| same(one)) {
            return missed;
        }
        let wanted = format!("{path}: exactly {}", expected.value);
        let differs = found.values.iter().position(|one| !same(one)).unwrap_or(0);
        let (value, place) = (&found.values[differs], &found.paths[differs]);
        let finding = unmet(step, &expected.span, wanted, format!("{value} at {place}"));
        let place = std::slice::from_ref(place);
        Some(finding.showing(self.shown(place, "the answer has this")))
    }

    fn absent(&self, step: &Step, path: &Located<String>) -> Option<Finding> {
        let found = match &self.json {
            None => Err("no JSON".to_owned()),
            Some(json) => query(json, &path.value),
        };
        let wanted = format!("nothing at {}", path.value);
        match found {
            Ok(found) if found.values.is_empty() => None,
            Ok(found) => {
                let finding = unmet(step, &path.span, wanted, found.shown());
                Some(finding.showing(self.shown(&found.paths, "the answer has this")))
            }
            Err(why) => Some(unmet(step, &path.span, wanted, why).showing(self.shown(&[], ""))),
        }
    }

    /// The answer as text, with what is at some paths marked.
    fn shown(&self, paths: &[String], label: &str) -> Excerpt {
        let name = format!("the answer, status {}", self.status);
        match &self.json {
            Some(json) => shown_json(&name, json, paths, label),
            None => {
                let text = cut(&self.message.text(), 400);
                let text = if text.is_empty() { "(no body)".to_owned() } else { text };
                let first = text.chars().next().map_or(0, char::len_utf8);
                Excerpt { name, span: 0..first, text, first_line: 1, label: label.to_owned() }
            }
        }
    }

    fn jwt(&self, step: &Step, expected: &Located<ExpectJwt>, keys: &KeySet) -> Vec<Finding> {
        let missed = |wanted: String, came: String| vec![unmet(step, &expected.span, wanted, came)];
        let jwt = match self.signed(expected.value.r#in.as_deref(), keys) {
            Ok(jwt) => jwt,
            Err(why) => return missed("a signed message whose signature is good".into(), why),
        };
        let parts = [("header", &expected.value.header), ("claims", &expected.value.claims)];
        let each = parts.into_iter().flat_map(|(part, wanted)| {
            let (what, decoded) = (format!("jwt.{part}"), &jwt[part]);
            wanted
                .iter()
                .filter_map(move |(path, wanted)| differs(step, decoded, path, wanted, &what))
        });
        each.collect()
    }

    /// Header and claims of the signed message in the answer, after its signature has been verified.
    fn signed(&self, header: Option<&str>, keys: &KeySet) -> Result<Value, String> {
        let text = match header {
            Some(name) => {
                let value = self.message.header(&name.to_ascii_lowercase());
                value.ok_or_else(|| format!("no header {name}"))?.to_owned()
            }
            None => self.signed_text().ok_or("no signed message in the body or a header")?,
        };
        let jws = CompactJws::parse(&text).map_err(|e| e.to_string())?;
        let verified = match jws.is_detached() {
            true => jws.verify_over(keys, &self.message.body),
            false => jws.verify(keys),
        };
        let verified = verified.map_err(|e| e.to_string())?;
        let claims: Value = serde_json::from_slice(&verified.payload).unwrap_or(Value::Null);
        Ok(json!({ "header": Value::Object(jws.header.clone()), "claims": claims }))
    }

    fn signed_text(&self) -> Option<String> {
        let body = body_text(&self.message);
        if CompactJws::parse(&body).is_ok() {
            return Some(body);
        }
        SIGNATURES.iter().find_map(|name| self.message.header(name).map(str::to_owned))
    }

    fn jwe(&self, step: &Step, expected: &Located<ExpectJwe>) -> Vec<Finding> {
        let text = encrypted_part(&self.message);
        let Some(jwe) = text.as_deref().and_then(|text| CompactJwe::parse(text).ok()) else {
            let wanted = "an encrypted part (JWE)".to_owned();
            return vec![unmet(step, &expected.span, wanted, "none".into())];
        };
        let header = Value::Object(jwe.header.clone());
        let wanted = expected.value.header.iter();
        wanted
            .filter_map(|(path, wanted)| differs(step, &header, path, wanted, "jwe.header"))
            .collect()
    }

    /// What a capture names, or why there is nothing.
    pub(super) fn captured(&self, from: &CaptureFrom, keys: &KeySet) -> Result<Value, String> {
        match from {
            CaptureFrom::Status => Ok(json!(self.status)),
            CaptureFrom::Header(name) => {
                let value = self.message.header(name);
                value
                    .map(|value| json!(value))
                    .ok_or_else(|| format!("the answer has no header {name}"))
            }
            CaptureFrom::Json(path) => {
                at(self.json.as_ref().unwrap_or(&Value::Object(Map::new())), path)
            }
            CaptureFrom::Jwt(path) => at(&self.signed(None, keys)?, path),
            CaptureFrom::Redirect(_) | CaptureFrom::Consent(_) => {
                Err("it is not in the answer".into())
            }
        }
    }
}

fn at(value: &Value, path: &str) -> Result<Value, String> {
    let found = query(value, path)?;
    found.values.first().map(|one| (*one).clone()).ok_or_else(|| {
        let there = on_the_way(value, path).map_or(String::new(), |there| format!("; {there}"));
        format!("nothing at {path}{there}")
    })
}

/// A member of something decoded that is not as expected.
fn differs(
    step: &Step,
    decoded: &Value,
    path: &str,
    wanted: &Located<Value>,
    what: &str,
) -> Option<Finding> {
    let found = query(decoded, path).unwrap_or_default();
    if found.values.iter().any(|one| holds(&wanted.value, one)) {
        return None;
    }
    let excerpt = shown_json(what, decoded, &found.paths, "it says this");
    let path = path.strip_prefix("$.").unwrap_or(path);
    let expected = format!("{what}.{path}: {}", wanted.value);
    Some(unmet(step, &wanted.span, expected, found.shown()).showing(excerpt))
}

/// A text that is to be something, anything or nothing.
pub(super) fn presence(
    step: &Step,
    what: &str,
    expected: &Located<Presence>,
    came: Option<&str>,
) -> Option<Finding> {
    if expected.value.holds(came) {
        return None;
    }
    let wanted = format!("{what}: {}", expected.value);
    Some(unmet(step, &expected.span, wanted, came.unwrap_or("none").to_owned()))
}

fn body_text(message: &Message) -> String {
    let wrapped = wrapped_jws(&message.media_type().unwrap_or_default(), &message.body);
    wrapped.unwrap_or_else(|| message.text().into_owned())
}

/// The JWE inside the DP's signed answer.
pub(super) fn encrypted_part(message: &Message) -> Option<String> {
    let text = body_text(message);
    let payload = CompactJws::parse(&text).ok()?.payload;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims.get("data")?.as_str().map(str::to_owned)
}

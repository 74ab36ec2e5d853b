//! Volatile values get names: the same value the same name, so that a swapped one shows.

use std::collections::HashMap;

use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};
use ofp_jose::{CompactJwe, CompactJws};
use serde_json::{Map, Value, json};

/// Seconds from an exchange within which a time counts as that exchange's own: a slow machine must
/// not change a snapshot. How far clocks may really differ is for the checks to judge.
const SAME_TIME: f64 = 30.0;
/// Times farther away are rounded to so many seconds, for the same reason.
const ROUNDED_TO: f64 = 10.0;
/// Members that hold a NumericDate.
const DATES: [&str; 5] = ["iat", "nbf", "exp", "auth_time", "updated_at"];

/// The names given so far.
pub(super) struct Names<'a> {
    /// Known from the start: origins and keys.
    known: &'a [(String, String)],
    given: HashMap<String, String>,
    counts: HashMap<String, usize>,
}

impl<'a> Names<'a> {
    pub(super) fn new(known: &'a [(String, String)]) -> Self {
        Self { known, given: HashMap::new(), counts: HashMap::new() }
    }

    /// Gives `value` a name of this kind, unless it has one.
    pub(super) fn give(&mut self, kind: &str, value: &str) -> String {
        if let Some(name) = self.given.get(value) {
            return name.clone();
        }
        let count = self.counts.entry(kind.to_owned()).or_default();
        *count += 1;
        let name = format!("[{kind}-{count}]");
        self.given.insert(value.to_owned(), name.clone());
        name
    }

    /// A text with every volatile part named. `kind` is what an unknown value would be called.
    pub(super) fn text(&mut self, kind: &str, text: &str) -> String {
        if let Some(name) = self.given.get(text) {
            return name.clone();
        }
        let mut text = text.to_owned();
        for (value, name) in self.known {
            text = text.replace(value.as_str(), name);
        }
        if is_random(&text) {
            return self.give(kind, &text);
        }
        self.parts(&text)
    }

    /// A text with those words replaced that have a name already, or look random.
    fn parts(&mut self, text: &str) -> String {
        let mut named = String::new();
        let mut word = String::new();
        for c in text.chars().chain([' ']) {
            if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
                word.push(c);
                continue;
            }
            named.push_str(&self.word(&word));
            word.clear();
            named.push(c);
        }
        named.pop();
        named
    }

    fn word(&mut self, word: &str) -> String {
        match self.given.get(word) {
            Some(name) => name.clone(),
            None if is_random(word) => self.give("id", word),
            None => word.to_owned(),
        }
    }

    /// A JSON value with every volatile part named, members sorted, tokens taken apart.
    pub(super) fn json(&mut self, name: &str, value: &Value, at: Timestamp) -> Value {
        match value {
            Value::Object(members) => self.object(members, at),
            Value::Array(items) => items.iter().map(|item| self.json(name, item, at)).collect(),
            Value::Number(number) if DATES.contains(&name) => match number.as_f64() {
                Some(date) => json!(date_name(date, at)),
                None => value.clone(),
            },
            Value::String(text) => self.string(name, text, at),
            other => other.clone(),
        }
    }

    /// NumericDates are named relative to the message's own iat or nbf where there is one.
    fn object(&mut self, members: &Map<String, Value>, at: Timestamp) -> Value {
        let own = ["iat", "nbf"].iter().find_map(|name| members.get(*name)?.as_f64());
        let mut names: Vec<&String> = members.keys().collect();
        names.sort();
        let mut object = Map::new();
        for name in names {
            let value = &members[name];
            let date = value.as_f64().filter(|_| DATES.contains(&name.as_str()));
            let named = match (date, own) {
                (Some(date), Some(own)) if name == "exp" => json!(offset_name(date - own)),
                _ => self.json(name, value, at),
            };
            object.insert(name.clone(), named);
        }
        Value::Object(object)
    }

    fn string(&mut self, name: &str, text: &str, at: Timestamp) -> Value {
        if let Ok(jws) = CompactJws::parse(text) {
            return self.jws(&jws, at);
        }
        if let Ok(jwe) = CompactJwe::parse(text) {
            return json!({ "jwe": { "header": self.object(&jwe.header, at) } });
        }
        if let Ok(time) = text.parse::<Timestamp>() {
            return json!(if name == "expiration_datetime" {
                day_name(time, at)
            } else {
                instant_name(time, at)
            });
        }
        json!(self.text(name, text))
    }

    /// A compact JWS taken apart: header, and payload if it has one.
    pub(super) fn jws(&mut self, jws: &CompactJws<'_>, at: Timestamp) -> Value {
        let header = self.object(&jws.header, at);
        if jws.is_detached() {
            return json!({ "detached jws": { "header": header } });
        }
        let payload = match serde_json::from_slice::<Value>(&jws.payload) {
            Ok(payload @ Value::Object(_)) => self.json("payload", &payload, at),
            _ => json!(self.text("payload", &String::from_utf8_lossy(&jws.payload))),
        };
        json!({ "jws": { "header": header, "payload": payload } })
    }
}

/// A UUID, 64 hexadecimal digits, a pushed request_uri, or 43 characters of base64url.
fn is_random(text: &str) -> bool {
    let hex = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit());
    let base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.starts_with(ofp_types::wire::REQUEST_URI_PREFIX)
        || (text.len() == 36 && uuid::Uuid::try_parse(text).is_ok())
        || (text.len() == 64 && hex(text))
        || (text.len() == 43 && text.chars().all(base64url))
}

/// A NumericDate relative to the exchange that it was seen in.
#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a double exactly")]
fn date_name(date: f64, at: Timestamp) -> String {
    let offset = date - at.as_second() as f64;
    if offset.abs() <= SAME_TIME {
        return offset_name(0.0);
    }
    offset_name((offset / ROUNDED_TO).round() * ROUNDED_TO)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "an offset that large is named wrongly, no more"
)]
fn offset_name(offset: f64) -> String {
    match offset as i64 {
        0 => "[now]".into(),
        ahead if ahead > 0 => format!("[now+{ahead}s]"),
        behind => format!("[now{behind}s]"),
    }
}

/// When a consent ends: the last second of a day in Malaysia is named by the day.
fn day_name(time: Timestamp, at: Timestamp) -> String {
    let zone = || TimeZone::fixed(Offset::constant(8));
    let (local, today) = (time.to_zoned(zone()), at.to_zoned(zone()));
    if (local.hour(), local.minute(), local.second()) != (23, 59, 59) {
        return instant_name(time, at);
    }
    let days = local.date().since(today.date()).map_or(0, |span| span.get_days());
    format!("[end of day+{days}]")
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a double exactly")]
fn instant_name(time: Timestamp, at: Timestamp) -> String {
    date_name(time.as_second() as f64, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_795_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(AT + seconds).unwrap()
    }

    #[test]
    fn the_same_value_has_the_same_name_and_another_another() {
        let mut names = Names::new(&[]);
        let (a, b) =
            ("a7cb03ff-4c70-4eaa-87f4-f2a4c4c87b0d", "b7cb03ff-4c70-4eaa-87f4-f2a4c4c87b0d");
        assert_eq!(names.text("jti", a), "[jti-1]");
        assert_eq!(names.text("jti", b), "[jti-2]");
        assert_eq!(names.text("state", a), "[jti-1]");
        assert_eq!(names.text("url", &format!("/v1/consents/{a}?x=1")), "/v1/consents/[jti-1]?x=1");
        assert_eq!(names.text("status", "authorized"), "authorized");
    }

    #[test]
    fn times_are_relative() {
        let mut names = Names::new(&[]);
        let claims = json!({"exp": AT + 301, "iat": AT + 1, "n": 5});
        let named = names.json("claims", &claims, at(0));
        assert_eq!(named, json!({"exp": "[now+300s]", "iat": "[now]", "n": 5}));
        let end: Timestamp = "2027-05-20T23:59:59+08:00".parse().unwrap();
        let start: Timestamp = "2026-11-20T10:00:00+08:00".parse().unwrap();
        assert_eq!(day_name(end, start), "[end of day+181]");
        assert_eq!(instant_name(at(-92), at(0)), "[now-90s]");
        assert_eq!(instant_name(at(-29), at(0)), "[now]");
    }
}

//! JSON without the ambiguity that lets two readers see two things: no member twice.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a text is not acceptable JSON: serde_json's sentence, with line and column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StrictJsonError(String);

/// Parses JSON in which no object has a member twice, at any depth.
///
/// # Errors
/// [`StrictJsonError`] with the reason and the place.
pub fn strict_json(bytes: &[u8]) -> Result<Value, StrictJsonError> {
    let strict: Strict =
        serde_json::from_slice(bytes).map_err(|e| StrictJsonError(e.to_string()))?;
    Ok(strict.0)
}

/// Parses a JSON object in which nothing has a member twice.
///
/// # Errors
/// [`StrictJsonError`] with the reason and the place.
pub fn strict_object(bytes: &[u8]) -> Result<Map<String, Value>, StrictJsonError> {
    match strict_json(bytes)? {
        Value::Object(object) => Ok(object),
        other => Err(StrictJsonError(format!("expected an object, found {}", kind(&other)))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(Number::from_f64(v).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::String(v))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = map.next_entry::<String, Strict>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(format_args!("member `{name}` appears twice")));
            }
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_are_refused_at_any_depth() {
        assert!(strict_object(br#"{"a":1,"b":{"c":[1,2.5,null,true,"x"]}}"#).is_ok());
        for bad in [r#"{"a":1,"a":2}"#, r#"{"x":[{"a":1,"a":1}]}"#] {
            let error = strict_object(bad.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("member `a` appears twice at line 1"), "{error}");
        }
        assert_eq!(
            strict_object(b"[]").unwrap_err().to_string(),
            "expected an object, found an array"
        );
        assert!(strict_object(b"{\"a\":1} x").is_err());
        assert!(strict_object("[".repeat(100_000).as_bytes()).is_err(), "depth is bounded");
    }
}

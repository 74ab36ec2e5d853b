//! A JSON value over several lines, and where in the text each of its parts stands.

use std::{collections::HashMap, ops::Range};

use serde_json::Value;

/// A value as text.
pub(super) struct Pretty {
    pub(super) text: String,
    /// Bytes of every part, by its JSON Pointer (RFC 6901).
    pub(super) places: HashMap<String, Range<usize>>,
}

/// Deeper parts are written on one line: nobody reads them.
const DEEPEST: usize = 32;

impl Pretty {
    pub(super) fn of(value: &Value) -> Self {
        let mut pretty = Self { text: String::new(), places: HashMap::new() };
        pretty.write(value, "", 0);
        pretty
    }

    fn write(&mut self, value: &Value, pointer: &str, depth: usize) {
        let start = self.text.len();
        match value {
            Value::Object(members) if !members.is_empty() && depth < DEEPEST => {
                self.text.push('{');
                let each = members.iter().map(|(name, value)| (Some(name), name.clone(), value));
                self.parts(each, pointer, depth);
                self.text.push('}');
            }
            Value::Array(items) if !items.is_empty() && depth < DEEPEST => {
                self.text.push('[');
                let each =
                    items.iter().enumerate().map(|(at, value)| (None, at.to_string(), value));
                self.parts(each, pointer, depth);
                self.text.push(']');
            }
            other => self.text.push_str(&other.to_string()),
        }
        self.places.insert(pointer.to_owned(), start..self.text.len());
    }

    fn parts<'v>(
        &mut self,
        parts: impl Iterator<Item = (Option<&'v String>, String, &'v Value)>,
        pointer: &str,
        depth: usize,
    ) {
        for (at, (name, key, value)) in parts.enumerate() {
            self.text.push_str(if at == 0 { "\n" } else { ",\n" });
            self.text.push_str(&"  ".repeat(depth + 1));
            if let Some(name) = name {
                self.text.push_str(&Value::String(name.clone()).to_string());
                self.text.push_str(": ");
            }
            let key = key.replace('~', "~0").replace('/', "~1");
            self.write(value, &format!("{pointer}/{key}"), depth + 1);
        }
        self.text.push('\n');
        self.text.push_str(&"  ".repeat(depth));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_part_is_where_it_is_said_to_be() {
        let value = json!({ "a": { "b/c": [1, "x"] }, "d": {} });
        let pretty = Pretty::of(&value);
        assert_eq!(pretty.text, serde_json::to_string_pretty(&value).unwrap());
        for (pointer, place) in &pretty.places {
            let there: Value = serde_json::from_str(&pretty.text[place.clone()]).unwrap();
            assert_eq!(Some(&there), value.pointer(pointer), "{pointer}");
        }
    }
}

//! A value that remembers where it stands.

use std::{fmt, marker::PhantomData, ops::Range};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

/// The name by which our own deserializer knows a [`Located`].
pub(crate) const NAME: &str = "$ofp::Located";
pub(crate) const START: &str = "start";
pub(crate) const END: &str = "end";
pub(crate) const VALUE: &str = "value";

/// A value, and the bytes of the source that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Bytes of the source.
    pub span: Range<usize>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct(NAME, &[START, END, VALUE], LocatedVisitor(PhantomData))
    }
}

struct LocatedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LocatedVisitor<T> {
    type Value = Located<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a scenario")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut number = |expected: &str| {
            let key: Option<String> = map.next_key()?;
            if key.as_deref() == Some(expected) {
                map.next_value::<usize>()
            } else {
                Err(A::Error::custom("positions are known only in scenario files"))
            }
        };
        let (start, end) = (number(START)?, number(END)?);
        let _: Option<String> = map.next_key()?;
        Ok(Located { value: map.next_value()?, span: start..end })
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Located<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

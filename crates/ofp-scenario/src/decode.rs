//! Tree to types: a serde deserializer whose errors know where they are.

use std::{fmt, ops::Range};

use serde::de::{
    self, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor, value::StrDeserializer,
};

use crate::{
    Diagnostic, located,
    node::{Key, Kind, Node},
    suggest,
};

/// Why a node is not what it should be.
#[derive(Debug)]
pub(crate) struct DecodeError {
    title: String,
    help: Option<String>,
    span: Option<Range<usize>>,
}

impl DecodeError {
    fn at(mut self, span: &Range<usize>) -> Self {
        self.span.get_or_insert_with(|| span.clone());
        self
    }

    fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), help: None, span: None }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let title = format!("unknown key `{field}`");
        Self { title, help: Some(suggest::help(field, expected)), span: None }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let title = format!("`{variant}` is not one of the known values");
        Self { title, help: Some(suggest::help(variant, expected)), span: None }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("key `{field}` is missing"))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("expected {expected}, found {unexpected}"))
    }
}

/// Decodes a node.
pub(crate) fn decode<T: de::DeserializeOwned>(node: &Node) -> Result<T, Diagnostic> {
    T::deserialize(NodeDeserializer(node)).map_err(|error| {
        let span = error.span.unwrap_or_else(|| node.span.clone());
        let diagnostic = Diagnostic::new("scenario", error.title, span, "here");
        match error.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    })
}

struct NodeDeserializer<'a>(&'a Node);

impl<'a> NodeDeserializer<'a> {
    fn expected(&self, what: &str) -> DecodeError {
        let title = format!("expected {what}, found {}", self.0.describe());
        DecodeError::new(title).at(&self.0.span)
    }

    fn scalar(&self, what: &str) -> Result<&'a str, DecodeError> {
        match &self.0.kind {
            Kind::Scalar { text, .. } if !self.0.is_null() => Ok(text),
            _ => Err(self.expected(what)),
        }
    }

    fn number<T: std::str::FromStr + ToString>(&self, what: &str) -> Result<T, DecodeError> {
        let text = self.scalar(what)?;
        match text.parse::<T>() {
            Ok(number) if number.to_string() == text => Ok(number),
            _ => Err(self.expected(what)),
        }
    }

    /// A value in free-form JSON. A plain scalar that looks like a number must be one exactly.
    fn visit_plain<'de, V: Visitor<'de>>(
        &self,
        text: &str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match text {
            "true" => return visitor.visit_bool(true),
            "false" => return visitor.visit_bool(false),
            _ => {}
        }
        let first = text.trim_start_matches(['-', '+', '.']);
        if !first.starts_with(|c: char| c.is_ascii_digit()) {
            return visitor.visit_str(text);
        }
        if text.parse::<i64>().is_ok_and(|number| number.to_string() == text) {
            return visitor.visit_i64(text.parse().unwrap_or_default());
        }
        let number = text.parse::<f64>();
        if let Ok(number) = number
            && number.to_string() == text
        {
            return visitor.visit_f64(number);
        }
        if number.is_err() && !text.chars().all(|c| c.is_ascii_digit() || c == '_') {
            // a date, a UUID, a word that begins with a digit
            return visitor.visit_str(text);
        }
        let mut error =
            DecodeError::new(format!("`{text}` would change if it were read as a number"));
        error.help = Some(format!("quote it to keep it as it is: \"{text}\""));
        Err(error.at(&self.0.span))
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $kind:ty, $what:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            let number: $kind = self.number($what)?;
            visitor.$visit(number).map_err(|e: DecodeError| e.at(&self.0.span))
        }
    )*};
}

impl<'de> de::Deserializer<'de> for NodeDeserializer<'_> {
    type Error = DecodeError;

    numbers! {
        deserialize_i8 visit_i8 i8, "a whole number";
        deserialize_i16 visit_i16 i16, "a whole number";
        deserialize_i32 visit_i32 i32, "a whole number";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_u8 visit_u8 u8, "a whole number";
        deserialize_u16 visit_u16 u16, "a whole number";
        deserialize_u32 visit_u32 u32, "a whole number";
        deserialize_u64 visit_u64 u64, "a whole number";
        deserialize_f32 visit_f32 f32, "a number";
        deserialize_f64 visit_f64 f64, "a number";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let span = &self.0.span;
        match &self.0.kind {
            Kind::Scalar { .. } if self.0.is_null() => visitor.visit_unit(),
            Kind::Scalar { text, plain: true } => self.visit_plain(text, visitor),
            Kind::Scalar { text, plain: false } => visitor.visit_str(text),
            Kind::Sequence(items) => visitor.visit_seq(Items(items.iter())),
            Kind::Mapping(entries) => visitor.visit_map(Entries::new(entries)),
        }
        .map_err(|e: DecodeError| e.at(span))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.scalar("true or false")? {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(self.expected("true or false")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let text = self.scalar("text")?;
        visitor.visit_str(text).map_err(|e: DecodeError| e.at(&self.0.span))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value, DecodeError> {
        Err(self.expected("something else than bytes"))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.0.is_null() { visitor.visit_unit() } else { Err(self.expected("nothing")) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.0.kind {
            Kind::Sequence(items) => {
                visitor.visit_seq(Items(items.iter())).map_err(|e: DecodeError| e.at(&self.0.span))
            }
            Kind::Scalar { text, .. } if !self.0.is_null() => {
                let mut error = self.expected("a list");
                error.help = Some(format!("in brackets it is one: `[{text}]`"));
                Err(error)
            }
            _ => Err(self.expected("a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.0.kind {
            Kind::Mapping(entries) => {
                let entries = Entries::new(entries);
                visitor.visit_map(entries).map_err(|e: DecodeError| e.at(&self.0.span))
            }
            // nothing at all is a map without keys
            Kind::Scalar { .. } if self.0.is_null() => {
                visitor.visit_map(Entries::new(&[])).map_err(|e: DecodeError| e.at(&self.0.span))
            }
            _ => Err(self.expected("a map of keys")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == located::NAME {
            visitor.visit_map(LocatedEntries { node: self.0, next: 0 })
        } else {
            self.deserialize_map(visitor)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let span = &self.0.span;
        match &self.0.kind {
            Kind::Scalar { text, .. } if !self.0.is_null() => {
                visitor.visit_enum(text.as_str().into_deserializer())
            }
            Kind::Mapping(entries) if entries.len() == 1 => {
                visitor.visit_enum(OneEntry { key: &entries[0].0, value: &entries[0].1 })
            }
            _ => return Err(self.expected("one word, or a map with one key")),
        }
        .map_err(|e: DecodeError| e.at(span))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }
}

struct Items<'a>(std::slice::Iter<'a, Node>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        self.0.next().map(|node| seed.deserialize(NodeDeserializer(node))).transpose()
    }
}

struct Entries<'a> {
    rest: std::slice::Iter<'a, (Key, Node)>,
    value: Option<&'a Node>,
}

impl<'a> Entries<'a> {
    fn new(entries: &'a [(Key, Node)]) -> Self {
        Self { rest: entries.iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        let text: StrDeserializer<'_, DecodeError> = key.text.as_str().into_deserializer();
        seed.deserialize(text).map(Some).map_err(|e| e.at(&key.span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let node = self.value.take().ok_or_else(|| DecodeError::new("a value without a key"))?;
        seed.deserialize(NodeDeserializer(node)).map_err(|e| e.at(&node.span))
    }
}

/// The three members of a [`crate::Located`].
struct LocatedEntries<'a> {
    node: &'a Node,
    next: usize,
}

impl<'de> MapAccess<'de> for LocatedEntries<'_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let keys = [located::START, located::END, located::VALUE];
        let Some(key) = keys.get(self.next) else { return Ok(None) };
        self.next += 1;
        let text: StrDeserializer<'_, DecodeError> = (*key).into_deserializer();
        seed.deserialize(text).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let position = |at: usize| IntoDeserializer::<DecodeError>::into_deserializer(at);
        match self.next {
            1 => seed.deserialize(position(self.node.span.start)),
            2 => seed.deserialize(position(self.node.span.end)),
            _ => seed.deserialize(NodeDeserializer(self.node)),
        }
    }
}

struct OneEntry<'a> {
    key: &'a Key,
    value: &'a Node,
}

impl<'de, 'a> EnumAccess<'de> for OneEntry<'a> {
    type Error = DecodeError;
    type Variant = NodeVariant<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, NodeVariant<'a>), DecodeError> {
        let text: StrDeserializer<'_, DecodeError> = self.key.text.as_str().into_deserializer();
        let variant = seed.deserialize(text).map_err(|e| e.at(&self.key.span))?;
        Ok((variant, NodeVariant(self.value)))
    }
}

struct NodeVariant<'a>(&'a Node);

impl<'de> VariantAccess<'de> for NodeVariant<'_> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        de::Deserialize::deserialize(NodeDeserializer(self.0))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        seed.deserialize(NodeDeserializer(self.0))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        de::Deserializer::deserialize_seq(NodeDeserializer(self.0), visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        de::Deserializer::deserialize_map(NodeDeserializer(self.0), visitor)
    }
}

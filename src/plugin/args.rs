//! Reads CNI_ARGS into a struct of the author.

use std::fmt;

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{self, Deserialize, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// CNI_ARGS can't be read into the author's struct.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgsError {
    /// The variable is not UTF-8.
    #[error("CNI_ARGS is not UTF-8")]
    NotUtf8,
    /// A pair does not have exactly one `=`.
    #[error("CNI_ARGS: invalid pair `{0}`")]
    InvalidPair(String),
    /// Keys that the struct does not have, and no `IgnoreUnknown=true` among the pairs.
    #[error("CNI_ARGS: unknown arguments {}", .0.join(", "))]
    Unknown(Vec<String>),
    /// A value does not fit its field.
    #[error("CNI_ARGS: {0}")]
    Value(String),
}

impl de::Error for ArgsError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Value(message.to_string())
    }
}

/// Reads CNI_ARGS into a struct whose fields are the keys.
///
/// Fields may be texts, numbers, booleans (0, 1, true, false) and all types that serde reads from a text, such as
/// addresses; give the struct `#[serde(default)]`, since every key is optional. An empty value is `None` for an option.
/// The last of repeated keys counts.
///
/// ```
/// #[derive(Default, serde::Deserialize)]
/// #[serde(default)]
/// struct Args {
///     #[serde(rename = "IP")]
///     ip: Option<std::net::IpAddr>,
/// }
///
/// let args: Args = libcni::plugin::load_args("IP=10.1.0.5;OTHER=x;IgnoreUnknown=1")?;
/// assert_eq!(args.ip, Some([10, 1, 0, 5].into()));
/// assert!(libcni::plugin::load_args::<Args>("IP=10.1.0.5;OTHER=x").is_err());
/// # Ok::<(), libcni::plugin::ArgsError>(())
/// ```
///
/// # Errors
/// See [`ArgsError`].
#[doc(alias("LoadArgs", "CommonArgs"))]
pub fn load_args<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, ArgsError> {
    let pairs: Vec<&str> = text.split(';').filter(|_| !text.is_empty()).collect();
    let split = |pair: &&'de str| match pair.split_once('=') {
        Some((key, value)) if !value.contains('=') => Ok((key, Value(value))),
        _ => Err(ArgsError::InvalidPair((*pair).to_owned())),
    };
    let pairs = pairs.iter().map(split).collect::<Result<Vec<_>, _>>()?;
    T::deserialize(Pairs(pairs))
}

const IGNORE_UNKNOWN: &str = "IgnoreUnknown";

/// The pairs of CNI_ARGS.
struct Pairs<'de>(Vec<(&'de str, Value<'de>)>);

impl<'de> Pairs<'de> {
    fn last(&self, key: &str) -> Option<Value<'de>> {
        self.0.iter().rev().find(|(k, _)| *k == key).map(|(_, value)| *value)
    }

    /// The pairs that a struct has fields for; an error when there are others, and that is not to be ignored.
    fn known(self, fields: &[&str]) -> Result<Vec<(&'de str, Value<'de>)>, ArgsError> {
        let ignore = self.last(IGNORE_UNKNOWN).map(Value::boolean).transpose()?;
        let is_unknown = |key: &str| key != IGNORE_UNKNOWN && !fields.contains(&key);
        let unknown: Vec<_> =
            self.0.iter().filter(|(key, _)| is_unknown(key)).map(|(key, _)| (*key).to_owned()).collect();
        if !unknown.is_empty() && ignore != Some(true) {
            return Err(ArgsError::Unknown(unknown));
        }
        let mut known: Vec<(&str, Value<'_>)> = Vec::new();
        for (key, value) in self.0.into_iter().rev() {
            if fields.contains(&key) && !known.iter().any(|(k, _)| *k == key) {
                known.push((key, value));
            }
        }
        Ok(known)
    }
}

impl<'de> Deserializer<'de> for Pairs<'de> {
    type Error = ArgsError;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ArgsError> {
        visitor.visit_map(MapDeserializer::new(self.known(fields)?.into_iter()))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_map(MapDeserializer::new(self.0.into_iter()))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The text of a value, which becomes what its field asks for.
#[derive(Clone, Copy)]
struct Value<'de>(&'de str);

impl Value<'_> {
    fn boolean(self) -> Result<bool, ArgsError> {
        match self.0.to_ascii_lowercase().as_str() {
            "1" | "true" => Ok(true),
            "0" | "false" => Ok(false),
            _ => Err(ArgsError::Value(format!("`{}` is not a boolean", self.0))),
        }
    }
}

impl<'de> IntoDeserializer<'de, ArgsError> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $type:ty),+ $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
            let number: $type = self.0.parse().map_err(|e| ArgsError::Value(format!("`{}`: {e}", self.0)))?;
            visitor.$visit(number)
        }
    )+};
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = ArgsError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_bool(self.boolean()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        // An empty value is none: so Go reads `IP=`.
        if self.0.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ArgsError> {
        StrDeserializer::new(self.0).deserialize_enum(name, variants, visitor)
    }

    parsed! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64, deserialize_f64 visit_f64 f64,
    }

    forward_to_deserialize_any! {
        i128 u128 f32 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

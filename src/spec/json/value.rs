//! A JSON value as a deserializer of serde's.

use std::fmt::Display;

use serde::de::{DeserializeSeed, Deserializer, Visitor};
use serde_json::value::RawValue;

use super::access::{List, Pairs, Variant};
use super::entries::Key;
use super::name::Name;
use super::{Entries, InvalidField, unread};

/// How deep typed reading goes. Only types that contain themselves get there.
const MAX_DEPTH: usize = 128;

/// The name that serde_json gives to a value that is to be kept as text, whatever it is.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// The text of a value, which is JSON, without white space around it.
#[derive(Clone, Copy)]
pub(super) struct Value<'de> {
    text: &'de str,
    depth: usize,
}

impl<'de> Value<'de> {
    pub(super) fn new(raw: &'de RawValue) -> Self {
        Self { text: raw.get(), depth: 0 }
    }

    /// A value inside of this one.
    pub(super) fn inner(self, raw: &'de RawValue) -> Self {
        Self { text: raw.get(), depth: self.depth + 1 }
    }

    /// Reads the value as what is asked for. An error names the value.
    pub(super) fn read<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, InvalidField> {
        if self.depth > MAX_DEPTH {
            return Err(InvalidField::new("", "is nested too deep"));
        }
        seed.deserialize(self).map_err(|error| self.name(error))
    }

    /// An error about the value names it.
    pub(super) fn name(self, error: InvalidField) -> InvalidField {
        error.about(self.text)
    }

    fn is_null(self) -> bool {
        self.text == "null"
    }

    fn is_number(self) -> bool {
        self.text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
    }

    /// The pairs of the object. `null` is an object without keys, as it is in Go.
    fn entries(self) -> Result<Entries<'de>, InvalidField> {
        match self.text.as_bytes()[0] {
            b'{' => serde_json::from_str(self.text).map_err(|error| unread(&error)),
            b'n' => Ok(Entries(Vec::new())),
            _ => Err(InvalidField::expected("an object")),
        }
    }

    fn list<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidField> {
        let entries = match self.text.as_bytes()[0] {
            b'[' => serde_json::from_str(self.text).map_err(|error| unread(&error))?,
            b'n' => Vec::new(),
            _ => return Err(InvalidField::expected("a list")),
        };
        let mut list = List::new(self, entries);
        let read = visitor.visit_seq(&mut list)?;
        list.ends().map(|()| read)
    }

    /// The error for a value that is not a whole number between two limits.
    fn not_whole(self, least: impl Display, most: impl Display) -> InvalidField {
        if !self.is_number() {
            return InvalidField::expected("a number");
        }
        InvalidField::expected(format!("a whole number from {least} to {most}"))
    }

    /// The value as serde_json reads it.
    fn plain(self) -> serde_json::Deserializer<serde_json::de::StrRead<'de>> {
        serde_json::Deserializer::from_str(self.text)
    }
}

macro_rules! whole_numbers {
    ($($method:ident $visit:ident $type:ty),+ $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidField> {
            if self.is_null() {
                return visitor.$visit(0);
            }
            let number = self.text.parse().map_err(|_| self.not_whole(<$type>::MIN, <$type>::MAX))?;
            visitor.$visit(number)
        }
    )+};
}

macro_rules! fractions {
    ($($method:ident $visit:ident $type:ty),+ $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidField> {
            // Not by serde_json, whose last digit may be another one.
            match self.text.parse::<$type>() {
                Ok(number) if self.is_number() && number.is_finite() => visitor.$visit(number),
                _ if self.is_null() => visitor.$visit(0.0),
                _ if self.is_number() => Err(InvalidField::expected(format!("at most {:e}", <$type>::MAX))),
                _ => Err(InvalidField::expected("a number")),
            }
        }
    )+};
}

macro_rules! texts {
    ($($method:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidField> {
            match self.text.as_bytes()[0] {
                b'"' => self.plain().$method(visitor).map_err(|error| unread(&error)),
                b'n' => visitor.visit_borrowed_str(""),
                _ => Err(InvalidField::expected("a string")),
            }
        }
    )+};
}

macro_rules! plainly {
    ($($method:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidField> {
            self.plain().$method(visitor).map_err(|error| unread(&error))
        }
    )+};
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = InvalidField;

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidField> {
        match self.text {
            "true" => visitor.visit_bool(true),
            "false" | "null" => visitor.visit_bool(false),
            _ => Err(InvalidField::expected("true or false")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidField> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, InvalidField> {
        match name {
            RAW_VALUE => self.plain().deserialize_newtype_struct(name, visitor).map_err(|error| unread(&error)),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidField> {
        self.list(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, InvalidField> {
        self.list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, InvalidField> {
        self.list(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidField> {
        visitor.visit_map(Pairs::all(self, self.entries()?))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InvalidField> {
        visitor.visit_map(Pairs::of_fields(self, &self.entries()?, fields))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InvalidField> {
        match self.text.as_bytes()[0] {
            b'{' => visitor.visit_enum(Variant::of(self, self.entries()?, variants)?),
            b'"' => {
                let Key(text) = serde_json::from_str(self.text).map_err(|error| unread(&error))?;
                Name(text).deserialize_enum(name, variants, visitor)
            }
            _ => Err(InvalidField::expected("a string")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidField> {
        visitor.visit_unit()
    }

    whole_numbers! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_i128 visit_i128 i128, deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
    }

    fractions! { deserialize_f32 visit_f32 f32, deserialize_f64 visit_f64 f64 }

    texts! { deserialize_str deserialize_string deserialize_char deserialize_identifier }

    plainly! { deserialize_any deserialize_bytes deserialize_byte_buf deserialize_unit }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, InvalidField> {
        self.deserialize_unit(visitor)
    }
}

//! A key of an object as what a map's key type, or a struct, asks for.

use std::borrow::Cow;

use serde::de::value::StringDeserializer;
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::InvalidField;

/// A key: a text, or what is written in it.
pub(super) struct Name<'de>(pub(super) Cow<'de, str>);

macro_rules! written {
    ($($method:ident $visit:ident $what:literal),+ $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidField> {
            match self.0.parse() {
                Ok(value) => visitor.$visit(value),
                Err(_) => Err(InvalidField::new(self.0, concat!("the key is not ", $what))),
            }
        }
    )+};
}

impl<'de> Deserializer<'de> for Name<'de> {
    type Error = InvalidField;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidField> {
        match self.0 {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidField> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, InvalidField> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InvalidField> {
        let text: StringDeserializer<_> = self.0.into_owned().into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    written! {
        deserialize_bool visit_bool "true or false", deserialize_i8 visit_i8 "a number",
        deserialize_i16 visit_i16 "a number", deserialize_i32 visit_i32 "a number",
        deserialize_i64 visit_i64 "a number", deserialize_i128 visit_i128 "a number",
        deserialize_u8 visit_u8 "a number", deserialize_u16 visit_u16 "a number",
        deserialize_u32 visit_u32 "a number", deserialize_u64 visit_u64 "a number",
        deserialize_u128 visit_u128 "a number", deserialize_f32 visit_f32 "a number",
        deserialize_f64 visit_f64 "a number",
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

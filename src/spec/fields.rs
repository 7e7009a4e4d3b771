//! Typed reading of a JSON object: known keys in any case, the rest kept.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Object;
use super::json::{Entries, InvalidField, Malformed, find, is_same, read_raw};

/// A type that is a JSON object with some known keys, among others.
pub(crate) trait Shape: Sized {
    /// Takes the known keys out of `fields` and keeps the rest.
    fn read(fields: Fields<'_>) -> Result<Self, InvalidField>;
    /// Puts the known keys and the kept ones into `object`.
    fn write(&self, object: &mut Object);

    fn to_object(&self) -> Object {
        let mut object = Object::new();
        self.write(&mut object);
        object
    }
}

/// The keys of one object that were not read yet, with the text of their values.
///
/// They are read by the rule of [`json`](super::json): Go's decoder accepts `"CNIVersion"` for `cniVersion`, and
/// deployed plugins print it; and Go programs print `null` for empty lists.
pub(crate) struct Fields<'a> {
    entries: Vec<(Cow<'a, str>, &'a RawValue)>,
    path: String,
}

impl<'a> Fields<'a> {
    /// The keys of the text of an object.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Malformed> {
        let Entries(entries) = serde_json::from_str(text).map_err(Malformed::new)?;
        Ok(Self { entries, path: String::new() })
    }

    /// The keys of an object.
    pub(crate) fn of(object: &'a Object) -> Self {
        let entries = object.raw_entries().map(|(key, value)| (key.into(), value)).collect();
        Self { entries, path: String::new() }
    }

    pub(crate) fn child(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            parent => format!("{parent}.{key}"),
        }
    }

    /// The text of a key's value.
    pub(crate) fn take_raw(&mut self, key: &str) -> Option<&'a RawValue> {
        let value = find(&self.entries, key);
        self.entries.retain(|(found, _)| !is_same(found, key));
        value
    }

    /// The value of a key, if it is there. The key stays.
    pub(crate) fn peek<T: Deserialize<'a>>(&self, key: &str) -> Result<Option<T>, InvalidField> {
        let read = find(&self.entries, key).map(read_raw).transpose();
        read.map_err(|error| error.inside_key(&self.child(key)))
    }

    /// The value of a key, if it is there.
    pub(crate) fn take<T: Deserialize<'a>>(&mut self, key: &str) -> Result<Option<T>, InvalidField> {
        let value = self.peek(key);
        self.take_raw(key);
        value
    }

    /// The value of a key, or an error that says it is missing.
    pub(crate) fn require<T: Deserialize<'a>>(&mut self, key: &str) -> Result<T, InvalidField> {
        self.take(key)?.ok_or_else(|| InvalidField::missing(self.child(key)))
    }

    /// The value of a key, or its type's default.
    pub(crate) fn take_or_default<T: Deserialize<'a> + Default>(&mut self, key: &str) -> Result<T, InvalidField> {
        Ok(self.take(key)?.unwrap_or_default())
    }

    /// The text of a key; an empty one counts as absent, as it does in Go.
    pub(crate) fn take_text(&mut self, key: &str) -> Result<Option<String>, InvalidField> {
        Ok(self.take(key)?.filter(|text: &String| !text.is_empty()))
    }

    /// A value that is written as text; an empty text counts as absent, as it does in Go.
    pub(crate) fn take_parsed<T>(&mut self, key: &str) -> Result<Option<T>, InvalidField>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
    {
        let Some(text) = self.take_text(key)? else {
            return Ok(None);
        };
        let parsed = text.parse();
        parsed.map(Some).map_err(|e| InvalidField::new(self.child(key), format!("`{text}`: {e}")))
    }

    /// The keys of the object of a key.
    pub(crate) fn take_fields(&mut self, key: &str) -> Result<Option<Fields<'a>>, InvalidField> {
        let value = self.take_raw(key);
        value.map(|value| inner(value, self.child(key))).transpose()
    }

    /// The object of a key.
    pub(crate) fn take_shape<T: Shape>(&mut self, key: &str) -> Result<Option<T>, InvalidField> {
        self.take_fields(key)?.map(T::read).transpose()
    }

    /// The list of objects of a key; empty when it is absent.
    pub(crate) fn take_list<T: Shape>(&mut self, key: &str) -> Result<Vec<T>, InvalidField> {
        let entries: Vec<&RawValue> = self.take_or_default(key)?;
        let path = self.child(key);
        let entries = entries.into_iter().enumerate();
        entries.map(|(i, value)| T::read(inner(value, format!("{path}[{i}]"))?)).collect()
    }

    /// The keys that were not taken.
    pub(crate) fn rest(self) -> Object {
        Object::of_raw(self.entries.into_iter().map(|(key, value)| (key.into_owned(), value.to_owned())))
    }
}

fn inner(value: &RawValue, path: String) -> Result<Fields<'_>, InvalidField> {
    match Fields::parse(value.get()) {
        Ok(fields) => Ok(Fields { path, ..fields }),
        // The text is JSON: it can only be no object.
        Err(_) => Err(InvalidField::expected("an object").about(value.get()).inside_key(&path)),
    }
}

/// Serde for a [`Shape`].
macro_rules! serde_by_shape {
    ($($type:ty),+ $(,)?) => {$(
        $crate::spec::to_json!($type);

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::spec::Shape::to_object(self).serialize(serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let object = <$crate::spec::Object as serde::Deserialize>::deserialize(deserializer)?;
                let read = $crate::spec::Shape::read($crate::spec::Fields::of(&object));
                read.map_err(|error| serde::de::Error::custom($crate::spec::Placed(error)))
            }
        }
    )+};
}
pub(crate) use serde_by_shape;

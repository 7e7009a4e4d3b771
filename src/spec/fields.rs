//! Typed reading of a JSON object: known keys in any case, the rest kept.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::Object;

/// A field of a JSON document does not have the form that its type requires.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", at(path))]
pub struct InvalidField {
    path: String,
    reason: String,
}

fn at(path: &str) -> String {
    if path.is_empty() {
        return String::new();
    }
    format!("`{path}`: ")
}

impl InvalidField {
    pub(crate) fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }

    /// Where the field is, such as `ips[0].address`; empty for the document itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong with it.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// A type that is a JSON object with some known keys, among others.
pub(crate) trait Shape: Sized {
    /// Takes the known keys out of `fields` and keeps the rest.
    fn read(fields: Fields) -> Result<Self, InvalidField>;
    /// Puts the known keys and the kept ones into `object`.
    fn write(&self, object: &mut Object);

    fn to_object(&self) -> Object {
        let mut object = Object::new();
        self.write(&mut object);
        object
    }
}

/// The keys of one object that nobody has taken yet.
///
/// Keys are found in any case, since Go's decoder accepts `"CNIVersion"` for `cniVersion` and deployed
/// plugins print it; the last one wins. `null` counts as absent, since Go programs print it for empty lists.
pub(crate) struct Fields {
    object: Object,
    path: String,
}

impl Fields {
    pub(crate) fn new(object: Object) -> Self {
        Self::at(object, String::new())
    }

    fn at(object: Object, path: String) -> Self {
        Self { object, path }
    }

    fn child(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            parent => format!("{parent}.{key}"),
        }
    }

    /// The text of a key's value.
    pub(crate) fn take_raw(&mut self, key: &str) -> Option<Box<RawValue>> {
        let value = self.object.take_folded(key)?;
        (value.get() != "null").then_some(value)
    }

    /// The value of a key, if it is there.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>, InvalidField> {
        let Some(value) = self.take_raw(key) else {
            return Ok(None);
        };
        parse(&value, self.child(key)).map(Some)
    }

    /// The value of a key, or an error that says it is missing.
    pub(crate) fn require<T: DeserializeOwned>(&mut self, key: &str) -> Result<T, InvalidField> {
        let missing = || InvalidField::new(self.child(key), "is missing");
        let missing = missing();
        self.take(key)?.ok_or(missing)
    }

    /// The value of a key, or its type's default.
    pub(crate) fn take_or_default<T: DeserializeOwned + Default>(&mut self, key: &str) -> Result<T, InvalidField> {
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
    pub(crate) fn take_fields(&mut self, key: &str) -> Result<Option<Fields>, InvalidField> {
        let object = self.take(key)?;
        Ok(object.map(|object| Self::at(object, self.child(key))))
    }

    /// The object of a key.
    pub(crate) fn take_shape<T: Shape>(&mut self, key: &str) -> Result<Option<T>, InvalidField> {
        let Some(value) = self.take_raw(key) else {
            return Ok(None);
        };
        shape(&value, self.child(key)).map(Some)
    }

    /// The list of objects of a key; empty when it is absent.
    pub(crate) fn take_list<T: Shape>(&mut self, key: &str) -> Result<Vec<T>, InvalidField> {
        let entries: Vec<Box<RawValue>> = self.take_or_default(key)?;
        let path = self.child(key);
        let entries = entries.iter().enumerate();
        entries.map(|(i, value)| shape(value, format!("{path}[{i}]"))).collect()
    }

    /// The keys that were not taken.
    pub(crate) fn rest(self) -> Object {
        self.object
    }
}

fn shape<T: Shape>(value: &RawValue, path: String) -> Result<T, InvalidField> {
    T::read(Fields::at(parse(value, path.clone())?, path))
}

fn parse<T: DeserializeOwned>(value: &RawValue, path: String) -> Result<T, InvalidField> {
    serde_json::from_str(value.get()).map_err(|e| InvalidField::new(path, reason(&e)))
}

/// What serde_json says, without the position: it counts from the start of the field, which nobody sees.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.to_owned(),
        None => text,
    }
}

/// Serde for a [`Shape`].
macro_rules! serde_by_shape {
    ($($type:ty),+ $(,)?) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::spec::Shape::to_object(self).serialize(serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let object = <$crate::spec::Object as serde::Deserialize>::deserialize(deserializer)?;
                $crate::spec::Shape::read($crate::spec::Fields::new(object)).map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use serde_by_shape;

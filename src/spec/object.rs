//! A JSON object that keeps what it does not understand.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::json::{InvalidField, Malformed, characters, is_same, read_raw, unwritable};
use super::{Json, ToJson};

/// A JSON object as ordered pairs of a key and the *text* of its value.
///
/// Values are never decoded and encoded again, so numbers of any size, the order of keys and unknown keys survive (a
/// plugin's configuration belongs to the plugin). Repeated keys are kept too; looking one up finds the last, as JSON
/// decoders do. Half of a surrogate pair that is escaped without the other becomes `\ufffd`, as Go's decoder reads it.
///
/// ```
/// use libcni::spec::Object;
///
/// let mut object = Object::parse(r#"{"id": 9007199254740993, "big": 1e400}"#)?;
/// object.set("name", &"net");
/// assert_eq!(object.to_string(), r#"{"id":9007199254740993,"big":1e400,"name":"net"}"#);
/// # Ok::<(), libcni::spec::Malformed>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Object {
    entries: Vec<(String, Box<RawValue>)>,
}

impl Object {
    /// An object without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the text of one JSON object.
    ///
    /// # Errors
    /// The text is not JSON, not an object, or followed by more than white space.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        serde_json::from_str(&characters(text)).map_err(Malformed::new)
    }

    /// The JSON text, indented by four spaces. Every value keeps its text.
    pub fn to_json_pretty(&self) -> String {
        super::indent(&self.to_string())
    }

    /// The JSON text in one line, as bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // As infallible as `raw`, for the same reason.
        serde_json::to_vec(self).expect("the crate's own types are JSON")
    }

    /// The pairs in this order, repeated keys included.
    pub(crate) fn of_raw(pairs: impl IntoIterator<Item = (String, Box<RawValue>)>) -> Self {
        Self { entries: pairs.into_iter().collect() }
    }

    /// Returns true if the object has no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The pairs in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Json<'_>)> {
        self.raw_entries().map(|(key, value)| (key, Json::new(value)))
    }

    pub(crate) fn raw_entries(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), &**value))
    }

    /// The value of a key, the last one if it is repeated.
    pub fn get(&self, key: &str) -> Option<Json<'_>> {
        self.raw(key).map(Json::new)
    }

    pub(crate) fn raw(&self, key: &str) -> Option<&RawValue> {
        let found = self.entries.iter().rev().find(|(k, _)| k == key);
        found.map(|(_, value)| &**value)
    }

    /// The value of a key as a type of the caller; `None` if it is absent or `null`. It is read like Go's decoder does
    /// ([1.7](crate::specification#17-how-json-is-read)).
    ///
    /// ```
    /// use libcni::spec::Object;
    ///
    /// let object = Object::parse(r#"{"name": "mynet", "vlans": [7, 9]}"#)?;
    /// assert_eq!(object.typed::<Vec<u16>>("vlans")?, Some(vec![7, 9]));
    /// assert_eq!(object.typed::<u32>("mtu")?, None);
    /// # Ok::<(), libcni::Error>(())
    /// ```
    ///
    /// # Errors
    /// It does not have the form of the type.
    pub fn typed<'de, T: Deserialize<'de>>(&'de self, key: &str) -> Result<Option<T>, InvalidField> {
        let value = self.raw(key).filter(|value| value.get() != "null");
        value.map(read_raw).transpose().map_err(|error| error.inside_key(key))
    }

    /// Sets a key to a value of a type that is always JSON: a text, a number, true or false, an object, a list of
    /// these, or `null` for `None`.
    ///
    /// The key moves to the end, so that decoders which ignore the case of keys (Go's) and let the last one
    /// win see this value and not that of a variant such as `NAME`.
    pub fn set(&mut self, key: &str, value: &(impl ToJson + ?Sized)) {
        self.set_raw(key, raw(value));
    }

    /// Sets a key to a value of any type of the caller; see [`Object::set`].
    ///
    /// # Errors
    /// The value can't be written as JSON: it is a map with keys that are not texts, or its `Serialize` fails. Nothing
    /// is set.
    pub fn try_set(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), InvalidField> {
        let value = serde_json::value::to_raw_value(value).map_err(|error| unwritable(key, &error))?;
        self.set_raw(key, value);
        Ok(())
    }

    /// Sets a key to a value given as JSON text; see [`Object::set`].
    ///
    /// ```
    /// use libcni::spec::Object;
    ///
    /// let mut object = Object::new();
    /// object.set_json("mtu", "1400")?;
    /// assert!(object.set_json("mtu", "14OO").is_err());
    /// assert_eq!(object.to_string(), r#"{"mtu":1400}"#);
    /// # Ok::<(), libcni::Error>(())
    /// ```
    ///
    /// # Errors
    /// The text is not one JSON value. Nothing is set.
    pub fn set_json(&mut self, key: &str, json: &str) -> Result<(), Malformed> {
        let value: &RawValue = serde_json::from_str(json).map_err(Malformed::new)?;
        self.set_raw(key, value.to_owned());
        Ok(())
    }

    pub(crate) fn set_raw(&mut self, key: &str, value: Box<RawValue>) {
        self.remove(key);
        self.entries.push((key.to_owned(), value));
    }

    /// Sets a key when there is a value.
    pub(crate) fn set_some(&mut self, key: &str, value: &Option<impl ToJson>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    /// Sets a key when there is an entry.
    pub(crate) fn set_filled(&mut self, key: &str, entries: &[impl ToJson]) {
        if !entries.is_empty() {
            self.set(key, entries);
        }
    }

    /// Removes every pair with this key.
    pub fn remove(&mut self, key: &str) {
        self.entries.retain(|(k, _)| k != key);
    }

    /// Returns true if there is a key that equals `key` in any case.
    pub(crate) fn has_folded(&self, key: &str) -> bool {
        self.entries.iter().any(|(k, _)| is_same(k, key))
    }

    /// Appends the pairs of another object whose keys this one does not have, repeated ones included.
    pub(crate) fn append_missing(&mut self, other: &Object) {
        if other.is_empty() {
            return;
        }
        let own: HashSet<String> = self.entries.iter().map(|(key, _)| key.clone()).collect();
        let missing = other.entries.iter().filter(|(key, _)| !own.contains(key));
        self.entries.extend(missing.cloned());
    }

    /// The pairs whose key is wanted; of repeated ones the last.
    pub(crate) fn only(&self, wanted: impl Fn(&str) -> bool) -> Object {
        let mut seen = HashSet::new();
        let last = self.entries.iter().rev().filter(|(key, _)| wanted(key) && seen.insert(key));
        let mut entries: Vec<_> = last.cloned().collect();
        entries.reverse();
        Object { entries }
    }

    /// The pairs whose key is none of `keys` in any case.
    pub(crate) fn without(&self, keys: &[&str]) -> Object {
        let mut kept = self.clone();
        kept.entries.retain(|(k, _)| !keys.iter().any(|key| is_same(k, key)));
        kept
    }
}

/// Objects are equal when their texts are, white space between tokens of nested values included.
impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Object {}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(raw(self).get())
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.entries.len()))?;
        for (key, value) in &self.entries {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Object { entries })
    }
}

/// The JSON text of a value.
pub(crate) fn raw(value: &(impl ToJson + ?Sized)) -> Box<RawValue> {
    // Fails only for maps with keys that are not text and for types that refuse to be written.
    serde_json::value::to_raw_value(value).expect("types that are `ToJson` are JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_order_and_repeated_keys_survive() {
        let text = r#"{"z":12345678901234567890,"a":1e400,"z":1.0,"A":{"k": [ 1.10 ]}}"#;
        assert_eq!(Object::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn the_last_of_repeated_keys_counts() {
        let object = Object::parse(r#"{"a":1,"a":2}"#).unwrap();
        assert_eq!(object.get("a").map(Json::as_str), Some("2"));
    }

    #[test]
    fn a_key_that_is_set_comes_after_its_variants() {
        let mut object = Object::parse(r#"{"name":"x","NAME":"y","type":"t"}"#).unwrap();
        object.set("name", "net");
        assert_eq!(object.to_string(), r#"{"NAME":"y","type":"t","name":"net"}"#);
    }

    #[test]
    fn a_hundred_thousand_levels_are_carried_without_recursion() {
        let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Object::parse(&deep).unwrap().to_string(), deep);
    }
}

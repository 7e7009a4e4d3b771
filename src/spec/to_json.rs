//! Values that are JSON already, and types of which every value can be written as JSON.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::capability::CapabilityArgs;
use super::json::read_raw;
use super::{ContainerId, ErrorCode, IfName, InvalidField, IpNet, NetworkName, Object, VersionReply};

/// The text of a JSON value, as it stands in an [`Object`].
///
/// ```
/// use libcni::spec::Object;
///
/// let object = Object::parse(r#"{"name": "mynet", "vlans": [7, 9]}"#)?;
/// let vlans = object.get("vlans").expect("the key is there");
/// assert_eq!(vlans.as_str(), "[7, 9]");
/// assert_eq!(vlans.read::<Vec<u16>>()?, [7, 9]);
///
/// let mut other = Object::new();
/// other.set("vlans", &vlans);
/// assert_eq!(other.to_string(), r#"{"vlans":[7, 9]}"#);
/// # Ok::<(), libcni::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(transparent)]
pub struct Json<'a>(&'a RawValue);

impl<'a> Json<'a> {
    pub(super) fn new(value: &'a RawValue) -> Self {
        Self(value)
    }

    /// The text, as it was written: that of a string has quotes.
    pub fn as_str(self) -> &'a str {
        self.0.get()
    }

    /// The value as a type of the caller. It is read like Go's decoder does
    /// ([1.7](crate::specification#17-how-json-is-read)): keys in any case, `null` as a zero value.
    ///
    /// # Errors
    /// It does not have the form of the type.
    pub fn read<T: Deserialize<'a>>(self) -> Result<T, InvalidField> {
        read_raw(self.0)
    }
}

/// Values are equal when their texts are.
impl PartialEq for Json<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json<'_> {}

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A type of which every value can be written as JSON, so that [`Object::set`](super::Object::set) can't fail: texts,
/// whole numbers, booleans, [`Json`] and the types of this crate that are JSON, and lists and options of these.
///
/// No other crate can implement it: [`Object::try_set`](super::Object::try_set) takes any type that serde writes.
pub trait ToJson: Serialize + sealed::Sealed {}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// Says of types that their `Serialize` can't fail.
macro_rules! to_json {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::spec::Sealed for $type {}
        impl $crate::spec::ToJson for $type {}
    )+};
}
pub(crate) use to_json;

to_json!(CapabilityArgs, ContainerId, ErrorCode, IfName, IpNet, Json<'_>, NetworkName, Object, VersionReply);
to_json!(str, String, Cow<'_, str>, IpAddr, bool, i32, i64, u8, u16, u32, u64, u128, usize);

macro_rules! to_json_around {
    ($($type:ty),+ $(,)?) => {$(
        impl<T: ToJson> sealed::Sealed for $type {}
        impl<T: ToJson> ToJson for $type {}
    )+};
}

to_json_around!([T], BTreeSet<T>, Option<T>, Vec<T>);

impl<T: ToJson + ?Sized> sealed::Sealed for &T {}
impl<T: ToJson + ?Sized> ToJson for &T {}

impl<A: ToJson, B: ToJson> sealed::Sealed for (A, B) {}
impl<A: ToJson, B: ToJson> ToJson for (A, B) {}

impl<T: ToJson, const N: usize> sealed::Sealed for [T; N] where [T; N]: Serialize {}
impl<T: ToJson, const N: usize> ToJson for [T; N] where [T; N]: Serialize {}

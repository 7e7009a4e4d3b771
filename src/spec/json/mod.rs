//! The one rule for reading JSON: as Go's decoder does, since what it reads is what is deployed.
//!
//! - Keys of objects are found in any case. The exact key wins, wherever it stands; of keys in another case the last.
//! - `null` counts as absent: a field keeps its default. An entry of a list that is `null` has the zero value.
//! - Keys that nobody asks for are passed over, whatever their values are.
//! - A number is whole when it is written so (not `1.0` or `1e3`), and nothing else is taken for a number.
//! - Bytes that are not UTF-8, and halves of surrogate pairs, count as U+FFFD.
//!
//! [`read`] does so for every type that serde reads. What serde reads by way of a buffer (untagged enums, flattened
//! structs) has its keys found exactly: serde does not tell their names. [`Fields`](super::Fields) is the same rule by
//! hand, for types that keep what they don't know.

mod access;
mod characters;
mod entries;
mod invalid;
mod key;
mod name;
#[cfg(test)]
mod tests;
mod value;

use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) use characters::{characters, text};
pub(crate) use entries::Entries;
pub use invalid::InvalidField;
pub(crate) use invalid::{Placed, reason};
pub(crate) use key::{find, is_same};

use value::Value;

/// Reads a JSON text into a type of serde's.
pub(crate) fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, InvalidField> {
    let raw: &RawValue = serde_json::from_str(text)?;
    read_raw(raw)
}

/// Reads a JSON value into a type of serde's.
pub(crate) fn read_raw<'de, T: Deserialize<'de>>(raw: &'de RawValue) -> Result<T, InvalidField> {
    Value::new(raw).read(std::marker::PhantomData)
}

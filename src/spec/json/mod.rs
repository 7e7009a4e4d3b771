//! The rule for reading JSON: like Go's decoder, since deployed programs rely on what it accepts.
//!
//! - Keys of objects are found in any case. The exact key wins, wherever it stands; of keys in another case the last.
//! - `null` counts as absent: a field keeps its default. An entry of a list that is `null` has the zero value.
//! - Unknown keys are ignored, whatever their values are.
//! - A whole number has neither fraction nor exponent (not `1.0` or `1e3`), and no other type counts as a number.
//! - Bytes that are not UTF-8, and halves of surrogate pairs, count as U+FFFD.
//!
//! [`read`] follows it for every type that serde reads. Types that serde reads through a buffer (untagged enums,
//! flattened structs) need exact keys, since serde does not tell their names. [`Fields`](super::Fields) is the same
//! rule by hand, for types that keep unknown keys.

mod access;
mod characters;
mod entries;
mod invalid;
mod key;
mod malformed;
mod name;
#[cfg(test)]
mod tests;
mod value;

use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) use characters::{characters, text};
pub(crate) use entries::Entries;
pub use invalid::InvalidField;
pub(crate) use invalid::Placed;
pub(super) use invalid::unwritable;
use invalid::{reason, unread};
pub(crate) use key::{find, is_same};
pub use malformed::Malformed;

use value::Value;

/// Reads a JSON text into a type of serde's.
pub(crate) fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, InvalidField> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| unread(&error))?;
    read_raw(raw)
}

/// Reads a JSON value into a type of serde's.
pub(crate) fn read_raw<'de, T: Deserialize<'de>>(raw: &'de RawValue) -> Result<T, InvalidField> {
    Value::new(raw).read(std::marker::PhantomData)
}

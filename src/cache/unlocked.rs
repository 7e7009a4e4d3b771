//! Single files, past the locks and records that verbs keep, for the tests of this crate alone: no part of its API.

use super::{Cache, CacheError, Entry, Key};

/// Writes an entry.
///
/// # Errors
/// The system refuses.
pub fn write(cache: &Cache, key: &Key, entry: &Entry) -> Result<(), CacheError> {
    cache.write(key, entry)
}

/// Removes an entry.
///
/// # Errors
/// The system refuses.
pub fn remove(cache: &Cache, key: &Key) -> Result<(), CacheError> {
    cache.remove(key)
}

/// Records that an attachment is about to be added.
///
/// # Errors
/// The system refuses.
pub fn begin(cache: &Cache, key: &Key, entry: &Entry) -> Result<(), CacheError> {
    cache.begin(key, entry)
}

//! Attachments that were begun but not finished. Their record is on disk before the first plugin of an ADD runs, and is
//! removed when the entry exists.
//!
//! Every program takes a file in the Go libcni's directory `results` for an entry, so these records stand beside that
//! directory. They are not synced, since the interfaces and rules that they are about do not survive a power failure
//! either.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Cache, CacheError, Entries, Entry, Key, file};

/// The beginning of the names of intents.
pub(super) const PREFIX: &str = ".intent-";

/// How old an intent that can't be read must be before it goes: a writer may still be at it.
const SETTLED: Duration = Duration::from_secs(10);

impl Cache {
    /// Records that an attachment is about to be added, before anything is done for it.
    ///
    /// [`Cache::write`] and [`Cache::remove`] remove the record. If the process died before that, [`Cache::unfinished`]
    /// returns the attachment, which needs a DEL.
    pub(crate) fn begin(&self, key: &Key, entry: &Entry) -> Result<(), CacheError> {
        let path = self.intent(key);
        let content = entry.to_intent();
        match file::in_dir(&self.dir, || file::write_new(&path, content.as_bytes())) {
            // An earlier one was not finished, and this one now stands for both.
            Err(CacheError::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {
                self.remove_unfinished(key)?;
                file::write(&path, &key.hash(), content.as_bytes())
            }
            written => written,
        }
    }

    /// Returns the record of an attachment that was begun, if there is one.
    ///
    /// # Errors
    /// The record is there, but can't be read.
    pub fn read_intent(&self, key: &Key) -> Result<Option<Entry>, CacheError> {
        let bytes = file::read(&self.intent(key))?;
        Ok(bytes.and_then(|bytes| Entry::parse_intent(&bytes)).filter(|entry| key.owns(entry)))
    }

    /// Returns the attachments that were begun but not finished: their process is still at work, or died. A file that
    /// can't be read hides no other.
    ///
    /// # Errors
    /// The directory is there, but can't be read.
    pub fn unfinished(&self) -> Result<Entries, CacheError> {
        self.unfinished_named(|_| true)
    }

    /// The same, of those whose entries would have some names; others are not opened.
    pub(super) fn unfinished_named(&self, is_wanted: impl Fn(&str) -> bool) -> Result<Entries, CacheError> {
        let mut listing = Entries::default();
        let is_wanted = |name: &str| name.strip_prefix(PREFIX).is_some_and(&is_wanted);
        for name in file::names(&self.dir, is_wanted)? {
            match unfinished(&self.dir.join(name)) {
                Ok(entry) => listing.entries.extend(entry),
                Err(error) => listing.unreadable.push(error),
            }
        }
        Ok(listing)
    }

    /// Removes the record of an ADD that has begun, but left nothing to undo.
    pub(crate) fn forget_intent(&self, key: &Key) -> Result<(), CacheError> {
        file::remove(&self.intent(key)).map(drop)
    }

    /// Ends what was begun, and removes what its writer left in the middle of writing.
    pub(super) fn clear_intent(&self, key: &Key) -> Result<(), CacheError> {
        if !file::exists(&self.intent(key)) {
            return Ok(());
        }
        self.remove_unfinished(key)?;
        self.forget_intent(key)
    }

    /// Removes what a writer that died left in the middle of writing.
    fn remove_unfinished(&self, key: &Key) -> Result<(), CacheError> {
        [self.results(), self.dir.clone()].iter().try_for_each(|dir| file::remove_unfinished(dir, &key.hash()))
    }

    fn intent(&self, key: &Key) -> PathBuf {
        self.dir.join(format!("{PREFIX}{}", key.hashed_name()))
    }
}

/// The entry of a record. One that was cut short by the death of its writer, where files can't be made whole, is
/// removed: no plugin was started after it.
fn unfinished(path: &Path) -> Result<Option<Entry>, CacheError> {
    let Some(bytes) = file::read(path)? else { return Ok(None) };
    let entry = Entry::parse_intent(&bytes);
    if entry.is_none() && is_settled(path) {
        file::remove(path)?;
    }
    Ok(entry)
}

fn is_settled(path: &Path) -> bool {
    file::written(path).and_then(|written| written.elapsed().ok()).is_some_and(|age| age > SETTLED)
}

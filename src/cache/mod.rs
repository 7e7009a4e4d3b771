//! The attachments, on disk: one entry for each network, container and interface.
//!
//! The directory, file names and JSON are those of the Go libcni, which may share them. An entry's content, not its
//! file name, says which attachment it is for: network `a-b` with container `c` and network `a` with container `b-c`
//! would have the same file, so the second of them gets a name with a hash. Every file is described in [section
//! 7](crate::specification#7-the-cache-on-disk) of the specification.

mod attached;
mod entry;
mod file;
mod files;
mod intent;
mod key;
#[doc(hidden)]
pub mod unlocked;

use std::io;
use std::path::{Path, PathBuf};

pub use self::attached::{Attached, Inventory};
pub use self::entry::{Cached, Entry, InvalidEntry};
pub use self::files::CacheFile;
pub use self::key::Key;
use self::key::{may_be_of_container, may_be_of_network};
use crate::spec::{ContainerId, NetworkName, Object};

/// The result cache, `/var/lib/cni` by default.
///
/// ```no_run
/// let listing = libcni::cache::Cache::default().attachments(None)?;
/// for entry in listing.entries {
///     println!("{} of {} on {}", entry.ifname, entry.container_id, entry.network);
/// }
/// # Ok::<(), libcni::cache::CacheError>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "CacheDir")]
pub struct Cache {
    dir: PathBuf,
}

/// The entries of the cache, and the other files in its directory.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Entries {
    /// The attachments, in the order of their file names.
    pub entries: Vec<Entry>,
    /// Files that could not be read as an entry.
    pub unreadable: Vec<CacheError>,
}

/// The cache can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The system refuses.
    #[error("cannot {doing} {}", path.display())]
    #[non_exhaustive]
    Io {
        /// The operation that failed.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file exists, but is not an entry.
    #[error("{} is not a cache entry", path.display())]
    #[non_exhaustive]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: InvalidEntry,
    },
}

impl CacheError {
    /// The file or directory.
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. } | Self::Invalid { path, .. } => path,
        }
    }

    /// Returns why, for a line that names the file already.
    pub fn reason(&self) -> String {
        match self {
            Self::Io { .. } => crate::Chain(self).to_string(),
            Self::Invalid { source, .. } => format!("not a cache entry: {}", crate::Chain(source)),
        }
    }

    /// Returns true if there may be a record that can't be read now, as opposed to a directory, a link, or a file that
    /// holds something else: whoever is to do something for all records has not done it for this one.
    pub fn is_unread_record(&self) -> bool {
        let Self::Io { path, source, .. } = self else { return false };
        source.kind() != io::ErrorKind::FileTooLarge && path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
    }

    /// Describes the error: `file` and `message`.
    pub fn to_object(&self) -> Object {
        let mut object = Object::new();
        object.set("file", &self.path().to_string_lossy());
        object.set("message", &self.reason());
        object
    }
}

#[derive(PartialEq)]
enum Owner {
    This,
    Another,
    Nobody,
}

impl Default for Cache {
    fn default() -> Self {
        Self::new("/var/lib/cni")
    }
}

impl Cache {
    /// A cache in a directory, which is created when the first entry is written.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn results(&self) -> PathBuf {
        self.dir.join("results")
    }

    /// Returns the entry of an attachment, if there is one.
    ///
    /// # Errors
    /// The file exists, but can't be read, is not an entry, or is the entry of another attachment.
    #[doc(alias("GetNetworkListCachedResult", "GetNetworkListCachedConfig"))]
    pub fn read(&self, key: &Key) -> Result<Option<Cached>, CacheError> {
        for name in key.names() {
            match self.read_in_place(&name)? {
                // Another key that wants the same file.
                Some(Cached::Entry(entry)) if !key.owns(&entry) => {}
                Some(cached) => return Ok(Some(cached)),
                None => {}
            }
        }
        Ok(None)
    }

    fn read_file(&self, name: &str) -> Result<Option<Cached>, CacheError> {
        self.parse_file(name, Cached::parse)
    }

    /// The attachment in a file, which is believed to be of an attachment only where that would be found.
    fn read_in_place(&self, name: &str) -> Result<Option<Cached>, CacheError> {
        self.parse_file(name, |bytes| match Cached::parse(bytes)? {
            Cached::Entry(entry) => entry.claim().check_place(name).map(|()| Cached::Entry(entry)),
            bare => Ok(bare),
        })
    }

    /// Returns the parsed content of a file; `None` when there is no file of that name.
    fn parse_file<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&[u8]) -> Result<T, InvalidEntry>,
    ) -> Result<Option<T>, CacheError> {
        let path = self.results().join(name);
        let Some(bytes) = file::read(&path)? else {
            return Ok(None);
        };
        parse(&bytes).map(Some).map_err(|source| CacheError::Invalid { path, source })
    }

    /// Writes an entry in place of an earlier one: all of it or nothing, and durable when this returns. This also
    /// removes the record of [`Cache::begin`].
    pub(crate) fn write(&self, key: &Key, entry: &Entry) -> Result<(), CacheError> {
        let results = self.results();
        let names = key.names();
        let owners: Vec<_> = names.iter().map(|name| self.owner(name, key)).collect();
        let place = owners.iter().position(|owner| *owner == Owner::This);
        let place = place.or_else(|| owners.iter().position(|owner| *owner == Owner::Nobody));
        // The last name is this key's alone, so whatever is there can go.
        let place = place.unwrap_or(names.len() - 1);
        let (path, content) = (results.join(&names[place]), entry.to_json());
        file::in_dir(&results, || file::write(&path, &key.hash(), content.as_bytes()))?;
        self.forget_intent(key)
    }

    /// Whose entry a file is. What is no entry is nobody's: the Go libcni, too, writes over it.
    fn owner(&self, name: &str, key: &Key) -> Owner {
        match self.read_file(name) {
            Ok(Some(Cached::Entry(entry))) if key.owns(&entry) => Owner::This,
            Ok(Some(Cached::Entry(_))) => Owner::Another,
            Ok(_) | Err(_) => Owner::Nobody,
        }
    }

    /// Removes the entry of an attachment, broken, unfinished or not. Succeeds if there is none.
    pub(crate) fn remove(&self, key: &Key) -> Result<(), CacheError> {
        for name in key.names() {
            match self.read_file(&name) {
                Ok(None) => {}
                Ok(Some(Cached::Entry(entry))) if !key.owns(&entry) => {}
                Ok(Some(_)) | Err(_) => file::remove(&self.results().join(name))?,
            }
        }
        self.clear_intent(key)
    }

    /// The attachments of all containers, or of one.
    ///
    /// # Errors
    /// The directory is there, but can't be read.
    #[doc(alias = "GetCachedAttachments")]
    pub fn attachments(&self, container_id: Option<&ContainerId>) -> Result<Entries, CacheError> {
        match container_id {
            Some(id) => self.list(may_be_of_container(id.as_str()), |found, _| found == id.as_str()),
            None => self.list(|_| true, |_, _| true),
        }
    }

    /// The attachments to one network.
    ///
    /// # Errors
    /// The directory is there, but can't be read.
    pub fn attachments_to(&self, network: &NetworkName) -> Result<Entries, CacheError> {
        self.list(may_be_of_network(network.as_str()), |_, found| found == network.as_str())
    }

    /// The attachments whose file name, and then whose container and network are of interest: others are not read, and
    /// what others hold is not decoded.
    fn list(&self, named: impl Fn(&str) -> bool, wanted: impl Fn(&str, &str) -> bool) -> Result<Entries, CacheError> {
        let mut listing = Entries::default();
        for name in file::names(&self.results(), named)? {
            match self.parse_file(&name, |bytes| Entry::parse_if(bytes, &name, &wanted)) {
                Ok(Some(Some(entry))) if entry.is_complete() => listing.entries.push(entry),
                Ok(_) => {}
                Err(error) => listing.unreadable.push(error),
            }
        }
        Ok(listing)
    }
}

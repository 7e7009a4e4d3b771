//! What was attached, on disk: one entry for each network, container and interface.
//!
//! The directory, file names and JSON are those of the Go libcni, which may share them. An entry's content, not
//! its file name, says whose it is: network `a-b` with container `c` and network `a` with container `b-c` want one
//! file, and the second of them gets a name with a hash.

mod entry;
mod file;

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use self::entry::{Cached, Entry, InvalidEntry};
use crate::spec::{ContainerId, IfName, NetworkName};

/// The result cache, `/var/lib/cni` by default.
#[derive(Clone, Debug)]
#[doc(alias = "CacheDir")]
pub struct Cache {
    dir: PathBuf,
}

/// What an entry is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The network.
    pub network: NetworkName,
    /// The container.
    pub container_id: ContainerId,
    /// Its interface.
    pub ifname: IfName,
}

/// The entries of the cache, and what else is in its directory.
#[derive(Debug, Default)]
pub struct Listing {
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
    Io {
        /// What was tried.
        doing: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file is there, but it is no entry.
    #[error("{} is no cache entry", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: InvalidEntry,
    },
}

/// The longest file name that file systems take, in bytes.
const LONGEST_NAME: usize = 255;

impl Key {
    /// The file name that the Go libcni uses.
    fn plain_name(&self) -> String {
        format!("{}-{}-{}", self.network, self.container_id, self.ifname)
    }

    /// A file name that no other key has.
    fn hashed_name(&self) -> String {
        let mut digest = Sha256::new();
        for part in [self.network.as_str(), self.container_id.as_str(), self.ifname.as_str()] {
            digest.update(part);
            digest.update([0]);
        }
        let hash: String = digest.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect();
        let mut name = self.plain_name();
        let room = (0..=LONGEST_NAME - hash.len() - 1).rev();
        let mut cuts = room.filter(|length| name.is_char_boundary(*length));
        name.truncate(cuts.next().unwrap_or_default());
        format!("{name}.{hash}")
    }

    /// Where the entry may be, the usual place first.
    fn names(&self) -> Vec<String> {
        let mut names = vec![self.plain_name(), self.hashed_name()];
        names.retain(|name| name.len() <= LONGEST_NAME);
        names
    }

    fn owns(&self, entry: &Entry) -> bool {
        entry.network == self.network.as_str()
            && entry.container_id == self.container_id.as_str()
            && entry.ifname == self.ifname.as_str()
    }
}

#[derive(PartialEq)]
enum Holder {
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
    /// A cache in a directory, which is made when the first entry is written.
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

    /// What is cached for an attachment, if anything.
    ///
    /// # Errors
    /// There is a file, but it can't be read or is no entry.
    #[doc(alias("GetNetworkListCachedResult", "GetNetworkListCachedConfig"))]
    pub fn read(&self, key: &Key) -> Result<Option<Cached>, CacheError> {
        for name in key.names() {
            match self.read_file(&name)? {
                Some(Cached::Entry(entry)) if !key.owns(&entry) => {}
                Some(cached) => return Ok(Some(cached)),
                None => {}
            }
        }
        Ok(None)
    }

    fn read_file(&self, name: &str) -> Result<Option<Cached>, CacheError> {
        let path = self.results().join(name);
        let Some(bytes) = file::read(&path)? else {
            return Ok(None);
        };
        match Cached::parse(&bytes) {
            Ok(cached) => Ok(Some(cached)),
            Err(source) => Err(CacheError::Invalid { path, source }),
        }
    }

    /// Writes an entry in place of an earlier one: all of it or nothing, and durable when this returns.
    ///
    /// # Errors
    /// The system refuses.
    pub fn write(&self, key: &Key, entry: &Entry) -> Result<(), CacheError> {
        let results = self.results();
        file::create_dir(&results)?;
        let names = key.names();
        let holders: Vec<_> = names.iter().map(|name| self.holder(name, key)).collect();
        let place = holders.iter().position(|holder| *holder == Holder::This);
        let place = place.or_else(|| holders.iter().position(|holder| *holder == Holder::Nobody));
        // The last name is this key's alone, so whatever is there can go.
        let place = place.unwrap_or(names.len() - 1);
        file::write(&results.join(&names[place]), entry.to_json().as_bytes())
    }

    /// Whose entry a file is. What is no entry is nobody's: the Go libcni, too, writes over it.
    fn holder(&self, name: &str, key: &Key) -> Holder {
        match self.read_file(name) {
            Ok(Some(Cached::Entry(entry))) if key.owns(&entry) => Holder::This,
            Ok(Some(Cached::Entry(_))) => Holder::Another,
            Ok(_) | Err(_) => Holder::Nobody,
        }
    }

    /// Removes what is cached for an attachment, broken or not. Nothing there is fine.
    ///
    /// # Errors
    /// The system refuses.
    pub fn remove(&self, key: &Key) -> Result<(), CacheError> {
        for name in key.names() {
            match self.read_file(&name) {
                Ok(None) => {}
                Ok(Some(Cached::Entry(entry))) if !key.owns(&entry) => {}
                Ok(Some(_)) | Err(_) => file::remove(&self.results().join(name))?,
            }
        }
        Ok(())
    }

    /// The attachments of all containers, or of one. Files of another kind are passed over.
    ///
    /// # Errors
    /// The directory is there, but can't be read.
    #[doc(alias = "GetCachedAttachments")]
    pub fn attachments(&self, container_id: Option<&ContainerId>) -> Result<Listing, CacheError> {
        let Some(id) = container_id else {
            return self.list(|_| true);
        };
        let mut listing = self.list(|name| may_be_of_container(name, id))?;
        listing.entries.retain(|entry| entry.container_id == id.as_str());
        Ok(listing)
    }

    /// The attachments to one network.
    ///
    /// # Errors
    /// The directory is there, but can't be read.
    pub fn attachments_to(&self, network: &NetworkName) -> Result<Listing, CacheError> {
        let mut prefix = format!("{network}-");
        prefix.truncate(LONGEST_NAME - 20);
        let mut listing = self.list(|name| name.starts_with(&prefix))?;
        listing.entries.retain(|entry| entry.network == network.as_str());
        Ok(listing)
    }

    fn list(&self, wanted: impl Fn(&str) -> bool) -> Result<Listing, CacheError> {
        let mut listing = Listing::default();
        for name in file::names(&self.results())? {
            if !wanted(&name) {
                continue;
            }
            match self.read_file(&name) {
                Ok(Some(Cached::Entry(entry))) if entry.is_complete() => listing.entries.push(entry),
                Ok(_) => {}
                Err(error) => listing.unreadable.push(error),
            }
        }
        Ok(listing)
    }
}

/// Whether a file name can be that of a container's entry. Names that were cut short can't be judged.
fn may_be_of_container(name: &str, id: &ContainerId) -> bool {
    let part = format!("-{id}-");
    let inside = |at: usize| at > 0 && at + part.len() < name.len();
    name.len() > LONGEST_NAME - 20 || name.find(&part).is_some_and(inside)
}

//! All files in the cache's directory, including those of other programs.

use std::path::PathBuf;
use std::time::SystemTime;

use super::{Cache, CacheError, Cached, file};

/// A file of the cache.
#[derive(Debug)]
#[non_exhaustive]
pub struct CacheFile {
    /// Where it is.
    pub path: PathBuf,
    /// The time when it was written: for an entry, the end of ADD. `None` if it is not known.
    pub written: Option<SystemTime>,
    /// The content.
    pub content: Result<Cached, CacheError>,
}

impl Cache {
    /// The files of the cache in the order of their names: attachments of every network and of every runtime that
    /// shares the directory, and files that can't be read.
    ///
    /// ```no_run
    /// use libcni::cache::{Cache, Cached};
    ///
    /// for file in Cache::default().files()? {
    ///     match &file.content {
    ///         Ok(Cached::Entry(entry)) => println!("{} is on {}", entry.container_id, entry.network),
    ///         Ok(_) => println!("{} does not say whose it is", file.path.display()),
    ///         Err(error) => println!("{error}"),
    ///     }
    /// }
    /// # Ok::<(), libcni::cache::CacheError>(())
    /// ```
    ///
    /// # Errors
    /// The directory is there, but can't be read.
    pub fn files(&self) -> Result<Vec<CacheFile>, CacheError> {
        self.files_named(|_| true)
    }

    /// The files with some names; others are not opened.
    pub(super) fn files_named(&self, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<CacheFile>, CacheError> {
        let names = file::names(&self.results(), is_wanted)?;
        Ok(names.iter().filter_map(|name| self.file(name)).collect())
    }

    /// A file by its name; `None` when there is none of that name.
    fn file(&self, name: &str) -> Option<CacheFile> {
        let path = self.results().join(name);
        let written = file::written(&path);
        let content = self.read_in_place(name).transpose()?;
        Some(CacheFile { path, written, content })
    }
}

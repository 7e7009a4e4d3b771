//! Files of the configuration directory, which may be anything.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{ConfError, Problem, system};
use crate::spec::text;

/// The largest configuration file that is read, in bytes.
pub const MAX_FILE_SIZE: u64 = 8 << 20;

/// A file of a directory, not opened yet.
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// True if the directory says that it is a regular file itself, and no link.
    is_regular: bool,
}

impl Found {
    /// A file that somebody named.
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), is_regular: false }
    }
}

/// Everything but directories, in byte order of the names.
pub(super) fn files(dir: &Path) -> io::Result<Vec<Found>> {
    let found = system::files(dir)?.into_iter().map(|(path, is_regular)| Found { path, is_regular });
    let mut files: Vec<_> = found.collect();
    files.sort_unstable_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    Ok(files)
}

/// Returns true if an error of [`files`] says that there is no such directory. A file in its place is not nothing.
pub(super) fn is_none(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename)
}

/// The text of a regular file, which need not be UTF-8 inside of JSON's texts. Never blocks: opening a FIFO would, and
/// reading a device might.
pub(super) fn read(file: &Found) -> Result<String, ConfError> {
    let bytes = open(file).and_then(read_all).map_err(ConfError::new)?;
    match text(&bytes) {
        Cow::Owned(mended) if std::str::from_utf8(&bytes).is_err() && !is_json(&mended) => {
            Err(ConfError::new(Problem::NotUtf8))
        }
        text => Ok(text.into_owned()),
    }
}

/// The text of a regular file as it is, to be written back.
pub(super) fn read_unchanged(file: &Found) -> Result<String, ConfError> {
    let bytes = open(file).and_then(read_all).map_err(ConfError::new)?;
    String::from_utf8(bytes).map_err(|_| ConfError::new(Problem::NotUtf8))
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn open(Found { path, is_regular }: &Found) -> Result<File, Problem> {
    // Looked at before it is opened, since opening alone makes some devices act; and again afterwards, by
    // descriptor, since the name may mean another file by then.
    if !is_regular && !fs::metadata(path).map_err(Problem::Read)?.is_file() {
        return Err(Problem::NotAFile);
    }
    system::open(path).map_err(Problem::Read)
}

fn read_all(file: File) -> Result<Vec<u8>, Problem> {
    let metadata = file.metadata().map_err(Problem::Read)?;
    if !metadata.is_file() {
        return Err(Problem::NotAFile);
    }
    let limit = MAX_FILE_SIZE;
    let mut bytes = Vec::with_capacity(metadata.len().min(limit) as usize + 1);
    let mut reader = file.take(limit + 1);
    reader.read_to_end(&mut bytes).map_err(Problem::Read)?;
    if bytes.len() as u64 > limit {
        return Err(Problem::TooLarge { limit });
    }
    Ok(bytes)
}

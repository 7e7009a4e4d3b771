//! The entries of a directory.
//!
//! Not by `std::fs::read_dir`, which panics where the directory can't be closed.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, openat};

/// An entry of a directory.
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
    kind: FileType,
}

impl Entry {
    pub(crate) fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }

    /// Returns true if it is a regular file itself, and no link to one.
    pub(crate) fn is_file(&self) -> bool {
        self.is(FileType::RegularFile, std::fs::Metadata::is_file)
    }

    fn is(&self, kind: FileType, asked: impl FnOnce(&std::fs::Metadata) -> bool) -> bool {
        // Some file systems don't say.
        let ask = || self.path.symlink_metadata().is_ok_and(|metadata| asked(&metadata));
        if self.kind == FileType::Unknown { ask() } else { self.kind == kind }
    }
}

/// Returns the entries of a directory, in no order.
pub(crate) fn entries(dir: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    each(dir, |name, kind| entries.push(Entry { path: dir.join(name), kind }))?;
    Ok(entries)
}

/// Returns those names in a directory that are wanted, in no order.
pub(crate) fn names_if(dir: &Path, is_wanted: impl Fn(&str) -> bool) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    each(dir, |name, _| names.extend(name.to_str().filter(|name| is_wanted(name)).map(str::to_owned)))?;
    Ok(names)
}

/// Calls a function with the name and the kind of each entry of a directory.
fn each(dir: &Path, mut found: impl FnMut(&OsStr, FileType)) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut listing = Dir::new(openat(CWD, dir, flags, Mode::empty())?)?;
    while let Some(entry) = listing.read() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name != "." && name != ".." {
            found(name, entry.file_type());
        }
    }
    Ok(())
}

/// Returns the numbers that are names in a directory: processes, or descriptors. None where it can't be read.
pub(crate) fn numbers(dir: &str) -> Vec<i32> {
    let entries = entries(dir.as_ref()).unwrap_or_default();
    entries.iter().filter_map(|entry| entry.name().to_str()?.parse().ok()).collect()
}

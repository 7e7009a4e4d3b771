//! The files of a directory.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, openat};

/// Calls a function with the name of each regular file. Not by `std::fs::read_dir`, which panics where the directory
/// can't be closed.
pub(crate) fn each_file(dir: &Path, mut call: impl FnMut(&OsStr)) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut listing = Dir::new(openat(CWD, dir, flags, Mode::empty())?)?;
    while let Some(entry) = listing.read() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        let is_file = match entry.file_type() {
            FileType::Unknown => fs::symlink_metadata(dir.join(name)).is_ok_and(|found| found.is_file()),
            kind => kind == FileType::RegularFile,
        };
        if is_file {
            call(name);
        }
    }
    Ok(())
}

/// The names of the regular files, in no particular order; empty if there is no such directory.
pub(crate) fn files(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    match each_file(dir, |name| names.extend(name.to_str().map(str::to_owned))) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(names),
    }
}

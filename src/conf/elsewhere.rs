//! Files where developers work and no node runs: as far as the standard library goes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

pub(super) fn files(dir: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let (path, is_regular) = (entry.path(), entry.file_type().is_ok_and(|kind| kind.is_file()));
        if is_regular || !path.is_dir() {
            files.push((path, is_regular));
        }
    }
    Ok(files)
}

pub(super) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

pub(super) fn create(path: &Path) -> io::Result<File> {
    File::create_new(path)
}

pub(super) fn own_like(file: &File, old: &Path) -> io::Result<()> {
    file.set_permissions(fs::metadata(old)?.permissions())
}

/// A directory can't be opened everywhere.
pub(super) fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

//! Files that are there whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The name that a file has until it is whole. No container's ID begins with a point.
pub(crate) const UNFINISHED: char = '.';

fn unfinished(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{UNFINISHED}{name}"))
}

/// Writes a file that only its owner may read, and its directory where that is missing.
pub(crate) fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    let new = unfinished(path);
    // What a killed writer left, or somebody planted: nothing is written through a link.
    remove_if_there(&new)?;
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new);
    let written = opened.and_then(|mut file| {
        file.write_all(text)?;
        file.sync_all()
    });
    // The first error is what the caller must hear.
    written.and_then(|()| fs::rename(&new, path)).inspect_err(|_| drop(fs::remove_file(&new)))
}

/// Removes a file that may exist, and the remains of one whose writer was killed.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    remove_if_there(&unfinished(path))?;
    remove_if_there(path)
}

/// Removes a file that may be there.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_writer_left_goes_with_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("made/c1");
        write(&path, b"whole").unwrap();
        fs::write(unfinished(&path), "who").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert_eq!(fs::read_dir(dir.path().join("made")).unwrap().count(), 0);
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let [path, other] = ["c1", "other"].map(|name| dir.path().join(name));
        fs::write(&other, "as it was").unwrap();
        for planted in [unfinished(&path), path.clone()] {
            std::os::unix::fs::symlink(&other, planted).unwrap();
        }
        write(&path, b"whole").unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"as it was");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c1");
        fs::create_dir(&path).unwrap();
        write(&path, b"whole").unwrap_err();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}

//! The file of `--trace-file`. Configurations may have secrets in them, so it is this user's alone.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::geteuid;

/// A file that nothing is appended to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is not a regular file")]
    NotAFile,
    #[error("it belongs to user {0}")]
    Foreign(u32),
    #[error("it has a second name elsewhere")]
    Linked,
    #[error("others may read or write it; remove it, or do `chmod 600`")]
    Shared,
}

/// Opens a file to append to; one that is not there is made.
pub(super) fn open(path: &Path) -> Result<File, Unfit> {
    // Looked at before it is opened, since opening alone makes some devices act, and waits for the reader of a FIFO.
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => return Err(Unfit::NotAFile),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    // The name may mean another file by now.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = OpenOptions::new();
    let options = options.append(true).create(true).mode(0o600).custom_flags(flags.bits() as i32);
    let file = options.open(path)?;
    refuse_unfit(&file.metadata()?)?;
    Ok(file)
}

fn refuse_unfit(opened: &fs::Metadata) -> Result<(), Unfit> {
    const OTHERS: u32 = 0o066;
    match () {
        () if !opened.is_file() => Err(Unfit::NotAFile),
        () if opened.uid() != geteuid().as_raw() => Err(Unfit::Foreign(opened.uid())),
        () if opened.nlink() > 1 => Err(Unfit::Linked),
        () if opened.mode() & OTHERS != 0 => Err(Unfit::Shared),
        () => Ok(()),
    }
}

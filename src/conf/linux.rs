//! Files in the ways of Linux: nothing is waited for, and what is replaced keeps its owner.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::directory;

/// Returns everything in a directory but directories, each with whether the directory itself says that it is a regular
/// file, and no link.
pub(super) fn files(dir: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
    let kind = |entry: directory::Entry| (entry.is_file(), entry.path);
    let entries = directory::entries(dir)?.into_iter().map(kind);
    // Links are followed. What can't be looked at is kept: reading it says why.
    let files = entries.filter(|(is_regular, path)| *is_regular || !path.is_dir());
    Ok(files.map(|(is_regular, path)| (path, is_regular)).collect())
}

/// Opens a file to be read, and never waits: opening a FIFO would.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits() | OFlag::O_NOCTTY.bits()).open(path)
}

/// Creates a file that nobody else may read yet.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Gives a file the owner and mode of another one.
pub(super) fn own_like(file: &File, old: &Path) -> io::Result<()> {
    let (own, old) = (file.metadata()?, fs::metadata(old)?);
    if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
        fchown(file, Some(old.uid()), Some(old.gid()))?;
    }
    file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o7777))
}

/// Makes a new name in a directory outlive a loss of power.
pub(super) fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

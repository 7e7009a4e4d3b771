//! Files of the cache: written whole or not at all, and never through a symbolic link.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag};
use nix::unistd::linkat;

use super::CacheError;
use crate::directory::names_if;

/// The largest entry that is read, in bytes.
const MAX_SIZE: u64 = 32 << 20;

/// The beginning of the names of unfinished files. No entry's name has it, since network names start with a letter or
/// digit.
const UNFINISHED: &str = ".tmp-";

/// Makes a directory and those above it, for the owner alone.
fn create_dir(dir: &Path) -> Result<(), CacheError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700).create(dir).map_err(error("create directory", dir))
}

/// The content of a regular file; `None` when there is no file of that name.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, CacheError> {
    let file = match open_for_reading(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(error("read", path)(e)),
    };
    read_all(file).map(Some).map_err(error("read", path))
}

fn open_for_reading(path: &Path) -> io::Result<File> {
    // O_NONBLOCK: opening a FIFO would wait for somebody to write to it.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

fn read_all(file: File) -> io::Result<Vec<u8>> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    // One more than there is, so that the end is seen without growing.
    let mut bytes = Vec::with_capacity(metadata.len().min(MAX_SIZE) as usize + 1);
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// Puts a file in place of what is there, durably: a reader sees the old or the new, whole, even after a crash. Where
/// it replaces another, a crash may leave an unfinished file, which `owner` tells from those of others
/// ([`remove_unfinished`]).
pub(super) fn write(path: &Path, owner: &str, content: &[u8]) -> Result<(), CacheError> {
    let unfinished = unfinished_name(path, owner);
    let replace = || create(&unfinished, content, true).and_then(|()| fs::rename(&unfinished, path));
    let written = create(path, content, true).or_else(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => replace(),
        _ => Err(e),
    });
    if let Err(e) = written {
        let _ = fs::remove_file(&unfinished);
        return Err(error("write", path)(e));
    }
    sync_parent(path)
}

/// Writes a file where there is none, not durably. What can't be written whole is not left.
pub(super) fn write_new(path: &Path, content: &[u8]) -> Result<(), CacheError> {
    create(path, content, false).map_err(error("write", path))
}

/// Makes a file that has its name only once it is whole, so that nobody finds half of it, whoever dies when.
fn create(path: &Path, content: &[u8], durable: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let parent = path.parent().unwrap_or(path);
    let nameless = options.write(true).mode(0o600).custom_flags(OFlag::O_TMPFILE.bits()).open(parent);
    match nameless.and_then(|file| fill(&file, content, durable).map(|()| file)) {
        Ok(file) => match name(&file, path) {
            // No /proc.
            Err(Errno::ENOENT) => create_named(path, content, durable),
            named => Ok(named?),
        },
        Err(e) if can_not_be_nameless(&e) => create_named(path, content, durable),
        Err(e) => Err(e),
    }
}

/// Gives a file its name. Directly is faster than by way of /proc, but not everybody may.
fn name(file: &File, path: &Path) -> Result<(), Errno> {
    match linkat(file, "", AT_FDCWD, path, AtFlags::AT_EMPTY_PATH) {
        Err(Errno::ENOENT | Errno::EPERM) => {
            let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
            linkat(AT_FDCWD, descriptor.as_str(), AT_FDCWD, path, AtFlags::AT_SYMLINK_FOLLOW)
        }
        named => named,
    }
}

/// Writes into a directory, which is made if it is not there.
pub(super) fn in_dir(dir: &Path, write: impl Fn() -> Result<(), CacheError>) -> Result<(), CacheError> {
    match write() {
        Err(CacheError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            create_dir(dir)?;
            write()
        }
        written => written,
    }
}

/// Returns whether a file system says that files have names there from the start.
fn can_not_be_nameless(error: &io::Error) -> bool {
    matches!(error.raw_os_error().map(Errno::from_raw), Some(Errno::EOPNOTSUPP | Errno::EISDIR | Errno::EINVAL))
}

fn create_named(path: &Path, content: &[u8], durable: bool) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    fill(&file, content, durable).inspect_err(|_| {
        // It is of no use; that it could not be written is what the caller must hear.
        let _ = fs::remove_file(path);
    })
}

fn fill(mut file: &File, content: &[u8], durable: bool) -> io::Result<()> {
    file.write_all(content)?;
    if durable { file.sync_all() } else { Ok(()) }
}

/// A name beside the file that no other process or thread uses.
fn unfinished_name(path: &Path, owner: &str) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    path.with_file_name(format!("{UNFINISHED}{owner}-{}-{count}-{now:x}", std::process::id()))
}

/// When a file, or a link itself, was last written.
pub(super) fn written(path: &Path) -> Option<SystemTime> {
    fs::symlink_metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Removes a file, or a link itself. Gone already is fine.
pub(super) fn remove(path: &Path) -> Result<(), CacheError> {
    match fs::remove_file(path) {
        // Not synced: should a crash bring the entry back, it is deleted once more.
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(error("remove", path)(e)),
    }
}

fn sync_parent(path: &Path) -> Result<(), CacheError> {
    let parent = path.parent().unwrap_or(path);
    File::open(parent).and_then(|dir| dir.sync_all()).map_err(error("sync", parent))
}

/// Removes what a crash left of writing for an owner.
pub(super) fn remove_unfinished(dir: &Path, owner: &str) -> Result<(), CacheError> {
    let prefix = format!("{UNFINISHED}{owner}-");
    let unfinished = all_names(dir, |name| name.starts_with(&prefix))?;
    unfinished.iter().try_for_each(|name| remove(&dir.join(name)))
}

/// Returns whether there is a file of that name, whatever it is.
pub(super) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// The names that are wanted of the finished files in a directory, and of whatever else is there, in byte order; none
/// when there is no directory.
pub(super) fn names(dir: &Path, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<String>, CacheError> {
    let mut names = all_names(dir, |name| is_wanted(name) && !name.starts_with(UNFINISHED))?;
    names.sort_unstable();
    Ok(names)
}

/// Without names that are not UTF-8, which are none of ours, nor of Go's.
fn all_names(dir: &Path, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<String>, CacheError> {
    match names_if(dir, is_wanted) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names.map_err(error("list", dir)),
    }
}

fn error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CacheError {
    move |source| CacheError::Io { doing, path: path.to_owned(), source }
}

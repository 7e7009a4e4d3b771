//! A namespace that is held open.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sched::{CloneFlags, unshare};
use nix::sys::statfs::{NSFS_MAGIC, statfs};

use super::enter::{OF_THREAD, enter, in_thread};
use super::error::{NetnsError, Operation, no_namespace};

/// A network namespace, held by a descriptor: it exists at least as long as this value.
///
/// ```no_run
/// use libcni::netns::Namespace;
///
/// let namespace = Namespace::create()?;
/// let links = namespace.run(|| std::fs::read_to_string("/proc/thread-self/net/dev"))??;
/// assert!(links.contains("lo:"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Namespace {
    file: File,
    path: PathBuf,
}

impl Namespace {
    /// Makes a network namespace. There is nothing in it but `lo`, which is down.
    ///
    /// It has no name yet, and ends with this value and the last process in it, unless it is [pinned](Self::pin).
    ///
    /// # Errors
    /// This process may not make one, or no descriptor is left.
    #[doc(alias = "NewNS")]
    pub fn create() -> Result<Self, NetnsError> {
        let make = || {
            unshare(CloneFlags::CLONE_NEWNET)?;
            File::open(OF_THREAD)
        };
        let file =
            in_thread(make).and_then(|made| made).map_err(NetnsError::on(Operation::Create, Path::new(OF_THREAD)))?;
        let path = path_of(&file);
        Ok(Self { file, path })
    }

    /// Opens the network namespace at a path, such as `/run/netns/blue` or `/proc/1234/ns/net`.
    ///
    /// Anything else at the path is left untouched: this neither waits for a FIFO nor wakes a device.
    ///
    /// # Errors
    /// The path leads to nothing, or to something else ([`NetnsError::is_gone`]), or can't be read.
    #[doc(alias = "GetNS")]
    pub fn open(path: impl AsRef<Path>) -> Result<Self, NetnsError> {
        let path = path.as_ref();
        let file = open(path).map_err(NetnsError::on(Operation::Open, path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// The path that the namespace was opened or pinned at. For one that was made, a path that leads to it only in this
    /// process.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs a closure inside the namespace; see [`run_in`](super::run_in).
    ///
    /// # Errors
    /// This process may not enter the namespace, or it could not come back and no thread can be started.
    ///
    /// # Panics
    /// If the closure panics.
    #[doc(alias = "Do")]
    pub fn run<T: Send>(&self, inside: impl FnOnce() -> T + Send) -> Result<T, NetnsError> {
        let enter_and_run = || {
            enter(&self.file).map_err(|errno| self.not_entered(errno))?;
            Ok(inside())
        };
        in_thread(enter_and_run).map_err(NetnsError::on(Operation::StartThread, &self.path))?
    }

    pub(super) fn at(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }

    /// A path that leads to the namespace in this process, and that can be mounted elsewhere.
    pub(super) fn source(&self) -> PathBuf {
        path_of(&self.file)
    }

    fn not_entered(&self, errno: Errno) -> NetnsError {
        // It is a namespace of another kind.
        let source = if errno == Errno::EINVAL { no_namespace() } else { errno.into() };
        NetnsError::new(Operation::Enter, &self.path, source)
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn path_of(file: &File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

fn open(path: &Path) -> io::Result<File> {
    if !is_namespace(path)? {
        return Err(no_namespace());
    }
    // O_NONBLOCK: somebody may have put a FIFO in its place since.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

/// Returns true if a path leads to a namespace of any kind.
pub(super) fn is_namespace(path: &Path) -> io::Result<bool> {
    Ok(statfs(path)?.filesystem_type() == NSFS_MAGIC)
}

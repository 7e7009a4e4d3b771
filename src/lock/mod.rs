//! Locks on containers and networks, across threads and processes.
//!
//! The specification makes this a duty of the runtime: never two operations on one container at once, and no GC of a
//! network while one of its containers is added or removed. [`Locking`] is the seam: it is [`FileLocks`] in the cache
//! directory unless an embedder brings its own.

mod file;
mod holders;
mod nested;
mod orphan;
mod process;

use std::any::Any;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

pub use self::file::FileLocks;
use crate::CancelToken;
use crate::spec::{ContainerId, IfName, NetworkName};
use crate::waiting::blocking;

/// Grants the sole or shared use of networks and containers.
///
/// ```
/// use libcni::lock::{Guard, Locking, LockError, Wanted};
///
/// /// For a runtime that holds a lock of its own around every call.
/// #[derive(Debug)]
/// struct Unlocked;
///
/// impl Locking for Unlocked {
///     fn lock(&self, _: &Wanted<'_>) -> Result<Guard, LockError> {
///         Ok(Guard::new(()))
///     }
/// }
///
/// let cni = libcni::Cni::builder().locking(Unlocked).build()?;
/// # Ok::<(), libcni::Error>(())
/// ```
pub trait Locking: fmt::Debug + Send + Sync {
    /// Waits until a resource can be had, for a limited time.
    ///
    /// # Errors
    /// See [`LockError`].
    fn lock(&self, wanted: &Wanted<'_>) -> Result<Guard, LockError>;

    /// Waits as [`lock`](Self::lock) does, for a verb that is to hold no thread meanwhile: those of `AsyncCni` wait by
    /// this. Unless it is written, `lock` is called, and holds a thread.
    ///
    /// That of [`FileLocks`] holds no thread within a verb of `AsyncCni`; elsewhere it blocks as `lock` does.
    fn lock_async<'a>(&'a self, wanted: &'a Wanted<'_>) -> LockFuture<'a> {
        Box::pin(async move { blocking(|| self.lock(wanted)) })
    }
}

/// A lock that is awaited.
pub type LockFuture<'a> = Pin<Box<dyn Future<Output = Result<Guard, LockError>> + Send + 'a>>;

/// A request for a lock.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Wanted<'a> {
    /// The thing.
    pub resource: Resource<'a>,
    /// The sharing: together with other holders, or exclusive.
    pub mode: Mode,
    /// The attachment that it is for, if it is for one.
    pub purpose: Option<Purpose<'a>>,
    /// Ends the wait early when it is cancelled.
    pub cancel: Option<&'a CancelToken>,
}

/// The attachment that a container is locked for: an interface of it, on a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Purpose<'a> {
    /// The network.
    pub network: &'a NetworkName,
    /// The interface.
    pub ifname: &'a IfName,
}

impl<'a> Wanted<'a> {
    /// A wait that ends only after the time limit of the lock.
    pub fn new(resource: Resource<'a>, mode: Mode) -> Self {
        Self { resource, mode, purpose: None, cancel: None }
    }

    /// The same, for one attachment.
    pub fn purpose(self, purpose: Purpose<'a>) -> Self {
        Self { purpose: Some(purpose), ..self }
    }

    /// The same, ended when a token is cancelled.
    pub fn cancel(self, token: &'a CancelToken) -> Self {
        Self { cancel: Some(token), ..self }
    }
}

/// A thing that can be locked. A verb that locks both locks the network first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resource<'a> {
    /// The attachments of a network, as a whole.
    Network(&'a NetworkName),
    /// All attachments of a container, on every network.
    Container(&'a ContainerId),
}

impl Resource<'_> {
    /// The name of the network, or the ID of the container.
    pub fn name(&self) -> &str {
        match self {
            Self::Network(name) => name.as_str(),
            Self::Container(id) => id.as_str(),
        }
    }
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(name) => write!(f, "network `{name}`"),
            Self::Container(id) => write!(f, "container `{id}`"),
        }
    }
}

/// The sharing of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Shared with all other holders that want it shared.
    Shared,
    /// Exclusive.
    Exclusive,
}

/// A lock that is held; dropping it gives it back.
pub struct Guard {
    _held: Box<dyn Any + Send>,
}

impl Guard {
    /// A value that releases the lock when it is dropped.
    pub fn new(held: impl Any + Send) -> Self {
        Self { _held: Box::new(held) }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

/// A lock could not be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Other holders kept it for the whole time.
    #[error("{resource} is in use by {holder}; gave up after {} ms", waited.as_millis())]
    #[non_exhaustive]
    Held {
        /// The network or container that is locked.
        resource: String,
        /// The holders: processes by number and name, if the system tells.
        holder: String,
        /// How long it was tried.
        waited: Duration,
    },
    /// It is held by a verb that runs this process as its plugin, or below one, so it can't be released while this one
    /// waits.
    #[error("{resource} is in use by {holder}, which waits for this process")]
    #[non_exhaustive]
    Nested {
        /// The network or container that is locked.
        resource: String,
        /// Who holds it, by number and name.
        holder: String,
    },
    /// The call was cancelled while it waited.
    #[error("cancelled while waiting for {resource}")]
    #[non_exhaustive]
    Cancelled {
        /// The network or container that is locked.
        resource: String,
    },
    /// The directory of the locks, which is that of the cache, can't be made.
    #[error("cannot make the cache directory {} for {resource}", dir.display())]
    #[non_exhaustive]
    Dir {
        /// The network or container to lock.
        resource: String,
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The lock can't be taken at all.
    #[error("cannot lock {resource} with {}", path.display())]
    #[non_exhaustive]
    Io {
        /// The network or container to lock.
        resource: String,
        /// The lock's file.
        path: PathBuf,
        /// Why it can't be used.
        source: io::Error,
    },
}

/// For a [`Locking`] of an embedder.
impl LockError {
    /// Other holders kept a resource for the whole time; their names are for the message.
    pub fn held(resource: Resource<'_>, holder: impl Into<String>, waited: Duration) -> Self {
        Self::Held { resource: resource.to_string(), holder: holder.into(), waited }
    }

    /// [`Wanted::cancel`] was cancelled.
    pub fn cancelled(resource: Resource<'_>) -> Self {
        Self::Cancelled { resource: resource.to_string() }
    }

    /// The lock of a resource can't be taken at all; the path is that of its file or socket.
    pub fn io(resource: Resource<'_>, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { resource: resource.to_string(), path: path.into(), source }
    }
}

impl LockError {
    /// Returns true if the same call may succeed later, although nothing has changed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Held { .. })
    }
}

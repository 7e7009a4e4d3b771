//! Network namespaces: run a closure inside one.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, setns};

/// A network namespace can't be entered.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} network namespace {}", path.display())]
pub struct NetnsError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl NetnsError {
    /// Whether there is no such namespace (any more).
    pub fn is_gone(&self) -> bool {
        // What `ip netns delete` leaves behind, when it can't unmount, is an ordinary file: not a namespace.
        matches!(self.source.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput)
    }
}

/// Runs a closure inside a network namespace, and returns what it returns.
///
/// The closure runs in a thread of its own, since a namespace belongs to a thread: the caller's never changes, not
/// even after a panic, and threads that the closure starts are in the namespace too. Sockets that it opens stay
/// in the namespace and may be returned.
///
/// ```no_run
/// let forwards = libcni::plugin::netns::run_in("/run/netns/blue".as_ref(), || {
///     std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward")
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The namespace can't be opened or entered.
///
/// # Panics
/// Where the closure does.
#[doc(alias = "WithNetNSPath")]
pub fn run_in<T: Send>(path: &Path, inside: impl FnOnce() -> T + Send) -> Result<T, NetnsError> {
    let error = |doing| move |source: io::Error| NetnsError { doing, path: path.to_owned(), source };
    let namespace = File::open(path).map_err(error("open"))?;
    let enter_and_run = || {
        setns(&namespace, CloneFlags::CLONE_NEWNET).map_err(|errno| error("enter")(errno.into()))?;
        Ok(inside())
    };
    std::thread::scope(|scope| {
        let thread =
            std::thread::Builder::new().spawn_scoped(scope, enter_and_run).map_err(error("start a thread for"))?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

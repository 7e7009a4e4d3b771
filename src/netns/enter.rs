//! Work inside of a namespace, in a thread of its own.

use std::path::Path;
use std::{io, panic, thread};

use super::{Namespace, NetnsError};

/// Runs a closure inside a network namespace, and returns what it returns.
///
/// The closure runs in a thread of its own, since a namespace belongs to a thread: the caller's never changes, not
/// even after a panic, and threads that the closure starts are in the namespace too. Sockets that it opens stay
/// in the namespace and may be returned. In asynchronous code, call this from a thread that may block, such as that
/// of `tokio::task::spawn_blocking`.
///
/// ```no_run
/// let forwards = libcni::netns::run_in("/run/netns/blue", || {
///     std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward")
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The path leads to no network namespace, or to one that this process may not enter; see [`NetnsError`].
///
/// # Panics
/// If the closure panics.
#[doc(alias = "WithNetNSPath")]
pub fn run_in<T: Send>(path: impl AsRef<Path>, inside: impl FnOnce() -> T + Send) -> Result<T, NetnsError> {
    Namespace::open(path)?.run(inside)
}

/// Runs a closure in a thread of its own, which ends with it, so changes of the thread's namespaces don't matter.
pub(super) fn in_thread<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, work)?;
        Ok(thread.join().unwrap_or_else(|cause| panic::resume_unwind(cause)))
    })
}

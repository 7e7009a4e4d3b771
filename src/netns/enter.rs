//! Work inside of a namespace, in a thread of its own.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::{io, process, thread};

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};

use super::{Namespace, NetnsError};

/// Where the namespace of a thread is.
pub(super) const OF_THREAD: &str = "/proc/thread-self/ns/net";

/// Runs a closure inside a network namespace, and returns what it returns.
///
/// The closure runs in a thread of its own, since a namespace belongs to a thread: the caller's never changes, not
/// even after a panic, and threads that the closure starts are in the namespace too. Sockets that it opens stay
/// in the namespace and may be returned. In asynchronous code, call this from a thread that may block, such as that
/// of `tokio::task::spawn_blocking`.
///
/// Where a limit allows no further thread, the closure runs in the caller's, which is brought back to its namespace. If
/// the kernel refused even that, this would end the process: nothing may go on in the wrong namespace.
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

/// Runs a closure in a thread of its own, which ends with it, so changes of that thread's network namespace don't
/// matter. Where no thread can be started, the closure runs here and its change is undone.
pub(super) fn in_thread<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    let work = Mutex::new(Some(work));
    let run = || {
        let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
        work.expect("it runs in a thread, or here where there is none")()
    };
    thread::scope(|scope| match thread::Builder::new().spawn_scoped(scope, run) {
        Ok(thread) => Ok(thread.join().unwrap_or_else(|cause| resume_unwind(cause))),
        Err(no_thread) => here_and_back(run).ok_or(no_thread),
    })
}

/// Runs a closure in this thread, which may change its network namespace; `None`, and it did not run, where the thread
/// might not be let back.
fn here_and_back<T>(work: impl FnOnce() -> T) -> Option<T> {
    let own = File::open(OF_THREAD).ok()?;
    enter(&own).ok()?;
    let done = catch_unwind(AssertUnwindSafe(work));
    come_back(&own);
    Some(done.unwrap_or_else(|cause| resume_unwind(cause)))
}

/// It was allowed before, so there is nothing but a lack of memory that could be in the way.
fn come_back(own: &File) {
    const TRIES: usize = 1000;
    if (0..TRIES).all(|_| enter(own).is_err()) {
        process::abort();
    }
}

/// Moves the calling thread to a network namespace.
pub(super) fn enter(namespace: &File) -> Result<(), Errno> {
    setns(namespace, CloneFlags::CLONE_NEWNET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_worked_elsewhere_comes_back() {
        let inode = || std::fs::read_link(OF_THREAD).unwrap();
        let before = inode();
        let elsewhere = || nix::sched::unshare(CloneFlags::CLONE_NEWNET).map(|()| inode());
        match here_and_back(elsewhere) {
            Some(Ok(other)) => assert_ne!(other, before),
            refused => assert!(refused.is_none_or(|refused| refused == Err(Errno::EPERM))),
        }
        assert_eq!(inode(), before);
    }

    #[test]
    fn a_panic_elsewhere_brings_the_thread_back_too() {
        let before = std::fs::read_link(OF_THREAD).unwrap();
        let panicking = || {
            here_and_back(|| {
                let _ = nix::sched::unshare(CloneFlags::CLONE_NEWNET);
                panic!("inside")
            })
        };
        if let Err(cause) = catch_unwind(AssertUnwindSafe(panicking)) {
            assert_eq!(cause.downcast_ref(), Some(&"inside"));
        }
        assert_eq!(std::fs::read_link(OF_THREAD).unwrap(), before);
    }
}

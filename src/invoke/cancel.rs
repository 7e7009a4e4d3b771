//! Ending an execution from another thread.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};

/// Cancels executions: those that run, and those that would start later.
///
/// Clones cancel together. The plugin's process group is ended as it is at a deadline.
///
/// ```
/// use libcni::invoke::CancelToken;
///
/// let token = CancelToken::new()?;
/// let for_the_runtime = token.clone();
/// std::thread::spawn(move || token.cancel()).join().unwrap()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CancelToken {
    source: Arc<Source>,
}

#[derive(Debug)]
enum Source {
    Event(EventFd),
    Fd(OwnedFd),
}

impl CancelToken {
    /// A token that is not cancelled.
    ///
    /// # Errors
    /// The process has no file descriptor left.
    pub fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let event = EventFd::from_value_and_flags(0, flags)?;
        let source = Arc::new(Source::Event(event));
        Ok(Self { source })
    }

    /// A token that is cancelled while a descriptor is readable: a `signalfd`, a pipe, an `eventfd`.
    pub fn when_readable(fd: OwnedFd) -> Self {
        let source = Arc::new(Source::Fd(fd));
        Self { source }
    }

    /// Cancels. Does nothing to a token made by [`CancelToken::when_readable`].
    ///
    /// # Errors
    /// The system refuses to signal the event, which is not known to happen.
    pub fn cancel(&self) -> io::Result<()> {
        if let Source::Event(event) = &*self.source {
            event.write(1)?;
        }
        Ok(())
    }

    /// Waits until the token is cancelled, at most so long; returns whether it is.
    pub(crate) fn wait(&self, longest: Duration) -> bool {
        let timeout = PollTimeout::try_from(longest).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(self.fd(), PollFlags::POLLIN)];
        matches!(poll(&mut fds, timeout), Ok(1))
    }

    /// The descriptor that is readable once the token is cancelled.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        match &*self.source {
            Source::Event(event) => event.as_fd(),
            Source::Fd(fd) => fd.as_fd(),
        }
    }
}

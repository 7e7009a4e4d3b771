//! Ending an execution from another thread.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};

/// Cancels executions: those that run, and those that would start later.
///
/// Clones cancel together. The plugin's process group is ended as it is at a deadline.
///
/// ```
/// use libcni::CancelToken;
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
    Child { event: EventFd, either: Epoll, _parent: CancelToken },
}

impl CancelToken {
    /// A token that is not cancelled.
    ///
    /// # Errors
    /// The process has no file descriptor left.
    pub fn new() -> io::Result<Self> {
        let source = Arc::new(Source::Event(event()?));
        Ok(Self { source })
    }

    /// A token that is cancelled with this one, and can be cancelled without it.
    ///
    /// ```
    /// use libcni::CancelToken;
    ///
    /// let all = CancelToken::new()?;
    /// let one = all.child()?;
    /// one.cancel()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// The process has no file descriptor left, or this token's descriptor is of a kind that can't be polled.
    pub fn child(&self) -> io::Result<Self> {
        let event = event()?;
        // Readable while a descriptor in it is, so that whoever waits needs no list of ancestors.
        let either = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        either.add(&event, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        either.add(self.fd(), EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        let source = Arc::new(Source::Child { event, either, _parent: self.clone() });
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
        match &*self.source {
            Source::Event(event) | Source::Child { event, .. } => event.write(1).map(drop)?,
            Source::Fd(_) => {}
        }
        Ok(())
    }

    /// Whether the token is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Waits until the token is cancelled, at most so long; returns whether it is.
    pub(crate) fn wait(&self, longest: Duration) -> bool {
        let timeout = PollTimeout::try_from(longest).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(self.fd(), PollFlags::POLLIN)];
        matches!(poll(&mut fds, timeout), Ok(1))
    }

    /// The descriptor that is readable once the token is cancelled.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        match &*self.source {
            Source::Event(event) => event.as_fd(),
            Source::Fd(fd) => fd.as_fd(),
            Source::Child { either, .. } => either.0.as_fd(),
        }
    }
}

fn event() -> nix::Result<EventFd> {
    EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)
}

//! Ends executions, and waits for them, from another thread.

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
    /// The token's own, and then those of its ancestors.
    causes: Vec<Arc<Cause>>,
    /// Readable while one of several causes is, so that a waiting thread needs only one descriptor.
    any: Option<Arc<Epoll>>,
}

/// A descriptor that is readable once something is cancelled.
#[derive(Debug)]
enum Cause {
    Event(EventFd),
    Foreign(OwnedFd),
}

impl CancelToken {
    /// A token that is not cancelled.
    ///
    /// # Errors
    /// The process has no file descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self::of(Cause::event()?))
    }

    /// A token that is cancelled with this one, and can be cancelled without it. It may have children, too, to any
    /// depth.
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
        let mut causes = vec![Arc::new(Cause::event()?)];
        causes.extend(self.causes.iter().cloned());
        // Not the parent's own: the kernel lets only a few of them watch each other in a row.
        let any = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        for cause in &causes {
            any.add(cause.fd(), EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        }
        Ok(Self { causes, any: Some(Arc::new(any)) })
    }

    /// A token that is cancelled while a descriptor is readable: a `signalfd`, a pipe, an `eventfd`.
    pub fn when_readable(fd: OwnedFd) -> Self {
        Self::of(Cause::Foreign(fd))
    }

    fn of(cause: Cause) -> Self {
        Self { causes: vec![Arc::new(cause)], any: None }
    }

    /// Cancels. Does nothing to a token made by [`CancelToken::when_readable`].
    ///
    /// # Errors
    /// The system refuses to signal the event, which is not known to happen.
    pub fn cancel(&self) -> io::Result<()> {
        if let Cause::Event(event) = self.own() {
            event.write(1)?;
        }
        Ok(())
    }

    /// Returns whether the token is cancelled.
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
        self.any.as_ref().map_or_else(|| self.own().fd(), |any| any.0.as_fd())
    }

    fn own(&self) -> &Cause {
        &self.causes[0]
    }
}

impl Cause {
    fn event() -> io::Result<Self> {
        Ok(Self::Event(EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?))
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Event(event) => event.as_fd(),
            Self::Foreign(fd) => fd.as_fd(),
        }
    }
}

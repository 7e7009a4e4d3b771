//! The waits of a verb, which is written once, as a future: by a thread that sleeps, or by a future that is woken.
//!
//! Where a thread calls the verb, its waits block that thread. On the [`Workers`] of an
//! [`AsyncCni`](crate::runtime::AsyncCni), they hold none: the future is put aside until its [`Alarm`](alarm::Alarm)
//! rings.

#[cfg(feature = "tokio")]
mod alarm;
#[cfg(feature = "tokio")]
mod apart;
#[cfg(feature = "tokio")]
mod workers;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};

#[cfg(feature = "tokio")]
pub(crate) use self::workers::Workers;
use crate::CancelToken;

/// Runs a future to its end, on this thread alone: where it waits, the thread does.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    #[cfg(feature = "tokio")]
    let _outside = workers::Outside::new();
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Sleeper(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

struct Sleeper(Thread);

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Returns whether a wait blocks the thread.
pub(crate) fn is_by_thread() -> bool {
    #[cfg(feature = "tokio")]
    return workers::here().is_none();
    #[cfg(not(feature = "tokio"))]
    true
}

/// Calls a function that may block for long. On a worker, another one takes its place meanwhile.
pub(crate) fn blocking<T>(function: impl FnOnce() -> T) -> T {
    #[cfg(feature = "tokio")]
    let _blocked = workers::Blocked::new();
    function()
}

/// Calls a function on a thread that has a descriptor table of its own, all but empty: there a process starts without
/// the hundreds of descriptors that a verb may find open. The function must own no descriptor. `None` where the caller
/// is no worker, or there is no such thread to be had.
#[cfg(feature = "tokio")]
pub(crate) fn apart<T: Send + 'static>(function: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    workers::here()?.apart(function)
}

/// Waits until one of the descriptors is ready, at most so long. Afterwards each says what it is ready for.
pub(crate) async fn poll(fds: &mut [PollFd<'_>], longest: Duration) -> Result<(), Errno> {
    #[cfg(feature = "tokio")]
    if let Some(workers) = workers::here() {
        if poll_here(fds, Duration::ZERO)? || longest.is_zero() {
            return Ok(());
        }
        return match workers.wait(fds, longest).await {
            Ok(()) => poll_here(fds, Duration::ZERO).map(drop),
            // The system has no room for one more wait of that kind, so this one holds a thread.
            Err(_) => blocking(|| poll_here(fds, longest).map(drop)),
        };
    }
    poll_here(fds, longest).map(drop)
}

/// Waits so long, or until the token is cancelled; returns whether it is.
pub(crate) async fn sleep(pause: Duration, cancel: Option<&CancelToken>) -> bool {
    let mut fds: Vec<_> = cancel.map(|token| PollFd::new(token.fd(), PollFlags::POLLIN)).into_iter().collect();
    // Fails where the system has no memory for it: then nothing is waited for.
    let _ = poll(&mut fds, pause).await;
    fds.iter().any(|fd| fd.any() == Some(true))
}

/// The moment after a time. There is none for a time without end, such as [`Duration::MAX`]; a century will do.
pub(crate) fn after(time: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    Instant::now() + time.min(CENTURY)
}

/// Polls on this thread, and returns whether a descriptor is ready.
fn poll_here(fds: &mut [PollFd<'_>], longest: Duration) -> Result<bool, Errno> {
    match nix::poll::poll(fds, rounded_up(longest)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// In whole milliseconds, never 0 before the time is over, so that waiting doesn't become spinning.
fn rounded_up(time: Duration) -> PollTimeout {
    let milliseconds = time.as_micros().div_ceil(1000);
    PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)
}

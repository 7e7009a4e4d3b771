//! One descriptor for both reasons to look again: the kernel has reported a change, or a time has come.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

#[derive(Debug)]
pub(super) struct Alarm {
    timer: TimerFd,
    either: Epoll,
}

impl Alarm {
    /// Goes off whenever a descriptor is readable, and now.
    pub(super) fn new(reports: BorrowedFd<'_>) -> nix::Result<Self> {
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
        let either = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        either.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        either.add(reports, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        let alarm = Self { timer, either };
        alarm.set(Instant::now())?;
        Ok(alarm)
    }

    /// Goes off at this time, and not for an earlier one any more.
    pub(super) fn set(&self, at: Instant) -> nix::Result<()> {
        // Zero would turn it off.
        let left = at.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let left = Expiration::OneShot(TimeSpec::from_duration(left));
        self.timer.set(left, TimerSetTimeFlags::empty())
    }

    /// Waits until it goes off, or another descriptor is readable, or the time is over.
    pub(super) fn wait(&self, other: Option<BorrowedFd<'_>>, until: Option<Instant>) -> nix::Result<()> {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        // One more, so that what is left is not rounded down to nothing.
        let left = left.map(|left| left.as_millis() + u128::from(!left.is_zero()));
        let timeout = left.map_or(PollTimeout::NONE, |left| PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX));
        let fds = [Some(self.as_fd()), other].into_iter().flatten();
        let mut fds: Vec<_> = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.either.0.as_fd()
    }
}

//! A running plugin: its pipes fed and drained, its end awaited, forced if need be.

use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, WaitId, WaitIdOptions, WaitOptions, pidfd_open, waitid, waitpid};

use super::after;
use super::spawn::Spawned;
use super::stream::Stream;
use crate::invoke::{CancelToken, ExecError, Limits, Output};

/// How often to look whether the plugin has ended, where the kernel (before 5.3) has no descriptor for that.
const TICK: Duration = Duration::from_millis(10);

pub(super) struct Child<'a> {
    pid: rustix::process::Pid,
    /// Readable once the plugin has exited.
    exit: Option<OwnedFd>,
    has_exited: bool,
    stdin: Option<std::fs::File>,
    unwritten: &'a [u8],
    stdout: Stream,
    stderr: Stream,
}

/// What happened in a step.
pub(super) enum Event {
    Progress,
    Exited,
    Deadline,
    Cancelled,
    StdoutTooLong,
}

impl<'a> Child<'a> {
    pub(super) fn new(spawned: Spawned, stdin: &'a [u8], limits: &Limits) -> Self {
        Self {
            pid: spawned.pid,
            exit: pidfd_open(spawned.pid, PidfdFlags::empty()).ok(),
            has_exited: false,
            stdin: Some(spawned.stdin.into()),
            unwritten: stdin,
            stdout: Stream::new(spawned.stdout, limits.max_stdout),
            stderr: Stream::new(spawned.stderr, limits.max_stderr),
        }
    }

    /// Waits for something to do, and does it.
    pub(super) fn step(&mut self, deadline: Instant, cancel: Option<&CancelToken>) -> Result<Event, ExecError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let cancelled = self.wait(left, cancel).map_err(io_error("wait for"))?;
        self.pump().map_err(io_error("exchange data with"))?;
        self.look()?;
        Ok(match () {
            () if self.stdout.has_overflowed() => Event::StdoutTooLong,
            () if self.has_exited => Event::Exited,
            () if cancelled => Event::Cancelled,
            () if left.is_zero() => Event::Deadline,
            () => Event::Progress,
        })
    }

    /// Sleeps until a descriptor is ready or the time is over; returns whether the call was cancelled.
    fn wait(&self, left: Duration, cancel: Option<&CancelToken>) -> Result<bool, Errno> {
        let readable = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let mut fds = Vec::with_capacity(5);
        fds.extend(cancel.map(|token| readable(token.fd())));
        // Once it has exited, that is no news any more.
        fds.extend(self.exit.iter().filter(|_| !self.has_exited).map(|fd| readable(fd.as_fd())));
        fds.extend([&self.stdout, &self.stderr].into_iter().filter_map(Stream::pipe).map(readable));
        fds.extend(self.stdin.iter().map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLOUT)));
        let longest = if self.exit.is_some() { left } else { left.min(TICK) };
        match poll(&mut fds, rounded_up(longest)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
        Ok(cancel.is_some() && fds[0].any() == Some(true))
    }

    /// Writes and reads what can be without blocking.
    fn pump(&mut self) -> io::Result<()> {
        self.feed()?;
        self.stdout.drain()?;
        self.stderr.drain()
    }

    fn feed(&mut self) -> io::Result<()> {
        while let Some(stdin) = &mut self.stdin {
            if self.unwritten.is_empty() {
                self.stdin = None;
                break;
            }
            match stdin.write(self.unwritten) {
                Ok(written) => self.unwritten = &self.unwritten[written..],
                // A plugin may answer without reading its configuration; for VERSION they all may.
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => self.stdin = None,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Looks whether the plugin has ended. It is not reaped, so the number of its process group can't be taken by
    /// another.
    fn look(&mut self) -> Result<(), ExecError> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        if self.has_exited || matches!(waitid(WaitId::Pid(self.pid), options), Ok(None)) {
            return Ok(());
        }
        self.has_exited = true;
        // What it wrote is in the pipes by now. Nobody waits for their end: a child of the plugin may keep them open.
        let drained = self.stdout.drain_rest().and_then(|()| self.stderr.drain_rest());
        drained.map_err(io_error("read the output of"))
    }

    /// Collects an exited plugin.
    pub(super) fn finish(self) -> Result<Output, ExecError> {
        let (stdout, stderr) = (self.stdout.into_data(), self.stderr.into_data());
        match waitpid(Some(self.pid), WaitOptions::empty()) {
            Ok(Some((_, status))) => Ok(Output { status: ExitStatus::from_raw(status.as_raw()), stdout, stderr }),
            _ => Err(ExecError::StatusUnknown { stderr }),
        }
    }

    /// Ends the plugin and its process group: SIGTERM, SIGKILL after the grace period, and the plugin is reaped.
    pub(super) fn end(&mut self, grace: Duration) {
        self.signal(Signal::SIGTERM);
        // What has stopped itself can't hear that otherwise.
        self.signal(Signal::SIGCONT);
        self.settle(grace, |child| child.stdout.pipe().is_some() || child.stderr.pipe().is_some());
        // Also when the plugin itself is gone: what it started may have ignored the first signal.
        self.signal(Signal::SIGKILL);
        // Who holds a pipe now is of another group.
        self.settle(grace, |_| false);
        // Not waiting: a process in an uninterruptible sleep outlives SIGKILL.
        let _ = waitpid(Some(self.pid), WaitOptions::NOHANG);
    }

    /// To the group, and to the plugin itself, which may have moved to another.
    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid.as_raw_nonzero().get());
        let _ = killpg(pid, signal);
        if !self.has_exited {
            let _ = kill(pid, signal);
        }
    }

    /// Waits until the plugin has exited and nobody is busy, for a limited time.
    fn settle(&mut self, grace: Duration, is_busy: impl Fn(&Self) -> bool) {
        let deadline = after(grace);
        while !self.has_exited || is_busy(self) {
            // A step that fails fails at once, and would again.
            if self.step(deadline, None).is_err() || Instant::now() >= deadline {
                return;
            }
        }
    }

    pub(super) fn into_stderr(self) -> Vec<u8> {
        self.stderr.into_data()
    }
}

/// In whole milliseconds, never 0 before the time is over, so that waiting doesn't become spinning.
fn rounded_up(time: Duration) -> PollTimeout {
    let milliseconds = time.as_micros().div_ceil(1000);
    PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)
}

fn io_error<E: Into<io::Error>>(doing: &'static str) -> impl Fn(E) -> ExecError {
    move |source| ExecError::Io { doing, source: source.into() }
}

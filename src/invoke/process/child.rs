//! A running plugin: its pipes fed and drained, its end awaited, forced if need be.

use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, WaitId, WaitIdOptions, WaitOptions, pidfd_open, waitid, waitpid};

use super::spawn::Spawned;
use super::stream::Stream;
use crate::CancelToken;
use crate::invoke::{ExecError, Limits, Output};
use crate::waiting::{after, poll};

/// How often to look for what nothing wakes us for.
const TICK: Duration = Duration::from_millis(10);

/// How long a process that was killed may take to die. One in an uninterruptible sleep may take longer.
const DYING: Duration = Duration::from_secs(1);

pub(super) struct Child<'a> {
    pid: rustix::process::Pid,
    /// Readable once the plugin has exited.
    exit: Option<OwnedFd>,
    has_exited: bool,
    stdin: Option<std::fs::File>,
    unwritten: &'a [u8],
    stdout: Stream,
    stderr: Stream,
    /// It has not ended within a tick.
    is_listened_to: bool,
}

/// The outcome of a wait.
struct Ready {
    exited: bool,
    cancelled: bool,
}

/// The outcome of a step.
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
            is_listened_to: false,
        }
    }

    /// Waits for something to do, and does it.
    pub(super) async fn step(&mut self, deadline: Instant, cancel: Option<&CancelToken>) -> Result<Event, ExecError> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.feed().map_err(io_error("write to stdin of"))?;
        let ready = self.wait(left, cancel).await.map_err(io_error("wait for"))?;
        self.listen(ready.exited).map_err(io_error("read the output of"))?;
        Ok(match () {
            () if self.stdout.has_overflowed() => Event::StdoutTooLong,
            () if self.has_exited => Event::Exited,
            () if ready.cancelled => Event::Cancelled,
            () if left.is_zero() => Event::Deadline,
            () => Event::Progress,
        })
    }

    /// Sleeps until there is something to do or the time is over.
    ///
    /// A plugin that has its configuration says little, and then ends: being woken for every word, and for the end of
    /// every pipe, would cost more than anything else that is done here. So its pipes are looked at when it ends, or
    /// after a tick. One that takes longer is listened to: it may take long, and ticks would cost more.
    async fn wait(&mut self, left: Duration, cancel: Option<&CancelToken>) -> Result<Ready, Errno> {
        // Once it has exited, this is known already.
        let exit = self.exit.as_ref().filter(|_| !self.has_exited);
        let is_patient = exit.is_some() && self.stdin.is_none() && !self.is_listened_to;
        let readable = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let mut fds = Vec::with_capacity(5);
        fds.extend(cancel.map(|token| readable(token.fd())));
        fds.extend(exit.map(|fd| readable(fd.as_fd())));
        if !is_patient {
            fds.extend([&self.stdout, &self.stderr].into_iter().filter_map(Stream::pipe).map(readable));
            fds.extend(self.stdin.iter().map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLOUT)));
        }
        let longest = if is_patient || self.exit.is_none() { left.min(TICK) } else { left };
        poll(&mut fds, longest).await?;
        let mut events = fds.iter().map(|fd| fd.any() == Some(true));
        let cancelled = cancel.is_some() && events.next() == Some(true);
        let exited = match exit {
            Some(_) => events.next() == Some(true),
            None => self.has_exited || self.is_waitable(),
        };
        self.is_listened_to |= is_patient && !exited;
        Ok(Ready { exited, cancelled })
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

    /// Returns whether the plugin has ended. It is not reaped, so the number of its process group can't be taken by
    /// another.
    fn is_waitable(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(self.pid), options), Ok(None))
    }

    /// Reads what the plugin wrote. Once it has exited, all of that is in the pipes. Nobody waits for their end: a
    /// child of the plugin may keep them open.
    fn listen(&mut self, exited: bool) -> io::Result<()> {
        if exited && !self.has_exited {
            self.has_exited = true;
            self.stdout.drain_rest()?;
            return self.stderr.drain_rest();
        }
        self.stdout.drain()?;
        self.stderr.drain()?;
        Ok(())
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
    pub(super) async fn end(&mut self, grace: Duration) {
        self.signal(Signal::SIGTERM);
        // What has stopped itself can't hear that otherwise.
        self.signal(Signal::SIGCONT);
        self.settle(grace, |child| child.stdout.pipe().is_some() || child.stderr.pipe().is_some()).await;
        // Also when the plugin itself is gone: what it started may have ignored the first signal.
        self.signal(Signal::SIGKILL);
        // Who holds a pipe now is of another group. The kernel first brings to its end what the plugin was doing: a DEL
        // must not overtake that, not even where there is no grace.
        self.settle(grace.max(DYING), |_| false).await;
        // Not waiting: a process in an uninterruptible sleep outlives SIGKILL.
        let _ = waitpid(Some(self.pid), WaitOptions::NOHANG);
    }

    /// To the group, which the plugin can't leave: it leads a session.
    fn signal(&self, signal: Signal) {
        let _ = killpg(Pid::from_raw(self.pid.as_raw_nonzero().get()), signal);
    }

    /// Waits until the plugin has exited and `is_busy` is false, for a limited time.
    async fn settle(&mut self, grace: Duration, is_busy: impl Fn(&Self) -> bool) {
        let deadline = after(grace);
        while !self.has_exited || is_busy(self) {
            // A step that fails fails at once, and would again.
            if self.step(deadline, None).await.is_err() || Instant::now() >= deadline {
                return;
            }
        }
    }

    pub(super) fn into_stderr(self) -> Vec<u8> {
        self.stderr.into_data()
    }
}

fn io_error<E: Into<io::Error>>(doing: &'static str) -> impl Fn(E) -> ExecError {
    move |source| ExecError::Io { doing, source: source.into() }
}

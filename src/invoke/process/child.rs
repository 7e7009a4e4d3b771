//! A running plugin: its pipes fed and drained, its end awaited, forced if need be.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, pidfd_open};

use super::spawn::Spawned;
use crate::invoke::{CancelToken, ExecError, Limits, Output};

/// How often to look whether the plugin has ended, where the kernel (before 5.3) has no descriptor for that.
const TICK: Duration = Duration::from_millis(10);

pub(super) struct Child<'a> {
    pid: Pid,
    /// Readable once the plugin has exited.
    exit: Option<OwnedFd>,
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
            exit: pidfd(spawned.pid),
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
        self.pump()?;
        Ok(match () {
            () if self.stdout.overflowed => Event::StdoutTooLong,
            () if self.has_exited() => Event::Exited,
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
        fds.extend(self.exit.iter().map(|fd| readable(fd.as_fd())));
        fds.extend([&self.stdout, &self.stderr].into_iter().filter_map(|s| Some(readable(s.pipe.as_ref()?.as_fd()))));
        fds.extend(self.stdin.iter().map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLOUT)));
        let longest = if self.exit.is_some() { left } else { left.min(TICK) };
        match poll(&mut fds, rounded_up(longest)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
        Ok(cancel.is_some() && fds[0].any() == Some(true))
    }

    /// Writes and reads what can be without blocking.
    fn pump(&mut self) -> Result<(), ExecError> {
        self.feed().map_err(io_error("write to stdin of"))?;
        self.stdout.drain().map_err(io_error("read stdout of"))?;
        self.stderr.drain().map_err(io_error("read stderr of"))
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

    /// Whether the plugin has ended. It is not reaped, so its process group's number can't be taken by another.
    fn has_exited(&self) -> bool {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        !matches!(waitid(Id::Pid(self.pid), flags), Ok(WaitStatus::StillAlive))
    }

    /// Collects an exited plugin.
    pub(super) fn finish(mut self) -> Result<Output, ExecError> {
        // What it wrote is in the pipes by now. Nobody waits for their end: a child of the plugin may keep them open.
        self.stdout.drain().map_err(io_error("read stdout of"))?;
        self.stderr.drain().map_err(io_error("read stderr of"))?;
        let status = waitpid(self.pid, None).map_err(io_error("wait for"))?;
        Ok(Output { status: exit_status(status), stdout: self.stdout.data, stderr: self.stderr.data })
    }

    /// Ends the plugin's process group: SIGTERM, SIGKILL after the grace period, and the plugin is reaped.
    pub(super) fn end(&mut self, grace: Duration) -> Result<(), ExecError> {
        let _ = killpg(self.pid, Signal::SIGTERM);
        self.settle(grace)?;
        // Also when the plugin itself is gone: what it started may have ignored the first signal.
        let _ = killpg(self.pid, Signal::SIGKILL);
        self.settle(grace)?;
        // Not waiting: a process in an uninterruptible sleep outlives SIGKILL.
        let _ = waitpid(self.pid, Some(WaitPidFlag::WNOHANG));
        Ok(())
    }

    /// Waits until the plugin has exited and nobody holds its pipes, for a limited time.
    fn settle(&mut self, grace: Duration) -> Result<(), ExecError> {
        let deadline = Instant::now() + grace;
        loop {
            self.step(deadline, None)?;
            let held = self.stdout.pipe.is_some() || self.stderr.pipe.is_some();
            if Instant::now() >= deadline || self.has_exited() && !held {
                return Ok(());
            }
        }
    }

    pub(super) fn into_stderr(self) -> Vec<u8> {
        self.stderr.data
    }
}

/// A pipe that the plugin writes to.
struct Stream {
    pipe: Option<std::fs::File>,
    data: Vec<u8>,
    limit: usize,
    overflowed: bool,
}

impl Stream {
    fn new(pipe: OwnedFd, limit: usize) -> Self {
        let pipe = Some(pipe.into());
        Self { pipe, data: Vec::new(), limit, overflowed: false }
    }

    /// Reads what is there; keeps as much as the limit allows.
    fn drain(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(length) => self.keep(&buffer[..length]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.limit - self.data.len();
        self.overflowed |= bytes.len() > room;
        self.data.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

fn pidfd(pid: Pid) -> Option<OwnedFd> {
    let pid = rustix::process::Pid::from_raw(pid.as_raw())?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// In whole milliseconds, never 0 before the time is over, so that waiting doesn't become spinning.
fn rounded_up(time: Duration) -> PollTimeout {
    let milliseconds = time.as_micros().div_ceil(1000);
    PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)
}

fn exit_status(status: WaitStatus) -> ExitStatus {
    match status {
        WaitStatus::Exited(_, code) => ExitStatus::from_raw(code << 8),
        WaitStatus::Signaled(_, signal, core) => ExitStatus::from_raw(signal as i32 | i32::from(core) << 7),
        // waitpid was not asked for stopped or continued processes.
        _ => ExitStatus::default(),
    }
}

fn io_error<E: Into<io::Error>>(doing: &'static str) -> impl Fn(E) -> ExecError {
    move |source| ExecError::Io { doing, source: source.into() }
}

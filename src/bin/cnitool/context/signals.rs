//! Ctrl-C and its like end the plugin, which is in a session of its own and does not hear them.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use libcni::CancelToken;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;
use rustix::process::WaitOptions;

/// The signals that end the tool, turned into something readable.
pub(crate) struct Signals {
    ending: SignalFd,
    child: SignalFd,
}

/// The outcome of a wait for signals.
enum Caught {
    /// A child has changed its state, or a signal came that the terminal sent to all of its processes.
    Nothing,
    /// Somebody sent a signal to this process only.
    ForUsAlone(Signal),
}

impl Signals {
    /// Blocks the signals from now on. And the one that ends who writes beyond a limit of file sizes: the write then
    /// fails with an error, which can be reported and undone.
    pub(crate) fn catch() -> io::Result<Self> {
        SigSet::from(Signal::SIGXFSZ).thread_block()?;
        let signals = Self {
            ending: readable(&[Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP])?,
            child: readable(&[Signal::SIGCHLD])?,
        };
        Ok(signals)
    }

    /// Cancelled as soon as a signal has come.
    pub(crate) fn token(&self) -> Option<CancelToken> {
        let fd = self.ending.as_fd().try_clone_to_owned().ok()?;
        Some(CancelToken::when_readable(fd))
    }

    /// The number of a signal that came.
    pub(crate) fn caught(&self) -> Option<u8> {
        let signal = self.ending.read_signal().ok().flatten()?;
        signal.ssi_signo.try_into().ok()
    }

    /// Waits for a child to end, and reaps others; signals that came to this program alone are passed on to it.
    pub(crate) fn wait_for(&self, child: i32) -> io::Result<ExitStatus> {
        loop {
            while let Some((ended, status)) = rustix::process::wait(WaitOptions::NOHANG)? {
                if ended.as_raw_nonzero().get() == child {
                    return Ok(ExitStatus::from_raw(status.as_raw()));
                }
            }
            if let Caught::ForUsAlone(signal) = self.wait()? {
                // Not reaped yet, so the number is still the child's.
                let _ = kill(Pid::from_raw(child), signal);
            }
        }
    }

    /// Waits for the next signal.
    fn wait(&self) -> io::Result<Caught> {
        let mut fds = [&self.ending, &self.child].map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN));
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        self.child.read_signal()?;
        let Some(info) = self.ending.read_signal()? else { return Ok(Caught::Nothing) };
        // What the terminal sends has the code of the kernel: the command got it, too.
        const SI_KERNEL: i32 = 0x80;
        let signal = Signal::try_from(info.ssi_signo as i32)?;
        Ok(if info.ssi_code == SI_KERNEL { Caught::Nothing } else { Caught::ForUsAlone(signal) })
    }
}

/// A descriptor that is readable when one of the signals has come, which are blocked.
fn readable(signals: &[Signal]) -> io::Result<SignalFd> {
    let set: SigSet = signals.iter().copied().collect();
    let fd = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    set.thread_block()?;
    Ok(fd)
}

/// The exit status as a shell gives it: 128 and the number of a signal.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    let signal = status.signal().map(|number| 128 + number);
    status.code().or(signal).and_then(|code| code.try_into().ok()).unwrap_or(1)
}

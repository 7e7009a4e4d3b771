//! Ctrl-C and its like end the plugin, which is in a process group of its own and does not hear them.

use std::os::fd::OwnedFd;

use libcni::invoke::CancelToken;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// The signals that end the tool, turned into something readable.
pub(crate) struct Signals {
    fd: SignalFd,
}

impl Signals {
    /// Blocks the signals from now on; `None` where the system has no descriptor left for that.
    pub(crate) fn catch() -> Option<Self> {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            set.add(signal);
        }
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).ok()?;
        set.thread_block().ok()?;
        Some(Self { fd })
    }

    /// Cancelled as soon as a signal has come.
    pub(crate) fn token(&self) -> Option<CancelToken> {
        let fd = std::os::fd::AsFd::as_fd(&self.fd);
        fd.try_clone_to_owned().ok().map(|fd: OwnedFd| CancelToken::when_readable(fd))
    }

    /// The number of a signal that came.
    pub(crate) fn caught(&self) -> Option<u8> {
        let signal = self.fd.read_signal().ok().flatten()?;
        signal.ssi_signo.try_into().ok()
    }
}

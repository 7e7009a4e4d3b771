//! Errors between this program and the kernel.

use std::io;

use netlink_packet_core::DecodeError;
use nix::errno::Errno;

use crate::netns::NetnsError;

/// The kernel refused something, or could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// A request failed.
    #[error("cannot {doing}")]
    #[non_exhaustive]
    Refused {
        /// The attempt, such as "find link `eth0`".
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The network namespace can't be entered.
    #[error(transparent)]
    Netns(#[from] NetnsError),
}

impl LinkError {
    pub(super) fn new(doing: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::Refused { doing: doing.into(), source: source.into() }
    }

    pub(super) fn garbled(error: DecodeError) -> Self {
        Self::new(format!("read a netlink answer: {error}"), Errno::EPROTO)
    }

    /// Returns whether the kernel refused with this error, a number as in [`io::Error::raw_os_error`].
    pub fn is(&self, errno: i32) -> bool {
        matches!(self, Self::Refused { source, .. } if source.raw_os_error() == Some(errno))
    }

    /// Returns whether the network namespace is gone, or never was.
    pub fn is_gone(&self) -> bool {
        self.netns().is_some_and(NetnsError::is_gone)
    }

    /// Returns why the network namespace can't be entered, if that is what went wrong.
    pub fn netns(&self) -> Option<&NetnsError> {
        match self {
            Self::Netns(error) => Some(error),
            Self::Refused { .. } => None,
        }
    }
}

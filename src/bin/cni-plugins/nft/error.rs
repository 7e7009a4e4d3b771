//! Errors between us and netfilter.

use std::io;
use std::time::Duration;

use libcni::plugin::Failure;
use libcni::spec::ErrorCode;
use netlink_packet_core::DecodeError;
use nix::errno::Errno;

use super::message::Message;

/// An error between us and netfilter.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The socket does not work.
    #[error("cannot {doing} a netfilter socket")]
    Socket { doing: &'static str, source: io::Error },
    /// The kernel has no nf_tables, or its module can't be loaded.
    #[error("the kernel has no nf_tables")]
    Unavailable { source: Errno },
    /// The kernel said no.
    #[error("cannot {doing}")]
    Refused { doing: String, source: Errno },
    /// The kernel refused a change that was made for other rules than it has.
    #[error("cannot {doing}")]
    Stale { doing: String, source: Errno },
    /// Others changed rules all the time.
    #[error("other programs kept changing nf_tables rules for {} seconds: nothing was changed", patience.as_secs())]
    Disturbed { patience: Duration },
    /// The kernel did not answer, though it always does.
    #[error("the kernel did not answer for {} seconds to: {doing}", patience.as_secs())]
    Silent { doing: String, patience: Duration },
    /// The kernel said something that is no netlink message.
    #[error("cannot understand the kernel's answer to: {doing}")]
    Answer { doing: String, source: DecodeError },
}

impl Error {
    /// The kernel's reason.
    pub(crate) fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused { source, .. } | Self::Stale { source, .. } => Some(*source),
            Self::Socket { .. }
            | Self::Unavailable { .. }
            | Self::Answer { .. }
            | Self::Disturbed { .. }
            | Self::Silent { .. } => None,
        }
    }

    /// The error of a plugin. Whoever was disturbed, or got no answer, may try again later.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Disturbed { .. } | Self::Silent { .. } => Failure::new(ErrorCode::TRY_AGAIN_LATER, self.to_string()),
            error => error.into(),
        }
    }

    /// Returns true if the kernel had more to say than there was room for.
    pub(super) fn is_overflow(&self) -> bool {
        matches!(self, Self::Socket { source, .. } if source.raw_os_error() == Some(Errno::ENOBUFS as i32))
    }

    /// Returns true if rules changed while we were at it, and the same may work now.
    pub(super) fn is_interruption(&self) -> bool {
        matches!(self.errno(), Some(Errno::ERESTART | Errno::EINTR))
    }
}

/// `None` instead of the error that says that something is not there.
pub(crate) fn if_there<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(error) if error.errno() == Some(Errno::ENOENT) => Ok(None),
        answer => answer.map(Some),
    }
}

/// `None` when the kernel has no nf_tables: then nobody has rules there.
pub(crate) fn unless_unavailable<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(Error::Unavailable { .. }) => Ok(None),
        answer => answer.map(Some),
    }
}

/// The error number of the first request on a socket when nobody in the kernel takes it.
pub(super) fn or_unavailable(error: Error) -> Error {
    match error.errno() {
        Some(source @ (Errno::EINVAL | Errno::EOPNOTSUPP)) => Error::Unavailable { source },
        _ => error,
    }
}

pub(super) fn refused(request: &Message, code: i32) -> Result<(), Error> {
    match code {
        0 => Ok(()),
        code => Err(Error::Refused { doing: request.describe(), source: Errno::from_raw(code.saturating_neg()) }),
    }
}

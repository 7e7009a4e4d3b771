//! Errors about a namespace, and the right that was missing.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

/// An operation on a network namespace failed.
///
/// The message names the operation and the path, and, if the kernel refuses it, the right that it needs.
#[derive(Debug)]
pub struct NetnsError {
    operation: Operation,
    path: PathBuf,
    source: io::Error,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Create,
    Open,
    Enter,
    StartThread,
    Pin,
    Remove,
    #[cfg(feature = "link")]
    BringLoopbackUp,
    LookUpInterface,
}

/// The source of errors about paths that lead to something else.
pub(super) fn no_namespace() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a network namespace")
}

impl NetnsError {
    pub(super) fn new(operation: Operation, path: &Path, source: io::Error) -> Self {
        Self { operation, path: path.to_owned(), source }
    }

    /// The same, as a function for `map_err`.
    pub(super) fn on<E: Into<io::Error>>(operation: Operation, path: &Path) -> impl Fn(E) -> Self {
        move |source| Self::new(operation, path, source.into())
    }

    #[cfg(feature = "link")]
    pub(crate) fn of_loopback(path: &Path, source: io::Error) -> Self {
        Self::new(Operation::BringLoopbackUp, path, source)
    }

    /// The path of the namespace.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether there is no namespace at the path (any more).
    pub fn is_gone(&self) -> bool {
        // What `ip netns delete` leaves behind, when it can't unmount, is an ordinary file: not a namespace.
        matches!(self.source.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput)
    }

    /// Returns whether there is nothing at all at the path.
    pub fn is_missing(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }

    /// Returns whether this process lacks a right.
    pub fn is_refused(&self) -> bool {
        matches!(self.source.raw_os_error().map(Errno::from_raw), Some(Errno::EPERM | Errno::EACCES))
    }
}

impl Operation {
    fn right(self) -> &'static str {
        match self {
            Self::Create => "CAP_SYS_ADMIN, which root has",
            Self::Open => "the right to search its directory, or for one below /proc, to trace its process",
            Self::Enter => {
                "CAP_SYS_ADMIN, which root has, in the user namespace of this process and in that of its owner"
            }
            Self::Pin | Self::Remove => "CAP_SYS_ADMIN, which root has, and the right to write to its directory",
            #[cfg(feature = "link")]
            Self::BringLoopbackUp => "CAP_NET_ADMIN in the user namespace of its owner",
            Self::LookUpInterface => "the right to open sockets",
            Self::StartThread => "the right to start threads",
        }
    }
}

impl fmt::Display for NetnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.operation {
            Operation::Create => f.write_str("cannot make a network namespace"),
            Operation::Open => write!(f, "cannot open network namespace {path}"),
            Operation::Enter => write!(f, "cannot enter network namespace {path}"),
            Operation::StartThread => write!(f, "cannot start a thread for network namespace {path}"),
            Operation::Pin => write!(f, "cannot pin a network namespace to {path}"),
            Operation::Remove => write!(f, "cannot remove network namespace {path}"),
            Operation::LookUpInterface => write!(f, "cannot look up an interface of network namespace {path}"),
            #[cfg(feature = "link")]
            Operation::BringLoopbackUp => write!(f, "cannot bring up `lo` in network namespace {path}"),
        }?;
        if self.is_refused() {
            write!(f, ", which takes {}", self.operation.right())?;
        }
        Ok(())
    }
}

impl std::error::Error for NetnsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_which_right_it_takes_where_one_is_missing() {
        let error = |errno: Errno| NetnsError::new(Operation::Enter, Path::new("/run/netns/blue"), errno.into());
        assert!(
            error(Errno::EPERM)
                .to_string()
                .starts_with("cannot enter network namespace /run/netns/blue, which takes CAP_SYS_ADMIN")
        );
        assert_eq!(error(Errno::ENOENT).to_string(), "cannot enter network namespace /run/netns/blue");
        assert!(error(Errno::ENOENT).is_gone() && !error(Errno::EPERM).is_gone());
    }
}

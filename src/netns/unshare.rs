//! Namespaces for this very process, as root or as an ordinary user.

use std::{fs, io};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare as unshare_flags};
use rustix::process::{getegid, geteuid};

/// A kind of namespace that a process can have of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Interfaces, addresses, routes, rules. The new one has `lo`, which is down.
    Network,
    /// Mounts. The new one begins with those of the old.
    Mount,
    /// Numbers of processes. The next child becomes number 1 of the new one; the process itself stays where it is.
    Pid,
    /// System V IPC and message queues.
    Ipc,
}

impl Kind {
    fn flag(self) -> CloneFlags {
        match self {
            Self::Network => CloneFlags::CLONE_NEWNET,
            Self::Mount => CloneFlags::CLONE_NEWNS,
            Self::Pid => CloneFlags::CLONE_NEWPID,
            Self::Ipc => CloneFlags::CLONE_NEWIPC,
        }
    }
}

/// A process can't have namespaces of its own.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing}{}", hint(source))]
pub struct UnshareError {
    doing: &'static str,
    source: io::Error,
}

impl UnshareError {
    fn new(doing: &'static str, source: impl Into<io::Error>) -> Self {
        Self { doing, source: source.into() }
    }

    /// Returns whether this process lacks a right.
    pub fn is_refused(&self) -> bool {
        self.source.kind() == io::ErrorKind::PermissionDenied
    }
}

fn hint(source: &io::Error) -> &'static str {
    match source.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EPERM | Errno::EACCES) => {
            ", which takes root, or a system that lets every user have user namespaces \
             (kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)"
        }
        Some(Errno::ENOSPC) => ", which takes a higher limit in /proc/sys/user",
        Some(Errno::EINVAL) => ", which a process with one thread only can do",
        _ => "",
    }
}

/// Moves the calling thread to new namespaces. This needs CAP_SYS_ADMIN.
///
/// # Errors
/// The kernel refuses, for lack of the right ([`UnshareError::is_refused`]) or for too many namespaces.
pub fn unshare(kinds: &[Kind]) -> Result<(), UnshareError> {
    unshare_flags(flags(kinds)).map_err(|errno| UnshareError::new("make namespaces", errno))
}

/// Moves this process to a new user namespace, in which its user and group are root, and to other new namespaces, over
/// which that root has all rights. This needs no right on systems that let users do it.
///
/// Call it first in `main`: it is for processes with one thread only.
///
/// ```no_run
/// use libcni::netns::{Kind, Namespace, unshare_as_root};
///
/// unshare_as_root(&[Kind::Network, Kind::Mount])?;
/// let namespace = Namespace::create()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The system does not let this user have user namespaces, or the process has more than one thread.
pub fn unshare_as_root(kinds: &[Kind]) -> Result<(), UnshareError> {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    unshare_flags(CloneFlags::CLONE_NEWUSER | flags(kinds))
        .map_err(|errno| UnshareError::new("make a user namespace", errno))?;
    // In this order: without the first, the kernel takes the last from root alone.
    fs::write("/proc/self/setgroups", "deny")
        .and_then(|()| fs::write("/proc/self/uid_map", format!("0 {user} 1")))
        .and_then(|()| fs::write("/proc/self/gid_map", format!("0 {group} 1")))
        .map_err(|source| UnshareError::new("become root of a user namespace", source))
}

fn flags(kinds: &[Kind]) -> CloneFlags {
    kinds.iter().map(|kind| kind.flag()).collect()
}

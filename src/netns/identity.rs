//! The identity of a network namespace.
//!
//! The inode of a namespace is not enough: the kernel uses free inodes again.

use std::fmt;
use std::fs;
use std::path::Path;

use super::found::Found;

/// The identity of a network namespace, which tells it from all others, past and present, as far as the kernel allows.
///
/// The text of it is opaque, and compares only with texts of the same host.
///
/// ```
/// use libcni::netns::Identity;
///
/// let own = Identity::of("/proc/self/ns/net").expect("every process is in a namespace");
/// assert!(own.may_be(&own));
/// assert_eq!(Identity::of("/proc/self/no-such-file"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    inode: u64,
    since: Since,
}

/// The property that tells namespaces apart that had one inode after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Since {
    /// A mount holds the namespace's inode, which was made at this time (seconds, nanoseconds).
    Pinned(i64, i64),
    /// Nobody holds it, so all that can be said is during which boot of the host it was seen.
    Boot(String),
}

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

impl Identity {
    /// Returns the identity of the namespace that a path leads to; `None` if it leads to nothing, to something else, or
    /// to a namespace that can't be looked at. [`State`](super::State) distinguishes these.
    pub fn of(path: impl AsRef<Path>) -> Option<Self> {
        let found = Found::at(path.as_ref()).ok()??;
        Self::of_found(&found)
    }

    /// The same; `None` also when it is the namespace of the calling thread.
    pub(crate) fn of_another(path: &Path) -> Option<Self> {
        let found = Found::at(path).ok()??;
        if found.is_own() { None } else { Self::of_found(&found) }
    }

    /// The identity of a namespace that was found; `None` where the system does not say during which boot that was.
    pub(super) fn of_found(found: &Found) -> Option<Self> {
        let file = &found.file;
        let since = if file.is_mount {
            Since::Pinned(file.changed.0, file.changed.1)
        } else {
            Since::Boot(fs::read_to_string(BOOT_ID).ok()?.trim().to_owned())
        };
        Some(Self { inode: file.inode, since })
    }

    /// Returns true if both may be the same namespace, since nothing shows that they are different.
    pub fn may_be(&self, other: &Self) -> bool {
        let apart = match (&self.since, &other.since) {
            (Since::Pinned(..), Since::Boot(_)) | (Since::Boot(_), Since::Pinned(..)) => false,
            (one, another) => one != another,
        };
        self.inode == other.inode && !apart
    }

    /// Reads what [`Identity`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        let (inode, since) = text.split_once('@')?;
        let since = match since.split_once('.') {
            Some((seconds, nanoseconds)) => Since::Pinned(seconds.parse().ok()?, nanoseconds.parse().ok()?),
            None => Since::Boot(since.to_owned()),
        };
        Some(Self { inode: inode.parse().ok()?, since })
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.since {
            Since::Pinned(seconds, nanoseconds) => write!(f, "{}@{seconds}.{nanoseconds}", self.inode),
            Since::Boot(boot) => write!(f, "{}@{boot}", self.inode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_survives_its_text() {
        for text in ["4026532400@1764000000.115672729", "4026532400@c3f6a2d0-0000-4000-8000-000000000000"] {
            assert_eq!(Identity::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Identity::parse("4026532400"), None);
    }

    #[test]
    fn one_inode_at_two_times_is_two_namespaces() {
        let [one, later, unpinned, rebooted, other] = ["1@5.1", "1@6.1", "1@a-b", "1@c-d", "2@5.1"];
        let may_be = |a, b| Identity::parse(a).unwrap().may_be(&Identity::parse(b).unwrap());
        assert!(may_be(one, one) && may_be(one, unpinned));
        assert!(!may_be(one, later) && !may_be(unpinned, rebooted) && !may_be(one, other));
    }
}

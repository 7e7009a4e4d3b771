//! Which network namespace a path leads to.
//!
//! A path says little: a name of `ip netns` is given again, and the number of a process is, too. And so is the inode
//! of a namespace, which the kernel takes from those that became free.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sched::{CloneFlags, unshare};
use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, makedev, statx};

/// A network namespace, told from all others that there are and were, as far as the kernel lets one.
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

/// What tells namespaces apart that had one inode after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Since {
    /// A mount holds the namespace's inode, which was made at this time (seconds, nanoseconds).
    Pinned(i64, i64),
    /// Nobody holds it, so all that can be said is during which boot of the host it was seen.
    Boot(String),
}

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// The calling thread's namespace, where it is the only one, and where it is not: the second name is dearer to look up.
const OWN: [&str; 2] = ["/proc/self/ns/net", "/proc/thread-self/ns/net"];

impl Identity {
    /// The namespace that a path leads to; `None` when it leads to nothing, or to something else.
    pub fn of(path: impl AsRef<Path>) -> Option<Self> {
        let (found, _) = File::namespace(path.as_ref())?;
        Self::of_file(&found)
    }

    /// The same; `None` also when it is the namespace of the calling thread.
    pub(crate) fn of_another(path: &Path) -> Option<Self> {
        let (found, own) = File::namespace(path)?;
        if found.inode == own.inode { None } else { Self::of_file(&found) }
    }

    fn of_file(found: &File) -> Option<Self> {
        let since = match found.is_mount {
            true => Since::Pinned(found.changed.0, found.changed.1),
            false => Since::Boot(fs::read_to_string(BOOT_ID).ok()?.trim().to_owned()),
        };
        Some(Self { inode: found.inode, since })
    }

    /// Whether both may be the same namespace: where nothing says that they are different.
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

/// What tells files apart.
struct File {
    device: u64,
    inode: u64,
    /// Seconds and nanoseconds.
    changed: (i64, i64),
    /// Whether the path is where something is mounted. Before Linux 5.8, where one can't tell, nothing is.
    is_mount: bool,
}

impl File {
    /// Asked with one call: this is in the way of every container.
    fn at(path: impl AsRef<Path>) -> Option<Self> {
        let path = path.as_ref();
        let Ok(found) = statx(CWD, path, AtFlags::empty(), StatxFlags::BASIC_STATS) else {
            return Self::without_statx(path);
        };
        Some(Self {
            device: makedev(found.stx_dev_major, found.stx_dev_minor),
            inode: found.stx_ino,
            changed: (found.stx_ctime.tv_sec, found.stx_ctime.tv_nsec.into()),
            is_mount: found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT),
        })
    }

    /// Sandboxes for system calls that are older than `statx` refuse it.
    fn without_statx(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        let changed = (found.ctime(), found.ctime_nsec());
        Some(Self { device: found.dev(), inode: found.ino(), changed, is_mount: false })
    }

    /// What a path leads to, where that is on the file system of namespaces, and the calling thread's own namespace.
    fn namespace(path: &Path) -> Option<(Self, Self)> {
        let found = Self::at(path)?;
        // To unshare the thread group is refused where there are other threads, and has no effect where there are none.
        let is_only_thread = unshare(CloneFlags::CLONE_THREAD).is_ok();
        let own = Self::at(OWN[usize::from(!is_only_thread)])?;
        (found.device == own.device).then_some((found, own))
    }
}

/// Whether a path is the network namespace that the calling thread is in. A path that can't be read is not.
pub fn is_own(path: &Path) -> bool {
    File::namespace(path).is_some_and(|(found, own)| found.inode == own.inode)
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

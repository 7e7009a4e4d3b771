//! Looking at the target of a path, without opening it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::{fs, io};

use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, makedev, statx};

use crate::threads::is_only_thread;

/// The calling thread's namespace, where it is the only one, and where it is not: the second name is dearer to look up.
const OWN: [&str; 2] = ["/proc/self/ns/net", "/proc/thread-self/ns/net"];

/// A namespace that a path leads to.
pub(super) struct Found {
    pub(super) file: File,
    /// That of the calling thread.
    own: File,
}

impl Found {
    /// Looks at a path; `None` if it leads to something that is not a namespace.
    pub(super) fn at(path: &Path) -> io::Result<Option<Self>> {
        let file = File::at(path)?;
        let own = File::at(OWN[usize::from(!is_only_thread())])?;
        // All namespaces are on one file system.
        Ok((file.device == own.device).then_some(Self { file, own }))
    }

    pub(super) fn is_own(&self) -> bool {
        self.file.inode == self.own.inode
    }
}

/// The properties that tell files apart.
pub(super) struct File {
    device: u64,
    pub(super) inode: u64,
    /// Seconds and nanoseconds.
    pub(super) changed: (i64, i64),
    /// Something is mounted at the path. Before Linux 5.8, where one can't tell, nothing is.
    pub(super) is_mount: bool,
}

impl File {
    /// Asked with one call: this is in the way of every container.
    fn at(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let Ok(found) = statx(CWD, path, AtFlags::empty(), StatxFlags::BASIC_STATS) else {
            return Self::without_statx(path);
        };
        Ok(Self {
            device: makedev(found.stx_dev_major, found.stx_dev_minor),
            inode: found.stx_ino,
            changed: (found.stx_ctime.tv_sec, found.stx_ctime.tv_nsec.into()),
            is_mount: found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT),
        })
    }

    /// Sandboxes for system calls that are older than `statx` refuse it.
    fn without_statx(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        let changed = (found.ctime(), found.ctime_nsec());
        Ok(Self { device: found.dev(), inode: found.ino(), changed, is_mount: false })
    }
}

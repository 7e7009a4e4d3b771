//! Names of namespaces: files that they are mounted on.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::Namespace;
use super::error::{NetnsError, Operation};
use super::namespace::is_namespace;

/// The name of a namespace that was pinned. Dropping it removes the name, and with it the namespace, unless a process
/// is in it; [`Pin::keep`] leaves it to [`remove`].
#[derive(Debug)]
#[must_use = "the name is removed when this is dropped"]
pub struct Pin {
    namespace: Namespace,
    is_kept: bool,
}

impl Namespace {
    /// Pins the namespace to a path, as `ip netns` does: mounts it on a new file there, so that it stays without any
    /// process. Missing directories are created with the mode 0755.
    ///
    /// ```no_run
    /// use libcni::netns::Namespace;
    ///
    /// // Now `ip netns exec blue COMMAND` finds it.
    /// Namespace::create()?.pin("/run/netns/blue")?.keep();
    /// # Ok::<(), libcni::netns::NetnsError>(())
    /// ```
    ///
    /// # Errors
    /// Something is at the path already, or the system refuses to make the file or to mount on it. Nothing is left
    /// then.
    pub fn pin(self, path: impl AsRef<Path>) -> Result<Pin, NetnsError> {
        let path = path.as_ref();
        pin(&self, path).map_err(NetnsError::on(Operation::Pin, path))?;
        Ok(Pin { namespace: self.at(path.to_owned()), is_kept: false })
    }
}

fn pin(namespace: &Namespace, path: &Path) -> io::Result<()> {
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        // The mode is said, because the caller's umask may allow everything.
        DirBuilder::new().recursive(true).mode(0o755).create(dir)?;
    }
    // Nobody reads or writes the file below the mount.
    OpenOptions::new().write(true).create_new(true).mode(0o000).open(path)?;
    let none = None::<&str>;
    mount(Some(&namespace.source()), path, none, MsFlags::MS_BIND, none).map_err(|errno| {
        let _ = fs::remove_file(path);
        errno.into()
    })
}

impl Pin {
    /// The namespace.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The path that the namespace is pinned to.
    pub fn path(&self) -> &Path {
        self.namespace.path()
    }

    /// Leaves the namespace at its path, so that other processes find it. [`remove`] removes it.
    pub fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        if !self.is_kept {
            // An error can't be reported here. A caller that wants it uses `keep` and `remove`.
            let _ = remove(self.path());
        }
    }
}

/// Removes the name of a network namespace that was [pinned](Namespace::pin): unmounts it, and deletes the file.
///
/// The namespace ends as soon as no process is in it. The call succeeds if there is nothing at the path (any more). It
/// leaves alone everything that is not a namespace's name, such as a symbolic link, or a file with content.
///
/// ```no_run
/// libcni::netns::remove("/run/netns/web-0")?;
/// # Ok::<(), libcni::netns::NetnsError>(())
/// ```
///
/// # Errors
/// The path leads to something else, or the system refuses to unmount or to delete.
#[doc(alias("UnmountNS", "DeleteNamed"))]
pub fn remove(path: impl AsRef<Path>) -> Result<(), NetnsError> {
    let path = path.as_ref();
    match unpin(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(NetnsError::on(Operation::Remove, path)),
    }
}

fn unpin(path: &Path) -> io::Result<()> {
    let other = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
    if fs::symlink_metadata(path)?.is_symlink() {
        return Err(other("it is a symbolic link"));
    }
    // More than one, where it was mounted more than once.
    while is_namespace(path)? {
        umount2(path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW)?;
    }
    let left = fs::symlink_metadata(path)?;
    if !left.is_file() || left.len() > 0 {
        return Err(other("it is neither a network namespace nor an empty file that one was pinned to"));
    }
    fs::remove_file(path)
}

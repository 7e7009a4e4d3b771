//! A host for an ordinary user, made of namespaces in which that user is root. It ends with the program.

use std::fs::{self, File, FileType};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};

use super::{Kind, Namespace, NetnsError, UnshareError, unshare_as_root};
use crate::directory::{self, Entry};

/// This system allows an ordinary user no host of namespaces.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The namespaces can't be made.
    #[error("an ordinary user needs a host of namespaces")]
    Namespaces(#[from] UnshareError),
    /// A directory of the host can't be covered with one of its own.
    #[error("cannot make a directory {dir} that this user can write to")]
    #[non_exhaustive]
    Directory {
        /// The directory.
        dir: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Its `lo` can't be brought up.
    #[error(transparent)]
    Loopback(#[from] NetnsError),
}

/// Where plugins and this program write by default, and which names in it are new: what others have there is not this
/// user's to change.
const WRITTEN: [(&str, &[&str]); 2] = [("/run", &["netns", "xtables.lock"]), ("/var/lib", &["cni"])];

/// Moves this process, which must have one thread only, to a network, mount and user namespace of its own, in which an
/// ordinary user is root.
///
/// Files stay where they are, but `/run/netns`, `/var/lib/cni` and the lock of iptables are new, and end with the
/// process. The network is that of a host with only `lo`: its containers can reach each other, and nothing else.
///
/// ```no_run
/// libcni::netns::enter_own_host()?;
/// # Ok::<(), libcni::netns::HostError>(())
/// ```
///
/// # Errors
/// The kernel does not let this user make namespaces, or a directory can't be covered.
pub fn enter_own_host() -> Result<(), HostError> {
    unshare_as_root(&[Kind::Network, Kind::Mount])?;
    for (dir, new) in WRITTEN {
        replace(Path::new(dir), new).map_err(|source| HostError::Directory { dir, source })?;
    }
    Ok(Namespace::open("/proc/self/ns/net")?.bring_loopback_up()?)
}

/// Covers a directory with a writable one, which has the same content except for a few names.
fn replace(dir: &Path, new: &[&str]) -> io::Result<()> {
    let covered = File::open(dir)?;
    let entries = directory::entries(dir)?;
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), Some("mode=755"))?;
    let covered = PathBuf::from(format!("/proc/self/fd/{}", covered.as_raw_fd()));
    for name in entries.iter().map(Entry::name).filter(|name| new.iter().all(|new| name != new)) {
        let place = covered.join(name);
        show(&place, &dir.join(name), place.symlink_metadata()?.file_type())?;
    }
    Ok(())
}

/// Shows at another place what is covered.
fn show(covered: &Path, place: &Path, kind: FileType) -> io::Result<()> {
    if kind.is_symlink() {
        return symlink(fs::read_link(covered)?, place);
    }
    if kind.is_dir() {
        fs::create_dir(place)?;
    } else {
        File::create_new(place)?;
    }
    // Files that the kernel hides from this user elsewhere are of no use to the command either.
    let _ = mount(Some(covered), place, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>);
    Ok(())
}

//! Networks for an ordinary user: a host of namespaces in which that user is root, and which ends with this program.

use std::fs::{self, File, FileType};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use libcni::netns::{Kind, Namespace, NetnsError, UnshareError, unshare_as_root};
use nix::mount::{MsFlags, mount};
use rustix::process::geteuid;

/// An ordinary user can't have a host here.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAllowed {
    #[error("an ordinary user needs a host of namespaces")]
    Namespaces(#[from] UnshareError),
    #[error("cannot make a directory {dir} that this user can write to")]
    Directory { dir: &'static str, source: io::Error },
    #[error(transparent)]
    Loopback(#[from] NetnsError),
}

/// Where plugins and this program write by default, and which names in it are new: what others have there is not this
/// user's to change.
const WRITTEN: [(&str, &[&str]); 2] = [("/run", &["netns", "xtables.lock"]), ("/var/lib", &["cni"])];

/// Whether this process may not make namespaces and networks on the host.
pub(super) fn is_needed() -> bool {
    !geteuid().is_root()
}

/// Moves this process, which must have one thread only, to a network, mount and user namespace of its own.
///
/// Files stay where they are, but `/run/netns`, `/var/lib/cni` and the lock of iptables are new, and go with the process.
/// The network is that of a host with nothing but `lo`: networks work between its containers, and lead nowhere else.
pub(super) fn enter() -> Result<(), NotAllowed> {
    unshare_as_root(&[Kind::Network, Kind::Mount])?;
    for (dir, new) in WRITTEN {
        replace(Path::new(dir), new).map_err(|source| NotAllowed::Directory { dir, source })?;
    }
    Ok(Namespace::open("/proc/self/ns/net")?.bring_loopback_up()?)
}

/// Covers a directory with one that can be written to, in which all is as it was but for a few names.
fn replace(dir: &Path, new: &[&str]) -> io::Result<()> {
    let covered = File::open(dir)?;
    let entries = fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), Some("mode=755"))?;
    let covered = PathBuf::from(format!("/proc/self/fd/{}", covered.as_raw_fd()));
    for entry in entries.iter().filter(|entry| new.iter().all(|name| entry.file_name() != *name)) {
        let name = entry.file_name();
        show(&covered.join(&name), &dir.join(&name), entry.file_type()?)?;
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
    // What the kernel does not let this user see elsewhere is of no use to the command either.
    let _ = mount(Some(covered), place, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>);
    Ok(())
}

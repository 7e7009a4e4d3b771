//! A network namespace that lives as long as this program wants.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use libcni::plugin::netns::run_in;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};

use crate::netns::NAMED;

/// A namespace that was made for one command. It has a name of `ip netns`, and goes when this is dropped.
pub(crate) struct Namespace {
    path: PathBuf,
}

/// A namespace could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} a network namespace at {}: {source}", path.display())]
pub(crate) struct NotMade {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Namespace {
    /// Makes a namespace with its loopback interface up.
    pub(crate) fn create() -> Result<Self, NotMade> {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().subsec_nanos();
        let path = Path::new(NAMED).join(format!("cnitool-{}-{now:x}", std::process::id()));
        let at = path.clone();
        let error = |doing| {
            let path = at.clone();
            move |source: io::Error| NotMade { doing, path, source }
        };
        fs::create_dir_all(NAMED).and_then(|()| File::create_new(&path)).map_err(error("name"))?;
        let namespace = Self { path: path.clone() };
        let made = std::thread::scope(|scope| scope.spawn(|| make(&path)).join());
        made.unwrap_or_else(|panic| std::panic::resume_unwind(panic)).map_err(error("make"))?;
        run_in(&path, bring_loopback_up)
            .map_err(io::Error::other)
            .and_then(|done| done)
            .map_err(error("bring up `lo` in"))?;
        Ok(namespace)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Moves the calling thread to a new namespace, and pins that to a path. The thread is of no use afterwards.
fn make(path: &Path) -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    Ok(mount(Some("/proc/thread-self/ns/net"), path, None::<&str>, MsFlags::MS_BIND, None::<&str>)?)
}

/// Sets `lo`, link 1 of every namespace, up: one netlink message, and its acknowledgement.
pub(crate) fn bring_loopback_up() -> io::Result<()> {
    const RTM_NEWLINK: u16 = 16;
    const REQUEST_AND_ACK: u16 = 1 | 4;
    const LENGTH: u32 = 32;
    const IFF_UP: u32 = 1;
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<u8>>();
    let mut message = LENGTH.to_ne_bytes().to_vec();
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(REQUEST_AND_ACK.to_ne_bytes());
    // Sequence number, port; then family and type, index, flags and which of them to change.
    message.extend(words(&[1, 0, 0, 1, IFF_UP, IFF_UP]));
    let kernel: OwnedFd =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    sendto(kernel.as_raw_fd(), &message, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut answer = [0; 64];
    let length = recv(kernel.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    match answer.get(16..20).filter(|_| length >= 20).and_then(|code| code.try_into().ok()).map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(-code)),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Processes that are still in it keep it alive; without a name, nobody else finds it.
        let _ = umount2(&self.path, MntFlags::MNT_DETACH);
        let _ = fs::remove_file(&self.path);
    }
}

//! `lo`, by one netlink message.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};

const NEWLINK: u32 = 16;
const REQUEST: u32 = 1;
const ACK: u32 = 4;
/// The flag of an interface that is up.
const UP: u32 = 1;
/// The index of `lo`, in every namespace.
const LOOPBACK: u32 = 1;

/// Brings up `lo` in the namespace of the calling thread.
pub(super) fn bring_up() -> io::Result<()> {
    let kernel: OwnedFd =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    // Length, type and flags, sequence number and port; then family and kind, index, flags, and which of them to change.
    let kind =
        if cfg!(target_endian = "little") { (REQUEST | ACK) << 16 | NEWLINK } else { NEWLINK << 16 | REQUEST | ACK };
    let message: Vec<u8> =
        [32, kind, 0, 0, 0, LOOPBACK, UP, UP].iter().flat_map(|word| u32::to_ne_bytes(*word)).collect();
    sendto(kernel.as_raw_fd(), &message, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut answer = [0; 256];
    let length = recv(kernel.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    // The kernel's number follows the header: 0, or the number of an error as a negative one.
    match answer[..length].get(16..20).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(-code)),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

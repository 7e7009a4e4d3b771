//! The one thing that the tool does to the kernel's network itself: it sets `lo` up.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};

/// The index of `lo`, in every namespace.
pub(crate) const LOOPBACK: u32 = 1;

const NEWLINK: u16 = 16;
const REQUEST_WITH_ACK: u16 = 1 | 4;
const UP: u32 = 1;

/// Sets an interface of the calling thread's namespace up.
pub(crate) fn set_up(index: u32) -> io::Result<()> {
    let kernel: OwnedFd =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    let mut message = 32_u32.to_ne_bytes().to_vec();
    message.extend([NEWLINK, REQUEST_WITH_ACK].into_iter().flat_map(u16::to_ne_bytes));
    // Sequence number and port; family and type, index, flags, and which of them to change.
    message.extend([0, 0, 0, index, UP, UP].into_iter().flat_map(u32::to_ne_bytes));
    sendto(kernel.as_raw_fd(), &message, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut answer = [0; 1024];
    recv(kernel.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    match answer.get(16..20).and_then(|code| code.first_chunk()).map_or(0, |code| i32::from_ne_bytes(*code)) {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code.wrapping_neg())),
    }
}

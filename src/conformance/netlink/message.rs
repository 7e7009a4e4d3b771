//! The form of messages, and one exchange of them.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};

const REQUEST: u16 = 1;
const ACK: u16 = 4;
const DUMP: u16 = 0x300;
/// For things that must not be there yet.
const CREATE: u16 = 0x600;

const ERROR: u16 = 2;
const DONE: u16 = 3;

/// Length, type, flags, sequence number and port.
const HEADER: usize = 16;

/// A request to the kernel: the body and its attributes.
pub(super) struct Request {
    protocol: SockProtocol,
    kind: u16,
    body: Vec<u8>,
}

impl Request {
    pub(super) fn new(protocol: SockProtocol, kind: u16, body: &[u8]) -> Self {
        Self { protocol, kind, body: body.to_vec() }
    }

    /// A request about links, addresses and routes.
    pub(super) fn route(kind: u16, body: &[u8]) -> Self {
        Self::new(SockProtocol::NetlinkRoute, kind, body)
    }

    pub(super) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        self.body = append(self.body, kind, value);
        self
    }

    /// Asks for something to be done.
    pub(super) fn carry_out(&self) -> io::Result<()> {
        self.exchange(REQUEST | ACK).map(drop)
    }

    /// Asks for something to be made that is not there.
    pub(super) fn create(&self) -> io::Result<()> {
        self.exchange(REQUEST | ACK | CREATE).map(drop)
    }

    /// Asks for a list, and returns the bodies of its entries.
    pub(super) fn list(&self) -> io::Result<Vec<Vec<u8>>> {
        self.exchange(REQUEST | DUMP)
    }

    fn exchange(&self, flags: u16) -> io::Result<Vec<Vec<u8>>> {
        let kernel: OwnedFd = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, self.protocol)?;
        sendto(kernel.as_raw_fd(), &self.encoded(flags)?, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
        let mut buffer = vec![0; 64 << 10];
        let mut bodies = Vec::new();
        loop {
            let length = recv(kernel.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            if take(&buffer[..length], &mut bodies)? {
                return Ok(bodies);
            }
        }
    }

    fn encoded(&self, flags: u16) -> io::Result<Vec<u8>> {
        let length = u32::try_from(HEADER + self.body.len()).map_err(io::Error::other)?;
        let mut message = length.to_ne_bytes().to_vec();
        message.extend(self.kind.to_ne_bytes());
        message.extend(flags.to_ne_bytes());
        // Sequence number and port: each socket is used once.
        message.extend([0; 8]);
        message.extend(&self.body);
        Ok(message)
    }
}

/// Takes the bodies out of one packet; returns whether it was the last.
fn take(mut packet: &[u8], bodies: &mut Vec<Vec<u8>>) -> io::Result<bool> {
    while let Some((kind, body, rest)) = first_message(packet) {
        match kind {
            DONE => return Ok(true),
            ERROR => match number(body) {
                0 => return Ok(true),
                code => return Err(io::Error::from_raw_os_error(code.cast_signed().wrapping_neg())),
            },
            _ => bodies.push(body.to_vec()),
        }
        packet = rest;
    }
    Ok(false)
}

fn first_message(packet: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = usize::try_from(number(packet.get(..4)?)).ok()?;
    let kind = u16::from_ne_bytes([*packet.get(4)?, *packet.get(5)?]);
    let body = packet.get(HEADER..length)?;
    Some((kind, body, packet.get(padded(length)..).unwrap_or_default()))
}

/// A list of attributes.
pub(super) fn list_of<const N: usize>(attributes: [(u16, &[u8]); N]) -> Vec<u8> {
    attributes.into_iter().fold(Vec::new(), |list, (kind, value)| append(list, kind, value))
}

fn append(mut list: Vec<u8>, kind: u16, value: &[u8]) -> Vec<u8> {
    // The values are names, addresses, and lists of those.
    let length = u16::try_from(4 + value.len()).expect("attributes of the tool are short");
    list.extend(length.to_ne_bytes());
    list.extend(kind.to_ne_bytes());
    list.extend(value);
    list.resize(padded(list.len()), 0);
    list
}

/// The value of an attribute.
pub(super) fn attribute(mut list: &[u8], wanted: u16) -> Option<&[u8]> {
    /// Bits that say how a value is to be read.
    const FLAGS: u16 = 0xc000;
    while let [a, b, c, d, ..] = list {
        let length = usize::from(u16::from_ne_bytes([*a, *b]));
        let kind = u16::from_ne_bytes([*c, *d]) & !FLAGS;
        let value = list.get(4..length)?;
        if kind == wanted {
            return Some(value);
        }
        list = list.get(padded(length)..).unwrap_or_default();
    }
    None
}

/// A text that the kernel ends with NUL.
pub(super) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

/// A name as the kernel wants it.
pub(super) fn terminated(name: &str) -> Vec<u8> {
    [name.as_bytes(), &[0]].concat()
}

/// The number that a value begins with; 0 where it is too short.
pub(super) fn number(value: &[u8]) -> u32 {
    value.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}

/// Numbers one after another.
pub(super) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn padded(length: usize) -> usize {
    length.next_multiple_of(4)
}

//! Chains and rules of nftables, which iptables' rules are today as well.

use std::collections::BTreeMap;
use std::io;

use netlink_packet_core::{
    DecodeError, Emitable, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer, NetlinkHeader, NlaBuffer,
    NlasIterator,
};
use netlink_sys::protocols::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;

const NFTABLES: u16 = 10 << 8;
const GETCHAIN: u16 = NFTABLES | 4;
const GETRULE: u16 = NFTABLES | 7;

const CHAIN_TABLE: u16 = 1;
const CHAIN_NAME: u16 = 3;
const RULE_TABLE: u16 = 1;
const RULE_CHAIN: u16 = 2;

/// Length, type, flags, sequence number and port.
const HEADER: usize = 16;
/// Family, version, and a number that means nothing here.
const FAMILY: usize = 4;
const DATAGRAM: usize = 1 << 16;

/// Counts the rules of each chain of the calling thread's namespace. A chain is named with its family and table:
/// `ip nat POSTROUTING`.
pub(super) fn chains() -> io::Result<BTreeMap<String, usize>> {
    let mut chains = BTreeMap::new();
    for chain in list(GETCHAIN, CHAIN_TABLE, CHAIN_NAME)? {
        chains.entry(chain).or_default();
    }
    for chain in list(GETRULE, RULE_TABLE, RULE_CHAIN)? {
        *chains.entry(chain).or_default() += 1;
    }
    Ok(chains)
}

/// The chain of each object of a kind. A kernel without nftables, or without netfilter, has none.
fn list(kind: u16, table: u16, chain: u16) -> io::Result<Vec<String>> {
    match dump(kind, |entry| name(entry, table, chain)) {
        Err(error) if lacks_nftables(&error) => Ok(Vec::new()),
        listed => listed,
    }
}

fn lacks_nftables(error: &io::Error) -> bool {
    matches!(error.raw_os_error().map(Errno::from_raw), Some(Errno::EINVAL | Errno::EPROTONOSUPPORT))
}

fn dump(kind: u16, read: impl Fn(&[u8]) -> Result<String, DecodeError>) -> io::Result<Vec<String>> {
    let socket = Socket::new(NETLINK_NETFILTER)?;
    let mut request = [0; HEADER + FAMILY];
    let length = u32::try_from(request.len()).map_err(io::Error::other)?;
    let flags = NLM_F_REQUEST | NLM_F_DUMP;
    let mut header = NetlinkHeader::default();
    (header.length, header.message_type, header.flags) = (length, kind, flags);
    header.emit(&mut request);
    socket.send_to(&request, &SocketAddr::new(0, 0), 0)?;
    let mut found = Vec::new();
    let mut datagram = Vec::with_capacity(DATAGRAM);
    loop {
        datagram.clear();
        socket.recv(&mut datagram, 0)?;
        if take(&datagram, &mut found, &read)? {
            return Ok(found);
        }
    }
}

/// Takes the objects out of a datagram; returns whether it was the last.
fn take<T>(
    mut datagram: &[u8],
    found: &mut Vec<T>,
    read: impl Fn(&[u8]) -> Result<T, DecodeError>,
) -> io::Result<bool> {
    while !datagram.is_empty() {
        let message = NetlinkBuffer::new_checked(datagram).map_err(io::Error::other)?;
        let length = message.length() as usize;
        let body = datagram.get(HEADER..length).unwrap_or_default();
        match message.message_type() {
            NLMSG_DONE | NLMSG_ERROR => {
                let code = body.first_chunk().map_or(0, |code| i32::from_ne_bytes(*code));
                return if code == 0 { Ok(true) } else { Err(io::Error::from_raw_os_error(code.wrapping_neg())) };
            }
            _ => found.push(read(body).map_err(io::Error::other)?),
        }
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

fn name(entry: &[u8], table: u16, chain: u16) -> Result<String, DecodeError> {
    let (fixed, attributes) = entry.split_at_checked(FAMILY).unwrap_or_default();
    let family = match fixed.first() {
        Some(1) => "inet",
        Some(2) => "ip",
        Some(3) => "arp",
        Some(5) => "netdev",
        Some(7) => "bridge",
        Some(10) => "ip6",
        _ => "?",
    };
    let (mut of_table, mut of_chain) = (String::new(), String::new());
    for attribute in NlasIterator::new(attributes) {
        let attribute = attribute?;
        match attribute.kind() {
            kind if kind == table => of_table = text(&attribute)?,
            kind if kind == chain => of_chain = text(&attribute)?,
            _ => {}
        }
    }
    Ok(format!("{family} {of_table} {of_chain}"))
}

fn text(attribute: &NlaBuffer<&[u8]>) -> Result<String, DecodeError> {
    netlink_packet_core::parse_string(attribute.value())
}

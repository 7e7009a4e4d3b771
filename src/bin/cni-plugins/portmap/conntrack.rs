//! Forgets UDP connections that were there before a port was mapped, or are there after.
//!
//! The kernel looks at mappings for the first packet of a connection only. For UDP, which has no connections, those are
//! packets with the same addresses and ports, as long as there are no long breaks: a client that keeps on sending would
//! never get to the container, or would get to one that is gone.

use netlink_packet_core::{DefaultNla, Emitable};
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily, NetfilterSubsystem,
};
use nix::errno::Errno;

use crate::nft::attribute;
use crate::nft::family::Family;
use crate::nft::socket::{Connection, Error};
use crate::portmap::mapping::Protocol;

const NESTED: u16 = 1 << 15;
const GET: u8 = 1;
const DELETE: u8 = 2;
const TUPLE: u16 = 1;
const ID: u16 = 12;
const ZONE: u16 = 18;
const FILTER: u16 = 25;
const PROTO: u16 = 2;
const PROTO_NUMBER: u16 = 1;
const PROTO_DESTINATION_PORT: u16 = 3;

/// Forgets the UDP connections to a port of the host.
pub(crate) fn forget(family: Family, port: u16) -> Result<(), Error> {
    let mut connection = Connection::open()?;
    for tracked in connection.dump("list UDP connections", list(family, port))? {
        if !is_to(&tracked, port) {
            continue;
        }
        match connection.request("forget a UDP connection", delete(family, &tracked)) {
            // It ended by itself.
            Err(error) if error.errno() == Some(Errno::ENOENT) => {}
            deleted => deleted?,
        }
    }
    Ok(())
}

/// Asks for the connections to a port. A kernel older than 5.8 does not know the filter, and lists all.
fn list(family: Family, port: u16) -> NetfilterMessage {
    const TUPLE_FLAGS: u16 = 1;
    const BY_PROTO_NUMBER: u32 = 1 << 3;
    const BY_DESTINATION_PORT: u32 = 1 << 5;
    let number = DefaultNla::new(PROTO_NUMBER, vec![Protocol::Udp.number()]);
    let port = DefaultNla::new(PROTO_DESTINATION_PORT, port.to_be_bytes().to_vec());
    let flags = DefaultNla::new(TUPLE_FLAGS, (BY_PROTO_NUMBER | BY_DESTINATION_PORT).to_ne_bytes().to_vec());
    let tuple = nested(TUPLE, &[nested(PROTO, &[number, port])]);
    message(family, GET, vec![tuple, nested(FILTER, &[flags])])
}

/// Asks to delete a connection that was listed.
fn delete(family: Family, tracked: &[u8]) -> NetfilterMessage {
    let copy = |kind: u16, flags: u16| {
        let value = attribute::first(tracked, kind)?;
        Some(DefaultNla::new(kind | flags, value.to_vec()))
    };
    let attributes = [copy(TUPLE, NESTED), copy(ZONE, 0), copy(ID, 0)];
    message(family, DELETE, attributes.into_iter().flatten().collect())
}

fn nested(kind: u16, attributes: &[DefaultNla]) -> DefaultNla {
    let mut value = vec![0; attributes.buffer_len()];
    attributes.emit(&mut value);
    DefaultNla::new(kind | NESTED, value)
}

// Not with the types that the netlink crate has for connections: they can't say that a filter is nested.
fn message(family: Family, message_type: u8, attributes: Vec<DefaultNla>) -> NetfilterMessage {
    let family = match family {
        Family::V4 => NetfilterProtoFamily::IPv4,
        Family::V6 => NetfilterProtoFamily::IPv6,
    };
    let inner = NetfilterMessageInner::Other { subsys: NetfilterSubsystem::Conntrack, message_type, attributes };
    NetfilterMessage::new(NetfilterHeader::new(family, 0, 0), inner)
}

fn is_to(tracked: &[u8], port: u16) -> bool {
    let proto = |kind| attribute::nested(tracked, &[TUPLE, PROTO, kind]);
    let is_udp = proto(PROTO_NUMBER) == Some(&[Protocol::Udp.number()]);
    is_udp && proto(PROTO_DESTINATION_PORT) == Some(&port.to_be_bytes())
}

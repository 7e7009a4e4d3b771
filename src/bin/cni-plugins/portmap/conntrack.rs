//! Forgets UDP connections that were there before a port was mapped, or are there after.
//!
//! The kernel looks at mappings for the first packet of a connection only. For UDP, which has no connections, those are
//! packets with the same addresses and ports, as long as there are no long breaks: a client that keeps on sending would
//! never get to the container, or would get to one that is gone.

use nix::errno::Errno;

use crate::nft::attribute::{self, Attributes};
use crate::nft::family::Family;
use crate::nft::message::Message;
use crate::nft::socket::{Error, connection};
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
    let mut connection = connection()?;
    for tracked in connection.dump(&list(family, port))? {
        if !is_to(&tracked, port) {
            continue;
        }
        match connection.ask(&delete(family, &tracked)) {
            // It ended by itself.
            Err(error) if error.errno() == Some(Errno::ENOENT) => {}
            deleted => drop(deleted?),
        }
    }
    Ok(())
}

/// Asks for the connections to a port. A kernel older than 5.8 does not know the filter, and lists all.
fn list(family: Family, port: u16) -> Message {
    const TUPLE_FLAGS: u16 = 1;
    const BY_PROTO_NUMBER: u32 = 1 << 3;
    const BY_DESTINATION_PORT: u32 = 1 << 5;
    let proto = Attributes::new().bytes(PROTO_NUMBER, &[Protocol::Udp.number()]);
    let proto = proto.bytes(PROTO_DESTINATION_PORT, &port.to_be_bytes());
    let flags = Attributes::new().bytes(TUPLE_FLAGS, &(BY_PROTO_NUMBER | BY_DESTINATION_PORT).to_ne_bytes());
    let tuple = Attributes::new().nest(TUPLE, &Attributes::new().nest(PROTO, &proto));
    Message::tracking(family.nfproto(), GET, tuple.nest(FILTER, &flags))
}

/// Asks to delete a connection that was listed.
fn delete(family: Family, tracked: &[u8]) -> Message {
    let copied = [(TUPLE, NESTED), (ZONE, 0), (ID, 0)].into_iter().fold(Attributes::new(), |all, (kind, flags)| {
        match attribute::first(tracked, kind) {
            Some(value) => all.bytes(kind | flags, value),
            None => all,
        }
    });
    Message::tracking(family.nfproto(), DELETE, copied)
}

fn is_to(tracked: &[u8], port: u16) -> bool {
    let proto = |kind| attribute::nested(tracked, &[TUPLE, PROTO, kind]);
    let is_udp = proto(PROTO_NUMBER) == Some(&[Protocol::Udp.number()]);
    is_udp && proto(PROTO_DESTINATION_PORT) == Some(&port.to_be_bytes())
}

//! Forgets UDP connections that were there before a port was mapped, or are there after.
//!
//! The kernel looks at mappings for the first packet of a connection only. For UDP, which has no connections, those are
//! packets with the same addresses and ports, as long as there are no long breaks: a client that keeps on sending would
//! never get to the container, or would get to one that is gone.
//!
//! The kernel goes through its whole table for each question, which takes milliseconds whatever it finds: so all ports
//! are one question, and none is asked where nothing is tracked.

use std::collections::BTreeSet;
use std::net::IpAddr;

use nix::errno::Errno;

use crate::nft::attribute::{self, Attributes};
use crate::nft::error::Error;
use crate::nft::family::{self, Family};
use crate::nft::message::Message;
use crate::nft::socket::{Connection, connection};
use crate::portmap::mapping::{HostPort, Protocol};

const NESTED: u16 = 1 << 15;
const GET: u8 = 1;
const DELETE: u8 = 2;
const STATISTICS: u8 = 5;
const TUPLE: u16 = 1;
const ID: u16 = 12;
const ZONE: u16 = 18;
const FILTER: u16 = 25;
const ADDRESSES: u16 = 1;
const PROTO: u16 = 2;
const PROTO_NUMBER: u16 = 1;
const PROTO_DESTINATION_PORT: u16 = 3;

/// Forgets the UDP connections to some ports of the host; those of other protocols are left out.
pub(crate) fn forget<'a>(ports: impl IntoIterator<Item = &'a HostPort>) -> Result<(), Error> {
    let ports = ports.into_iter().filter(|port| port.protocol == Protocol::Udp);
    let ports: BTreeSet<_> = ports.map(|port| (port.address, port.port)).collect();
    if ports.is_empty() {
        return Ok(());
    }
    let connection = &mut *connection()?;
    if entries(connection)? == Some(0) {
        return Ok(());
    }
    for family in Family::ALL {
        if ports.iter().any(|(address, _)| Family::of(*address) == family) {
            forget_of(connection, family, &ports)?;
        }
    }
    Ok(())
}

/// How many connections are tracked in this namespace, of any protocol.
fn entries(connection: &mut Connection) -> Result<Option<u32>, Error> {
    const ENTRIES: u16 = 1;
    let answer = connection.ask(&Message::tracking(0, STATISTICS, Attributes::new()))?;
    let entries = answer.iter().find_map(|answer| attribute::first(answer, ENTRIES)?.try_into().ok());
    Ok(entries.map(u32::from_be_bytes))
}

fn forget_of(connection: &mut Connection, family: Family, ports: &BTreeSet<(IpAddr, u16)>) -> Result<(), Error> {
    let mut stale = Vec::new();
    connection.dump_each(&list(family), |tracked| {
        let is_stale = destination(tracked, family).is_some_and(|(address, port)| {
            ports.contains(&(address, port)) || ports.contains(&(family.unspecified(), port))
        });
        stale.extend(is_stale.then(|| delete(family, tracked)));
    })?;
    for deleted in connection.ask_each(&stale)? {
        match deleted {
            // It ended by itself.
            Err(error) if error.errno() == Some(Errno::ENOENT) => {}
            deleted => drop(deleted?),
        }
    }
    Ok(())
}

/// Asks for the UDP connections. A kernel older than 5.8 does not know the filter, and lists all.
fn list(family: Family) -> Message {
    const TUPLE_FLAGS: u16 = 1;
    const BY_PROTO_NUMBER: u32 = 1 << 3;
    let proto = Attributes::new().bytes(PROTO_NUMBER, &[Protocol::Udp.number()]);
    let flags = Attributes::new().bytes(TUPLE_FLAGS, &BY_PROTO_NUMBER.to_ne_bytes());
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

/// Where the first packet of a UDP connection went.
fn destination(tracked: &[u8], family: Family) -> Option<(IpAddr, u16)> {
    let kind = match family {
        Family::V4 => 2,
        Family::V6 => 4,
    };
    let tuple = attribute::first(tracked, TUPLE)?;
    let proto = |kind| attribute::nested(tuple, &[PROTO, kind]);
    let address = family::address(attribute::nested(tuple, &[ADDRESSES, kind])?)?;
    let port = proto(PROTO_DESTINATION_PORT)?.try_into().ok().map(u16::from_be_bytes)?;
    (proto(PROTO_NUMBER)? == [Protocol::Udp.number()]).then_some((address, port))
}

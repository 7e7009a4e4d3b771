//! Forgets UDP connections that were there before a port was mapped, or are there after.
//!
//! The kernel looks at mappings for the first packet of a connection only. For UDP, which has no connections, those are
//! packets with the same addresses and ports, as long as there are no long breaks: a client that keeps on sending would
//! never get to the container, or would get to one that is gone.
//!
//! Since Linux 6.11 the kernel deletes what a filter matches, which takes a tenth of a millisecond for a port where few
//! connections are tracked. An older one must list them: it goes through its whole table for ten milliseconds whatever
//! it finds, so all ports are one question. Nothing is asked where nothing is tracked.

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
const BY_DESTINATION: u32 = 1 << 1;
const BY_PROTO_NUMBER: u32 = 1 << 3;
const BY_DESTINATION_PORT: u32 = 1 << 5;

fn destination_address(family: Family) -> u16 {
    match family {
        Family::V4 => 2,
        Family::V6 => 4,
    }
}

/// Returns true if it is faster to delete the connections to each of some ports than to list all. For each port the
/// kernel looks at every connection; a list needs that once, and the time for 30,000 more.
fn is_faster_to_delete(ports: usize, entries: Option<u32>) -> bool {
    const MOST: usize = 64;
    let entries = entries.map_or(usize::MAX, |entries| entries as usize);
    ports <= MOST && ports.saturating_sub(1).saturating_mul(entries) <= 30_000
}

/// Forgets the UDP connections to some ports of the host; those of other protocols are left out.
pub(crate) fn forget<'a>(ports: impl IntoIterator<Item = &'a HostPort>) -> Result<(), Error> {
    let ports = ports.into_iter().filter(|port| port.protocol == Protocol::Udp);
    let ports: BTreeSet<_> = ports.map(|port| (port.address, port.port)).collect();
    if ports.is_empty() {
        return Ok(());
    }
    let connection = &mut *connection()?;
    let entries = entries(connection)?;
    if entries == Some(0) {
        return Ok(());
    }
    if is_faster_to_delete(ports.len(), entries) && delete_matching(connection, &ports)? {
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

/// Deletes the connections to each port; false if this kernel can't do that. It then has deleted nothing, as it takes
/// what the filter leaves out for the missing parts of one connection.
fn delete_matching(connection: &mut Connection, ports: &BTreeSet<(IpAddr, u16)>) -> Result<bool, Error> {
    let requests: Vec<_> = ports.iter().map(|(address, port)| delete_to(*address, *port)).collect();
    Ok(connection.ask_each(&requests)?.iter().all(Result::is_ok))
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

/// Asks to delete the UDP connections to a port of an address, or of all addresses of a family.
fn delete_to(address: IpAddr, port: u16) -> Message {
    let family = Family::of(address);
    let proto = udp().bytes(PROTO_DESTINATION_PORT, &port.to_be_bytes());
    let by_port = BY_PROTO_NUMBER | BY_DESTINATION_PORT;
    let (tuple, filter) = if address.is_unspecified() {
        (Attributes::new(), by_port)
    } else {
        let destination = Attributes::new().bytes(destination_address(family), &family::octets(address));
        (Attributes::new().nest(ADDRESSES, &destination), by_port | BY_DESTINATION)
    };
    Message::tracking(family.nfproto(), DELETE, filtered(&tuple.nest(PROTO, &proto), filter))
}

/// Asks for the UDP connections. A kernel older than 5.8 does not know the filter, and lists all.
fn list(family: Family) -> Message {
    Message::tracking(family.nfproto(), GET, filtered(&Attributes::new().nest(PROTO, &udp()), BY_PROTO_NUMBER))
}

fn udp() -> Attributes {
    Attributes::new().bytes(PROTO_NUMBER, &[Protocol::Udp.number()])
}

/// The connections whose first packet is like this, as far as it is filtered by that.
fn filtered(tuple: &Attributes, by: u32) -> Attributes {
    const TUPLE_FLAGS: u16 = 1;
    let flags = Attributes::new().bytes(TUPLE_FLAGS, &by.to_ne_bytes());
    Attributes::new().nest(TUPLE, tuple).nest(FILTER, &flags)
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
    let tuple = attribute::first(tracked, TUPLE)?;
    let proto = |kind| attribute::nested(tuple, &[PROTO, kind]);
    let address = family::address(attribute::nested(tuple, &[ADDRESSES, destination_address(family)])?)?;
    let port = proto(PROTO_DESTINATION_PORT)?.try_into().ok().map(u16::from_be_bytes)?;
    (proto(PROTO_NUMBER)? == [Protocol::Udp.number()]).then_some((address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_for_many_ports_and_for_some_among_many_connections() {
        assert!(is_faster_to_delete(1, None));
        assert!(is_faster_to_delete(1, Some(1_000_000)));
        assert!(is_faster_to_delete(64, Some(100)));
        assert!(!is_faster_to_delete(65, Some(100)));
        assert!(!is_faster_to_delete(64, Some(1000)));
        assert!(!is_faster_to_delete(2, Some(1_000_000)));
    }
}

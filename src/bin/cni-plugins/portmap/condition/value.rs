//! The values of conditions, as both languages write them.

use std::net::{IpAddr, Ipv4Addr};

use libcni::spec::IpNet;

use super::meaning::Error;
use super::subject::Subject;
use crate::nft::expression::Side;
use crate::nft::family::Family;
use crate::portmap::mapping::Protocol;

pub(super) fn wrong<T>(value: &str, expected: &'static str) -> Result<T, Error> {
    Err(Error::Value { value: value.to_owned(), expected })
}

/// An address, or a network: with the length of its prefix, or with a mask.
pub(super) fn network(side: Side, text: &str, family: Family) -> Result<Subject, Error> {
    let host = || text.parse().ok().and_then(|address| IpNet::new(address, family.address_length() as u8 * 8));
    let network: Option<IpNet> = text.parse().ok().or_else(host).or_else(|| masked(text));
    match network.filter(|network| Family::of(network.addr()) == family) {
        Some(network) => Ok(Subject::Network(side, network)),
        None => wrong(text, network_of(family)),
    }
}

/// A network as `10.0.0.0/255.0.0.0`.
fn masked(text: &str) -> Option<IpNet> {
    let (address, mask) = text.split_once('/')?;
    let mask = u32::from(mask.parse::<Ipv4Addr>().ok()?);
    let is_prefix = mask.leading_ones() + mask.trailing_zeros() == 32 || mask == 0;
    IpNet::new(address.parse().ok()?, u8::try_from(mask.leading_ones()).ok()?).filter(|_| is_prefix)
}

/// The addresses from one to another: `10.0.0.1-10.0.0.9`.
pub(super) fn addresses(side: Side, text: &str, family: Family) -> Result<Subject, Error> {
    let read = |text: &str| text.parse().ok().filter(|address: &IpAddr| Family::of(*address) == family);
    let ends = text.split_once('-').and_then(|(from, to)| Some((read(from)?, read(to)?)));
    match ends.filter(|(from, to)| from <= to) {
        Some((from, to)) => Ok(Subject::Addresses(side, from, to)),
        None => wrong(text, range_of(family)),
    }
}

fn network_of(family: Family) -> &'static str {
    match family {
        Family::V4 => "an IPv4 network",
        Family::V6 => "an IPv6 network",
    }
}

fn range_of(family: Family) -> &'static str {
    match family {
        Family::V4 => "a range of IPv4 addresses",
        Family::V6 => "a range of IPv6 addresses",
    }
}

/// The name of an interface, or what names begin with: then it ends in a character for that.
pub(super) fn interface(text: &str, any: char) -> Result<Subject, Error> {
    let start = text.strip_suffix(any);
    let name = start.unwrap_or(text);
    // What names begin with may be empty: then any interface does.
    if (name.is_empty() && start.is_none()) || name.len() > 15 {
        return wrong(text, "the name of an interface");
    }
    Ok(Subject::Interface { name: name.to_owned(), whole: start.is_none() })
}

/// One port, or the ports from one to another.
pub(super) fn ports(text: &str, between: char) -> Result<(u16, u16), Error> {
    let read = |port: &str, missing| if port.is_empty() { Some(missing) } else { port.parse().ok() };
    let ends = match text.split_once(between) {
        Some((from, to)) => read(from, u16::MIN).zip(read(to, u16::MAX)),
        None => text.parse().ok().map(|port| (port, port)),
    };
    match ends.filter(|(from, to)| from <= to) {
        Some(ends) => Ok(ends),
        None => wrong(text, "a port or a range of ports"),
    }
}

pub(super) fn protocol(text: &str) -> Result<Protocol, Error> {
    let by_number = || Protocol::of_number(text.parse().ok()?);
    match Protocol::named(text).or_else(by_number) {
        Some(protocol) => Ok(protocol),
        None => wrong(text, "one of the protocols tcp, udp and sctp"),
    }
}

/// A mark, or some bits of it: `0x10/0xf0`.
pub(super) fn mark(text: &str) -> Result<Subject, Error> {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    let (value, mask) = text.split_once('/').map_or((text, None), |(value, mask)| (value, Some(mask)));
    match number(value).zip(mask.map_or(Some(u32::MAX), number)) {
        Some((value, mask)) => Ok(Subject::Mark { value, mask }),
        None => wrong(text, "a mark"),
    }
}

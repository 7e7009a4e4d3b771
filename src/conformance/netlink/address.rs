//! Addresses of interfaces.

use std::io;
use std::net::IpAddr;

use crate::spec::IpNet;

use super::message::{Request, attribute, number};

const NEWADDR: u16 = 20;
const DELADDR: u16 = 21;
const GETADDR: u16 = 22;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// An address, and the index of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) link: u32,
    pub(crate) net: IpNet,
}

pub(crate) fn addresses() -> io::Result<Vec<Address>> {
    let listed = Request::route(GETADDR, &[0; 8]).list()?;
    Ok(listed.iter().filter_map(|entry| address(entry)).collect())
}

fn address(entry: &[u8]) -> Option<Address> {
    let (fixed, attributes) = entry.split_at_checked(8)?;
    // The first is the other end's on a point-to-point interface, and all there is of IPv6.
    let bytes = attribute(attributes, IFA_LOCAL).or_else(|| attribute(attributes, IFA_ADDRESS))?;
    let net = IpNet::new(ip(bytes)?, fixed[1])?;
    Some(Address { link: number(&fixed[4..]), net })
}

pub(crate) fn add_address(link: u32, net: IpNet) -> io::Result<()> {
    request(NEWADDR, link, net).create()
}

pub(crate) fn delete_address(address: Address) -> io::Result<()> {
    request(DELADDR, address.link, address.net).carry_out()
}

fn request(kind: u16, link: u32, net: IpNet) -> Request {
    let mut body = vec![family(net.addr()), net.prefix(), 0, 0];
    body.extend(link.to_ne_bytes());
    let bytes = octets(net.addr());
    Request::route(kind, &body).with(IFA_LOCAL, &bytes).with(IFA_ADDRESS, &bytes)
}

pub(super) fn family(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { AF_INET } else { AF_INET6 }
}

pub(super) fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

pub(super) fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from).ok();
    v4.or_else(|| <[u8; 16]>::try_from(bytes).map(IpAddr::from).ok())
}

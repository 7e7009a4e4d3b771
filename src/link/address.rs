//! Addresses of links.

use crate::spec::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::errno::Errno;
use std::net::{IpAddr, Ipv4Addr};

use super::message::Message;
use super::{Handle, LinkError, Request};

fn message(index: u32, address: IpNet) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    message.header.prefix_len = address.prefix();
    message.header.index = index;
    message.attributes.push(AddressAttribute::Local(address.addr()));
    message.attributes.push(AddressAttribute::Address(address.addr()));
    message
}

/// The broadcast address of a network, which the kernel does not work out by itself.
fn broadcast(address: IpNet) -> Option<Ipv4Addr> {
    let IpAddr::V4(last) = address.last() else { return None };
    (address.prefix() < 31).then_some(last)
}

impl Request {
    /// Adds an address. Without `detect`, an IPv6 one is used at once instead of after duplicate address detection.
    pub fn add_address(index: u32, address: IpNet, detect: bool) -> Self {
        let mut message = message(index, address);
        message.attributes.extend(broadcast(address).map(AddressAttribute::Broadcast));
        if !address.is_ipv4() && !detect {
            message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        }
        let flags = NLM_F_CREATE | NLM_F_EXCL;
        Self::new(format!("add address {address}"), RouteNetlinkMessage::NewAddress(message), flags)
    }

    /// Does the same as [`Request::add_address`], but no route to the address's network comes with it.
    pub fn add_address_without_route(index: u32, address: IpNet, detect: bool) -> Self {
        let mut message = message(index, address);
        message.attributes.extend(broadcast(address).map(AddressAttribute::Broadcast));
        let detection = if !address.is_ipv4() && !detect { AddressFlags::Nodad } else { AddressFlags::empty() };
        message.attributes.push(AddressAttribute::Flags(AddressFlags::Noprefixroute | detection));
        let flags = NLM_F_CREATE | NLM_F_EXCL;
        Self::new(format!("add address {address}"), RouteNetlinkMessage::NewAddress(message), flags)
    }

    /// Removes an address; succeeds if it does not exist.
    pub fn delete_address(index: u32, address: IpNet) -> Self {
        let message = RouteNetlinkMessage::DelAddress(message(index, address));
        Self::new(format!("remove address {address}"), message, 0).fine_with(&[Errno::EADDRNOTAVAIL as i32])
    }
}

/// An address of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Address {
    /// The index of the link.
    pub link: u32,
    /// The address, with the prefix length of its network.
    pub address: IpNet,
    /// True if duplicate address detection (IPv6) goes on, and nobody can use the address yet.
    pub is_tentative: bool,
    /// True if duplicate address detection found that a neighbour has it, so that nobody can use it here.
    pub is_duplicate: bool,
}

impl Address {
    /// An address that can be used.
    pub fn new(link: u32, address: IpNet) -> Self {
        Self { link, address, is_tentative: false, is_duplicate: false }
    }
}

impl Handle {
    /// The addresses of a link, in the kernel's order.
    pub fn addresses(&mut self, index: u32) -> Result<Vec<Address>, LinkError> {
        let mut message = AddressMessage::default();
        message.header.index = index;
        let request = RouteNetlinkMessage::GetAddress(message);
        self.list("list the addresses", request, |addresses: &mut Vec<_>, answer| {
            addresses.extend(of_message(answer).filter(|address| address.link == index));
        })
    }
}

pub(super) fn of_message(answer: Message) -> Option<Address> {
    let Message::Address(message) = answer else { return None };
    // On a point-to-point link `Address` is the other end's; `Local` comes with it, and is this one's.
    let (mut local, mut other) = (None, None);
    let mut flags = AddressFlags::from_bits_retain(message.header.flags.bits().into());
    for attribute in message.attributes {
        match attribute {
            AddressAttribute::Local(address) => local = Some(address),
            AddressAttribute::Address(address) => other = Some(address),
            AddressAttribute::Flags(all) => flags = all,
            _ => {}
        }
    }
    Some(Address {
        link: message.header.index,
        address: IpNet::new(local.or(other)?, message.header.prefix_len)?,
        is_tentative: flags.contains(AddressFlags::Tentative),
        is_duplicate: flags.contains(AddressFlags::Dadfailed),
    })
}

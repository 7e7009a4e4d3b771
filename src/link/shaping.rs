//! Limits for a part of a link's traffic, chosen by subnets, and for incoming traffic, through another link.

use std::net::IpAddr;

use netlink_packet_core::{DefaultNla, NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::tc::{TcHandle, TcMessage};
use nix::errno::Errno;

use super::device::{named, up};
use super::message::Message;
use super::qdisc::{INGRESS, OPTIONS, ROOT, message, nested, new_qdisc, rate_spec, with_options};
use super::{Handle, LinkError, Request, TokenBucket, attribute};
use crate::spec::IpNet;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkInfo};

/// The packets that a limit is for, by the address at the other end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shaped<'a> {
    /// All packets.
    #[default]
    All,
    /// All except those of some subnets.
    AllBut(&'a [IpNet]),
    /// Those of some subnets only.
    Only(&'a [IpNet]),
}

impl<'a> Shaped<'a> {
    fn subnets(self) -> &'a [IpNet] {
        match self {
            Self::All => &[],
            Self::AllBut(subnets) | Self::Only(subnets) => subnets,
        }
    }
}

/// Where a header has the address at the other end.
#[derive(Clone, Copy)]
enum Other {
    Source,
    Destination,
}

/// The class that limited packets are in, where not all are.
const LIMITED: TcHandle = TcHandle { major: 1, minor: 0x30 };
/// The token bucket in that class.
const BUCKET: TcHandle = TcHandle { major: 0x30, minor: 0 };

impl Request {
    /// Limits the traffic that leaves through a link to a container: packets are chosen by their source. Only a kernel
    /// with the hierarchical token bucket (`htb`) can limit a part of them.
    pub fn shape(index: u32, bucket: TokenBucket, shaped: Shaped<'_>) -> Vec<Self> {
        let (default, chosen) = match shaped {
            Shaped::All => return vec![Self::add_token_bucket(index, bucket)],
            // What is sent to the discipline itself passes it by.
            Shaped::AllBut(_) => (LIMITED, ROOT),
            Shaped::Only(_) => (TcHandle::UNSPEC, LIMITED),
        };
        let mut requests =
            vec![hierarchy(index, default), unlimited_class(index), Self::token_bucket(index, bucket, BUCKET, LIMITED)];
        requests.extend(shaped.subnets().iter().map(|subnet| {
            let options = [selector(Some((*subnet, Other::Source))), class(chosen)];
            filter(index, ROOT, Some(*subnet), &options)
        }));
        requests
    }

    /// Makes an intermediate functional block (`ifb`). Packets that come in through another link are sent through it,
    /// and are limited as they leave it. It is up.
    pub fn add_ifb(name: &str, mtu: u32) -> Self {
        let mut message = up(named(name));
        message.attributes.push(LinkAttribute::Mtu(mtu));
        message.attributes.push(LinkAttribute::TxQueueLen(0));
        message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Ifb)]));
        Self::new(format!("add ifb `{name}`"), RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Sends the traffic that comes in through a link from a container through another link: packets are chosen by
    /// their destination.
    pub fn redirect(index: u32, to: u32, shaped: Shaped<'_>) -> Vec<Self> {
        let place = message(index, "ingress", INGRESS, TcHandle::INGRESS);
        let mut requests = vec![new_qdisc("add a place for filters of incoming packets", place)];
        requests.extend(shaped.subnets().iter().map(|subnet| {
            let selector = selector(Some((*subnet, Other::Destination)));
            let then = match shaped {
                Shaped::Only(_) => by_way_of(to),
                // Found, and nothing to be done.
                _ => class(LIMITED),
            };
            filter(index, INGRESS, Some(*subnet), &[selector, then])
        }));
        if !matches!(shaped, Shaped::Only(_)) {
            requests.push(filter(index, INGRESS, None, &[selector(None), class(LIMITED), by_way_of(to)]));
        }
        requests
    }

    /// Undoes [`Request::redirect`] for a link; succeeds if there is nothing to undo.
    pub fn remove_redirect(index: u32) -> Self {
        let message = message(index, "ingress", INGRESS, TcHandle::INGRESS);
        let request = RouteNetlinkMessage::DelQueueDiscipline(message);
        Self::new("remove the filters of incoming packets", request, 0).fine_with(&[
            Errno::ENOENT as i32,
            Errno::EINVAL as i32,
            Errno::ENODEV as i32,
        ])
    }
}

fn hierarchy(index: u32, default: TcHandle) -> Request {
    const INIT: u16 = 2;
    const VERSION: u32 = 3;
    const RATE_TO_QUANTUM: u32 = 10;
    let glob: Vec<u8> =
        [VERSION, RATE_TO_QUANTUM, default.minor.into(), 0, 0].into_iter().flat_map(u32::to_ne_bytes).collect();
    let message = message(index, "htb", ROOT, TcHandle::ROOT);
    new_qdisc("add a hierarchy of limits to the link", with_options(message, nested(&[DefaultNla::new(INIT, glob)])))
}

/// A class that lets everything through: the token bucket in it has the limit.
fn unlimited_class(index: u32) -> Request {
    const PARAMETERS: u16 = 1;
    const QUANTUM: u32 = 1 << 16;
    const BUFFER: u32 = 1 << 16;
    let spec = rate_spec(u64::MAX);
    let numbers = [BUFFER, BUFFER, QUANTUM, 0, 0].into_iter().flat_map(u32::to_ne_bytes);
    let parameters: Vec<u8> = spec.into_iter().chain(spec).chain(numbers).collect();
    let message = message(index, "htb", LIMITED, ROOT);
    let message = with_options(message, nested(&[DefaultNla::new(PARAMETERS, parameters)]));
    Request::new(
        "add a class of limited packets to the link",
        RouteNetlinkMessage::NewTrafficClass(message),
        NLM_F_CREATE | NLM_F_EXCL,
    )
}

/// A filter; those of subnets come before the one for all.
fn filter(index: u32, parent: TcHandle, subnet: Option<IpNet>, options: &[DefaultNla]) -> Request {
    const ALL: u16 = 0x0003;
    const IPV4: u16 = 0x0800;
    const IPV6: u16 = 0x86dd;
    let (priority, protocol) = match subnet {
        Some(subnet) if subnet.is_ipv4() => (1, IPV4),
        Some(_) => (2, IPV6),
        None => (3, ALL),
    };
    let mut message = message(index, "u32", TcHandle::UNSPEC, parent);
    message.header.info = priority << 16 | u32::from(protocol.to_be());
    let message = with_options(message, nested(options));
    let flags = NLM_F_CREATE | NLM_F_EXCL;
    Request::new("add a filter to the link", RouteNetlinkMessage::NewTrafficFilter(message), flags)
}

/// Packets with an address in a subnet; all without one.
fn selector(subnet: Option<(IpNet, Other)>) -> DefaultNla {
    const SELECTOR: u16 = 5;
    const TERMINAL: u8 = 1;
    let keys = subnet.map_or_else(|| vec![[0; 16]], |(subnet, other)| keys(subnet, other));
    let mut bytes = vec![TERMINAL, 0, keys.len() as u8, 0];
    bytes.extend([0; 12]);
    bytes.extend(keys.concat());
    DefaultNla::new(SELECTOR, bytes)
}

/// Mask, value, and place in the header, for every four bytes of an address that the prefix reaches into.
fn keys(subnet: IpNet, other: Other) -> Vec<[u8; 16]> {
    let (offset, address) = match (subnet.network().addr(), other) {
        (IpAddr::V4(address), Other::Source) => (12, address.octets().to_vec()),
        (IpAddr::V4(address), Other::Destination) => (16, address.octets().to_vec()),
        (IpAddr::V6(address), Other::Source) => (8, address.octets().to_vec()),
        (IpAddr::V6(address), Other::Destination) => (24, address.octets().to_vec()),
    };
    let prefix = u32::from(subnet.prefix());
    let words = address.chunks_exact(4).zip(0..).filter(|(_, word)| *word == 0 || word * 32 < prefix);
    let key = |(value, word): (&[u8], u32)| {
        let bits = prefix.saturating_sub(word * 32).min(32);
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or_default();
        let mut key = [0; 16];
        key[..4].copy_from_slice(&mask.to_be_bytes());
        key[4..8].copy_from_slice(value);
        key[8..12].copy_from_slice(&(offset + word * 4).to_ne_bytes());
        key
    };
    words.map(key).collect()
}

fn class(handle: TcHandle) -> DefaultNla {
    const CLASS: u16 = 1;
    DefaultNla::new(CLASS, u32::from(handle).to_ne_bytes().to_vec())
}

const ACTIONS: u16 = 7;
const KIND: u16 = 1;
const PARAMETERS: u16 = 2;
const MIRRED: &str = "mirred";

/// The action that sends a packet out through another link.
fn by_way_of(index: u32) -> DefaultNla {
    const NESTED: u16 = 1 << 15;
    const FIRST: u16 = 1;
    const STOLEN: u32 = 4;
    const REDIRECT: u32 = 1;
    // Number, capabilities, action, references, bindings; then how and where to.
    let parameters: Vec<u8> = [0, 0, STOLEN, 0, 0, REDIRECT, index].into_iter().flat_map(u32::to_ne_bytes).collect();
    let options = nested(&[DefaultNla::new(PARAMETERS, parameters)]);
    let action = nested(&[
        DefaultNla::new(KIND, format!("{MIRRED}\0").into_bytes()),
        DefaultNla::new(OPTIONS | NESTED, options),
    ]);
    DefaultNla::new(ACTIONS, nested(&[DefaultNla::new(FIRST, action)]))
}

impl Handle {
    /// Lists the indexes of the links to which the packets that come in through a link are sent.
    ///
    /// # Errors
    /// The kernel could not be asked.
    pub fn redirects(&mut self, index: u32) -> Result<Vec<u32>, LinkError> {
        let mut message = TcMessage::with_index(i32::try_from(index).unwrap_or_default());
        message.header.parent = INGRESS;
        let request = RouteNetlinkMessage::GetTrafficFilter(message);
        self.list("list the filters of the link", request, |found: &mut Vec<_>, item| {
            if let Message::Filter(filter) = item {
                found.extend(redirected(&filter.attributes));
            }
        })
    }
}

/// The links to which the actions of a filter send packets.
fn redirected(filter: &[u8]) -> Vec<u32> {
    let actions = attribute::nested(filter, &[OPTIONS, ACTIONS]).unwrap_or_default();
    let parameters = attribute::each(actions).filter_map(|(_, action)| {
        let kind = attribute::first(action, KIND).and_then(attribute::text)?;
        attribute::nested(action, &[OPTIONS, PARAMETERS]).filter(|_| kind == MIRRED)
    });
    parameters.filter_map(|parameters| attribute::number(parameters.get(24..28)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(subnet: &str) -> Vec<(String, u8)> {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        keys(subnet.parse().unwrap(), Other::Source).iter().map(|key| (hex(&key[..8]), key[8])).collect()
    }

    #[test]
    fn a_subnet_is_compared_four_bytes_at_a_time() {
        let owned = |all: &[(&str, u8)]| all.iter().map(|(key, at)| ((*key).to_owned(), *at)).collect::<Vec<_>>();
        assert_eq!(masks("10.1.2.3/16"), owned(&[("ffff00000a010000", 12)]));
        assert_eq!(masks("0.0.0.0/0"), owned(&[("0000000000000000", 12)]));
        assert_eq!(masks("fd00:1:2::/40"), owned(&[("fffffffffd000001", 8), ("ff00000000000000", 12)]));
    }
}

//! Pairs of veths.

use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{InfoData, InfoKind, InfoVeth, LinkAttribute, LinkInfo};

use super::Request;
use super::device::{named, up};
use crate::setters::setters;

/// A pair of veths to make: one end in this namespace, the other in another.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Veth<'a> {
    /// The name of the end here.
    pub name: &'a str,
    /// The hardware address of the end here; the kernel's choice when `None`.
    pub mac: Option<[u8; 6]>,
    /// The index of the bridge that the end here is a port of, if any.
    pub bridge: Option<u32>,
    /// True if the end here is up from the beginning.
    pub is_up: bool,
    /// The MTU of both ends, in bytes; the kernel's choice when `None`.
    pub mtu: Option<u32>,
    /// The name of the other end.
    pub peer: &'a str,
    /// The hardware address of the other end; the kernel's choice when `None`.
    pub peer_mac: Option<[u8; 6]>,
    /// The network namespace of the other end.
    pub netns: BorrowedFd<'a>,
}

impl<'a> Veth<'a> {
    /// A pair with these names, the other end in a network namespace. Both ends are down.
    pub fn new(name: &'a str, peer: &'a str, netns: BorrowedFd<'a>) -> Self {
        Self { name, mac: None, bridge: None, is_up: false, mtu: None, peer, peer_mac: None, netns }
    }
}

setters! {
    Veth<'a> {
        mac: some [u8; 6],
        bridge: some u32,
        is_up: bool,
        peer_mac: some [u8; 6],
    }
}

impl Veth<'_> {
    /// The same with this `mtu`, or with the kernel's choice.
    pub fn mtu(self, mtu: Option<u32>) -> Self {
        Self { mtu, ..self }
    }
}

impl Request {
    /// Makes a pair of veths. The other end is down.
    pub fn add_veth(veth: &Veth<'_>) -> Self {
        let mut peer = named(veth.peer);
        peer.attributes.push(LinkAttribute::NetNsFd(veth.netns.as_raw_fd()));
        peer.attributes.extend(veth.peer_mac.map(|mac| LinkAttribute::Address(mac.to_vec())));
        peer.attributes.extend(veth.mtu.map(LinkAttribute::Mtu));
        let mut message = if veth.is_up { up(named(veth.name)) } else { named(veth.name) };
        message.attributes.extend(veth.mac.map(|mac| LinkAttribute::Address(mac.to_vec())));
        message.attributes.extend(veth.bridge.map(LinkAttribute::Controller));
        message.attributes.extend(veth.mtu.map(LinkAttribute::Mtu));
        let data = LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer)));
        message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth), data]));
        let doing = format!("add veth `{}` with peer `{}`", veth.name, veth.peer);
        Self::new(doing, RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
    }
}

//! macvlans: links with hardware addresses of their own on top of another one.

use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_core::{DefaultNla, NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{InfoData, InfoKind, InfoMacVlan, LinkAttribute, LinkInfo};

use super::Request;
use super::device::{indexed, named};

/// Which macvlans of one link reach each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MacvlanMode {
    /// All, directly.
    #[default]
    Bridge,
    /// None.
    Private,
    /// Those that the switch behind the link sends frames back to.
    Vepa,
    /// There is only one, which has the link for itself.
    Passthru,
}

impl MacvlanMode {
    const ALL: [(Self, u32); 4] = [(Self::Private, 1), (Self::Vepa, 2), (Self::Bridge, 4), (Self::Passthru, 8)];

    fn number(self) -> u32 {
        Self::ALL.iter().find(|(mode, _)| *mode == self).map_or(0, |(_, number)| *number)
    }

    pub(super) fn of(number: u32) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == number).map(|(mode, _)| *mode)
    }
}

/// A macvlan to make.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Macvlan<'a> {
    /// Its name. Where it goes to another namespace, no link here may have it either.
    pub name: &'a str,
    /// The index of the link below it.
    pub parent: u32,
    /// Which others it reaches.
    pub mode: MacvlanMode,
    /// Its hardware address; the kernel's choice when `None`.
    pub mac: Option<[u8; 6]>,
    /// Its MTU in bytes; that of the link below when `None`.
    pub mtu: Option<u32>,
    /// How many broadcasts may wait; the kernel's choice when `None`.
    pub broadcast_queue: Option<u32>,
    /// The network namespace that it goes to; this one when `None`.
    pub netns: Option<BorrowedFd<'a>>,
}

impl<'a> Macvlan<'a> {
    /// A macvlan that is like the link below it, in this namespace.
    pub fn new(name: &'a str, parent: u32) -> Self {
        let mode = MacvlanMode::Bridge;
        Self { name, parent, mode, mac: None, mtu: None, broadcast_queue: None, netns: None }
    }

    /// The same with a mode.
    pub fn mode(self, mode: MacvlanMode) -> Self {
        Self { mode, ..self }
    }

    /// The same with a hardware address, or with the kernel's choice.
    pub fn mac(self, mac: Option<[u8; 6]>) -> Self {
        Self { mac, ..self }
    }

    /// The same with an MTU, or with that of the link below.
    pub fn mtu(self, mtu: Option<u32>) -> Self {
        Self { mtu, ..self }
    }

    /// The same with a number of broadcasts that may wait, or with the kernel's choice.
    pub fn broadcast_queue(self, broadcast_queue: Option<u32>) -> Self {
        Self { broadcast_queue, ..self }
    }

    /// The same in another network namespace.
    pub fn netns(self, netns: BorrowedFd<'a>) -> Self {
        Self { netns: Some(netns), ..self }
    }
}

impl Request {
    /// Makes a macvlan. It is down.
    pub fn add_macvlan(macvlan: &Macvlan<'_>) -> Self {
        const BROADCAST_QUEUE: u16 = 7;
        let mut message = named(macvlan.name);
        message.attributes.push(LinkAttribute::Link(macvlan.parent));
        message.attributes.extend(macvlan.netns.map(|netns| LinkAttribute::NetNsFd(netns.as_raw_fd())));
        message.attributes.extend(macvlan.mac.map(|mac| LinkAttribute::Address(mac.to_vec())));
        message.attributes.extend(macvlan.mtu.map(LinkAttribute::Mtu));
        let mut data = vec![InfoMacVlan::Mode(macvlan.mode.number().into())];
        let queue =
            macvlan.broadcast_queue.map(|length| DefaultNla::new(BROADCAST_QUEUE, length.to_ne_bytes().to_vec()));
        data.extend(queue.map(InfoMacVlan::Other));
        let data = LinkInfo::Data(InfoData::MacVlan(data));
        message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::MacVlan), data]));
        let doing = format!("add macvlan `{}`", macvlan.name);
        Self::new(doing, RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Renames a link, which must be down.
    pub fn rename(index: u32, name: &str) -> Self {
        let mut message = indexed(index);
        message.attributes.push(LinkAttribute::IfName(name.to_owned()));
        Self::new(format!("rename the link to `{name}`"), RouteNetlinkMessage::SetLink(message), 0)
    }
}

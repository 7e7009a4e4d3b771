//! Links, of whatever kind.

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    AfSpecInet, AfSpecUnspec, InetDevConf, InfoBridge, InfoData, InfoKind, LinkAttribute, LinkFlags, LinkInfo,
    LinkMessage, State,
};
use nix::errno::Errno;

use super::{Handle, LinkError, Request};

/// What matters of a link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// The number by which the kernel knows it within its network namespace.
    pub index: u32,
    /// The name of the interface.
    pub name: String,
    /// The hardware address: `02:00:00:00:00:01`, or empty where the kind of link has none.
    pub mac: String,
    /// The largest packet, in bytes.
    pub mtu: u32,
    /// Whether an administrator has set it up.
    pub is_up: bool,
    /// Whether it takes frames for any hardware address.
    pub is_promiscuous: bool,
    /// Whether it takes frames for all groups.
    pub is_all_multicast: bool,
    /// How many packets may wait to leave through it.
    pub tx_queue_len: u32,
    /// The kind that the kernel names: `bridge`, `veth`.
    pub kind: Option<String>,
    /// The bridge that it is a port of.
    pub master: Option<u32>,
    /// The free text that administrators see with `ip link`.
    pub alias: Option<String>,
    /// Whether frames pass: it is up, has a carrier, and the kernel has taken note of both.
    pub is_operational: bool,
    /// Whether it is a bridge that keeps VLANs apart.
    pub filters_vlans: bool,
    /// The VLAN that a bridge puts new ports into.
    pub default_vlan: Option<u16>,
    /// The index of the other end of a pair of veths, in the namespace where that is.
    pub peer: Option<u32>,
}

pub(super) fn named(name: &str) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    message
}

pub(super) fn indexed(index: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message
}

pub(super) fn up(mut message: LinkMessage) -> LinkMessage {
    message.header.flags |= LinkFlags::Up;
    message.header.change_mask |= LinkFlags::Up;
    message
}

impl Request {
    /// Finds a link by its name.
    pub fn get_link(name: &str) -> Self {
        Self::new(format!("find link `{name}`"), RouteNetlinkMessage::GetLink(named(name)), 0)
    }

    /// Makes a link of a kind that needs to know nothing else, such as `dummy`. It is down.
    pub fn add_link(name: &str, kind: &str) -> Self {
        let mut message = named(name);
        message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Other(kind.to_owned()))]));
        let message = RouteNetlinkMessage::NewLink(message);
        Self::new(format!("add {kind} link `{name}`"), message, NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Sets what a new link can't be given at once.
    pub fn set_alias(name: &str, alias: &str) -> Self {
        let mut message = named(name);
        message.attributes.push(LinkAttribute::IfAlias(alias.to_owned()));
        Self::new(format!("set the alias of link `{name}`"), RouteNetlinkMessage::SetLink(message), 0)
    }

    /// Gives a link a hardware address. A bridge keeps it, and no longer takes that of one of its ports.
    pub fn set_mac(index: u32, mac: [u8; 6]) -> Self {
        let mut message = indexed(index);
        message.attributes.push(LinkAttribute::Address(mac.to_vec()));
        Self::new("set the hardware address of the link", RouteNetlinkMessage::SetLink(message), 0)
    }

    /// Sets a link up.
    pub fn set_up(index: u32) -> Self {
        Self::new("set the link up", RouteNetlinkMessage::SetLink(up(indexed(index))), 0)
    }

    /// Sets a link down.
    pub fn set_down(index: u32) -> Self {
        let mut message = indexed(index);
        message.header.change_mask |= LinkFlags::Up;
        Self::new("set the link down", RouteNetlinkMessage::SetLink(message), 0)
    }

    /// Sets a link up by its name.
    pub fn bring_up(name: &str) -> Self {
        Self::new(format!("set link `{name}` up"), RouteNetlinkMessage::SetLink(up(named(name))), 0)
    }

    /// Takes a link down by its name.
    pub fn take_down(name: &str) -> Self {
        let mut message = named(name);
        message.header.change_mask |= LinkFlags::Up;
        Self::new(format!("take link `{name}` down"), RouteNetlinkMessage::SetLink(message), 0)
    }

    /// Has the link announce its addresses when it comes up, so that neighbours forget who had them before.
    pub fn arp_notify(index: u32) -> Self {
        Self::configure_ipv4(index, "arp_notify", |configuration| configuration.arp_notify = 1)
    }

    fn configure_ipv4(index: u32, key: &str, set: impl FnOnce(&mut InetDevConf)) -> Self {
        let mut message = indexed(index);
        let mut configuration = InetDevConf::default();
        set(&mut configuration);
        let inet = AfSpecUnspec::Inet(vec![AfSpecInet::DevConfRequest(configuration)]);
        message.attributes.push(LinkAttribute::AfSpecUnspec(vec![inet]));
        Self::new(format!("set {key} of the link"), RouteNetlinkMessage::SetLink(message), 0)
    }

    /// Deletes a link; fine when there is none.
    pub fn delete_link(name: &str) -> Self {
        let message = RouteNetlinkMessage::DelLink(named(name));
        Self::new(format!("delete link `{name}`"), message, 0).fine_with(&[Errno::ENODEV])
    }
}

impl Handle {
    /// A link by name; `None` when there is none.
    pub fn link(&mut self, name: &str) -> Result<Option<Link>, LinkError> {
        let [answers] = self.ask([Request::get_link(name).fine_with(&[Errno::ENODEV])])?;
        Ok(answers.into_link())
    }

    /// A link by its number; `None` when there is none.
    pub fn link_at(&mut self, index: u32) -> Result<Option<Link>, LinkError> {
        let get = Request::new(format!("find link number {index}"), RouteNetlinkMessage::GetLink(indexed(index)), 0);
        let [answer] = self.ask([get.fine_with(&[Errno::ENODEV])])?;
        Ok(answer.into_link())
    }

    /// All links.
    pub fn links(&mut self) -> Result<Vec<Link>, LinkError> {
        let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
        self.list("list the links", request, |links: &mut Vec<_>, item| links.extend(Link::of(item)))
    }
}

impl Link {
    pub(super) fn of(answer: RouteNetlinkMessage) -> Option<Self> {
        let RouteNetlinkMessage::NewLink(message) = answer else { return None };
        let mut link = Self {
            index: message.header.index,
            is_up: message.header.flags.contains(LinkFlags::Up),
            is_promiscuous: message.header.flags.contains(LinkFlags::Promisc),
            is_all_multicast: message.header.flags.contains(LinkFlags::Allmulti),
            ..Self::default()
        };
        message.attributes.into_iter().for_each(|attribute| link.read(attribute));
        Some(link)
    }

    fn read(&mut self, attribute: LinkAttribute) {
        match attribute {
            LinkAttribute::IfName(name) => self.name = name,
            LinkAttribute::Address(mac) => self.mac = format_mac(&mac),
            LinkAttribute::Mtu(mtu) => self.mtu = mtu,
            LinkAttribute::TxQueueLen(length) => self.tx_queue_len = length,
            LinkAttribute::Controller(index) => self.master = Some(index),
            LinkAttribute::Link(index) => self.peer = Some(index),
            LinkAttribute::OperState(state) => self.is_operational = state == State::Up,
            LinkAttribute::IfAlias(alias) => self.alias = Some(alias),
            LinkAttribute::Promiscuity(count) => self.is_promiscuous |= count > 0,
            LinkAttribute::LinkInfo(info) => info.into_iter().for_each(|info| self.read_info(info)),
            _ => {}
        }
    }

    fn read_info(&mut self, info: LinkInfo) {
        match info {
            LinkInfo::Kind(kind) => self.kind = Some(kind.to_string()),
            LinkInfo::Data(InfoData::Bridge(settings)) => {
                for setting in settings {
                    match setting {
                        InfoBridge::VlanFiltering(filters) => self.filters_vlans = filters,
                        InfoBridge::VlanDefaultPvid(vlan) => self.default_vlan = (vlan > 0).then_some(vlan),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

fn format_mac(mac: &[u8]) -> String {
    let parts: Vec<_> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    parts.join(":")
}

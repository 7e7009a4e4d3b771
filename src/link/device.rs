//! Links of any kind.

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    AfSpecInet, AfSpecUnspec, InetDevConf, InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use nix::errno::Errno;

use super::message::Message;
use super::{Handle, LinkError, MacvlanMode, Request, attribute};

/// The state of a link.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Link {
    /// The number by which the kernel knows it within its network namespace.
    pub index: u32,
    /// The name of the interface.
    pub name: String,
    /// The hardware address, such as `02:00:00:00:00:01`; `None` where the kind of link has none.
    pub mac: Option<String>,
    /// The largest packet, in bytes.
    pub mtu: u32,
    /// True if an administrator has set it up.
    pub is_up: bool,
    /// True if it takes frames for any hardware address.
    pub is_promiscuous: bool,
    /// True if it takes frames for all groups.
    pub is_all_multicast: bool,
    /// How many packets may wait to leave through it.
    pub tx_queue_len: u32,
    /// The kind that the kernel names: `bridge`, `veth`.
    pub kind: Option<String>,
    /// The bridge that it is a port of.
    pub master: Option<u32>,
    /// The free text that administrators see with `ip link`.
    pub alias: Option<String>,
    /// True if frames pass: it is up, has a carrier, and the kernel has taken note of both.
    pub is_operational: bool,
    /// True if it is a bridge that keeps VLANs apart.
    pub filters_vlans: bool,
    /// The VLAN that a bridge puts new ports into.
    pub default_vlan: Option<u16>,
    /// The index of the other end of a pair of veths, or of the link below a macvlan, in the namespace where that is.
    pub peer: Option<u32>,
    /// The number by which this namespace knows the one where `peer` is ([`Handle::netns_id`]); `None` when that is
    /// this one.
    pub netns_id: Option<i32>,
    /// Which others a macvlan reaches.
    pub macvlan_mode: Option<MacvlanMode>,
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

impl Link {
    /// A link of which nothing else is known.
    pub fn new(index: u32, name: impl Into<String>) -> Self {
        Self { index, name: name.into(), ..Self::default() }
    }

    /// Returns true if the link has this hardware address, whatever the case of its letters.
    pub fn has_mac(&self, mac: &str) -> bool {
        self.mac.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(mac))
    }
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
        Self::new(format!("delete link `{name}`"), message, 0).fine_with(&[Errno::ENODEV as i32])
    }
}

impl Handle {
    /// A link by name; `None` when there is none.
    pub fn link(&mut self, name: &str) -> Result<Option<Link>, LinkError> {
        let [answers] = self.ask([Request::get_link(name).fine_with(&[Errno::ENODEV as i32])])?;
        Ok(answers.into_link())
    }

    /// A link by its number; `None` when there is none.
    pub fn link_at(&mut self, index: u32) -> Result<Option<Link>, LinkError> {
        let get = Request::new(format!("find link number {index}"), RouteNetlinkMessage::GetLink(indexed(index)), 0);
        let [answer] = self.ask([get.fine_with(&[Errno::ENODEV as i32])])?;
        Ok(answer.into_link())
    }

    /// All links.
    pub fn links(&mut self) -> Result<Vec<Link>, LinkError> {
        let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
        self.list("list the links", request, |links: &mut Vec<_>, item| links.extend(Link::of(item)))
    }
}

impl Link {
    pub(super) fn of(answer: Message) -> Option<Self> {
        let Message::Link(message) = answer else { return None };
        let mut link = Self {
            index: message.header.index,
            is_up: message.header.flags.contains(LinkFlags::Up),
            is_promiscuous: message.header.flags.contains(LinkFlags::Promisc),
            is_all_multicast: message.header.flags.contains(LinkFlags::Allmulti),
            ..Self::default()
        };
        attribute::each(&message.attributes).for_each(|(kind, value)| link.read(kind, value));
        Some(link)
    }

    fn read(&mut self, kind: u16, value: &[u8]) {
        const ADDRESS: u16 = 1;
        const NAME: u16 = 3;
        const MTU: u16 = 4;
        const LINK: u16 = 5;
        const MASTER: u16 = 10;
        const QUEUE: u16 = 13;
        const STATE: u16 = 16;
        const INFO: u16 = 18;
        const ALIAS: u16 = 20;
        const PROMISCUITY: u16 = 30;
        const LINK_NETNS: u16 = 37;
        const UP: u8 = 6;
        match kind {
            ADDRESS => self.mac = (!value.is_empty()).then(|| format_mac(value)),
            NAME => self.name = attribute::text(value).unwrap_or_default(),
            MTU => self.mtu = attribute::number(value).unwrap_or_default(),
            LINK => self.peer = attribute::number(value),
            QUEUE => self.tx_queue_len = attribute::number(value).unwrap_or_default(),
            MASTER => self.master = attribute::number(value),
            STATE => self.is_operational = value == [UP],
            INFO => self.read_info(value),
            ALIAS => self.alias = attribute::text(value),
            LINK_NETNS => self.netns_id = attribute::number(value).map(u32::cast_signed),
            PROMISCUITY => self.is_promiscuous |= attribute::number(value).is_some_and(|count| count > 0),
            _ => {}
        }
    }

    fn read_info(&mut self, info: &[u8]) {
        const KIND: u16 = 1;
        const DATA: u16 = 2;
        const VLAN_FILTERING: u16 = 7;
        const DEFAULT_VLAN: u16 = 39;
        const MACVLAN_MODE: u16 = 1;
        self.kind = attribute::first(info, KIND).and_then(attribute::text);
        if self.kind.as_deref() == Some("macvlan") {
            let mode = attribute::nested(info, &[DATA, MACVLAN_MODE]).and_then(attribute::number);
            self.macvlan_mode = mode.and_then(MacvlanMode::of);
        }
        if self.kind.as_deref() == Some("bridge") {
            self.filters_vlans = attribute::nested(info, &[DATA, VLAN_FILTERING]).is_some_and(|filters| filters != [0]);
            let vlan = attribute::nested(info, &[DATA, DEFAULT_VLAN]).and_then(|vlan| vlan.try_into().ok());
            self.default_vlan = vlan.map(u16::from_ne_bytes).filter(|vlan| *vlan > 0);
        }
    }
}

fn format_mac(mac: &[u8]) -> String {
    let parts: Vec<_> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    parts.join(":")
}

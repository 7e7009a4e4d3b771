//! Bridges and their ports.

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoBridge, InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoPortKind, LinkAttribute, LinkInfo,
};

use super::Request;
use super::device::{indexed, named, up};
use crate::setters::setters;

/// A bridge to make.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Bridge<'a> {
    /// The name of the interface.
    pub name: &'a str,
    /// The hardware address, which the bridge keeps from its first moment. With `None` it changes with those of its
    /// ports, until [`Request::set_mac`].
    pub mac: Option<[u8; 6]>,
    /// The MTU, in bytes; the kernel's choice when `None`.
    pub mtu: Option<u32>,
    /// VLANs are kept apart.
    pub filters_vlans: bool,
}

impl<'a> Bridge<'a> {
    /// A bridge with the kernel's choice of address and MTU, which does not keep VLANs apart.
    pub fn new(name: &'a str) -> Self {
        Self { name, mac: None, mtu: None, filters_vlans: false }
    }
}

setters! {
    Bridge<'a> {
        mac: some [u8; 6],
        mtu: Option<u32>,
        filters_vlans: bool,
    }
}

/// Settings of a bridge's port.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Port {
    /// Lets frames leave by the port that they came in.
    pub hairpin: bool,
    /// Keeps the port from talking to other isolated ports.
    pub isolated: bool,
}

setters! {
    Port {
        hairpin: bool,
        isolated: bool,
    }
}

impl Request {
    /// Makes a bridge that is up. With a hardware address of its own, it has no carrier until it has a port that is
    /// up.
    pub fn add_bridge(bridge: &Bridge<'_>) -> Self {
        let mut message = up(named(bridge.name));
        message.attributes.extend(bridge.mac.map(|mac| LinkAttribute::Address(mac.to_vec())));
        message.attributes.extend(bridge.mtu.map(LinkAttribute::Mtu));
        let filtering = bridge.filters_vlans.then_some(InfoBridge::VlanFiltering(true));
        let data = LinkInfo::Data(InfoData::Bridge(filtering.into_iter().collect()));
        message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge), data]));
        let doing = format!("add bridge `{}`", bridge.name);
        Self::new(doing, RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Makes an existing bridge keep VLANs apart.
    pub fn filter_vlans(bridge: &str) -> Self {
        Self::change_bridge(format!("filter VLANs on bridge `{bridge}`"), bridge, InfoBridge::VlanFiltering(true))
    }

    fn change_bridge(doing: String, bridge: &str, setting: InfoBridge) -> Self {
        let mut message = named(bridge);
        let data = LinkInfo::Data(InfoData::Bridge(vec![setting]));
        message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge), data]));
        Self::new(doing, RouteNetlinkMessage::NewLink(message), 0)
    }

    /// Makes a link a port of a bridge.
    pub fn set_master(index: u32, bridge: u32) -> Self {
        let mut message = indexed(index);
        message.attributes.push(LinkAttribute::Controller(bridge));
        Self::new("make the link a port of the bridge", RouteNetlinkMessage::SetLink(message), 0)
    }

    /// Sets up the port of a bridge.
    pub fn set_port(name: &str, port: Port) -> Self {
        let mut message = named(name);
        let data = vec![InfoBridgePort::HairpinMode(port.hairpin), InfoBridgePort::Isolated(port.isolated)];
        message.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::PortKind(InfoPortKind::Bridge),
            LinkInfo::PortData(InfoPortData::BridgePort(data)),
        ]));
        Self::new(format!("set up bridge port `{name}`"), RouteNetlinkMessage::NewLink(message), 0)
    }
}

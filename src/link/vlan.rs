//! VLANs of a bridge's ports.

use std::ops::RangeInclusive;

use netlink_packet_route::link::{AfSpecBridge, BridgeVlanInfo, BridgeVlanInfoFlags, LinkAttribute};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Request;
use super::device::indexed;

impl Request {
    /// Makes frames without tag on a port belong to a VLAN.
    pub fn set_port_vlan(index: u32, vlan: u16) -> Self {
        let flags = BridgeVlanInfoFlags::Pvid | BridgeVlanInfoFlags::Untagged;
        let message = RouteNetlinkMessage::SetLink(port(index, [BridgeVlanInfo { flags, vid: vlan }]));
        Self::new(format!("put a bridge port into VLAN {vlan}"), message, 0)
    }

    /// Lets frames through a port that have tags of some VLANs.
    pub fn add_port_vlans(index: u32, vlans: &RangeInclusive<u16>) -> Self {
        let (first, last) = (*vlans.start(), *vlans.end());
        let info = |vid, flags| BridgeVlanInfo { flags, vid };
        let message = if first == last {
            port(index, [info(first, BridgeVlanInfoFlags::empty())])
        } else {
            let ends = [(first, BridgeVlanInfoFlags::RangeBegin), (last, BridgeVlanInfoFlags::RangeEnd)];
            port(index, ends.map(|(vid, flags)| info(vid, flags)))
        };
        let doing = format!("let VLANs {first} to {last} through a bridge port");
        Self::new(doing, RouteNetlinkMessage::SetLink(message), 0)
    }

    /// Takes a port out of a VLAN.
    pub fn remove_port_vlan(index: u32, vlan: u16) -> Self {
        let info = BridgeVlanInfo { flags: BridgeVlanInfoFlags::empty(), vid: vlan };
        let message = RouteNetlinkMessage::DelLink(port(index, [info]));
        Self::new(format!("take a bridge port out of VLAN {vlan}"), message, 0)
    }
}

fn port(index: u32, vlans: impl IntoIterator<Item = BridgeVlanInfo>) -> netlink_packet_route::link::LinkMessage {
    let mut message = indexed(index);
    message.header.interface_family = AddressFamily::Bridge;
    let vlans = vlans.into_iter().map(AfSpecBridge::VlanInfo).collect();
    message.attributes.push(LinkAttribute::AfSpecBridge(vlans));
    message
}

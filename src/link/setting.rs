//! Settings of existing links.

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkFlags};

use super::Request;
use super::device::indexed;

/// The wanted state of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl From<bool> for Switch {
    fn from(is_on: bool) -> Self {
        if is_on { Self::On } else { Self::Off }
    }
}

impl Request {
    /// Has a link take frames for any hardware address, or not.
    pub fn set_promiscuous(index: u32, switch: Switch) -> Self {
        Self::set_flag("set promiscuous mode of the link", index, LinkFlags::Promisc, switch)
    }

    /// Has a link take frames for all groups, or not.
    pub fn set_all_multicast(index: u32, switch: Switch) -> Self {
        Self::set_flag("set all-multicast mode of the link", index, LinkFlags::Allmulti, switch)
    }

    fn set_flag(doing: &str, index: u32, flag: LinkFlags, switch: Switch) -> Self {
        let mut message = indexed(index);
        message.header.change_mask |= flag;
        if switch == Switch::On {
            message.header.flags |= flag;
        }
        Self::new(doing, RouteNetlinkMessage::SetLink(message), 0)
    }

    /// Sets the largest packet of a link, in bytes.
    pub fn set_mtu(index: u32, mtu: u32) -> Self {
        let mut message = indexed(index);
        message.attributes.push(LinkAttribute::Mtu(mtu));
        Self::new(format!("set the MTU of the link to {mtu}"), RouteNetlinkMessage::SetLink(message), 0)
    }

    /// Sets how many packets may wait to leave through a link.
    pub fn set_tx_queue_len(index: u32, length: u32) -> Self {
        let mut message = indexed(index);
        message.attributes.push(LinkAttribute::TxQueueLen(length));
        let doing = format!("set the length of the link's transmit queue to {length}");
        Self::new(doing, RouteNetlinkMessage::SetLink(message), 0)
    }
}

//! `route_localnet`: what a link does with packets from and to the host's loopback addresses (127.0.0.0/8).

use netlink_packet_core::{DefaultNla, Emitable};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{AfSpecInet, AfSpecUnspec, LinkAttribute, LinkFlags, LinkMessage};

use super::device::indexed;
use super::message::Message;
use super::{Handle, LinkError, Request, attribute};

const CONFIGURATION: u16 = 1;
const ROUTE_LOCALNET: u16 = 26;

impl Request {
    /// Sets `route_localnet` of a link: with 0 it drops packets from and to the host's loopback addresses, with any
    /// other number it lets them through.
    pub fn set_route_localnet(index: u32, value: u32) -> Self {
        const NESTED: u16 = 1 << 15;
        // As the netlink crate has settings, those that are 0 are not sent.
        let setting = DefaultNla::new(ROUTE_LOCALNET, value.to_ne_bytes().to_vec());
        let mut settings = vec![0; setting.buffer_len()];
        setting.emit(&mut settings);
        let inet = AfSpecInet::Other(DefaultNla::new(CONFIGURATION | NESTED, settings));
        let mut message = indexed(index);
        message.attributes.push(LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet(vec![inet])]));
        Self::new("set route_localnet of the link", RouteNetlinkMessage::SetLink(message), 0)
    }
}

/// The setting `route_localnet` of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteLocalnet {
    /// The index of the link.
    pub link: u32,
    /// The value: 0 if the link does not lead to 127.0.0.0/8.
    pub value: u32,
}

impl Handle {
    /// Returns what `route_localnet` of a link is set to; `None` when there is no such link.
    ///
    /// # Errors
    /// The kernel could not be asked.
    pub fn route_localnet(&mut self, index: u32) -> Result<Option<u32>, LinkError> {
        let request = Request::new("find the link", RouteNetlinkMessage::GetLink(indexed(index)), 0);
        let [answer] = self.ask([request.fine_with(&[nix::errno::Errno::ENODEV as i32])])?;
        Ok(answer.messages.into_iter().find_map(setting).map(|setting| setting.value))
    }

    /// Returns the settings of the links whose `route_localnet` is not 0. The loopback link is none of them.
    ///
    /// # Errors
    /// The kernel could not be asked.
    pub fn links_that_route_localnet(&mut self) -> Result<Vec<RouteLocalnet>, LinkError> {
        let all = RouteNetlinkMessage::GetLink(LinkMessage::default());
        self.list("list the links", all, |open: &mut Vec<_>, answer| {
            open.extend(setting(answer).filter(|setting| setting.value != 0));
        })
    }
}

fn setting(answer: Message) -> Option<RouteLocalnet> {
    const FAMILIES: u16 = 26;
    const IPV4: u16 = 2;
    let Message::Link(link) = answer else { return None };
    let settings = attribute::nested(&link.attributes, &[FAMILIES, IPV4, CONFIGURATION])?;
    // The first setting has number 1.
    let value = settings.chunks_exact(4).nth(usize::from(ROUTE_LOCALNET) - 1).and_then(attribute::number);
    let is_loopback = link.header.flags.contains(LinkFlags::Loopback);
    value.filter(|_| !is_loopback).map(|value| RouteLocalnet { link: link.header.index, value })
}

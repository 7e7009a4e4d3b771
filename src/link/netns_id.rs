//! The numbers by which a network namespace knows others.

use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};

use super::message::Message;
use super::{Handle, LinkError, Request, attribute};

/// The number of a namespace that has none.
const NOT_ASSIGNED: u32 = u32::MAX;

impl Handle {
    /// Returns the number by which this namespace knows another one, which is the `netns_id` of links whose peers are
    /// there; `None` when it has none yet. The kernel gives it out when somebody first looks at such a link.
    ///
    /// The number of a [`Link`](super::Link) says for certain in which namespace its peer is. The index of the peer
    /// does not: each namespace has its own, and whoever is root in one chooses them.
    ///
    /// # Errors
    /// The kernel could not be asked, or `netns` is no network namespace.
    pub fn netns_id(&mut self, netns: BorrowedFd<'_>) -> Result<Option<i32>, LinkError> {
        let mut wanted = NsidMessage::default();
        wanted.attributes.push(NsidAttribute::Fd(netns.as_raw_fd().cast_unsigned()));
        let get = Request::new("find the number of a namespace", RouteNetlinkMessage::GetNsId(wanted), 0);
        let [answer] = self.ask([get])?;
        Ok(answer.messages.iter().find_map(number))
    }
}

fn number(answer: &Message) -> Option<i32> {
    const NUMBER: u16 = 1;
    let Message::NetnsId(attributes) = answer else { return None };
    let number = attribute::first(attributes, NUMBER).and_then(attribute::number);
    number.filter(|number| *number != NOT_ASSIGNED).map(u32::cast_signed)
}

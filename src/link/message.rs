//! The kernel's messages about what there is, as far as anything here reads them.

use netlink_packet_core::{DecodeError, NetlinkDeserializable, NetlinkHeader, Parseable};
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkHeader;
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::tc::TcHeader;

/// A message about one thing. The netlink crate's own type is for all kinds of them, and brings their readers along.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Link(Thing<LinkHeader>),
    Address(AddressMessage),
    Route(RouteMessage),
    Qdisc(Thing<TcHeader>),
    Filter(Thing<TcHeader>),
    /// The attributes of a namespace's number.
    NetnsId(Vec<u8>),
    /// Something that nobody here asks for.
    Other,
}

/// A thing with its [attributes](super::attribute).
#[derive(Clone, Debug)]
pub(super) struct Thing<H> {
    pub(super) header: H,
    pub(super) attributes: Vec<u8>,
}

impl<H> Thing<H> {
    fn of(header: H, payload: &[u8], length: usize) -> Self {
        Self { header, attributes: payload.get(length..).unwrap_or_default().to_vec() }
    }
}

impl NetlinkDeserializable for Message {
    type Error = DecodeError;

    fn deserialize(header: &NetlinkHeader, payload: &[u8]) -> Result<Self, DecodeError> {
        const LINK: u16 = 16;
        const LINK_HEADER: usize = 16;
        const ADDRESS: u16 = 20;
        const ROUTE: u16 = 24;
        const QDISC: u16 = 36;
        const FILTER: u16 = 44;
        const TRAFFIC_HEADER: usize = 20;
        const NETNS_ID: u16 = 88;
        const NETNS_ID_HEADER: usize = 4;
        let traffic = || Ok::<_, DecodeError>(Thing::of(TcHeader::parse(payload)?, payload, TRAFFIC_HEADER));
        Ok(match header.message_type {
            LINK => Self::Link(Thing::of(LinkHeader::parse(payload)?, payload, LINK_HEADER)),
            ADDRESS => Self::Address(AddressMessage::parse(payload)?),
            ROUTE => Self::Route(RouteMessage::parse(payload)?),
            QDISC => Self::Qdisc(traffic()?),
            FILTER => Self::Filter(traffic()?),
            NETNS_ID => Self::NetnsId(payload.get(NETNS_ID_HEADER..).unwrap_or_default().to_vec()),
            _ => Self::Other,
        })
    }
}

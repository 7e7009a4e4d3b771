//! A request to the kernel, and its answer.

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage};
use netlink_packet_route::RouteNetlinkMessage;

use super::Link;
use super::message::Message;

/// The kernel's answer to a [`Request`].
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub(super) messages: Vec<Message>,
}

impl Answer {
    /// Returns the link that was asked for with [`Request::get_link`].
    pub fn into_link(self) -> Option<Link> {
        self.messages.into_iter().find_map(Link::of)
    }
}

/// A request to the kernel, with its name in errors.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) doing: String,
    /// The message, but for its place among those that are sent.
    bytes: Vec<u8>,
    /// Errors that mean that things are as wanted.
    pub(super) fine: &'static [i32],
}

impl Request {
    pub(super) fn new(doing: impl Into<String>, message: RouteNetlinkMessage, flags: u16) -> Self {
        Self { doing: doing.into(), bytes: bytes(message, flags | NLM_F_ACK), fine: &[] }
    }

    pub(super) fn dump(doing: impl Into<String>, message: RouteNetlinkMessage) -> Self {
        Self { doing: doing.into(), bytes: bytes(message, NLM_F_DUMP), fine: &[] }
    }

    /// The same request, for which these errors count as success: numbers as in
    /// [`io::Error::raw_os_error`](std::io::Error::raw_os_error), such as 17 where the thing is there already.
    pub fn fine_with(self, fine: &'static [i32]) -> Self {
        Self { fine, ..self }
    }

    pub(super) fn bytes(mut self, sequence: u32) -> Vec<u8> {
        const SEQUENCE: std::ops::Range<usize> = 8..12;
        self.bytes[SEQUENCE].copy_from_slice(&sequence.to_ne_bytes());
        self.bytes
    }
}

fn bytes(message: RouteNetlinkMessage, flags: u16) -> Vec<u8> {
    let mut message = NetlinkMessage::from(message);
    message.header.flags = flags | NLM_F_REQUEST;
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

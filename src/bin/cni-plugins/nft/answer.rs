//! Answers of the kernel: datagrams of netlink messages.

use netlink_packet_core::{DecodeError, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer};

/// One message.
#[derive(Debug)]
pub(super) struct Answer {
    /// The number of the request that it answers.
    pub(super) sequence: u32,
    /// True if the list that it is of changed while it was read.
    pub(super) is_interrupted: bool,
    pub(super) content: Content,
}

/// The content of a message.
#[derive(Debug)]
pub(super) enum Content {
    /// An object, as its attributes.
    Object(Vec<u8>),
    /// The end of a request, with the negative number of an error or 0.
    End(i32),
}

const HEADER: usize = 16;
const NETFILTER_HEADER: usize = 4;
const NLM_F_DUMP_INTR: u16 = 0x10;

/// The messages of a datagram.
pub(super) fn read(mut datagram: &[u8]) -> Result<Vec<Answer>, DecodeError> {
    let mut answers = Vec::new();
    while !datagram.is_empty() {
        let message = NetlinkBuffer::new_checked(datagram)?;
        let body = datagram.get(HEADER..message.length() as usize).unwrap_or_default();
        let content = match message.message_type() {
            NLMSG_ERROR | NLMSG_DONE => Content::End(body.first_chunk().map_or(0, |code| i32::from_ne_bytes(*code))),
            _ => Content::Object(body.get(NETFILTER_HEADER..).unwrap_or_default().to_vec()),
        };
        let is_interrupted = message.flags() & NLM_F_DUMP_INTR != 0;
        answers.push(Answer { sequence: message.sequence_number(), is_interrupted, content });
        datagram = datagram.get((message.length() as usize).next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(answers)
}

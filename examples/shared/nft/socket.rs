//! A netfilter socket: dumps, single requests and batches.

use std::io;

use netlink_packet_core::{
    DecodeError, DefaultNla, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkBuffer, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_netfilter::nftables::{GenAttribute, GenMessage, NfTablesMessage};
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily};
use netlink_sys::protocols::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;

use super::message::Request;

/// What went wrong between us and nf_tables.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The socket does not work.
    #[error("cannot {doing} a netfilter socket")]
    Socket { doing: &'static str, source: io::Error },
    /// The kernel said no.
    #[error("cannot {doing}")]
    Refused { doing: String, source: Errno },
    /// What the kernel said is not understood.
    #[error("cannot understand the kernel's answer to: {doing}")]
    Answer { doing: String, source: DecodeError },
}

impl Error {
    /// The kernel's reason.
    pub(crate) fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused { source, .. } => Some(*source),
            Self::Socket { .. } | Self::Answer { .. } => None,
        }
    }
}

/// A generation of the rules of the network namespace: every change of anybody makes a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(u32);

/// The socket.
pub(crate) struct Connection {
    socket: Socket,
    sequence: u32,
}

type Message = NetlinkMessage<NetfilterMessage>;

/// Larger than any datagram that the kernel sends on its own.
const DATAGRAM: usize = 1 << 16;
const BATCH_BEGIN: u8 = 16;
const BATCH_GENERATION: u16 = 1;
const SUBSYSTEM: u16 = 10;

impl Connection {
    pub(crate) fn open() -> Result<Self, Error> {
        let socket = Socket::new(NETLINK_NETFILTER).map_err(|source| Error::Socket { doing: "open", source })?;
        Ok(Self { socket, sequence: 0 })
    }

    /// The generation that the rules are in.
    pub(super) fn generation(&mut self) -> Result<Generation, Error> {
        let doing = "read the generation of the rules";
        let message = NfTablesMessage::GetGen(GenMessage { attributes: Vec::new() });
        self.send(vec![(nf_tables(message), NLM_F_REQUEST)])?;
        let found = self.receive(doing)?.into_iter().find_map(|message| generation_in(&message));
        found.ok_or(Error::Refused { doing: doing.to_owned(), source: Errno::ENODATA })
    }

    /// All objects that a request asks for; `ENOENT` when there is no such table or map.
    pub(crate) fn dump(&mut self, doing: &str, request: NetfilterMessage) -> Result<Vec<NetfilterMessageInner>, Error> {
        self.send(vec![(request, NLM_F_REQUEST | NLM_F_DUMP)])?;
        let mut listed = Vec::new();
        loop {
            for message in self.receive(doing)? {
                match message.payload {
                    NetlinkPayload::InnerMessage(message) => listed.push(message.inner),
                    NetlinkPayload::Error(error) => refused(doing, error.raw_code())?,
                    NetlinkPayload::Done(_) => return Ok(listed),
                    _ => {}
                }
            }
        }
    }

    /// Asks for one thing to be done.
    pub(crate) fn request(&mut self, doing: &str, request: NetfilterMessage) -> Result<(), Error> {
        self.send(vec![(request, NLM_F_REQUEST | NLM_F_ACK)])?;
        let answered = self.receive(doing)?.into_iter().find_map(|message| match message.payload {
            NetlinkPayload::Error(error) => Some(error.raw_code()),
            _ => None,
        });
        refused(doing, answered.unwrap_or_default())
    }

    /// Makes all changes at once or none of them. `ERESTART` when the rules are in another generation by now.
    pub(super) fn commit(&mut self, requests: &[Request], generation: Generation) -> Result<(), Error> {
        self.batch(requests, Some(generation), true)
    }

    /// Asks whether the kernel would make the changes, and makes none.
    pub(super) fn rehearse(&mut self, requests: &[Request]) -> Result<(), Error> {
        self.batch(requests, None, false)
    }

    fn batch(&mut self, requests: &[Request], generation: Option<Generation>, commit: bool) -> Result<(), Error> {
        let Some((last, others)) = requests.split_last() else { return Ok(()) };
        let mut messages = vec![(begin(generation), NLM_F_REQUEST)];
        messages.extend(others.iter().map(|r| (nf_tables(r.message.clone()), NLM_F_REQUEST | r.flags)));
        // The kernel reports errors in order, so with the answer to the last one there are no more.
        messages.push((nf_tables(last.message.clone()), NLM_F_REQUEST | NLM_F_ACK | last.flags));
        if commit {
            messages.push((control(ControlMessage::BatchEnd), NLM_F_REQUEST));
        }
        let begun = self.sequence + 1;
        self.send(messages)?;
        self.outcome(requests, begun)
    }

    /// Reads the kernel's answers to a batch; the first error counts, what follows comes from it.
    fn outcome(&mut self, requests: &[Request], begun: u32) -> Result<(), Error> {
        let mut outcome = Ok(());
        loop {
            for message in self.receive("change the rules")? {
                let NetlinkPayload::Error(error) = message.payload else { continue };
                let place = message.header.sequence_number.wrapping_sub(begun) as usize;
                let request = place.checked_sub(1).and_then(|index| requests.get(index));
                let doing = request.map_or("change the rules", |request| &request.doing);
                outcome = outcome.and(refused(doing, error.raw_code()));
                // An error of the batch as a whole may be the only one.
                if place == requests.len() || (place == 0 && outcome.is_err()) {
                    return outcome;
                }
            }
        }
    }

    fn send(&mut self, messages: Vec<(NetfilterMessage, u16)>) -> Result<(), Error> {
        let mut bytes = Vec::new();
        for (message, flags) in messages {
            self.sequence += 1;
            append(&mut bytes, message, flags, self.sequence);
        }
        let sent = self.socket.send_to(&bytes, &SocketAddr::new(0, 0), 0);
        sent.map(drop).map_err(|source| Error::Socket { doing: "write to", source })
    }

    /// One datagram, which has any number of messages.
    fn receive(&mut self, doing: &str) -> Result<Vec<Message>, Error> {
        let mut bytes = Vec::with_capacity(DATAGRAM);
        self.socket.recv(&mut bytes, 0).map_err(|source| Error::Socket { doing: "read from", source })?;
        let answer = |source| Error::Answer { doing: doing.to_owned(), source };
        let mut messages = Vec::new();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let length = NetlinkBuffer::new_checked(rest).map_err(answer)?.length() as usize;
            messages.push(Message::deserialize(rest).map_err(answer)?);
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        Ok(messages)
    }
}

fn begin(generation: Option<Generation>) -> NetfilterMessage {
    let attribute = |Generation(id)| DefaultNla::new(BATCH_GENERATION, id.to_be_bytes().to_vec());
    let attributes = generation.map(attribute).into_iter().collect();
    control(ControlMessage::Other { message_type: BATCH_BEGIN, attributes })
}

fn control(message: ControlMessage) -> NetfilterMessage {
    NetfilterMessage::new(NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, SUBSYSTEM), message)
}

pub(super) fn nf_tables(message: NfTablesMessage) -> NetfilterMessage {
    NetfilterMessage::new(NetfilterHeader::new(NetfilterProtoFamily::Inet, 0, 0), message)
}

fn append(bytes: &mut Vec<u8>, message: NetfilterMessage, flags: u16, sequence: u32) {
    let mut message = Message::from(message);
    message.header.flags = flags;
    message.header.sequence_number = sequence;
    message.finalize();
    let start = bytes.len();
    bytes.resize(start + message.buffer_len(), 0);
    message.serialize(&mut bytes[start..]);
}

fn refused(doing: &str, code: i32) -> Result<(), Error> {
    match code {
        0 => Ok(()),
        code => Err(Error::Refused { doing: doing.to_owned(), source: Errno::from_raw(code.abs()) }),
    }
}

fn generation_in(message: &Message) -> Option<Generation> {
    let NetlinkPayload::InnerMessage(message) = &message.payload else { return None };
    let NetfilterMessageInner::NfTables(NfTablesMessage::NewGen(GenMessage { attributes })) = &message.inner else {
        return None;
    };
    attributes.iter().find_map(|attribute| match attribute {
        GenAttribute::Id(id) => Some(Generation(*id)),
        _ => None,
    })
}

//! A netfilter socket: dumps, single requests and batches.

use std::io;
use std::os::fd::AsFd;

use netlink_packet_core::{DecodeError, DefaultNla, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage};
use netlink_packet_netfilter::nftables::{GenMessage, NfTablesMessage};
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterProtoFamily};
use netlink_sys::protocols::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{SndBuf, SndBufForce};

use super::answer::{self, Answer, Content};
use super::attribute;
use super::message::Request;
use super::owned::Layout;

/// What went wrong between us and netfilter.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The socket does not work.
    #[error("cannot {doing} a netfilter socket")]
    Socket { doing: &'static str, source: io::Error },
    /// The kernel has no nf_tables, or its module can't be loaded.
    #[error("the kernel has no nf_tables")]
    Unavailable { source: Errno },
    /// The kernel said no.
    #[error("cannot {doing}")]
    Refused { doing: String, source: Errno },
    /// The kernel said something that is no netlink message.
    #[error("cannot understand the kernel's answer to: {doing}")]
    Answer { doing: String, source: DecodeError },
}

impl Error {
    /// The kernel's reason.
    pub(crate) fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused { source, .. } => Some(*source),
            Self::Socket { .. } | Self::Unavailable { .. } | Self::Answer { .. } => None,
        }
    }

    /// Whether rules changed while we were at it, and the same may work now.
    pub(super) fn is_interruption(&self) -> bool {
        matches!(self.errno(), Some(Errno::ERESTART | Errno::EINTR))
    }
}

/// A generation of the rules of the network namespace: every change of anybody makes a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(u32);

/// The socket.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: Socket,
    sequence: u32,
}

/// Larger than any datagram that the kernel sends on its own.
const DATAGRAM: usize = 1 << 16;
/// The least that a socket may send at once, unless an administrator wants less.
const ALWAYS_FITS: usize = 1 << 16;
const BATCH_BEGIN: u8 = 16;
const BATCH_GENERATION: u16 = 1;
const GENERATION_ID: u16 = 1;
const NF_TABLES: u16 = 10;

impl Connection {
    pub(crate) fn open() -> Result<Self, Error> {
        match Socket::new(NETLINK_NETFILTER) {
            Ok(socket) => Ok(Self { socket, sequence: 0 }),
            Err(error) if error.raw_os_error() == Some(Errno::EPROTONOSUPPORT as i32) => {
                Err(Error::Unavailable { source: Errno::EPROTONOSUPPORT })
            }
            Err(source) => Err(Error::Socket { doing: "open", source }),
        }
    }

    /// The generation that the rules are in.
    pub(super) fn generation(&mut self) -> Result<Generation, Error> {
        let doing = "read the generation of the rules";
        let message = NfTablesMessage::GetGen(GenMessage { attributes: Vec::new() });
        // Acknowledged, so that there is an end.
        self.send(vec![(nf_tables(NetfilterProtoFamily::Unspec, message), NLM_F_REQUEST | NLM_F_ACK)])?;
        let answers = self.answers(doing).map_err(or_unavailable)?;
        let id = answers.iter().find_map(|attributes| attribute::first(attributes, GENERATION_ID)?.try_into().ok());
        let missing = || Error::Refused { doing: doing.to_owned(), source: Errno::ENODATA };
        id.map(|id| Generation(u32::from_be_bytes(id))).ok_or_else(missing)
    }

    /// The attributes of all objects that a request asks for; `ENOENT` when there is no such table or map, `EINTR`
    /// when they changed meanwhile.
    pub(crate) fn dump(&mut self, doing: &str, request: NetfilterMessage) -> Result<Vec<Vec<u8>>, Error> {
        self.send(vec![(request, NLM_F_REQUEST | NLM_F_DUMP)])?;
        self.answers(doing)
    }

    /// The same; `None` when there is no such table or map.
    pub(super) fn dump_if_there(
        &mut self,
        doing: &str,
        request: NetfilterMessage,
    ) -> Result<Option<Vec<Vec<u8>>>, Error> {
        match self.dump(doing, request) {
            Err(error) if error.errno() == Some(Errno::ENOENT) => Ok(None),
            listed => listed.map(Some),
        }
    }

    /// Asks for one thing to be done.
    pub(crate) fn request(&mut self, doing: &str, request: NetfilterMessage) -> Result<(), Error> {
        self.send(vec![(request, NLM_F_REQUEST | NLM_F_ACK)])?;
        self.answers(doing).map(drop)
    }

    /// The objects with which the kernel answers the last request, read to their end: what would be left in the socket
    /// would be taken for the answer to the next one.
    fn answers(&mut self, doing: &str) -> Result<Vec<Vec<u8>>, Error> {
        let (mut objects, mut is_interrupted) = (Vec::new(), false);
        loop {
            for answer in self.receive(doing)?.into_iter().filter(|answer| answer.sequence == self.sequence) {
                is_interrupted |= answer.is_interrupted;
                match answer.content {
                    Content::Object(attributes) => objects.push(attributes),
                    Content::End(0) if is_interrupted => {
                        return refused(doing, -(Errno::EINTR as i32)).map(|()| objects);
                    }
                    Content::End(code) => return refused(doing, code).map(|()| objects),
                }
            }
        }
    }

    /// Makes all changes at once or none of them. `ERESTART` when the rules are in another generation by now.
    pub(super) fn commit(
        &mut self,
        layout: &Layout,
        requests: &[Request],
        generation: Generation,
    ) -> Result<(), Error> {
        self.batch(layout.family, requests, Some(generation), true)
    }

    /// Asks whether the kernel would make the changes, and makes none.
    pub(super) fn rehearse(&mut self, layout: &Layout, requests: &[Request]) -> Result<(), Error> {
        self.generation()?;
        self.batch(layout.family, requests, None, false)
    }

    fn batch(
        &mut self,
        family: NetfilterProtoFamily,
        requests: &[Request],
        generation: Option<Generation>,
        commit: bool,
    ) -> Result<(), Error> {
        let Some((last, others)) = requests.split_last() else { return Ok(()) };
        let mut messages = vec![(begin(generation), NLM_F_REQUEST)];
        messages.extend(others.iter().map(|r| (nf_tables(family, r.message.clone()), NLM_F_REQUEST | r.flags)));
        // The kernel reports errors in order, so with the answer to the last one there are no more.
        messages.push((nf_tables(family, last.message.clone()), NLM_F_REQUEST | NLM_F_ACK | last.flags));
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
            for answer in self.receive("change the rules")? {
                let Content::End(code) = answer.content else { continue };
                let place = answer.sequence.wrapping_sub(begun) as usize;
                let request = place.checked_sub(1).and_then(|index| requests.get(index));
                let doing = request.map_or("change the rules", |request| &request.doing);
                outcome = outcome.and(refused(doing, code));
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
        self.make_room(bytes.len());
        let sent = self.socket.send_to(&bytes, &SocketAddr::new(0, 0), 0);
        sent.map(drop).map_err(|source| Error::Socket { doing: "write to", source })
    }

    /// A batch is one datagram however long it is. A kernel that does not give the room refuses the datagram.
    fn make_room(&self, length: usize) {
        let (socket, room) = (&self.socket.as_fd(), length + DATAGRAM);
        // Who is root in a user namespace only may not go beyond the limit for everybody.
        if length > ALWAYS_FITS && setsockopt(socket, SndBufForce, &room).is_err() {
            let _ = setsockopt(socket, SndBuf, &room);
        }
    }

    /// One datagram, which has any number of messages.
    fn receive(&mut self, doing: &str) -> Result<Vec<Answer>, Error> {
        let mut bytes = Vec::with_capacity(DATAGRAM);
        self.socket.recv(&mut bytes, 0).map_err(|source| Error::Socket { doing: "read from", source })?;
        answer::read(&bytes).map_err(|source| Error::Answer { doing: doing.to_owned(), source })
    }
}

fn begin(generation: Option<Generation>) -> NetfilterMessage {
    let attribute = |Generation(id)| DefaultNla::new(BATCH_GENERATION, u32::to_be_bytes(id).to_vec());
    let attributes = generation.map(attribute).into_iter().collect();
    control(ControlMessage::Other { message_type: BATCH_BEGIN, attributes })
}

fn control(message: ControlMessage) -> NetfilterMessage {
    NetfilterMessage::new(NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, NF_TABLES), message)
}

pub(super) fn nf_tables(family: NetfilterProtoFamily, message: NfTablesMessage) -> NetfilterMessage {
    NetfilterMessage::new(NetfilterHeader::new(family, 0, 0), message)
}

fn append(bytes: &mut Vec<u8>, message: NetfilterMessage, flags: u16, sequence: u32) {
    let mut message = NetlinkMessage::from(message);
    message.header.flags = flags;
    message.header.sequence_number = sequence;
    message.finalize();
    let start = bytes.len();
    bytes.resize(start + message.buffer_len(), 0);
    message.serialize(&mut bytes[start..]);
}

/// What the first request on a socket is refused with when nobody in the kernel takes it.
fn or_unavailable(error: Error) -> Error {
    match error.errno() {
        Some(source @ (Errno::EINVAL | Errno::EOPNOTSUPP)) => Error::Unavailable { source },
        _ => error,
    }
}

fn refused(doing: &str, code: i32) -> Result<(), Error> {
    match code {
        0 => Ok(()),
        code => Err(Error::Refused { doing: doing.to_owned(), source: Errno::from_raw(code.saturating_neg()) }),
    }
}

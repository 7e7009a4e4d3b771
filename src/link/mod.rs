//! Links, addresses and routes by netlink: requests that belong together go to the kernel in one message.

mod address;
mod device;
mod routes;
mod table;

use std::io;

use crate::netns::{NetnsError, run_in};
use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;

pub use self::device::{Link, Port, Veth};
pub use self::routes::network;
pub use self::table::TableRoute;

/// The kernel refused something, or could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing}")]
pub struct LinkError {
    doing: String,
    source: io::Error,
}

impl LinkError {
    fn new(doing: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self { doing: doing.into(), source: source.into() }
    }

    /// Whether the kernel refused with this error.
    pub fn is(&self, errno: Errno) -> bool {
        self.source.raw_os_error() == Some(errno as i32)
    }
}

/// One thing to ask of the kernel, and how to call it when it fails.
#[derive(Debug)]
pub struct Request {
    doing: String,
    message: RouteNetlinkMessage,
    flags: u16,
    /// Errors that mean that things are as wanted.
    fine: &'static [Errno],
}

impl Request {
    fn new(doing: impl Into<String>, message: RouteNetlinkMessage, flags: u16) -> Self {
        Self { doing: doing.into(), message, flags: flags | NLM_F_ACK, fine: &[] }
    }

    fn dump(doing: impl Into<String>, message: RouteNetlinkMessage) -> Self {
        Self { doing: doing.into(), message, flags: NLM_F_DUMP, fine: &[] }
    }

    /// The same request, for which these errors are none.
    pub fn fine_with(self, fine: &'static [Errno]) -> Self {
        Self { fine, ..self }
    }

    fn bytes(self, sequence: u32) -> Vec<u8> {
        let mut message = NetlinkMessage::from(self.message);
        message.header.flags = self.flags | NLM_F_REQUEST;
        message.header.sequence_number = sequence;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        bytes
    }
}

const DATAGRAM: usize = 1 << 16;

/// The routing part of one network namespace. Keeps to that namespace wherever it is used.
#[derive(Debug)]
pub struct Handle {
    socket: Socket,
    sequence: u32,
}

impl Handle {
    /// The namespace of this process.
    pub fn host() -> Result<Self, LinkError> {
        let open = || {
            let mut socket = Socket::new(NETLINK_ROUTE)?;
            socket.bind_auto()?;
            // An error need not carry the request back.
            socket.set_cap_ack(true)?;
            // Lists of what one link has are not lists of what all links have. Old kernels list all the same.
            let _ = socket.set_netlink_get_strict_chk(true);
            Ok(socket)
        };
        let socket = open().map_err(|e: io::Error| LinkError::new("open a netlink socket", e))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Another namespace.
    pub fn inside(netns: &std::path::Path) -> Result<Result<Self, LinkError>, NetnsError> {
        run_in(netns, Self::host)
    }

    /// Asks for several things in one message, in order, and returns what each answered. The first one that fails
    /// is the error; the kernel has tried the ones after it all the same.
    pub fn ask<const N: usize>(&mut self, requests: [Request; N]) -> Result<[Vec<RouteNetlinkMessage>; N], LinkError> {
        let answers = self.ask_all(requests.into())?;
        Ok(answers.try_into().expect("an answer for each request"))
    }

    /// See [`Handle::ask`].
    pub fn ask_all(&mut self, requests: Vec<Request>) -> Result<Vec<Vec<RouteNetlinkMessage>>, LinkError> {
        let first = self.sequence + 1;
        let expected: Vec<_> = requests.iter().map(|r| (r.doing.clone(), r.fine)).collect();
        let mut bytes = Vec::new();
        for request in requests {
            self.sequence += 1;
            bytes.extend(request.bytes(self.sequence));
        }
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        let sent = self.socket.send_to(&bytes, &SocketAddr::new(0, 0), 0);
        sent.map_err(|e| LinkError::new("send a netlink message", e))?;
        let mut replies = Replies {
            first,
            answers: vec![Vec::new(); expected.len()],
            open: expected.len(),
            ends: vec![None; expected.len()],
        };
        // Without looking first how long a datagram is, as the crate would: the kernel sends none that is longer.
        let mut datagram = Vec::with_capacity(DATAGRAM);
        while replies.open > 0 {
            datagram.clear();
            let received = self.socket.recv(&mut datagram, 0);
            received.map_err(|e| LinkError::new("receive a netlink message", e))?;
            replies.read(&datagram)?;
        }
        replies.into_answers(&expected)
    }
}

/// The answers to the requests of one message, as they come in.
struct Replies {
    first: u32,
    answers: Vec<Vec<RouteNetlinkMessage>>,
    open: usize,
    /// How each request ended: the error number, or 0.
    ends: Vec<Option<i32>>,
}

impl Replies {
    fn read(&mut self, mut packet: &[u8]) -> Result<(), LinkError> {
        let garbled =
            |e: netlink_packet_core::DecodeError| LinkError::new(format!("read a netlink answer: {e}"), Errno::EPROTO);
        while packet.len() >= 16 {
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(packet).map_err(garbled)?;
            let length = (message.header.length as usize).next_multiple_of(4);
            packet = packet.get(length..).unwrap_or_default();
            let Some(index) = message.header.sequence_number.checked_sub(self.first) else { continue };
            let index = index as usize;
            match message.payload {
                NetlinkPayload::InnerMessage(answer) if index < self.answers.len() => self.answers[index].push(answer),
                NetlinkPayload::Error(error) => self.end(index, error.code.map_or(0, |code| -code.get())),
                NetlinkPayload::Done(done) => self.end(index, -done.code),
                _ => {}
            }
        }
        Ok(())
    }

    fn end(&mut self, index: usize, errno: i32) {
        if let Some(end @ None) = self.ends.get_mut(index) {
            *end = Some(errno);
            self.open -= 1;
        }
    }

    fn into_answers(self, expected: &[(String, &'static [Errno])]) -> Result<Vec<Vec<RouteNetlinkMessage>>, LinkError> {
        for ((doing, fine), end) in expected.iter().zip(&self.ends) {
            let errno = Errno::from_raw(end.unwrap_or_default());
            if end.unwrap_or_default() != 0 && !fine.contains(&errno) {
                return Err(LinkError::new(doing, errno));
            }
        }
        Ok(self.answers)
    }
}

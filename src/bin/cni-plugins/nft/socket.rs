//! The netfilter socket: dumps, single requests and batches.

use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST};
use netlink_sys::protocols::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{ReceiveTimeout, SndBuf, SndBufForce};
use nix::sys::time::{TimeVal, TimeValLike};

use super::answer::{self, Answer, Content};
use super::attribute;
use super::error::{Error, if_there, or_unavailable, refused};
use super::message::Message;

/// A generation of the rules of the network namespace: every change of anybody makes a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(pub(super) u32);

/// The attributes of one thing, from the kernel.
pub(crate) type Object = Vec<u8>;

/// The socket.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: Socket,
    sequence: u32,
    /// How long the kernel may take for a part of an answer.
    patience: Duration,
}

/// The one connection of this process, to the host's namespace. A netfilter socket, anybody's, is not closed before the
/// kernel has freed all rules that it was told to delete: five to ten milliseconds for each.
static HOST: Mutex<Option<Connection>> = Mutex::new(None);

/// The connection for as long as nobody else may use it.
pub(crate) struct Guard(MutexGuard<'static, Option<Connection>>);

/// The connection of this process. Must be opened in the host's namespace.
pub(crate) fn connection() -> Result<Guard, Error> {
    let mut host = HOST.lock().unwrap_or_else(PoisonError::into_inner);
    if host.is_none() {
        *host = Some(Connection::open()?);
    }
    Ok(Guard(host))
}

impl Deref for Guard {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0.as_ref().expect("opened before")
    }
}

impl DerefMut for Guard {
    fn deref_mut(&mut self) -> &mut Connection {
        self.0.as_mut().expect("opened before")
    }
}

/// Larger than any datagram that the kernel sends on its own.
const DATAGRAM: usize = 1 << 16;
/// The least that a socket may send at once, unless an administrator wants less.
const ALWAYS_FITS: usize = 1 << 16;
/// How many questions are asked at once: their answers fit into what a socket may receive at once.
const QUESTIONS: usize = 64;
const GENERATION_ID: u16 = 1;
/// The kernel answers before it returns from the request: an answer that is not there then got lost.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same for a kernel that has not answered before: what was begun is to be undone, but the caller waits, too.
const AFTER_SILENCE: Duration = Duration::from_secs(1);

impl Connection {
    fn open() -> Result<Self, Error> {
        match Socket::new(NETLINK_NETFILTER) {
            Ok(socket) => {
                // An error need not carry the request back. Old kernels have it do so all the same.
                let _ = socket.set_cap_ack(true);
                let mut connection = Self { socket, sequence: 0, patience: PATIENCE };
                connection.wait_at_most(PATIENCE)?;
                Ok(connection)
            }
            Err(error) if error.raw_os_error() == Some(Errno::EPROTONOSUPPORT as i32) => {
                Err(Error::Unavailable { source: Errno::EPROTONOSUPPORT })
            }
            Err(source) => Err(Error::Socket { doing: "open", source }),
        }
    }

    fn wait_at_most(&mut self, patience: Duration) -> Result<(), Error> {
        self.patience = patience;
        let patience = TimeVal::microseconds(i64::try_from(patience.as_micros()).unwrap_or(i64::MAX));
        let set = setsockopt(&self.socket.as_fd(), ReceiveTimeout, &patience);
        set.map_err(|source| Error::Socket { doing: "set up", source: source.into() })
    }

    /// The generation that the rules are in.
    pub(crate) fn generation(&mut self) -> Result<Generation, Error> {
        let message = Message::get_generation();
        let answers = self.ask(&message).map_err(or_unavailable)?;
        let id = answers.iter().find_map(|attributes| attribute::first(attributes, GENERATION_ID)?.try_into().ok());
        let missing = || Error::Refused { doing: message.describe(), source: Errno::ENODATA };
        id.map(|id| Generation(u32::from_be_bytes(id))).ok_or_else(missing)
    }

    /// All objects that a request asks for; `ENOENT` when there is no such table or map, `EINTR` when they changed
    /// meanwhile.
    pub(crate) fn dump(&mut self, request: &Message) -> Result<Vec<Object>, Error> {
        let mut objects = Vec::new();
        self.dump_each(request, |object| objects.push(object.to_vec()))?;
        Ok(objects)
    }

    /// The same, one by one: there may be very many.
    pub(crate) fn dump_each(&mut self, request: &Message, mut read: impl FnMut(&[u8])) -> Result<(), Error> {
        let sequence = self.send([request], NLM_F_DUMP)?;
        let mut listing = Listing::default();
        while listing.end.is_none() {
            for answer in self.receive(request)?.into_iter().filter(|answer| answer.sequence == sequence) {
                listing.read(answer);
            }
            listing.objects.drain(..).for_each(|object| read(&object));
        }
        listing.into_answer(request).map(drop)
    }

    /// The objects; `None` when there is no such table or map.
    pub(crate) fn dump_if_there(&mut self, request: &Message) -> Result<Option<Vec<Object>>, Error> {
        if_there(self.dump(request))
    }

    /// Asks for one thing, or for one thing to be done.
    pub(crate) fn ask(&mut self, request: &Message) -> Result<Vec<Object>, Error> {
        let mut answers = self.ask_each(std::slice::from_ref(request))?;
        answers.pop().unwrap_or_else(|| Ok(Vec::new()))
    }

    /// Asks for several things at once, and returns the answer to each.
    pub(crate) fn ask_each(&mut self, requests: &[Message]) -> Result<Vec<Result<Vec<Object>, Error>>, Error> {
        let mut answers = Vec::with_capacity(requests.len());
        for requests in requests.chunks(QUESTIONS) {
            let requests: Vec<_> = requests.iter().collect();
            // Acknowledged, so that there is an end to each.
            let first = self.send(requests.iter().copied(), NLM_F_ACK)?;
            answers.extend(self.answers(first, &requests)?);
        }
        Ok(answers)
    }

    /// The kernel's answers to requests that were sent together, read to their end: what would be left in the socket
    /// would be in the way of the next one.
    fn answers(&mut self, first: u32, requests: &[&Message]) -> Result<Vec<Result<Vec<Object>, Error>>, Error> {
        let mut open: Vec<_> = requests.iter().map(|_| Listing::default()).collect();
        while open.iter().any(|listing| listing.end.is_none()) {
            for answer in self.receive(requests[0])? {
                let place = answer.sequence.wrapping_sub(first) as usize;
                if let Some(listing) = open.get_mut(place) {
                    listing.read(answer);
                }
            }
        }
        Ok(open.into_iter().zip(requests).map(|(listing, request)| listing.into_answer(request)).collect())
    }

    /// Sends requests in one datagram, and returns the number of the first.
    pub(super) fn send<'a>(
        &mut self,
        messages: impl IntoIterator<Item = &'a Message>,
        flags: u16,
    ) -> Result<u32, Error> {
        let first = self.sequence.wrapping_add(1);
        let mut bytes = Vec::new();
        for message in messages {
            self.sequence = self.sequence.wrapping_add(1);
            message.append_to(&mut bytes, NLM_F_REQUEST | flags, self.sequence);
        }
        self.make_room(bytes.len());
        let sent = self.socket.send_to(&bytes, &SocketAddr::new(0, 0), 0);
        sent.map_err(|source| Error::Socket { doing: "write to", source })?;
        Ok(first)
    }

    /// A batch is one datagram however long it is. A kernel that does not give the room refuses the datagram.
    fn make_room(&self, length: usize) {
        let (socket, room) = (&self.socket.as_fd(), length + DATAGRAM);
        // Who is root in a user namespace only may not go beyond the limit for everybody.
        if length > ALWAYS_FITS && setsockopt(socket, SndBufForce, &room).is_err() {
            let _ = setsockopt(socket, SndBuf, &room);
        }
    }

    /// Throws away what is left of answers. Until then the kernel drops all that it has to say, without a word.
    pub(super) fn drain(&mut self) -> Result<(), Error> {
        loop {
            let mut bytes = Vec::with_capacity(DATAGRAM);
            match self.socket.recv(&mut bytes, nix::libc::MSG_DONTWAIT) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS as i32) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                received => drop(received.map_err(|source| Error::Socket { doing: "read from", source })?),
            }
        }
    }

    /// One datagram, which has any number of messages.
    pub(super) fn receive(&mut self, request: &Message) -> Result<Vec<Answer>, Error> {
        let mut bytes = Vec::with_capacity(DATAGRAM);
        loop {
            match self.socket.recv(&mut bytes, 0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(self.silence(request)),
                // The process was stopped and goes on: a wait that has an end is not begun anew by the kernel.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(Error::Socket { doing: "read from", source }),
                Ok(_) => {
                    return answer::read(&bytes).map_err(|source| Error::Answer { doing: request.describe(), source });
                }
            }
        }
    }

    fn silence(&mut self, request: &Message) -> Error {
        let patience = self.patience;
        // If that can't be set, the first patience goes on.
        let _ = self.wait_at_most(patience.min(AFTER_SILENCE));
        Error::Silent { doing: request.describe(), patience }
    }
}

/// The part of the answer to a request that has come in.
#[derive(Default)]
struct Listing {
    objects: Vec<Object>,
    is_interrupted: bool,
    /// The negative number of an error or 0, at the end.
    end: Option<i32>,
}

impl Listing {
    fn read(&mut self, answer: Answer) {
        self.is_interrupted |= answer.is_interrupted;
        match answer.content {
            Content::Object(attributes) => self.objects.push(attributes),
            Content::End(code) => self.end = Some(code),
        }
    }

    fn into_answer(self, request: &Message) -> Result<Vec<Object>, Error> {
        match self.end {
            Some(0) | None if self.is_interrupted => refused(request, -(Errno::EINTR as i32)).map(|()| self.objects),
            code => refused(request, code.unwrap_or_default()).map(|()| self.objects),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_that_does_not_answer_is_waited_for_once_and_then_for_a_moment() {
        let mut connection = Connection::open().unwrap();
        connection.wait_at_most(Duration::from_millis(2)).unwrap();
        // Nothing was sent, so there is no answer.
        let request = Message::get_generation();
        let error = connection.receive(&request).unwrap_err();
        assert!(matches!(error, Error::Silent { .. }), "{error}");
        assert_eq!(connection.patience, Duration::from_millis(2));
        connection.patience = PATIENCE;
        let error = connection.silence(&request);
        assert_eq!(error.to_string(), format!("the kernel did not answer for 30 seconds to: {}", request.describe()));
        assert_eq!(connection.patience, AFTER_SILENCE);
    }
}

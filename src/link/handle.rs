//! The connection to the kernel.

use std::io;
use std::path::Path;

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use super::replies::Replies;
use super::{Answer, LinkError, Request};
use crate::netns::run_in;

pub(super) const DATAGRAM: usize = 1 << 16;

/// The connection to the routing part of the kernel for one network namespace. It stays in that namespace wherever it
/// is used.
#[derive(Debug)]
pub struct Handle {
    socket: Socket,
    sequence: u32,
}

impl Handle {
    /// Opens the namespace of the calling thread.
    ///
    /// # Errors
    /// The kernel gives out no socket.
    pub fn here() -> Result<Self, LinkError> {
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

    /// Opens the namespace that a path leads to.
    ///
    /// # Errors
    /// There is none ([`LinkError::is_gone`]), or it can't be entered.
    pub fn inside(netns: impl AsRef<Path>) -> Result<Self, LinkError> {
        run_in(netns, Self::here)?
    }

    /// Sends several requests in one message, in order, and returns the answer to each. The first one that fails is the
    /// error; the kernel has tried the ones after it all the same.
    ///
    /// # Errors
    /// The kernel refused one of them, or could not be asked.
    pub fn ask<const N: usize>(&mut self, requests: [Request; N]) -> Result<[Answer; N], LinkError> {
        let mut answers = self.ask_all(requests.into())?.into_iter();
        Ok(std::array::from_fn(|_| answers.next().unwrap_or_default()))
    }

    /// Does the same as [`Handle::ask`], for any number of requests.
    ///
    /// # Errors
    /// The kernel refused one of them, or could not be asked.
    pub fn ask_all(&mut self, requests: Vec<Request>) -> Result<Vec<Answer>, LinkError> {
        let first = self.sequence + 1;
        let expected: Vec<_> = requests.iter().map(|r| (r.doing.clone(), r.fine)).collect();
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        self.send(requests)?;
        let mut replies = Replies::new(first, expected.len());
        let mut datagram = Vec::with_capacity(DATAGRAM);
        while !replies.is_complete() {
            self.receive(&mut datagram)?;
            replies.read(&datagram)?;
        }
        replies.into_answers(&expected)
    }

    /// Sends requests in one message, and returns the number of the last one.
    pub(super) fn send(&mut self, requests: Vec<Request>) -> Result<u32, LinkError> {
        let mut bytes = Vec::new();
        for request in requests {
            self.sequence += 1;
            bytes.extend(request.bytes(self.sequence));
        }
        let sent = self.socket.send_to(&bytes, &SocketAddr::new(0, 0), 0);
        sent.map_err(|e| LinkError::new("send a netlink message", e))?;
        Ok(self.sequence)
    }

    /// Receives the next datagram, without looking first how long it is, as the crate would: the kernel sends none that
    /// is longer than [`DATAGRAM`].
    pub(super) fn receive(&mut self, datagram: &mut Vec<u8>) -> Result<(), LinkError> {
        datagram.clear();
        let received = self.socket.recv(datagram, 0);
        received.map(drop).map_err(|e| LinkError::new("receive a netlink message", e))
    }
}

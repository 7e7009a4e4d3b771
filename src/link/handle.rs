//! The connection to the kernel.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;
use nix::libc::MSG_DONTWAIT;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::replies::Replies;
use super::{Answer, LinkError, Request};
use crate::netns::run_in;

pub(super) const DATAGRAM: usize = 1 << 16;

/// How many requests are sent at once: the answers to them have room in the socket.
const AT_ONCE: usize = 64;

/// How long the kernel may take to say something. It has answered by the time that a request is sent.
const PATIENCE: u16 = 10_000;

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

    /// Sends several requests, in order, and returns the answer to each. The first one that fails is the error; the
    /// kernel has tried the ones after it all the same.
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
        let mut answers = Vec::with_capacity(requests.len());
        let mut refused = None;
        let mut requests = requests.into_iter().peekable();
        while requests.peek().is_some() {
            match self.ask_at_once(requests.by_ref().take(AT_ONCE).collect())? {
                Ok(more) => answers.extend(more),
                Err(error) => drop(refused.get_or_insert(error)),
            }
        }
        refused.map_or(Ok(answers), Err)
    }

    /// Asks for several things in one message: what the kernel refused is the inner error, and the outer one that it
    /// could not be asked.
    fn ask_at_once(&mut self, requests: Vec<Request>) -> Result<Result<Vec<Answer>, LinkError>, LinkError> {
        let first = self.sequence + 1;
        let expected: Vec<_> = requests.iter().map(|r| (r.doing.clone(), r.fine)).collect();
        self.send(requests)?;
        let mut replies = Replies::new(first, expected.len());
        let mut datagram = Vec::with_capacity(DATAGRAM);
        while !replies.is_complete() {
            self.receive(&mut datagram)?;
            replies.read(&datagram)?;
        }
        Ok(replies.into_answers(&expected))
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
        let failed = |error| LinkError::new("receive a netlink message", error);
        loop {
            datagram.clear();
            match self.socket.recv(datagram, MSG_DONTWAIT) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.drain();
                    return Err(failed(error));
                }
            }
        }
    }

    /// Waits until there is something to receive.
    fn wait(&self) -> Result<(), LinkError> {
        let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::from(PATIENCE)) {
            Ok(0) => {
                let doing = format!("hear the kernel's answer to a netlink message within {} s", PATIENCE / 1000);
                Err(LinkError::new(doing, Errno::ETIMEDOUT))
            }
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(LinkError::new("wait for a netlink message", error)),
        }
    }

    /// Throws away what is left of answers. Until then the kernel drops all that it has to say, without a word.
    fn drain(&mut self) {
        const MOST: usize = 100_000;
        let mut bytes = Vec::with_capacity(DATAGRAM);
        for _ in 0..MOST {
            bytes.clear();
            match self.socket.recv(&mut bytes, MSG_DONTWAIT) {
                Err(error) if error.raw_os_error() != Some(Errno::ENOBUFS as i32) => return,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn questions(count: usize) -> Vec<Request> {
        (0..count).map(|_| Request::get_link("lo")).collect()
    }

    #[test]
    fn any_number_of_requests_is_answered() {
        let answers = Handle::here().unwrap().ask_all(questions(2000)).unwrap();
        assert_eq!(answers.into_iter().filter_map(Answer::into_link).filter(|link| link.name == "lo").count(), 2000);
    }

    #[test]
    fn after_an_overflow_the_kernel_is_heard_again() {
        let mut handle = Handle::here().unwrap();
        handle.send(questions(3000)).unwrap();
        let mut datagram = Vec::with_capacity(DATAGRAM);
        let error = (0..3000).find_map(|_| handle.receive(&mut datagram).err()).unwrap();
        assert!(error.is(Errno::ENOBUFS as i32), "{error:?}");
        assert_eq!(handle.link("lo").unwrap().unwrap().name, "lo");
    }
}

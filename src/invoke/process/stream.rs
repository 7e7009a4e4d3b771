//! A pipe that the plugin writes to.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::ioctl_fionread;

/// What a plugin writes, up to a limit. The pipe does not block.
pub(super) struct Stream {
    pipe: Option<File>,
    data: Vec<u8>,
    limit: usize,
    overflowed: bool,
}

/// How much is read at once. A flood must not keep the caller from looking at the clock.
const MOST: u64 = 1 << 20;

impl Stream {
    pub(super) fn new(pipe: OwnedFd, limit: usize) -> Self {
        let pipe = Some(pipe.into());
        Self { pipe, data: Vec::new(), limit, overflowed: false }
    }

    /// The pipe, until everybody who may write to it has closed it.
    pub(super) fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Whether more was written than the limit allows.
    pub(super) fn has_overflowed(&self) -> bool {
        self.overflowed
    }

    pub(super) fn into_data(self) -> Vec<u8> {
        self.data
    }

    /// Reads some of what is there.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        self.read(MOST)
    }

    /// Reads all that is in the pipe at this moment: somebody else may go on writing to it.
    pub(super) fn drain_rest(&mut self) -> io::Result<()> {
        let waiting = self.pipe.as_ref().map(ioctl_fionread).transpose()?;
        self.read(waiting.unwrap_or_default())
    }

    fn read(&mut self, most: u64) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        let mut left = most;
        while let Some(pipe) = self.pipe.as_mut().filter(|_| left > 0) {
            match pipe.take(left).read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(length) => {
                    left -= length as u64;
                    self.keep(&buffer[..length]);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.limit - self.data.len();
        self.overflowed |= bytes.len() > room;
        self.data.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

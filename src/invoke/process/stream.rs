//! A pipe that the plugin writes to.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::io::{Errno, ioctl_fionread};

/// A pipe that a plugin writes to, and its content up to a limit. It does not block.
pub(super) struct Stream {
    pipe: Option<OwnedFd>,
    data: Vec<u8>,
    limit: usize,
    overflowed: bool,
}

/// How much is read at once. A flood must not keep the caller from looking at the clock.
const MOST: usize = 1 << 20;
/// How much there is room for at least when something is read.
const ROOM: usize = 4 << 10;

impl Stream {
    pub(super) fn new(pipe: OwnedFd, limit: usize) -> Self {
        Self { pipe: Some(pipe), data: Vec::new(), limit, overflowed: false }
    }

    /// The pipe, until everybody who may write to it has closed it.
    pub(super) fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Returns whether more was written than the limit allows.
    pub(super) fn has_overflowed(&self) -> bool {
        self.overflowed
    }

    pub(super) fn into_data(self) -> Vec<u8> {
        self.data
    }

    /// Reads some of the available bytes, and returns how many.
    pub(super) fn drain(&mut self) -> io::Result<usize> {
        self.read(MOST)
    }

    /// Reads all that is in the pipe at this moment: somebody else may go on writing to it.
    pub(super) fn drain_rest(&mut self) -> io::Result<()> {
        let waiting = self.pipe.as_ref().map(ioctl_fionread).transpose()?;
        self.read(waiting.unwrap_or_default() as usize).map(drop)
    }

    /// Reads at least so much, unless there is less.
    fn read(&mut self, least: usize) -> io::Result<usize> {
        let mut read = 0;
        while let Some(pipe) = self.pipe.as_ref().filter(|_| read < least) {
            self.data.reserve(ROOM);
            match rustix::io::read(pipe, spare_capacity(&mut self.data)) {
                Ok(0) => self.pipe = None,
                Ok(length) => read += length,
                Err(Errno::WOULDBLOCK) => break,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            self.overflowed |= self.data.len() > self.limit;
            self.data.truncate(self.limit);
        }
        Ok(read)
    }
}

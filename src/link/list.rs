//! Lists of the kernel's objects: read one by one, however many there are, and read again if they changed meanwhile.

use netlink_packet_core::{NLM_F_DUMP_INTR, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use nix::errno::Errno;

use super::handle::DATAGRAM;
use super::message::Message;
use super::{Handle, LinkError, Request};

/// How often a list is read that changes meanwhile.
const ATTEMPTS: u32 = 20;

fn changing(doing: &str) -> LinkError {
    LinkError::new(format!("{doing}, which change all the time"), Errno::EAGAIN)
}

/// How far a list has come.
#[derive(Debug, Default)]
struct Progress {
    sequence: u32,
    /// How it ended: the error number, or 0.
    end: Option<i32>,
    /// True if something changed while the kernel listed it: the list may lack what was there all the time.
    is_interrupted: bool,
    /// True if nobody wants the rest: it is received, since the kernel makes no other list before, and not read.
    is_enough: bool,
}

impl Handle {
    /// Makes a value out of all that is listed, and once more where that changed meanwhile.
    pub(super) fn list<T: Default>(
        &mut self,
        doing: &str,
        message: RouteNetlinkMessage,
        mut add: impl FnMut(&mut T, Message),
    ) -> Result<T, LinkError> {
        let request = Request::dump(doing, message);
        for _ in 0..ATTEMPTS {
            let mut listed = T::default();
            if self.list_once(request.clone(), &mut |item| {
                add(&mut listed, item);
                true
            })? {
                return Ok(listed);
            }
        }
        Err(changing(doing))
    }

    /// Finds the first item of a list that a value can be made of. What comes after it is not read.
    pub(super) fn first<T>(
        &mut self,
        doing: &str,
        message: RouteNetlinkMessage,
        find: impl Fn(Message) -> Option<T>,
    ) -> Result<Option<T>, LinkError> {
        let mut found = None;
        for _ in 0..ATTEMPTS {
            let is_whole = self.list_once(Request::dump(doing, message.clone()), &mut |item| {
                found = find(item);
                found.is_none()
            })?;
            if is_whole || found.is_some() {
                return Ok(found);
            }
        }
        Err(changing(doing))
    }

    /// Returns whether nothing changed meanwhile.
    fn list_once(&mut self, request: Request, add: &mut dyn FnMut(Message) -> bool) -> Result<bool, LinkError> {
        let doing = request.doing.clone();
        let sequence = self.send(vec![request])?;
        let mut progress = Progress { sequence, ..Progress::default() };
        let mut datagram = Vec::with_capacity(DATAGRAM);
        loop {
            self.receive(&mut datagram)?;
            progress.read(&datagram, add)?;
            match progress.end {
                Some(0) => return Ok(!progress.is_interrupted),
                Some(errno) => return Err(LinkError::new(doing, Errno::from_raw(errno))),
                None => {}
            }
        }
    }
}

impl Progress {
    fn read(&mut self, mut datagram: &[u8], add: &mut dyn FnMut(Message) -> bool) -> Result<(), LinkError> {
        while datagram.len() >= 16 {
            if self.is_enough
                && let Some(length) = length_of_item(datagram)
            {
                datagram = datagram.get(length..).unwrap_or_default();
                continue;
            }
            let message = NetlinkMessage::<Message>::deserialize(datagram).map_err(LinkError::garbled)?;
            datagram = datagram.get((message.header.length as usize).next_multiple_of(4)..).unwrap_or_default();
            if message.header.sequence_number != self.sequence {
                continue;
            }
            self.is_interrupted |= message.header.flags & NLM_F_DUMP_INTR != 0;
            match message.payload {
                NetlinkPayload::InnerMessage(item) => self.is_enough |= !add(item),
                NetlinkPayload::Done(done) => self.end = Some(-done.code),
                NetlinkPayload::Error(error) => self.end = Some(error.code.map_or(0, |code| -code.get())),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The length of the first message of a datagram, padding included, if it is none of those by which the kernel
/// controls a list.
fn length_of_item(datagram: &[u8]) -> Option<usize> {
    const FIRST_OF_ITEMS: u16 = 16;
    let length = u32::from_ne_bytes(datagram.get(..4)?.try_into().ok()?);
    let kind = u16::from_ne_bytes(datagram.get(4..6)?.try_into().ok()?);
    let length = usize::try_from(length).ok()?.next_multiple_of(4);
    (kind >= FIRST_OF_ITEMS && length >= 16).then_some(length)
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::DoneMessage;

    use super::*;

    /// The end of a list, as the kernel marks it.
    fn end_of_list(flags: u16) -> Vec<u8> {
        let payload = NetlinkPayload::<RouteNetlinkMessage>::Done(DoneMessage::default());
        let mut message = NetlinkMessage::new(Default::default(), payload);
        message.header.flags = flags;
        message.header.sequence_number = 1;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        bytes
    }

    #[test]
    fn a_list_that_changed_meanwhile_is_marked() {
        for (flags, is_interrupted) in [(0, false), (NLM_F_DUMP_INTR, true)] {
            let mut progress = Progress { sequence: 1, ..Progress::default() };
            progress.read(&end_of_list(flags), &mut |_| true).unwrap();
            assert_eq!((progress.end, progress.is_interrupted), (Some(0), is_interrupted));
        }
    }
    #[test]
    fn what_comes_after_enough_is_not_read() {
        let item = || [20_u32.to_ne_bytes(), 0xff_u32.to_ne_bytes(), 1_u32.to_ne_bytes(), [0; 4], [0; 4]].concat();
        let datagram = [item(), item(), end_of_list(0)].concat();
        for (wants_more, expected) in [(true, 2), (false, 1)] {
            let (mut read, mut progress) = (0, Progress { sequence: 1, ..Progress::default() });
            let mut count = |_| {
                read += 1;
                wants_more
            };
            progress.read(&datagram, &mut count).unwrap();
            assert_eq!((read, progress.end), (expected, Some(0)));
        }
    }
}

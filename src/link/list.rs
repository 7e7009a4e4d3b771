//! Lists of the kernel's objects: read one by one, however many there are, and read again if they changed meanwhile.

use netlink_packet_core::{NLM_F_DUMP_INTR, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use nix::errno::Errno;

use super::handle::DATAGRAM;
use super::message::Message;
use super::{Handle, LinkError, Request};

/// How far a list has come.
#[derive(Debug, Default)]
struct Progress {
    sequence: u32,
    /// How it ended: the error number, or 0.
    end: Option<i32>,
    /// True if something changed while the kernel listed it: the list may lack what was there all the time.
    is_interrupted: bool,
}

impl Handle {
    /// Makes a value out of all that is listed, and once more where that changed meanwhile.
    pub(super) fn list<T: Default>(
        &mut self,
        doing: &str,
        message: RouteNetlinkMessage,
        mut add: impl FnMut(&mut T, Message),
    ) -> Result<T, LinkError> {
        const ATTEMPTS: u32 = 20;
        let request = Request::dump(doing, message);
        for _ in 0..ATTEMPTS {
            let mut listed = T::default();
            if self.list_once(request.clone(), &mut |item| add(&mut listed, item))? {
                return Ok(listed);
            }
        }
        Err(LinkError::new(format!("{doing}, which change all the time"), Errno::EAGAIN))
    }

    /// Returns whether nothing changed meanwhile.
    fn list_once(&mut self, request: Request, add: &mut dyn FnMut(Message)) -> Result<bool, LinkError> {
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
    fn read(&mut self, mut datagram: &[u8], add: &mut dyn FnMut(Message)) -> Result<(), LinkError> {
        while datagram.len() >= 16 {
            let message = NetlinkMessage::<Message>::deserialize(datagram).map_err(LinkError::garbled)?;
            datagram = datagram.get((message.header.length as usize).next_multiple_of(4)..).unwrap_or_default();
            if message.header.sequence_number != self.sequence {
                continue;
            }
            self.is_interrupted |= message.header.flags & NLM_F_DUMP_INTR != 0;
            match message.payload {
                NetlinkPayload::InnerMessage(item) => add(item),
                NetlinkPayload::Done(done) => self.end = Some(-done.code),
                NetlinkPayload::Error(error) => self.end = Some(error.code.map_or(0, |code| -code.get())),
                _ => {}
            }
        }
        Ok(())
    }
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
            progress.read(&end_of_list(flags), &mut |_| ()).unwrap();
            assert_eq!((progress.end, progress.is_interrupted), (Some(0), is_interrupted));
        }
    }
}

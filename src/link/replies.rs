//! The kernel's answers, as they come in.

use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use nix::errno::Errno;

use super::message::Message;
use super::{Answer, LinkError};

/// The answers to the requests of one message, as they come in.
pub(super) struct Replies {
    first: u32,
    answers: Vec<Answer>,
    open: usize,
    /// How each request ended: the error number, or 0.
    ends: Vec<Option<i32>>,
}

impl Replies {
    pub(super) fn new(first: u32, count: usize) -> Self {
        Self { first, answers: vec![Answer::default(); count], open: count, ends: vec![None; count] }
    }

    /// Returns true if every request was answered to its end.
    pub(super) fn is_complete(&self) -> bool {
        self.open == 0
    }

    pub(super) fn read(&mut self, mut packet: &[u8]) -> Result<(), LinkError> {
        while packet.len() >= 16 {
            let message = NetlinkMessage::<Message>::deserialize(packet).map_err(LinkError::garbled)?;
            let length = (message.header.length as usize).next_multiple_of(4);
            packet = packet.get(length..).unwrap_or_default();
            let Some(index) = message.header.sequence_number.checked_sub(self.first) else { continue };
            let index = index as usize;
            match message.payload {
                NetlinkPayload::InnerMessage(answer) if index < self.answers.len() => {
                    self.answers[index].messages.push(answer)
                }
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

    pub(super) fn into_answers(self, expected: &[(String, &'static [i32])]) -> Result<Vec<Answer>, LinkError> {
        for ((doing, fine), end) in expected.iter().zip(&self.ends) {
            let errno = end.unwrap_or_default();
            if errno != 0 && !fine.contains(&errno) {
                return Err(LinkError::new(doing, Errno::from_raw(errno)));
            }
        }
        Ok(self.answers)
    }
}

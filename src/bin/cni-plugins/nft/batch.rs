//! Batches: changes that are made all at once or not at all.

use netlink_packet_core::NLM_F_ACK;

use super::answer::Content;
use super::message::Message;
use super::socket::{Connection, Error, Generation, refused};

impl Connection {
    /// Makes all changes at once or none of them. `ERESTART` when the rules are in another generation by now.
    pub(crate) fn commit(&mut self, requests: &[Message], generation: Option<Generation>) -> Result<(), Error> {
        self.batch(requests, generation, Some(Message::end()))
    }

    /// Asks whether the kernel would make the changes, and makes none.
    pub(super) fn rehearse(&mut self, requests: &[Message]) -> Result<(), Error> {
        self.generation()?;
        self.batch(requests, None, None)
    }

    fn batch(
        &mut self,
        requests: &[Message],
        generation: Option<Generation>,
        end: Option<Message>,
    ) -> Result<(), Error> {
        let Some((last, others)) = requests.split_last() else { return Ok(()) };
        let begin = Message::begin(generation.map(|Generation(id)| id));
        // The kernel reports errors in order, so with the answer to the last one there are no more.
        let last = &last.clone().with_flags(NLM_F_ACK);
        let messages = [&begin].into_iter().chain(others).chain([last]).chain(&end);
        let begun = self.send(messages, 0)?;
        self.outcome(begun, &begin, requests)
    }

    /// Reads the kernel's answers to a batch; the first error counts, what follows comes from it.
    fn outcome(&mut self, begun: u32, begin: &Message, requests: &[Message]) -> Result<(), Error> {
        let mut outcome = Ok(());
        loop {
            for answer in self.receive(begin)? {
                let Content::End(code) = answer.content else { continue };
                let place = answer.sequence.wrapping_sub(begun) as usize;
                let request = place.checked_sub(1).and_then(|index| requests.get(index));
                outcome = outcome.and(refused(request.unwrap_or(begin), code));
                // An error of the batch as a whole may be the only one.
                if place == requests.len() || (place == 0 && outcome.is_err()) {
                    return outcome;
                }
            }
        }
    }
}

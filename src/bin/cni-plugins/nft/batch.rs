//! Batches: changes that are made all at once or not at all.

use libcni::plugin::Answer;
use netlink_packet_core::NLM_F_ACK;
use nix::errno::Errno;

use super::answer::{self, Content};
use super::attempts::until_undisturbed;
use super::error::{Error, refused, unless_unavailable};
use super::message::Message;
use super::socket::{Connection, Generation, connection};

/// Changes tables of others: `plan` reads what is there and says what is to be done about it. It is asked again when
/// somebody changed rules meanwhile.
pub(crate) fn change(plan: impl Fn(&mut Connection) -> Result<Vec<Message>, Error>) -> Answer {
    until_undisturbed(|| try_change(&plan)).map_err(Error::into_failure)
}

/// The same, of what can't be there where the kernel has no nf_tables.
pub(crate) fn change_if_available(plan: impl Fn(&mut Connection) -> Result<Vec<Message>, Error>) -> Answer {
    unless_unavailable(until_undisturbed(|| try_change(&plan))).map_err(Error::into_failure)?;
    Ok(())
}

fn try_change(plan: impl Fn(&mut Connection) -> Result<Vec<Message>, Error>) -> Result<(), Error> {
    let connection = &mut *connection()?;
    let generation = connection.generation()?;
    let requests = plan(connection)?;
    if requests.is_empty() && connection.generation()? != generation {
        return refused(&Message::begin(None), -(Errno::ERESTART as i32));
    }
    connection.commit(&requests, Some(generation))
}

impl Connection {
    /// Makes all changes at once or none of them. `ERESTART` when the rules are in another generation by now;
    /// [`Error::Stale`] when the rules are not those that the changes were made for, or when so many changes can't be
    /// made that there was no room to say so.
    pub(crate) fn commit(&mut self, requests: &[Message], generation: Option<Generation>) -> Result<(), Error> {
        self.batch(requests, generation, Some(Message::end())).map_err(|error| match error {
            Error::Refused {
                doing,
                source: source @ (Errno::ENOENT | Errno::EEXIST | Errno::EBUSY | Errno::ENOBUFS),
            } => Error::Stale { doing, source },
            error => error,
        })
    }

    /// Asks whether the kernel would make the changes, and makes none.
    pub(crate) fn rehearse(&mut self, requests: &[Message]) -> Result<(), Error> {
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

    /// Reads the kernel's answers to a batch.
    fn outcome(&mut self, begun: u32, begin: &Message, requests: &[Message]) -> Result<(), Error> {
        let mut outcome = Outcome { begun, begin, requests, so_far: Ok(()) };
        loop {
            let answers = match self.receive(begin) {
                // Of a batch that succeeds there is one answer.
                Err(error) if error.is_overflow() => {
                    self.drain()?;
                    return outcome.so_far.and(refused(begin, -(Errno::ENOBUFS as i32)));
                }
                answers => answers?,
            };
            if answers.iter().any(|answer| outcome.ends_with(answer)) {
                return outcome.so_far;
            }
        }
    }
}

/// A batch as far as it was answered. The first error counts, others come from it.
struct Outcome<'a> {
    begun: u32,
    begin: &'a Message,
    requests: &'a [Message],
    so_far: Result<(), Error>,
}

impl Outcome<'_> {
    /// Takes an answer, and returns true if no other one comes.
    fn ends_with(&mut self, answer: &answer::Answer) -> bool {
        let Content::End(code) = answer.content else { return false };
        let place = answer.sequence.wrapping_sub(self.begun) as usize;
        // Answers to an earlier batch may have been left.
        if place > self.requests.len() {
            return false;
        }
        let request = place.checked_sub(1).and_then(|index| self.requests.get(index));
        let so_far = std::mem::replace(&mut self.so_far, Ok(()));
        self.so_far = so_far.and(refused(request.unwrap_or(self.begin), code));
        let is_last = place == self.requests.len();
        // An error of the batch as a whole may be the only one. That the rules are in another generation by now is one,
        // also where the kernel says it of another message: of that for which it had to load a module.
        is_last || (place == 0 && self.so_far.is_err()) || code == -(Errno::ERESTART as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(sequence: u32, code: i32) -> answer::Answer {
        answer::Answer { sequence, is_interrupted: false, content: Content::End(code) }
    }

    /// The error number, once no other answer comes to a batch of three requests that begins with number 7.
    fn outcome(answers: &[answer::Answer]) -> Option<Option<Errno>> {
        let (begin, requests) = (Message::begin(None), [Message::end(), Message::end(), Message::end()]);
        let mut outcome = Outcome { begun: 7, begin: &begin, requests: &requests, so_far: Ok(()) };
        let is_over = answers.iter().any(|answer| outcome.ends_with(answer));
        is_over.then(|| outcome.so_far.err().and_then(|error| error.errno()))
    }

    #[test]
    fn a_batch_ends_with_the_answer_to_its_last_request() {
        assert_eq!(outcome(&[answer(10, 0)]), Some(None));
        assert_eq!(outcome(&[answer(6, -1), answer(11, 0)]), None);
        let failed = -(Errno::EEXIST as i32);
        assert_eq!(outcome(&[answer(8, failed)]), None);
        assert_eq!(outcome(&[answer(8, failed), answer(10, -(Errno::ENOENT as i32))]), Some(Some(Errno::EEXIST)));
    }

    #[test]
    fn an_error_of_the_batch_as_a_whole_is_the_only_answer() {
        assert_eq!(outcome(&[answer(7, -(Errno::EPERM as i32))]), Some(Some(Errno::EPERM)));
        // After a module was loaded, the kernel says so of the request that needed it.
        assert_eq!(outcome(&[answer(9, -(Errno::ERESTART as i32))]), Some(Some(Errno::ERESTART)));
    }
}

//! Batches: changes that are made all at once or not at all.

use libcni::plugin::Answer;
use netlink_packet_core::NLM_F_ACK;
use nix::errno::Errno;

use super::answer::Content;
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

    /// Reads the kernel's answers to a batch; the first error counts, what follows comes from it.
    fn outcome(&mut self, begun: u32, begin: &Message, requests: &[Message]) -> Result<(), Error> {
        let mut outcome = Ok(());
        loop {
            let answers = match self.receive(begin) {
                // Of a batch that succeeds there is one answer.
                Err(error) if error.is_overflow() => {
                    self.drain()?;
                    return outcome.and(refused(begin, -(Errno::ENOBUFS as i32)));
                }
                answers => answers?,
            };
            for answer in answers {
                let Content::End(code) = answer.content else { continue };
                let place = answer.sequence.wrapping_sub(begun) as usize;
                // Answers to an earlier batch may have been left.
                if place > requests.len() {
                    continue;
                }
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

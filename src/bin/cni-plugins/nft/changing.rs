//! How a table whose elements have owners is changed while others change it, too.

use std::time::Instant;

use libcni::plugin::{Answer, Failure};
use libcni::spec::ErrorCode;
use nix::errno::Errno;

use super::owned::{Change, Entry, Layout};
use super::plan;
use super::reading::{Look, PATIENCE, Present};
use super::socket::{Connection, Error, connection};

/// Why an attempt at a change did not succeed.
enum Attempt {
    /// Somebody else changed rules meanwhile.
    Interrupted,
    /// The elements that were read were not those that are there. The kernel begins a new generation a moment before
    /// lists show it.
    Stale(Error),
    /// This kernel has no tables.
    Unavailable(Error),
    Failed(Failure),
}

impl From<Error> for Attempt {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable { .. } => Self::Unavailable(error),
            error if error.is_interruption() => Self::Interrupted,
            error => Self::Failed(error.into()),
        }
    }
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// How often a change may be planned by what is not there, until it is told what the kernel misses.
const STALE_READS: usize = 10;

impl Layout {
    /// Changes the table, in one batch that sees exactly the elements that `plan` saw, and returns what the change was.
    ///
    /// No lock is taken. The kernel numbers the generations of its rules, and refuses a batch made for another one
    /// than the current: so nobody comes between, not even programs that would not know of our lock, and whoever dies
    /// half-way leaves none behind. Each refusal means that somebody else got on, so somebody always does.
    ///
    /// # Errors
    /// The error of `plan`, or one that says that the kernel can't, or that others did not let it.
    pub(crate) fn change(&self, plan: impl Fn(&[Entry]) -> Answer<Change>) -> Answer<Change> {
        self.change_where(&Look::Everywhere, plan)
    }

    /// The same, of a plan that needs to know the elements of some places only. If one of those is to go, it gets to
    /// see all others, too.
    pub(crate) fn change_where(&self, look: &Look, plan: impl Fn(&[Entry]) -> Answer<Change>) -> Answer<Change> {
        let start = Instant::now();
        let mut stale_reads = 0;
        loop {
            match self.try_change(look, stale_reads > 0, &plan) {
                Ok(change) => return Ok(change),
                Err(Attempt::Failed(failure)) => return Err(failure),
                Err(Attempt::Stale(error)) if stale_reads == STALE_READS => return Err(error.into()),
                Err(Attempt::Stale(_)) => stale_reads += 1,
                Err(Attempt::Interrupted) if start.elapsed() > PATIENCE => return Err(self.contended()),
                Err(Attempt::Interrupted) => {}
                Err(Attempt::Unavailable(error)) => return plan_without_kernel(&plan, error),
            }
        }
    }

    fn try_change(
        &self,
        look: &Look,
        is_doubtful: bool,
        plan: impl Fn(&[Entry]) -> Answer<Change>,
    ) -> Result<Change, Attempt> {
        let connection = &mut *connection()?;
        let generation = connection.generation()?;
        let mut present = self.present(connection, look)?;
        let mut change = plan(&present.entries)?;
        if present.is_touched_by(&change) {
            present = self.present(connection, &Look::Everywhere)?;
            change = plan(&present.entries)?;
        }
        if !change.add.is_empty() && !is_doubtful {
            self.count_rules(connection, &mut present, &change)?;
        }
        let requests = plan::requests(self, &present, &change)?;
        connection.commit(&requests, Some(generation)).map_err(|error| match error.errno() {
            Some(Errno::ENOENT | Errno::EEXIST | Errno::EBUSY | Errno::ENOBUFS) => Attempt::Stale(error),
            _ => error.into(),
        })?;
        Ok(change)
    }

    /// Removes what a condition holds for, and returns it.
    pub(crate) fn remove(&self, condition: impl Fn(&Entry) -> bool) -> Answer<Vec<Entry>> {
        let change = self.change(|entries| {
            let remove = entries.iter().filter(|entry| condition(entry)).cloned().collect();
            Ok(Change { remove, ..Change::default() })
        });
        Ok(change?.remove)
    }

    /// Asks the kernel whether it could make the table, without making it.
    ///
    /// # Errors
    /// Code 50, as STATUS has it.
    pub(crate) fn rehearse(&self) -> Answer {
        let rehearsed = connection().and_then(|mut connection| connection.rehearse(&plan::skeleton(self)));
        rehearsed.map_err(|error| Failure::new(ErrorCode::NOT_AVAILABLE, libcni::Chain(&error).to_string()))
    }

    fn contended(&self) -> Failure {
        let msg = format!("other programs kept changing nf_tables rules; table `{}` is unchanged", self.table);
        Failure::new(ErrorCode::TRY_AGAIN_LATER, msg)
    }

    /// Counts the rules that decide what has to be written.
    fn count_rules(&self, connection: &mut Connection, present: &mut Present, change: &Change) -> Result<(), Error> {
        let base = (self.chains)();
        let chains = base.iter().chain(&change.chains).map(|chain| &*chain.name).collect();
        present.rules = self.rules(connection, &chains)?;
        Ok(())
    }
}

/// Without tables there are no elements: fine for a change that makes none.
fn plan_without_kernel(plan: impl Fn(&[Entry]) -> Answer<Change>, error: Error) -> Answer<Change> {
    let change = plan(&[])?;
    if change.add.is_empty() { Ok(change) } else { Err(error.into()) }
}

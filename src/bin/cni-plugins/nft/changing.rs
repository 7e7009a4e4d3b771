//! How a table whose elements have owners is changed while others change it, too.

use libcni::plugin::{Answer, Failure};
use libcni::spec::ErrorCode;
use rustix::thread::{MembarrierCommand, membarrier};

use super::attempts::{Attempts, were_disturbed};
use super::counts;
use super::error::Error;
use super::owned::{Change, Entry, Layout, PlaceBuf};
use super::owner::Owner;
use super::plan;
use super::reading::{Look, Present};
use super::socket::{Connection, connection};

/// Why an attempt at a change did not succeed.
enum Trouble {
    WithKernel(Error),
    WithPlan(Failure),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::WithKernel(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::WithPlan(failure)
    }
}

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

    /// The same, of a plan that needs to know some of the elements only. It gets to see all of them if the table does
    /// not count those of each owner, or may have none after the change.
    pub(crate) fn change_where(&self, look: &Look, plan: impl Fn(&[Entry]) -> Answer<Change>) -> Answer<Change> {
        let mut attempts = Attempts::begin();
        loop {
            match self.try_change(look, attempts.are_stale(), &plan) {
                Ok(change) => {
                    if were_disturbed() && !change.remove.is_empty() {
                        wait_until_freed();
                    }
                    return Ok(change);
                }
                Err(Trouble::WithPlan(failure)) => return Err(failure),
                Err(Trouble::WithKernel(error @ Error::Unavailable { .. })) => {
                    return plan_without_kernel(&plan, error);
                }
                Err(Trouble::WithKernel(error)) => attempts.pause_after(error).map_err(Error::into_failure)?,
            }
        }
    }

    fn try_change(
        &self,
        look: &Look,
        is_doubtful: bool,
        plan: impl Fn(&[Entry]) -> Answer<Change>,
    ) -> Result<Change, Trouble> {
        let connection = &mut *connection()?;
        let generation = connection.generation()?;
        let mut present = self.present(connection, look)?;
        let mut change = plan(&present.entries)?;
        if present.maps.is_none() && !self.is_enough(connection, &mut present, &change)? {
            present = self.everything(connection)?;
            change = plan(&present.entries)?;
        }
        if !change.add.is_empty() && !is_doubtful {
            self.count_rules(connection, &mut present, &change)?;
        }
        let requests = plan::requests(self, &present, &change)?;
        connection.commit(&requests, Some(generation))?;
        Ok(change)
    }

    /// Reads what a change of some elements needs to know of all others. Returns false if that is not enough.
    fn is_enough(&self, connection: &mut Connection, present: &mut Present, change: &Change) -> Result<bool, Error> {
        let touched = counts::touched(&present.entries, change);
        if touched.is_empty() && change.remove.is_empty() {
            return Ok(true);
        }
        let Some(counted) = self.counted(connection, &touched)? else { return Ok(false) };
        if present.is_touched_by(change) {
            present.kept = self.kept(connection, &present.entries)?;
        }
        let after = counts::after(&counted.counts, &present.entries, change);
        let has_owners = counted.owners + after.len() > counted.counts.len();
        present.counts = Some(counted.counts);
        // Whether the table goes with the last of them, only all elements tell.
        Ok(has_owners || change.keep_table)
    }

    /// Removes what a condition holds for, and returns it.
    pub(crate) fn remove(&self, condition: impl Fn(&Entry) -> bool) -> Answer<Vec<Entry>> {
        self.remove_where(&Look::Everywhere, condition)
    }

    /// Removes the elements of an owner, which are in some places as far as one knows, and returns them.
    pub(crate) fn remove_of(&self, owner: &Owner, places: Vec<PlaceBuf>) -> Answer<Vec<Entry>> {
        self.remove_where(&Look::Of(owner.clone(), places), |entry| entry.is_of(owner))
    }

    fn remove_where(&self, look: &Look, condition: impl Fn(&Entry) -> bool) -> Answer<Vec<Entry>> {
        let change = self.change_where(look, |entries| {
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
        let rehearsed =
            connection().and_then(|mut connection| connection.rehearse(&plan::skeleton(self, &Present::default())));
        rehearsed.map_err(|error| Failure::new(ErrorCode::NOT_AVAILABLE, libcni::Chain(&error).to_string()))
    }

    /// Counts the rules that decide what has to be written.
    fn count_rules(&self, connection: &mut Connection, present: &mut Present, change: &Change) -> Result<(), Error> {
        let chains = self.chains.iter().chain(&change.chains).map(|chain| &*chain.name).collect();
        present.rules = self.rules(connection, &chains)?;
        Ok(())
    }
}

/// Waits as long as the kernel does before it frees what was deleted: until no processor can be looking at it. The end
/// of this process would wait for that as well, but with a lock that everybody needs who changes rules.
fn wait_until_freed() {
    // A kernel that can't do it has the others wait.
    let _ = membarrier(MembarrierCommand::Global);
}

/// Without tables there are no elements: fine for a change that makes none.
fn plan_without_kernel(plan: impl Fn(&[Entry]) -> Answer<Change>, error: Error) -> Answer<Change> {
    let change = plan(&[])?;
    if change.add.is_empty() { Ok(change) } else { Err(error.into()) }
}

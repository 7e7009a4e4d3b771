//! A table whose elements have owners, and how it is changed while others change it too.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libcni::plugin::{Answer, Failure};
use libcni::spec::ErrorCode;
use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::InetHookNumber;
use nix::errno::Errno;

use super::expression::Rule;
use super::owner::Owner;
use super::plan;
use super::reading::{Look, Present};
use super::request::Requests;
use super::socket::{Connection, Error, connection};

/// What a table looks like when nobody owns anything in it. It exists only as long as somebody does. A layout that
/// changes takes another name: what an older one wrote is left as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// The table's name.
    pub(crate) table: &'static str,
    /// Whose packets it sees: those of IPv4 and IPv6 (`inet`), or the frames that go through bridges.
    pub(crate) family: NetfilterProtoFamily,
    /// Its verdict maps.
    pub(crate) maps: &'static [Map],
    /// Its chains that belong to nobody.
    pub(crate) chains: fn() -> Vec<Chain>,
}

/// A verdict map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Map {
    /// Its name.
    pub(crate) name: &'static str,
    /// The type of its keys, as `nft` counts them.
    pub(crate) key_type: u32,
    /// The length of a key in bytes.
    pub(crate) key_length: u32,
}

/// A chain and its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Its name.
    pub(crate) name: String,
    /// Where packets enter it; none for chains that elements and rules lead to.
    pub(crate) hook: Option<Hook>,
    /// Its rules.
    pub(crate) rules: Vec<Rule>,
}

impl Chain {
    /// Whether a table with these rules has all of the chain's.
    pub(crate) fn is_complete(&self, rules: &Rules) -> bool {
        rules.count(&self.name) == self.rules.len()
    }
}

/// How many rules each chain has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules(BTreeMap<String, usize>);

impl Rules {
    /// How many rules a chain has; none when it is not there.
    fn count(&self, chain: &str) -> usize {
        self.0.get(chain).copied().unwrap_or_default()
    }
}

impl FromIterator<String> for Rules {
    /// From the chain of each rule.
    fn from_iter<T: IntoIterator<Item = String>>(chains: T) -> Self {
        let mut rules = Self::default();
        rules.extend(chains);
        rules
    }
}

impl Extend<String> for Rules {
    fn extend<T: IntoIterator<Item = String>>(&mut self, chains: T) {
        for chain in chains {
            *self.0.entry(chain).or_default() += 1;
        }
    }
}

/// Where packets enter a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hook {
    /// `nat` or `filter`.
    pub(crate) kind: &'static str,
    /// The place on a packet's way.
    pub(crate) number: InetHookNumber,
    /// The order among the chains of the place.
    pub(crate) priority: i32,
}

/// An element of a verdict map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The map.
    pub(crate) map: &'static str,
    /// The key.
    pub(crate) key: Vec<u8>,
    /// The chain that it leads to.
    pub(crate) chain: String,
    /// Whose it is; `None` when a stranger made it.
    pub(crate) owner: Option<Owner>,
}

/// A map and a key in it.
pub(crate) type Place<'a> = (&'static str, &'a [u8]);

impl Entry {
    /// Where it is: there can be only one in a place.
    pub(crate) fn place(&self) -> Place<'_> {
        (self.map, &self.key)
    }

    /// Whether an attachment owns it.
    pub(crate) fn is_of(&self, owner: &Owner) -> bool {
        self.owner.as_ref() == Some(owner)
    }
}

/// What shall be different. Elements to come replace those in their place; chains that no element leads to any
/// more go by themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// Elements to go.
    pub(crate) remove: Vec<Entry>,
    /// Elements to come.
    pub(crate) add: Vec<Entry>,
    /// The chains that they lead to, and that elements of others may lead to: their names say what is in them.
    pub(crate) chains: Vec<Chain>,
    /// The chains that they alone lead to.
    pub(crate) own_chains: Vec<Chain>,
    /// Leaves the table there when it has no element any more.
    pub(crate) keep_table: bool,
}

/// Why an attempt at a change did not succeed.
enum Attempt {
    /// Somebody else changed rules meanwhile.
    Interrupted,
    /// What was read was not what is there. The kernel begins a new generation a moment before lists show it.
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

/// How long others may keep us from a change by making theirs.
const PATIENCE: Duration = Duration::from_secs(10);
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
    /// What `plan` says, or that the kernel can't, or that others did not let it.
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

    /// The elements of a map.
    pub(crate) fn entries_of(&self, map: Map) -> Answer<Vec<Entry>> {
        let connection = &mut *connection()?;
        let start = Instant::now();
        loop {
            match self.elements(connection, map) {
                Err(error) if error.is_interruption() && start.elapsed() < PATIENCE => {}
                entries => return Ok(entries?.unwrap_or_default()),
            }
        }
    }

    /// What is there: the elements, and how many rules each chain has.
    pub(crate) fn contents(&self) -> Answer<(Vec<Entry>, Rules)> {
        self.contents_where(&Look::Everywhere)
    }

    /// The same, of the table's own chains and of those that the elements of some places lead to.
    pub(crate) fn contents_where(&self, look: &Look) -> Answer<(Vec<Entry>, Rules)> {
        let connection = &mut *connection()?;
        let start = Instant::now();
        loop {
            match self.read(connection, look) {
                Err(error) if error.is_interruption() && start.elapsed() < PATIENCE => {}
                contents => return Ok(contents?),
            }
        }
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

    pub(super) fn requests(&self) -> Requests<'_> {
        Requests { table: self.table, family: self.family }
    }
}

/// Without tables there are no elements: fine for a change that makes none.
fn plan_without_kernel(plan: impl Fn(&[Entry]) -> Answer<Change>, error: Error) -> Answer<Change> {
    let change = plan(&[])?;
    if change.add.is_empty() { Ok(change) } else { Err(error.into()) }
}

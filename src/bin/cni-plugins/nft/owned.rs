//! A table whose elements have owners, and how it is changed while others change it too.

use std::time::{Duration, Instant};

use libcni::plugin::{Answer, Failure};
use libcni::spec::ErrorCode;
use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::InetHookNumber;
use nix::errno::Errno;

use super::expression::Rule;
use super::message::{Requests, read_elements, read_rule};
use super::owner::Owner;
use super::plan;
use super::socket::{Connection, Error, Generation};

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
    /// Whether a table with these rules, as [`Layout::contents`] lists them, has all of the chain's.
    pub(crate) fn is_complete(&self, rules: &[String]) -> bool {
        rules.iter().filter(|chain| **chain == self.name).count() == self.rules.len()
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
    /// The chains that they lead to.
    pub(crate) chains: Vec<Chain>,
}

/// What is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Present {
    pub(super) maps: Vec<&'static str>,
    pub(super) entries: Vec<Entry>,
    /// The chain of each rule; read only for changes that need to know.
    pub(super) rules: Vec<String>,
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
        let start = Instant::now();
        let mut connection = None;
        let mut reads = 0..STALE_READS;
        loop {
            match self.try_change(&mut connection, &plan) {
                Ok(change) => return Ok(change),
                Err(Attempt::Failed(failure)) => return Err(failure),
                Err(Attempt::Stale(error)) if reads.next().is_none() => return Err(error.into()),
                Err(Attempt::Stale(_)) => {}
                Err(Attempt::Interrupted) if start.elapsed() > PATIENCE => return Err(self.contended()),
                Err(Attempt::Interrupted) => {}
                Err(Attempt::Unavailable(error)) => return plan_without_kernel(&plan, error),
            }
        }
    }

    fn try_change(
        &self,
        connection: &mut Option<Connection>,
        plan: impl Fn(&[Entry]) -> Answer<Change>,
    ) -> Result<Change, Attempt> {
        let connection = match connection {
            Some(open) => open,
            none => none.insert(Connection::open()?),
        };
        let (generation, mut present) = self.present(connection)?;
        let change = plan(&present.entries)?;
        if !change.add.is_empty() {
            present.rules = self.rules(connection)?;
        }
        let requests = plan::requests(self, &present, &change)?;
        connection.commit(self, &requests, generation).map_err(|error| match error.errno() {
            Some(Errno::ENOENT | Errno::EEXIST | Errno::EBUSY) => Attempt::Stale(error),
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

    /// What is there: the elements, and the chain of each rule.
    pub(crate) fn contents(&self) -> Answer<(Vec<Entry>, Vec<String>)> {
        let mut connection = Connection::open()?;
        let start = Instant::now();
        loop {
            let present = self.present(&mut connection);
            match present.and_then(|(_, present)| Ok((present.entries, self.rules(&mut connection)?))) {
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
        let rehearse = |mut connection: Connection| connection.rehearse(self, &plan::skeleton(self));
        let rehearsed = Connection::open().and_then(rehearse);
        rehearsed.map_err(|error| Failure::new(ErrorCode::NOT_AVAILABLE, libcni::Chain(&error).to_string()))
    }

    fn contended(&self) -> Failure {
        let msg = format!("other programs kept changing nf_tables rules; table `{}` is unchanged", self.table);
        Failure::new(ErrorCode::TRY_AGAIN_LATER, msg)
    }

    /// What is there, without rules, and in which generation it was read.
    fn present(&self, connection: &mut Connection) -> Result<(Generation, Present), Error> {
        let generation = connection.generation()?;
        let mut present = Present::default();
        for map in self.maps {
            let doing = format!("list map `{}` of table `{}`", map.name, self.table);
            match connection.dump_if_there(&doing, self.requests().get_elements(map.name))? {
                Some(listed) => {
                    present.maps.push(map.name);
                    present.entries.extend(listed.iter().flat_map(|object| read_elements(map.name, object)));
                }
                // A table is made with all its maps.
                None => break,
            }
        }
        Ok((generation, present))
    }

    fn rules(&self, connection: &mut Connection) -> Result<Vec<String>, Error> {
        let doing = format!("list the rules of table `{}`", self.table);
        let listed = connection.dump_if_there(&doing, self.requests().get_rules())?;
        Ok(listed.unwrap_or_default().iter().filter_map(|object| read_rule(object)).collect())
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

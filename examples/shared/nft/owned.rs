//! A table whose elements have owners, and how it is changed while others change it too.

use std::time::{Duration, Instant};

use libcni::plugin::{Answer, Failure};
use libcni::spec::ErrorCode;
use netlink_packet_netfilter::nftables::InetHookNumber;
use nix::errno::Errno;

use super::expression::Rule;
use super::message::{Requests, read_elements, read_rule};
use super::owner::Owner;
use super::plan;
use super::socket::{Connection, Error, Generation};

/// What a table looks like when nobody owns anything in it. It exists only as long as somebody does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// The table's name; its family is `inet`.
    pub(crate) table: &'static str,
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

impl Entry {
    /// Whether both have the same place, of which there is only one.
    pub(crate) fn replaces(&self, other: &Self) -> bool {
        self.map == other.map && self.key == other.key
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
pub(super) struct Snapshot {
    generation: Generation,
    pub(super) table_exists: bool,
    pub(super) entries: Vec<Entry>,
}

/// Why an attempt at a change did not succeed.
enum Attempt {
    /// Somebody else changed rules meanwhile.
    Interrupted,
    Failed(Failure),
}

impl From<Error> for Attempt {
    fn from(error: Error) -> Self {
        if error.is_interruption() { Self::Interrupted } else { Self::Failed(error.into()) }
    }
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// How long others may keep us from a change by making theirs.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many elements go at once: what is sent must fit into the socket's buffer.
const AT_ONCE: usize = 500;

impl Layout {
    /// Changes the table, in one batch that sees exactly the elements that `plan` saw.
    ///
    /// No lock is taken. The kernel numbers the generations of its rules, and refuses a batch made for another one
    /// than the current: so nobody comes between, not even programs that would not know of our lock, and whoever dies
    /// half-way leaves none behind. Each refusal means that somebody else got on, so somebody always does.
    pub(crate) fn change(&self, plan: impl Fn(&[Entry]) -> Answer<Change>) -> Answer {
        let mut connection = Connection::open()?;
        let start = Instant::now();
        loop {
            match self.try_change(&mut connection, &plan) {
                Err(Attempt::Failed(failure)) => return Err(failure),
                Err(Attempt::Interrupted) if start.elapsed() > PATIENCE => return Err(self.contended()),
                Err(Attempt::Interrupted) | Ok(false) => {}
                Ok(true) => return Ok(()),
            }
        }
    }

    /// Whether the change is complete.
    fn try_change(
        &self,
        connection: &mut Connection,
        plan: impl Fn(&[Entry]) -> Answer<Change>,
    ) -> Result<bool, Attempt> {
        let snapshot = self.snapshot(connection)?;
        let mut change = plan(&snapshot.entries)?;
        let is_complete = !change.add.is_empty() || change.remove.len() <= AT_ONCE;
        if !is_complete {
            change.remove.truncate(AT_ONCE);
        }
        connection.commit(&plan::requests(self, &snapshot, &change)?, snapshot.generation)?;
        Ok(is_complete)
    }

    /// Removes what a condition holds for.
    pub(crate) fn remove(&self, condition: impl Fn(&Entry) -> bool) -> Answer {
        self.change(|entries| {
            let remove = entries.iter().filter(|entry| condition(entry)).cloned().collect();
            Ok(Change { remove, ..Change::default() })
        })
    }

    /// What is there: the elements, and the chain of each rule.
    pub(crate) fn contents(&self) -> Answer<(Vec<Entry>, Vec<String>)> {
        let mut connection = Connection::open()?;
        let start = Instant::now();
        loop {
            let snapshot = self.snapshot(&mut connection);
            match snapshot.and_then(|snapshot| Ok((snapshot.entries, self.rules(&mut connection)?))) {
                Err(error) if error.is_interruption() && start.elapsed() < PATIENCE => {}
                contents => return Ok(contents?),
            }
        }
    }

    fn rules(&self, connection: &mut Connection) -> Result<Vec<String>, Error> {
        let doing = format!("list the rules of table `{}`", self.table);
        match connection.dump(&doing, Requests { table: self.table }.get_rules()) {
            Ok(listed) => Ok(listed.iter().filter_map(|object| read_rule(object)).collect()),
            Err(error) if error.errno() == Some(Errno::ENOENT) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Asks the kernel whether it could make the table, without making it.
    pub(crate) fn rehearse(&self) -> Result<(), Error> {
        Connection::open()?.rehearse(&plan::skeleton(self))
    }

    fn contended(&self) -> Failure {
        let msg = format!("other programs kept changing nf_tables rules; table `{}` is unchanged", self.table);
        Failure::new(ErrorCode::TRY_AGAIN_LATER, msg)
    }

    fn snapshot(&self, connection: &mut Connection) -> Result<Snapshot, Error> {
        let generation = connection.generation()?;
        let mut snapshot = Snapshot { generation, table_exists: false, entries: Vec::new() };
        for map in self.maps {
            let doing = format!("list map `{}` of table `{}`", map.name, self.table);
            match connection.dump(&doing, Requests { table: self.table }.get_elements(map.name)) {
                Ok(listed) => {
                    snapshot.table_exists = true;
                    snapshot.entries.extend(listed.iter().flat_map(|object| read_elements(map.name, object)));
                }
                Err(error) if error.errno() == Some(Errno::ENOENT) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(snapshot)
    }
}

//! The contents of a table that has owners.

use std::collections::{BTreeSet, HashSet};

use libcni::plugin::Answer;
use nix::errno::Errno;

use super::attempts::{read_if_available, until_undisturbed};
use super::counts::{self, Counts, OWNERS};
use super::error::{Error, if_there, refused};
use super::message::Message;
use super::owned::{Change, Entry, Layout, Map, PlaceBuf, Rules};
use super::owner::Owner;
use super::request::{read_elements, read_rule, read_set, read_users};
use super::socket::{Connection, Object, connection};

/// Which elements to read.
#[derive(Clone, Debug)]
pub(crate) enum Look {
    /// All of them, of a table that may have thousands.
    Everywhere,
    /// Those in some places: maps and keys in them.
    At(Vec<PlaceBuf>),
    /// Those of an owner, which are in these places as far as one knows. If the table counts another number of them
    /// than are there, or counts none, it is all elements.
    Of(Owner, Vec<PlaceBuf>),
}

/// The present state.
#[derive(Clone, Debug, Default)]
pub(super) struct Present {
    /// The maps that are there; `None` when only some places were looked at.
    pub(super) maps: Option<Vec<&'static str>>,
    pub(super) entries: Vec<Entry>,
    /// When only some places were looked at: the chains that elements elsewhere lead to, too.
    pub(super) kept: BTreeSet<String>,
    /// How many elements owners have: all of them, or those that a change is about when only some places were looked
    /// at; `None` when the table counts nothing.
    pub(super) counts: Option<Counts>,
    /// Read only for changes that need to know.
    pub(super) rules: Rules,
}

impl Present {
    /// Returns true if a change is about elements of which some, but not all were read.
    pub(super) fn is_touched_by(&self, change: &Change) -> bool {
        self.maps.is_none() && (!change.remove.is_empty() || !self.entries.is_empty() && self.is_replaced_by(change))
    }

    fn is_replaced_by(&self, change: &Change) -> bool {
        change.add.iter().any(|entry| self.entries.iter().any(|present| present.place() == entry.place()))
    }
}

/// More chains than this are counted by listing the rules of all.
const FEW: usize = 64;

impl Layout {
    /// The elements of a map.
    pub(crate) fn entries_of(&self, map: Map) -> Answer<Vec<Entry>> {
        let entries = until_undisturbed(|| self.elements(&mut *connection()?, map)).map_err(Error::into_failure);
        Ok(entries?.unwrap_or_default())
    }

    /// The elements of some places, and how many rules the table's own chains have and those that these lead to.
    pub(crate) fn contents_where(&self, look: &Look) -> Answer<(Vec<Entry>, Rules)> {
        until_undisturbed(|| self.read(&mut *connection()?, look)).map_err(Error::into_failure)
    }

    /// The rules of a chain, as the kernel lists them.
    pub(crate) fn rules_of(&self, chain: &str) -> Answer<Vec<Object>> {
        let listed = read_if_available(|| connection()?.dump_if_there(&self.requests().get_rules(Some(chain))))?;
        Ok(listed.flatten().unwrap_or_default())
    }

    /// The sets that somebody else has in the table.
    pub(crate) fn sets_of_others(&self) -> Answer<BTreeSet<String>> {
        let listed = read_if_available(|| connection()?.dump_if_there(&self.requests().get_sets()))?;
        let names = listed.flatten().unwrap_or_default().into_iter().filter_map(|set| read_set(&set));
        // Those without a name of their own are part of a rule.
        let is_ours = |name: &String| self.maps.iter().chain([&OWNERS]).any(|map| map.name == name);
        let is_of_others = |name: &String| !name.starts_with("__") && !is_ours(name);
        Ok(names.filter(is_of_others).collect())
    }

    /// The elements that are there, without rules.
    pub(super) fn present(&self, connection: &mut Connection, look: &Look) -> Result<Present, Error> {
        match look {
            Look::Everywhere => self.everything(connection),
            Look::At(places) => self.at(connection, places),
            Look::Of(owner, places) => {
                let part = self.at(connection, places)?;
                let found = part.entries.iter().filter(|entry| entry.is_of(owner)).count();
                let key = counts::key_of(owner);
                let counted = self.counted(connection, &[key].into())?;
                let count = counted.map(|counted| counted.counts.get(&key).copied().unwrap_or_default());
                if count.is_some_and(|count| count as usize == found) { Ok(part) } else { self.everything(connection) }
            }
        }
    }

    /// The elements in some places.
    fn at(&self, connection: &mut Connection, places: &[PlaceBuf]) -> Result<Present, Error> {
        let requests: Vec<_> = places.iter().map(|(map, key)| self.requests().get_element(map, key)).collect();
        let mut entries = Vec::new();
        for ((map, _), answer) in places.iter().zip(connection.ask_each(&requests)?) {
            let found = if_there(answer)?.unwrap_or_default();
            entries.extend(found.iter().flat_map(|object| read_elements(map, object)));
        }
        Ok(Present { entries, ..Present::default() })
    }

    pub(super) fn everything(&self, connection: &mut Connection) -> Result<Present, Error> {
        let (mut maps, mut entries) = (Vec::new(), Vec::new());
        for map in self.maps {
            match self.elements(connection, *map)? {
                Some(listed) => {
                    maps.push(map.name);
                    entries.extend(listed);
                }
                // A table is made with all its maps.
                None => break,
            }
        }
        let counts = if maps.is_empty() { None } else { self.counts(connection)? };
        Ok(Present { maps: Some(maps), entries, counts, ..Present::default() })
    }

    /// The elements of a map; `None` when it is not there.
    pub(super) fn elements(&self, connection: &mut Connection, map: Map) -> Result<Option<Vec<Entry>>, Error> {
        let mut entries = Vec::new();
        let request = self.requests().get_elements(map.name);
        let listed = connection.dump_each(&request, |object| entries.extend(read_elements(map.name, object)));
        if_there(listed)?.map(|()| each_once(&request, entries)).transpose()
    }

    /// Those of some chains that elements lead to.
    pub(crate) fn led_to(&self, chains: &BTreeSet<&str>) -> Answer<BTreeSet<String>> {
        until_undisturbed(|| self.with_more_users(&mut *connection()?, chains, |_| 0)).map_err(Error::into_failure)
    }

    /// The chains of elements that more elements than these lead to.
    pub(super) fn kept(&self, connection: &mut Connection, entries: &[Entry]) -> Result<BTreeSet<String>, Error> {
        let chains = entries.iter().map(|entry| &*entry.chain).collect();
        self.with_more_users(connection, &chains, |chain| entries.iter().filter(|entry| entry.chain == chain).count())
    }

    /// Those of some chains that more elements lead to than are known. The kernel counts what needs a chain: its rules,
    /// and the elements that lead there.
    fn with_more_users(
        &self,
        connection: &mut Connection,
        chains: &BTreeSet<&str>,
        known: impl Fn(&str) -> usize,
    ) -> Result<BTreeSet<String>, Error> {
        let rules = self.rules(connection, chains)?;
        let mut more = BTreeSet::new();
        let requests: Vec<_> = chains.iter().map(|chain| self.requests().get_chain(chain)).collect();
        for (chain, answer) in chains.iter().zip(connection.ask_each(&requests)?) {
            let found = if_there(answer)?.unwrap_or_default();
            let users = found.iter().find_map(|object| read_users(object)).unwrap_or_default() as usize;
            if users > rules.count(chain) + known(chain) {
                more.insert((*chain).to_owned());
            }
        }
        Ok(more)
    }

    /// The elements that are there, with the rules of the table's own chains and of those that the elements lead to.
    pub(super) fn read(&self, connection: &mut Connection, look: &Look) -> Result<(Vec<Entry>, Rules), Error> {
        let entries = self.present(connection, look)?.entries;
        let base = self.chains.iter().map(|chain| &*chain.name);
        let chains = base.chain(entries.iter().map(|entry| &*entry.chain)).collect();
        let rules = self.rules(connection, &chains)?;
        Ok((entries, rules))
    }

    /// How many rules some chains have.
    pub(super) fn rules(&self, connection: &mut Connection, chains: &BTreeSet<&str>) -> Result<Rules, Error> {
        let requests: Vec<_> = if chains.len() <= FEW {
            chains.iter().map(|chain| self.requests().get_rules(Some(chain))).collect()
        } else {
            vec![self.requests().get_rules(None)]
        };
        let mut rules = Rules::default();
        for request in &requests {
            let listed = connection.dump_if_there(request)?.unwrap_or_default();
            rules.extend(listed.iter().filter_map(|object| read_rule(object)));
        }
        Ok(rules)
    }
}

/// The elements of a list, in which each must be once. While the kernel makes room for many new ones, it lists some
/// twice, and as many not at all.
fn each_once(request: &Message, entries: Vec<Entry>) -> Result<Vec<Entry>, Error> {
    let keys: HashSet<_> = entries.iter().map(|entry| &entry.key).collect();
    if keys.len() < entries.len() { refused(request, -(Errno::EINTR as i32)).map(|()| entries) } else { Ok(entries) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_with_something_twice_lacks_something_else() {
        let entry = |key| Entry { map: "m", key: vec![key], chain: "c".to_owned(), owner: None };
        assert!(each_once(&Message::get_generation(), vec![entry(1), entry(2)]).is_ok());
        let error = each_once(&Message::get_generation(), vec![entry(1), entry(2), entry(1)]).unwrap_err();
        assert!(error.is_interruption());
    }
}

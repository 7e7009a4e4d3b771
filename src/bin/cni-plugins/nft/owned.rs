//! A table whose elements have owners, and how it is changed while others change it too.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::InetHookNumber;

use super::expression::Rule;
use super::owner::Owner;

/// The table as it is when nobody owns anything in it. It exists only as long as somebody does. A layout that
/// changes takes another name: what an older one wrote is left as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// The table's name.
    pub(crate) table: &'static str,
    /// Whose packets it sees: those of IPv4 and IPv6 (`inet`), or the frames that go through bridges.
    pub(crate) family: NetfilterProtoFamily,
    /// Its verdict maps.
    pub(crate) maps: &'static [Map],
    /// Its chains that belong to nobody. They are needed several times, and take longer to make than all else.
    pub(crate) chains: &'static LazyLock<Vec<Chain>>,
    /// Those of them that have more rules where attachments take turns at one place. A table has them from the first
    /// one on that needs them: the kernel goes through all elements for each rule that looks them up, with each change.
    pub(crate) chains_with_turns: fn() -> Vec<Chain>,
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
    /// How many rules it has instead where attachments take turns; none if that is the same.
    pub(crate) rules_with_turns: Option<usize>,
}

impl Chain {
    /// A chain that packets enter only from others.
    pub(crate) fn inner(name: String, rules: Vec<Rule>) -> Self {
        Self { name, hook: None, rules, rules_with_turns: None }
    }

    /// A chain that packets enter at a place on their way.
    pub(crate) fn base(name: &str, hook: Hook, rules: Vec<Rule>) -> Self {
        Self { name: name.to_owned(), hook: Some(hook), rules, rules_with_turns: None }
    }

    /// The same, with another number of rules where attachments take turns.
    pub(crate) fn or_with_turns(self, rules: usize) -> Self {
        Self { rules_with_turns: Some(rules), ..self }
    }

    /// Returns true if a table with these rules has all of the chain's.
    pub(crate) fn is_complete(&self, rules: &Rules) -> bool {
        let count = rules.count(&self.name);
        count == self.rules.len() || self.rules_with_turns == Some(count)
    }
}

/// How many rules each chain has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules(BTreeMap<String, usize>);

impl Rules {
    /// Returns true if no chain has any, or none was counted.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many rules a chain has; none when it is not there.
    pub(super) fn count(&self, chain: &str) -> usize {
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
/// The same, with the key.
pub(crate) type PlaceBuf = (&'static str, Vec<u8>);

impl Entry {
    /// Where it is: there can be only one in a place.
    pub(crate) fn place(&self) -> Place<'_> {
        (self.map, &self.key)
    }

    /// Returns true if an attachment owns it.
    pub(crate) fn is_of(&self, owner: &Owner) -> bool {
        self.owner.as_ref() == Some(owner)
    }
}

/// The difference to make. Elements to come replace those in their place; chains that no element leads to any
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

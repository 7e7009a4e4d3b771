//! The requests that tables, chains, maps, elements and rules are made and unmade with.

use libcni::plugin::{Answer, Failure};
use libcni::spec::ErrorCode;
use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::Verdict;

use super::attribute::{self, Attributes};
use super::counts::{self, OWNED, OWNERS};
use super::expression::Rule;
use super::message::{CHAIN_NAME, Message, NAME, RULE_HANDLE, TABLE, verb};
use super::owned::{Chain, Entry, Hook, Layout, Map};
use super::owner::Owner;

/// The data type of verdicts, for the kernel and for `nft`.
const VERDICT: u32 = 0xffff_ff00;
const RULE_EXPRESSIONS: u16 = 4;
/// The kind of each item of a list.
const ITEM: u16 = 1;
/// The attribute of an element that is kept for its owner.
const USER_DATA: u16 = 6;

/// An end of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    First,
    Last,
}

/// Requests for one table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requests<'a> {
    pub(crate) table: &'a str,
    pub(crate) family: NetfilterProtoFamily,
}

impl Layout {
    pub(super) fn requests(&self) -> Requests<'_> {
        Requests { table: self.table, family: self.family }
    }
}

impl Requests<'_> {
    fn request(&self, verb: u16, flags: u16, attributes: Attributes) -> Message {
        Message::nf_tables(self.family, verb, flags, attributes)
    }

    fn whole(&self) -> Attributes {
        Attributes::new().text(TABLE, self.table)
    }

    fn named(&self, name: &str) -> Attributes {
        self.whole().text(NAME, name)
    }

    pub(crate) fn new_table(&self) -> Message {
        self.request(verb::NEW_TABLE, NLM_F_CREATE, self.whole())
    }

    pub(crate) fn delete_table(&self) -> Message {
        self.request(verb::DELETE_TABLE, 0, self.whole())
    }

    /// Finds the table.
    pub(crate) fn get_table(&self) -> Message {
        self.request(verb::GET_TABLE, 0, self.whole())
    }

    /// Lists the tables of the family.
    pub(crate) fn get_tables(&self) -> Message {
        self.request(verb::GET_TABLE, 0, Attributes::new())
    }

    pub(super) fn new_map(&self, map: &Map, id: u32) -> Message {
        const FLAGS: u16 = 3;
        const KEY_TYPE: u16 = 4;
        const KEY_LENGTH: u16 = 5;
        const DATA_TYPE: u16 = 6;
        const ID: u16 = 10;
        const MAP: u32 = 1 << 3;
        let map =
            self.named(map.name).number(FLAGS, MAP).number(KEY_TYPE, map.key_type).number(KEY_LENGTH, map.key_length);
        self.request(verb::NEW_SET, NLM_F_CREATE, map.number(DATA_TYPE, VERDICT).number(ID, id))
    }

    /// The chain, empty.
    pub(crate) fn new_chain(&self, chain: &Chain) -> Message {
        const HOOK: u16 = 4;
        const TYPE: u16 = 7;
        let named = self.whole().text(CHAIN_NAME, &chain.name);
        let attributes = match &chain.hook {
            Some(hook) => named.nest(HOOK, &hook_attribute(hook)).text(TYPE, hook.kind),
            None => named,
        };
        self.request(verb::NEW_CHAIN, NLM_F_CREATE, attributes)
    }

    /// The chain and its rules.
    pub(crate) fn delete_chain(&self, chain: &str) -> Message {
        self.request(verb::DELETE_CHAIN, 0, self.whole().text(CHAIN_NAME, chain))
    }

    /// All rules of a chain.
    pub(crate) fn delete_rules(&self, chain: &str) -> Message {
        self.request(verb::DELETE_RULE, 0, self.named(chain))
    }

    /// A rule by its number.
    pub(crate) fn delete_rule(&self, chain: &str, handle: u64) -> Message {
        self.request(verb::DELETE_RULE, 0, self.named(chain).bytes(RULE_HANDLE, &handle.to_be_bytes()))
    }

    /// Finds a chain.
    pub(crate) fn get_chain(&self, chain: &str) -> Message {
        self.request(verb::GET_CHAIN, 0, self.whole().text(CHAIN_NAME, chain))
    }

    pub(super) fn new_rule(&self, chain: &str, rule: &Rule) -> Message {
        self.place_rule(chain, rule, End::Last, None)
    }

    /// A rule before all others of a chain, or behind them, with what is to be remembered of it.
    pub(crate) fn place_rule(&self, chain: &str, rule: &Rule, end: End, user_data: Option<&[u8]>) -> Message {
        const USER_DATA: u16 = 7;
        let expressions = rule.iter().fold(Attributes::new(), |list, expression| list.nest(ITEM, expression));
        let attributes = self.named(chain).nest(RULE_EXPRESSIONS, &expressions);
        let attributes = user_data.into_iter().fold(attributes, |all, data| all.bytes(USER_DATA, data));
        let place = match end {
            End::First => 0,
            End::Last => NLM_F_APPEND,
        };
        self.request(verb::NEW_RULE, NLM_F_CREATE | place, attributes)
    }

    /// Lists the rules of a chain.
    pub(crate) fn get_rules(&self, chain: Option<&str>) -> Message {
        self.request(verb::GET_RULE, 0, chain.map_or_else(|| self.whole(), |chain| self.named(chain)))
    }

    pub(super) fn new_element(&self, entry: &Entry) -> Answer<Message> {
        let user_data = entry.owner.as_ref().map(|owner| owner.to_user_data().ok_or_else(|| too_long(owner)));
        Ok(self.place_element(entry.map, &entry.key, &entry.chain, user_data.transpose()?.as_deref()))
    }

    /// An owner's count.
    pub(super) fn new_count(&self, owner: &counts::Key, count: u32) -> Message {
        self.place_element(OWNERS.name, owner, OWNED, Some(&counts::to_user_data(count)))
    }

    /// An element, only where there is none: one in its place is somebody else's, and was not there when the change was
    /// planned.
    fn place_element(&self, map: &str, of: &[u8], chain: &str, user_data: Option<&[u8]>) -> Message {
        const DATA: u16 = 2;
        let jump = Attributes::new().number(1, Verdict::Jump.into()).text(2, chain);
        let element = key(of).nest(DATA, &Attributes::new().nest(2, &jump));
        let element = user_data.into_iter().fold(element, |element, data| element.bytes(USER_DATA, data));
        self.request(verb::NEW_ELEMENT, NLM_F_CREATE | NLM_F_EXCL, self.element(map, &element))
    }

    pub(super) fn delete_element(&self, map: &str, element: &[u8]) -> Message {
        self.request(verb::DELETE_ELEMENT, 0, self.element(map, &key(element)))
    }

    /// Lists the sets of the table.
    pub(super) fn get_sets(&self) -> Message {
        self.request(verb::GET_SET, 0, self.whole())
    }

    /// Finds a map.
    pub(super) fn get_map(&self, map: &str) -> Message {
        self.request(verb::GET_SET, 0, self.named(map))
    }

    /// Lists a map.
    pub(super) fn get_elements(&self, map: &str) -> Message {
        self.request(verb::GET_ELEMENT, 0, self.named(map))
    }

    /// Looks for one element of a map.
    pub(super) fn get_element(&self, map: &str, element: &[u8]) -> Message {
        self.request(verb::GET_ELEMENT, 0, self.element(map, &key(element)))
    }

    fn element(&self, map: &str, element: &Attributes) -> Attributes {
        const ELEMENTS: u16 = 3;
        self.named(map).nest(ELEMENTS, &Attributes::new().nest(ITEM, element))
    }
}

/// An element by its key.
fn key(key: &[u8]) -> Attributes {
    Attributes::new().nest(1, &Attributes::new().bytes(1, key))
}

fn hook_attribute(hook: &Hook) -> Attributes {
    const NUMBER: u16 = 1;
    const PRIORITY: u16 = 2;
    // The kernel reads the priority as a signed number.
    Attributes::new().number(NUMBER, hook.number.into()).bytes(PRIORITY, &hook.priority.to_be_bytes())
}

fn too_long(owner: &Owner) -> Failure {
    Failure::new(
        ErrorCode::INVALID_ENVIRONMENT,
        format!("names too long for nf_tables, which takes 253 bytes: {owner}"),
    )
}

/// The elements that an object of a listed map has.
pub(super) fn read_elements(map: &'static str, object: &[u8]) -> Vec<Entry> {
    elements_in(object).filter_map(|element| read_element(map, element)).collect()
}

/// The counts that an object of the listed map of owners has.
pub(super) fn read_counts(object: &[u8]) -> impl Iterator<Item = (counts::Key, u32)> {
    elements_in(object).filter_map(|element| {
        let owner = attribute::nested(element, &KEY_VALUE)?.try_into().ok()?;
        let count = attribute::first(element, USER_DATA).and_then(counts::from_user_data);
        Some((owner, count.unwrap_or_default()))
    })
}

fn elements_in(object: &[u8]) -> impl Iterator<Item = &[u8]> {
    const ELEMENTS: u16 = 3;
    attribute::all(object, ELEMENTS).flat_map(|list| attribute::all(list, ITEM))
}

const KEY_VALUE: [u16; 2] = [1, 1];

fn read_element(map: &'static str, element: &[u8]) -> Option<Entry> {
    const VERDICT_CHAIN: [u16; 3] = [2, 2, 2];
    Some(Entry {
        map,
        key: attribute::nested(element, &KEY_VALUE)?.to_vec(),
        chain: attribute::nested(element, &VERDICT_CHAIN).and_then(attribute::text).unwrap_or_default(),
        owner: attribute::first(element, USER_DATA).and_then(Owner::from_user_data),
    })
}

/// The name of a listed table.
pub(crate) fn read_table(object: &[u8]) -> Option<String> {
    attribute::first(object, TABLE).and_then(attribute::text)
}

/// The name of a listed set.
pub(super) fn read_set(object: &[u8]) -> Option<String> {
    attribute::first(object, NAME).and_then(attribute::text)
}

/// How many rules and elements need a listed chain, or are in it.
pub(super) fn read_users(object: &[u8]) -> Option<u32> {
    const USE: u16 = 6;
    attribute::first(object, USE)?.try_into().ok().map(u32::from_be_bytes)
}

/// The chain that a listed rule is in.
pub(super) fn read_rule(object: &[u8]) -> Option<String> {
    attribute::first(object, NAME).and_then(attribute::text)
}

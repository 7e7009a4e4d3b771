//! The requests that tables, chains, maps, elements and rules are made and unmade with.

use libcni::plugin::{Answer, Failure};
use libcni::spec::ErrorCode;
use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, DataAttribute, HookNumber, ListAttribute, NfTablesMessage, RuleAttribute,
    RuleMessage, SetAttribute, SetElementAttribute, SetElementList, SetElementMessage, SetFlags, SetMessage,
    TableAttribute, TableMessage, Verdict, VerdictAttribute,
};
use netlink_packet_netfilter::{NetfilterMessage, NetfilterProtoFamily};

use super::attribute;
use super::expression::Rule;
use super::owned::{Chain, Entry, Hook, Map};
use super::owner::Owner;
use super::socket::nf_tables;

/// One message of a batch, and what to say when the kernel refuses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) doing: String,
    pub(super) message: NfTablesMessage,
    pub(super) flags: u16,
}

/// The data type of verdicts, for the kernel and for `nft`.
const VERDICT: u32 = 0xffff_ff00;

/// Requests for one table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Requests<'a> {
    pub(super) table: &'a str,
    pub(super) family: NetfilterProtoFamily,
}

impl Requests<'_> {
    fn request(&self, doing: &str, flags: u16, message: NfTablesMessage) -> Request {
        Request { doing: format!("{doing} of table `{}`", self.table), message, flags }
    }

    fn table_message(&self) -> TableMessage {
        TableMessage { attributes: vec![TableAttribute::Name(self.table.to_owned())] }
    }

    pub(super) fn new_table(&self) -> Request {
        let message = NfTablesMessage::NewTable(self.table_message());
        Request { doing: format!("make table `{}`", self.table), message, flags: NLM_F_CREATE }
    }

    pub(super) fn delete_table(&self) -> Request {
        let message = NfTablesMessage::DeleteTable(self.table_message());
        Request { doing: format!("remove table `{}`", self.table), message, flags: 0 }
    }

    pub(super) fn new_map(&self, map: &Map, id: u32) -> Request {
        let attributes = vec![
            SetAttribute::Table(self.table.to_owned()),
            SetAttribute::Name(map.name.to_owned()),
            SetAttribute::Id(id),
            SetAttribute::Flags(SetFlags::Map),
            SetAttribute::KeyType(map.key_type),
            SetAttribute::KeyLen(map.key_length),
            SetAttribute::DataType(VERDICT),
        ];
        let message = NfTablesMessage::NewSet(SetMessage { attributes });
        self.request(&format!("make map `{}`", map.name), NLM_F_CREATE, message)
    }

    /// The chain, empty.
    pub(super) fn new_chain(&self, chain: &Chain) -> Request {
        let mut attributes = self.chain_attributes(&chain.name);
        if let Some(hook) = &chain.hook {
            attributes.push(hook_attribute(hook));
            attributes.push(ChainAttribute::Type(hook.kind.to_owned()));
        }
        let message = NfTablesMessage::NewChain(ChainMessage { attributes });
        self.request(&format!("make chain `{}`", chain.name), NLM_F_CREATE, message)
    }

    /// The chain and its rules.
    pub(super) fn delete_chain(&self, chain: &str) -> Request {
        let message = NfTablesMessage::DeleteChain(ChainMessage { attributes: self.chain_attributes(chain) });
        self.request(&format!("remove chain `{chain}`"), 0, message)
    }

    fn chain_attributes(&self, chain: &str) -> Vec<ChainAttribute> {
        vec![ChainAttribute::Table(self.table.to_owned()), ChainAttribute::Name(chain.to_owned())]
    }

    /// All rules of a chain.
    pub(super) fn delete_rules(&self, chain: &str) -> Request {
        let message = NfTablesMessage::DeleteRule(RuleMessage { attributes: self.rule_attributes(chain) });
        self.request(&format!("empty chain `{chain}`"), 0, message)
    }

    pub(super) fn new_rule(&self, chain: &str, rule: &Rule) -> Request {
        let mut attributes = self.rule_attributes(chain);
        attributes.push(RuleAttribute::Expressions(rule.clone()));
        let message = NfTablesMessage::NewRule(RuleMessage { attributes });
        self.request(&format!("add a rule to chain `{chain}`"), NLM_F_CREATE | NLM_F_APPEND, message)
    }

    fn rule_attributes(&self, chain: &str) -> Vec<RuleAttribute> {
        vec![RuleAttribute::Table(self.table.to_owned()), RuleAttribute::Chain(chain.to_owned())]
    }

    pub(super) fn get_rules(&self) -> NetfilterMessage {
        let attributes = vec![RuleAttribute::Table(self.table.to_owned())];
        nf_tables(self.family, NfTablesMessage::GetRule(RuleMessage { attributes }))
    }

    pub(super) fn new_element(&self, entry: &Entry) -> Answer<Request> {
        let mut element = vec![SetElementAttribute::Key(DataAttribute::Value(entry.key.clone()))];
        let jump = [VerdictAttribute::Code(Verdict::Jump), VerdictAttribute::Chain(entry.chain.clone())];
        element.push(SetElementAttribute::Data(DataAttribute::Verdict(jump.to_vec())));
        if let Some(owner) = &entry.owner {
            element.push(SetElementAttribute::UserData(owner.to_user_data().ok_or_else(|| too_long(owner))?));
        }
        let message = NfTablesMessage::NewSetElement(self.element_message(entry.map, Some(element)));
        // Only where there is none: one in its place is somebody else's, and was not there when the change was planned.
        let flags = NLM_F_CREATE | NLM_F_EXCL;
        Ok(self.request(&format!("add an element to map `{}`", entry.map), flags, message))
    }

    pub(super) fn delete_element(&self, entry: &Entry) -> Request {
        let element = vec![SetElementAttribute::Key(DataAttribute::Value(entry.key.clone()))];
        let message = NfTablesMessage::DeleteSetElement(self.element_message(entry.map, Some(element)));
        self.request(&format!("remove an element from map `{}`", entry.map), 0, message)
    }

    pub(super) fn get_elements(&self, map: &str) -> NetfilterMessage {
        nf_tables(self.family, NfTablesMessage::GetSetElement(self.element_message(map, None)))
    }

    fn element_message(&self, map: &str, element: Option<Vec<SetElementAttribute>>) -> SetElementMessage {
        let mut attributes = vec![SetElementList::Table(self.table.to_owned()), SetElementList::Set(map.to_owned())];
        attributes.extend(element.map(|element| SetElementList::Elements(vec![ListAttribute::Element(element)])));
        SetElementMessage { attributes }
    }
}

fn hook_attribute(hook: &Hook) -> ChainAttribute {
    use netlink_packet_netfilter::nftables::Hook::{Number, Priority};
    // The kernel reads the priority as a signed number.
    let priority = u32::from_ne_bytes(hook.priority.to_ne_bytes());
    ChainAttribute::Hook(vec![Number(HookNumber::Inet(hook.number)), Priority(priority)])
}

fn too_long(owner: &Owner) -> Failure {
    Failure::new(
        ErrorCode::INVALID_ENVIRONMENT,
        format!("names too long for nf_tables, which takes 253 bytes: {owner}"),
    )
}

/// The elements that an object of a listed map has.
pub(super) fn read_elements(map: &'static str, object: &[u8]) -> Vec<Entry> {
    const ELEMENTS: u16 = 3;
    const ELEMENT: u16 = 1;
    let lists = attribute::all(object, ELEMENTS);
    lists.flat_map(|list| attribute::all(list, ELEMENT)).filter_map(|element| read_element(map, element)).collect()
}

fn read_element(map: &'static str, element: &[u8]) -> Option<Entry> {
    const KEY_VALUE: [u16; 2] = [1, 1];
    const VERDICT_CHAIN: [u16; 3] = [2, 2, 2];
    const USER_DATA: u16 = 6;
    Some(Entry {
        map,
        key: attribute::nested(element, &KEY_VALUE)?.to_vec(),
        chain: attribute::nested(element, &VERDICT_CHAIN).and_then(attribute::text).unwrap_or_default(),
        owner: attribute::first(element, USER_DATA).and_then(Owner::from_user_data),
    })
}

/// The chain that a listed rule is in.
pub(super) fn read_rule(object: &[u8]) -> Option<String> {
    const CHAIN: u16 = 2;
    attribute::first(object, CHAIN).and_then(attribute::text)
}

//! Requests to netfilter, as bytes.

use netlink_packet_netfilter::NetfilterProtoFamily;

use super::attribute::{self, Attributes};

/// A request to a part of netfilter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The part, and what it is to do.
    kind: u16,
    family: u8,
    flags: u16,
    /// The part that a batch is for.
    resource: u16,
    attributes: Attributes,
}

const NF_TABLES: u16 = 10;
const CONNECTION_TRACKING: u16 = 1;
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const BATCH_GENERATION: u16 = 1;
/// The headers of netlink and of netfilter.
const HEADERS: usize = 20;

/// The operations on each kind of object of nf_tables.
pub(super) mod verb {
    pub(in super::super) const NEW_TABLE: u16 = 0;
    pub(in super::super) const GET_TABLE: u16 = 1;
    pub(in super::super) const DELETE_TABLE: u16 = 2;
    pub(in super::super) const NEW_CHAIN: u16 = 3;
    pub(in super::super) const GET_CHAIN: u16 = 4;
    pub(in super::super) const DELETE_CHAIN: u16 = 5;
    pub(in super::super) const NEW_RULE: u16 = 6;
    pub(in super::super) const GET_RULE: u16 = 7;
    pub(in super::super) const DELETE_RULE: u16 = 8;
    pub(in super::super) const NEW_SET: u16 = 9;
    pub(in super::super) const GET_SET: u16 = 10;
    pub(in super::super) const NEW_ELEMENT: u16 = 12;
    pub(in super::super) const GET_ELEMENT: u16 = 13;
    pub(in super::super) const DELETE_ELEMENT: u16 = 14;
    pub(in super::super) const GET_GENERATION: u16 = 16;
}

/// The attribute that has the table's name, in all requests.
pub(super) const TABLE: u16 = 1;
/// The attribute that has the name of a chain or map, in requests about rules, maps and elements.
pub(super) const NAME: u16 = 2;
/// The same in requests about chains themselves.
pub(super) const CHAIN_NAME: u16 = 3;
/// The attribute that has the number of a rule.
pub(super) const RULE_HANDLE: u16 = 3;

impl Message {
    pub(super) fn nf_tables(family: NetfilterProtoFamily, verb: u16, flags: u16, attributes: Attributes) -> Self {
        Self { kind: NF_TABLES << 8 | verb, family: family.into(), flags, resource: 0, attributes }
    }

    /// A request about tracked connections of a family.
    pub(crate) fn tracking(family: u8, verb: u8, attributes: Attributes) -> Self {
        let kind = CONNECTION_TRACKING << 8 | u16::from(verb);
        Self { kind, family, flags: 0, resource: 0, attributes }
    }

    /// Asks for the generation of the rules.
    pub(super) fn get_generation() -> Self {
        Self::nf_tables(NetfilterProtoFamily::Unspec, verb::GET_GENERATION, 0, Attributes::new())
    }

    /// Begins a batch, for this generation of the rules only if there is one.
    pub(super) fn begin(generation: Option<u32>) -> Self {
        let attributes = Attributes::new();
        let attributes = match generation {
            Some(generation) => attributes.number(BATCH_GENERATION, generation),
            None => attributes,
        };
        Self { kind: BATCH_BEGIN, family: 0, flags: 0, resource: NF_TABLES, attributes }
    }

    /// Ends a batch, and has it done.
    pub(super) fn end() -> Self {
        Self { kind: BATCH_END, family: 0, flags: 0, resource: NF_TABLES, attributes: Attributes::new() }
    }

    pub(super) fn with_flags(mut self, flags: u16) -> Self {
        self.flags |= flags;
        self
    }

    /// Writes the message to the end of a datagram.
    pub(super) fn append_to(&self, datagram: &mut Vec<u8>, flags: u16, sequence: u32) {
        const VERSION: u8 = 0;
        let attributes = self.attributes.as_bytes();
        let length = (HEADERS + attributes.len()) as u32;
        datagram.extend(length.to_ne_bytes());
        datagram.extend(self.kind.to_ne_bytes());
        datagram.extend((self.flags | flags).to_ne_bytes());
        datagram.extend(sequence.to_ne_bytes());
        // No port of ours.
        datagram.extend([0; 4]);
        datagram.extend([self.family, VERSION]);
        datagram.extend(self.resource.to_be_bytes());
        datagram.extend(attributes);
    }

    /// The thing that is asked for, as an error names it.
    pub(super) fn describe(&self) -> String {
        match self.kind >> 8 {
            NF_TABLES => self.describe_rules(),
            CONNECTION_TRACKING => "look at tracked connections".to_owned(),
            _ => "change the rules".to_owned(),
        }
    }

    fn describe_rules(&self) -> String {
        let name = |kind| attribute::first(self.attributes.as_bytes(), kind).and_then(attribute::text);
        let is_chain = [verb::NEW_CHAIN, verb::GET_CHAIN, verb::DELETE_CHAIN].contains(&(self.kind & 0xff));
        let table = name(TABLE).unwrap_or_default();
        let name = name(if is_chain { CHAIN_NAME } else { NAME }).unwrap_or_default();
        let doing = match self.kind & 0xff {
            verb::NEW_TABLE => return format!("make table `{table}`"),
            verb::GET_TABLE => return "list the tables".to_owned(),
            verb::DELETE_TABLE => return format!("remove table `{table}`"),
            verb::NEW_SET => format!("make map `{name}`"),
            verb::GET_SET => "list the sets".to_owned(),
            verb::NEW_CHAIN => format!("make chain `{name}`"),
            verb::GET_CHAIN => format!("find chain `{name}`"),
            verb::DELETE_CHAIN => format!("remove chain `{name}`"),
            verb::NEW_RULE => format!("add a rule to chain `{name}`"),
            verb::GET_RULE if name.is_empty() => "list the rules".to_owned(),
            verb::GET_RULE => format!("list the rules of chain `{name}`"),
            verb::DELETE_RULE if self.has_handle() => format!("remove a rule from chain `{name}`"),
            verb::DELETE_RULE => format!("empty chain `{name}`"),
            verb::NEW_ELEMENT => format!("add an element to map `{name}`"),
            verb::GET_ELEMENT => format!("list map `{name}`"),
            verb::DELETE_ELEMENT => format!("remove an element from map `{name}`"),
            _ => return "read the generation of the rules".to_owned(),
        };
        format!("{doing} of table `{table}`")
    }

    fn has_handle(&self) -> bool {
        attribute::first(self.attributes.as_bytes(), RULE_HANDLE).is_some()
    }
}

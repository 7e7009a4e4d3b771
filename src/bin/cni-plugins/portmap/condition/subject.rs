//! The subjects of conditions, and the expressions that tell.

use std::fmt;
use std::net::IpAddr;

use libcni::spec::IpNet;
use netlink_packet_netfilter::nftables::{MetaKey, Operator, Register};

use crate::nft::expression::{self, Rule, Side};
use crate::nft::family::{self, Family};
use crate::portmap::mapping::Protocol;

/// One thing that a connection may be, by its first packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// From or to an address of a network.
    Network(Side, IpNet),
    /// From or to an address between two.
    Addresses(Side, IpAddr, IpAddr),
    /// Through an interface of a name, or, for many of them, of names that begin with it.
    Interface { name: String, whole: bool },
    /// From or to a port between two, by a protocol if it matters.
    Ports { end: Side, protocol: Option<Protocol>, from: u16, to: u16 },
    /// By a protocol.
    Protocol(Protocol),
    /// Marked, by the bits that are set in a mask.
    Mark { value: u32, mask: u32 },
    /// From or to one that a set of the table has.
    InSet(Looked, String),
}

/// The value that is looked up in a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    Address(Family, Side),
    Port(Side, Option<Protocol>),
    Interface,
}

impl Subject {
    /// The expressions that go on only when it is so, or when it is not.
    pub(super) fn expressions(&self, operator: Operator) -> Rule {
        match self {
            Self::Network(side, net) => expression::is_in(*side, operator, *net),
            Self::Addresses(side, from, to) => {
                let load = expression::address(Family::of(*from), *side, Register::Reg1);
                vec![load, expression::is_between(operator, &family::octets(*from), &family::octets(*to))]
            }
            Self::Interface { name, whole } => {
                // The register has the name with zeros behind it.
                let end: &[u8] = if *whole { &[0] } else { &[] };
                let name = [name.as_bytes(), end].concat();
                let load = expression::meta(MetaKey::Iifname, Register::Reg1);
                vec![load, expression::compare(Register::Reg1, operator, &name)]
            }
            Self::Ports { end, protocol, from, to } => {
                let mut rule = load_port(*end, *protocol);
                rule.push(expression::is_between(operator, &from.to_be_bytes(), &to.to_be_bytes()));
                rule
            }
            Self::Protocol(protocol) => is_protocol(*protocol, operator),
            Self::Mark { value, mask } => {
                let load = expression::meta(MetaKey::Mark, Register::Reg1);
                let bits = expression::keep_bits(Register::Reg1, &mask.to_ne_bytes());
                vec![load, bits, expression::compare(Register::Reg1, operator, &value.to_ne_bytes())]
            }
            Self::InSet(looked, set) => {
                let mut rule = looked.load();
                rule.push(expression::is_in_set(operator, set));
                rule
            }
        }
    }

    /// The set that it looks up.
    pub(super) fn set(&self) -> Option<&str> {
        match self {
            Self::InSet(_, set) => Some(set),
            _ => None,
        }
    }
}

impl Looked {
    fn load(self) -> Rule {
        match self {
            Self::Address(family, side) => vec![expression::address(family, side, Register::Reg1)],
            Self::Port(end, protocol) => load_port(end, protocol),
            Self::Interface => vec![expression::meta(MetaKey::Iifname, Register::Reg1)],
        }
    }
}

fn load_port(end: Side, protocol: Option<Protocol>) -> Rule {
    let only = protocol.map(|protocol| is_protocol(protocol, Operator::Equal)).unwrap_or_default();
    only.into_iter().chain([expression::port(end, Register::Reg1)]).collect()
}

fn is_protocol(protocol: Protocol, operator: Operator) -> Rule {
    let load = expression::meta(MetaKey::L4Proto, Register::Reg1);
    vec![load, expression::compare(Register::Reg1, operator, &[protocol.number()])]
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: Side| if side == Side::Source { "from" } else { "to" };
        let port = |end: Side, protocol: Option<Protocol>| {
            let protocol = protocol.map(|protocol| format!("{protocol} ")).unwrap_or_default();
            format!("{} {protocol}port", side(end))
        };
        match self {
            Self::Network(of, net) => write!(f, "{} {net}", side(*of)),
            Self::Addresses(of, from, to) => write!(f, "{} {from}-{to}", side(*of)),
            Self::Interface { name, whole } => write!(f, "through {name}{}", if *whole { "" } else { "…" }),
            Self::Ports { end, protocol, from, to } if from == to => write!(f, "{} {from}", port(*end, *protocol)),
            Self::Ports { end, protocol, from, to } => write!(f, "{} {from}-{to}", port(*end, *protocol)),
            Self::Protocol(protocol) => write!(f, "by {protocol}"),
            Self::Mark { value, mask } => write!(f, "marked {value:#x}/{mask:#x}"),
            Self::InSet(Looked::Address(_, of), set) => write!(f, "{} one of @{set}", side(*of)),
            Self::InSet(Looked::Port(end, protocol), set) => write!(f, "{} of @{set}", port(*end, *protocol)),
            Self::InSet(Looked::Interface, set) => write!(f, "through one of @{set}"),
        }
    }
}

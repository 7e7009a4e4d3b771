//! Rules of nf_tables: those of `iptables-nft`, in which extensions of iptables are, and those of `nft`.

use netlink_packet_netfilter::NetfilterProtoFamily;

use super::rule::{Place, Rule};
use crate::nft::attribute;
use crate::nft::error::{Error, if_there};
use crate::nft::family::{self, Family};
use crate::nft::request::Requests;
use crate::nft::socket::Connection;

const fn table(family: NetfilterProtoFamily, table: &'static str) -> Requests<'static> {
    Requests { table, family }
}

/// `nat` of iptables and ip6tables.
pub(super) const NAT: [Requests<'static>; 2] =
    [table(NetfilterProtoFamily::IPv4, "nat"), table(NetfilterProtoFamily::IPv6, "nat")];
/// Mapped ports.
pub(super) const PORTS: [Requests<'static>; 2] =
    [table(NetfilterProtoFamily::IPv4, "cni_hostport"), table(NetfilterProtoFamily::IPv6, "cni_hostport")];
/// Masquerading.
pub(super) const MASQUERADE: Requests<'static> = table(NetfilterProtoFamily::Inet, "cni_plugins_masquerade");
/// Ports of bridges.
pub(super) const ANTISPOOF: Requests<'static> = table(NetfilterProtoFamily::Bridge, "nat");

/// The family of addresses that a table is for.
pub(super) fn family(table: Requests<'_>) -> Family {
    if table.family == NetfilterProtoFamily::IPv6 { Family::V6 } else { Family::V4 }
}

/// Which of some chains are there.
pub(super) fn there<'a>(
    connection: &mut Connection,
    chains: &[(Requests<'static>, &'a str)],
) -> Result<Vec<(Requests<'static>, &'a str)>, Error> {
    let questions: Vec<_> = chains.iter().map(|(table, chain)| table.get_chain(chain)).collect();
    let mut there = Vec::new();
    for (chain, answer) in chains.iter().zip(connection.ask_each(&questions)?) {
        // A kernel without this family of tables has none of its chains.
        if if_there(answer).ok().flatten().is_some() {
            there.push(*chain);
        }
    }
    Ok(there)
}

/// The rules of a chain; none when it is not there.
pub(super) fn rules(connection: &mut Connection, table: Requests<'_>, chain: &str) -> Result<Vec<Rule>, Error> {
    let listed = connection.dump_if_there(&table.get_rules(Some(chain)))?;
    Ok(listed.unwrap_or_default().iter().map(|object| read(object)).collect())
}

fn read(object: &[u8]) -> Rule {
    const HANDLE: u16 = 3;
    const EXPRESSIONS: u16 = 4;
    const USER_DATA: u16 = 7;
    const ITEM: u16 = 1;
    let handle = attribute::first(object, HANDLE).and_then(|bytes| bytes.try_into().ok());
    let mut reading = Reading::default();
    reading.rule.place = Place::Handle(handle.map_or(0, u64::from_be_bytes));
    reading.rule.comment = attribute::first(object, USER_DATA).and_then(comment);
    let expressions = attribute::first(object, EXPRESSIONS).unwrap_or_default();
    attribute::all(expressions, ITEM).for_each(|expression| reading.read(expression));
    reading.rule
}

/// The comment in the user data of a rule.
fn comment(mut user_data: &[u8]) -> Option<String> {
    const COMMENT: u8 = 0;
    while let [kind, length, rest @ ..] = user_data {
        let value = rest.get(..usize::from(*length))?;
        if *kind == COMMENT {
            return attribute::text(value);
        }
        user_data = &rest[value.len()..];
    }
    None
}

/// The source that a register was loaded from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loaded {
    Protocol,
    Source,
    Destination,
    DestinationPort,
}

/// A rule as its expressions are read.
#[derive(Default)]
struct Reading {
    rule: Rule,
    /// Of what is compared next.
    loaded: Option<Loaded>,
}

const NAME: u16 = 1;
const DATA: u16 = 2;

impl Reading {
    fn read(&mut self, expression: &[u8]) {
        let name = attribute::first(expression, NAME).and_then(attribute::text).unwrap_or_default();
        let data = attribute::first(expression, DATA).unwrap_or_default();
        match &*name {
            "meta" => self.loaded = meta(data),
            "payload" => self.loaded = payload(data),
            "bitwise" => self.loaded = None,
            "cmp" => self.compare(data),
            "immediate" => {
                const VERDICT_CHAIN: [u16; 3] = [2, 2, 2];
                let chain = attribute::nested(data, &VERDICT_CHAIN).and_then(attribute::text);
                self.rule.to = chain.or(self.rule.to.take());
            }
            "nat" => {
                const DESTINATION: [u8; 4] = [0, 0, 0, 1];
                self.rule.translates |= attribute::first(data, 1) == Some(&DESTINATION);
            }
            "match" => self.extension(data),
            "target" => {
                let target = attribute::first(data, NAME).and_then(attribute::text);
                self.rule.translates |= target.as_deref() == Some("DNAT");
            }
            _ => {}
        }
    }

    fn compare(&mut self, data: &[u8]) {
        const EQUAL: [u8; 4] = [0; 4];
        const VALUE: [u16; 2] = [3, 1];
        let loaded = self.loaded.take().filter(|_| attribute::first(data, 2) == Some(&EQUAL));
        let (Some(loaded), Some(value)) = (loaded, attribute::nested(data, &VALUE)) else { return };
        match loaded {
            Loaded::Protocol => self.rule.protocol = value.first().copied(),
            Loaded::Source => self.rule.source = family::address(value),
            Loaded::Destination => self.rule.destination = family::address(value),
            Loaded::DestinationPort => {
                self.rule.ports.extend(value.first_chunk().map(|port| u16::from_be_bytes(*port)));
            }
        }
    }

    /// Extensions of iptables, as its structs have them.
    fn extension(&mut self, data: &[u8]) {
        const INFO: u16 = 3;
        let name = attribute::first(data, NAME).and_then(attribute::text).unwrap_or_default();
        let info = attribute::first(data, INFO).unwrap_or_default();
        match &*name {
            "comment" => {
                let end = info.iter().position(|byte| *byte == 0).unwrap_or(info.len());
                self.rule.comment = attribute::text(&info[..end]).or(self.rule.comment.take());
            }
            "multiport" => {
                let count = info.get(1).copied().unwrap_or_default();
                let ports = info.get(2..).unwrap_or_default().chunks_exact(2).take(count.into());
                self.rule.ports.extend(ports.map(|port| u16::from_ne_bytes([port[0], port[1]])));
            }
            "tcp" | "udp" => self.rule.ports.extend(range(info, 4)),
            "sctp" => self.rule.ports.extend(range(info, 0)),
            _ => {}
        }
    }
}

/// A range of ports in an extension, if it is of one.
fn range(info: &[u8], offset: usize) -> Option<u16> {
    match info.get(offset..offset + 4)? {
        [a, b, c, d] if [a, b] == [c, d] => Some(u16::from_ne_bytes([*a, *b])),
        _ => None,
    }
}

fn meta(data: &[u8]) -> Option<Loaded> {
    const KEY: u16 = 2;
    const L4PROTO: [u8; 4] = [0, 0, 0, 16];
    (attribute::first(data, KEY)? == L4PROTO).then_some(Loaded::Protocol)
}

fn payload(data: &[u8]) -> Option<Loaded> {
    const NETWORK: u32 = 1;
    const TRANSPORT: u32 = 2;
    let number = |kind| Some(u32::from_be_bytes(attribute::first(data, kind)?.try_into().ok()?));
    match (number(2)?, number(3)?, number(4)?) {
        // A part of an address is a network.
        (NETWORK, 12, 4) | (NETWORK, 8, 16) => Some(Loaded::Source),
        (NETWORK, 16, 4) | (NETWORK, 24, 16) => Some(Loaded::Destination),
        (NETWORK, 9, 1) => Some(Loaded::Protocol),
        (TRANSPORT, 2, 2) => Some(Loaded::DestinationPort),
        _ => None,
    }
}

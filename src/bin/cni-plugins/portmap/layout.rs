//! The table that maps ports, as long as none is mapped.
//!
//! A connection is looked up by the address, protocol and port that it is for, so the number of mapped ports does not
//! matter to it. Only connections to addresses of the host are: others that happen to be for a mapped port are
//! somebody else's, on their way through.

use std::net::IpAddr;
use std::sync::LazyLock;

use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::{InetHookNumber, MetaKey, Operator, Register, Verdict};

use crate::nft::expression::{self, Expression, Rule, Side, Tracked};
use crate::nft::family::{self, Family};
use crate::nft::owned::{Chain, Entry, Hook, Layout, Map, PlaceBuf};
use crate::portmap::mapping::{HostPort, Protocol};

pub(crate) static LAYOUT: Layout = Layout {
    table: "libcni_portmap",
    family: NetfilterProtoFamily::Inet,
    maps: &[PORTS_4, PORTS_6, MASQUERADED_4, MASQUERADED_6, FURTHER_4, FURTHER_6],
    chains: &CHAINS,
    chains_with_turns,
};

/// The chains without an owner.
pub(crate) static CHAINS: LazyLock<Vec<Chain>> = LazyLock::new(chains);

// Keys of `masqueraded` are an address of a container, a protocol, and the port of the host that the connection was
// for; keys of `ports` an address, a protocol and a port of the host, and whose turn it is. The unspecified address
// stands for all that the host has. Keys of `further` are those of `masqueraded` with a turn: tables of older versions
// lack this map, and get it with the next port.
const PORTS_4: Map = Map { name: "ports4", key_type: ADDRESS_PROTOCOL_PORT_4 << 6 | NUMBER, key_length: 16 };
const PORTS_6: Map = Map { name: "ports6", key_type: ADDRESS_PROTOCOL_PORT_6 << 6 | NUMBER, key_length: 28 };
const MASQUERADED_4: Map = Map { name: "masqueraded4", key_type: ADDRESS_PROTOCOL_PORT_4, key_length: 12 };
const MASQUERADED_6: Map = Map { name: "masqueraded6", key_type: ADDRESS_PROTOCOL_PORT_6, key_length: 24 };
const FURTHER_4: Map = Map { name: "further4", key_type: ADDRESS_PROTOCOL_PORT_4 << 6 | NUMBER, key_length: 16 };
const FURTHER_6: Map = Map { name: "further6", key_type: ADDRESS_PROTOCOL_PORT_6 << 6 | NUMBER, key_length: 28 };

// As `nft` counts types: six bits each. It has none for just a number; this one is for marks.
const ADDRESS_PROTOCOL_PORT_4: u32 = (7 << 6 | 12) << 6 | 13;
const ADDRESS_PROTOCOL_PORT_6: u32 = (8 << 6 | 12) << 6 | 13;
const NUMBER: u32 = 19;

/// How many attachments of one container may have the same port of the host. Runtimes ask for the container's ports in
/// each network that it is on; it is reached through the first of them that is left.
pub(crate) const TURNS: u32 = 4;

/// The turn that never comes.
const GONE: [u8; 4] = u32::MAX.to_be_bytes();

/// After everybody who translates destinations at the usual place: services of Kubernetes come before mapped ports.
const AFTER_DESTINATION_NAT: i32 = -99;
const BEFORE_DESTINATION_NAT: i32 = -150;
const SOURCE_NAT: i32 = 100;

fn chains() -> Vec<Chain> {
    let base = |name, kind, number, priority, rules| Chain::base(name, Hook { kind, number, priority }, rules);
    let guard = [Side::Destination, Side::Source].map(drop_foreign_loopback).to_vec();
    let further = (1..TURNS).flat_map(|turn| Family::ALL.map(|family| masquerade_further(family, turn))).collect();
    vec![
        ports(1).or_with_turns(1 + 2 * Family::ALL.len() * TURNS as usize),
        base("guard", "filter", InetHookNumber::PreRouting, BEFORE_DESTINATION_NAT, guard),
        base("prerouting", "nat", InetHookNumber::PreRouting, AFTER_DESTINATION_NAT, vec![to_ports()]),
        base("output", "nat", InetHookNumber::LocalOut, AFTER_DESTINATION_NAT, vec![to_ports()]),
        base("postrouting", "nat", InetHookNumber::PostRouting, SOURCE_NAT, Family::ALL.map(masquerade).to_vec()),
        base(FURTHER, "nat", InetHookNumber::PostRouting, SOURCE_NAT, further),
    ]
}

/// The chain for turns after the first one. Tables of older versions lack it.
pub(crate) const FURTHER: &str = "postrouting-further";

/// The chain that looks up ports, if some are mapped at a turn after the first one.
pub(crate) fn chains_with_turns() -> Vec<Chain> {
    vec![ports(TURNS)]
}

fn ports(turns: u32) -> Chain {
    Chain::inner(PORTS.to_owned(), look_ups(turns))
}

const PORTS: &str = "ports";

fn to_ports() -> Rule {
    const LOCAL: u32 = 2;
    vec![
        expression::destination_type(Register::Reg1),
        expression::compare(Register::Reg1, Operator::Equal, &LOCAL.to_ne_bytes()),
        expression::jump(PORTS),
    ]
}

/// Routing 127.0.0.1 to containers (see `localhost`) would let them, and whoever is on their network, reach what
/// listens on the host's loopback addresses only, or speak as one of these.
fn drop_foreign_loopback(side: Side) -> Rule {
    const LOOPBACK: u16 = 772;
    let mut rule = expression::is_in(side, Operator::Equal, Family::V4.loopback());
    rule.push(expression::meta(MetaKey::Iftype, Register::Reg1));
    rule.push(expression::compare(Register::Reg1, Operator::NotEqual, &LOOPBACK.to_ne_bytes()));
    rule.push(expression::drop_packet());
    rule
}

/// A mapping for a single address comes before one for all of them.
fn look_ups(turns: u32) -> Vec<Rule> {
    let turns = |load: fn(Family) -> Expression| {
        let turn = move |turn| Family::ALL.map(|family| look_up(family, load(family), turn));
        (0..turns).flat_map(turn)
    };
    let own = turns(|family| expression::address(family, Side::Destination, Register::Reg1));
    let any = turns(|family| expression::immediate(Register::Reg1, &family::octets(family.unspecified())));
    [leave_loopback_of_ipv6()].into_iter().chain(own).chain(any).collect()
}

/// The kernel never routes ::1 to containers: a refused connection is better than one without an answer.
fn leave_loopback_of_ipv6() -> Rule {
    let mut rule = expression::is_in(Side::Destination, Operator::Equal, Family::V6.loopback());
    rule.push(expression::verdict(Verdict::Return));
    rule
}

fn look_up(family: Family, load_address: Expression, turn: u32) -> Rule {
    let [protocol, port, number] = registers_after_address(family);
    let mut rule = expression::is_family(family);
    rule.push(load_address);
    rule.push(expression::meta(MetaKey::L4Proto, protocol));
    rule.push(expression::port(Side::Destination, port));
    rule.push(expression::immediate(number, &turn.to_be_bytes()));
    rule.push(expression::verdict_of(ports_of(family).name));
    rule
}

/// Traffic to a container because of a mapping.
fn masquerade(family: Family) -> Rule {
    let mut rule = connection_of_mapping(family);
    rule.push(expression::verdict_of(masqueraded_of(family).name));
    rule
}

/// The same, where another attachment has the first turn.
fn masquerade_further(family: Family, turn: u32) -> Rule {
    let [_, _, number] = registers_after_address(family);
    let mut rule = connection_of_mapping(family);
    rule.push(expression::immediate(number, &turn.to_be_bytes()));
    rule.push(expression::verdict_of(further_of(family).name));
    rule
}

fn connection_of_mapping(family: Family) -> Rule {
    const DESTINATION_TRANSLATED: u32 = 1 << 5;
    let [protocol, port, _] = registers_after_address(family);
    let mut rule = expression::is_family(family);
    rule.push(expression::tracked(Tracked::Status, Register::Reg1));
    rule.push(expression::keep_bits(Register::Reg1, &DESTINATION_TRANSLATED.to_ne_bytes()));
    rule.push(expression::compare(Register::Reg1, Operator::NotEqual, &[0; 4]));
    rule.push(expression::address(family, Side::Destination, Register::Reg1));
    rule.push(expression::meta(MetaKey::L4Proto, protocol));
    rule.push(expression::tracked(Tracked::OriginalDestinationPort, port));
    rule
}

/// Where protocol, port and turn belong so that they follow the address in [`Register::Reg1`].
fn registers_after_address(family: Family) -> [Register; 3] {
    match family {
        Family::V4 => [Register::Reg32_01, Register::Reg32_02, Register::Reg32_03],
        Family::V6 => [Register::Reg32_04, Register::Reg32_05, Register::Reg32_06],
    }
}

/// The map of mapped ports.
pub(crate) fn ports_of(family: Family) -> Map {
    match family {
        Family::V4 => PORTS_4,
        Family::V6 => PORTS_6,
    }
}

/// The map of what is masqueraded, for the attachment that has the first turn.
fn masqueraded_of(family: Family) -> Map {
    match family {
        Family::V4 => MASQUERADED_4,
        Family::V6 => MASQUERADED_6,
    }
}

/// The map of what is masqueraded at all other turns.
fn further_of(family: Family) -> Map {
    match family {
        Family::V4 => FURTHER_4,
        Family::V6 => FURTHER_6,
    }
}

/// The maps of what is masqueraded.
pub(crate) fn ways_back_of(family: Family) -> [Map; 2] {
    [masqueraded_of(family), further_of(family)]
}

/// The key of a mapped port.
pub(crate) fn port_key(host: HostPort, turn: u32) -> Vec<u8> {
    [key(host.address, host.protocol, host.port), turn.to_be_bytes().to_vec()].concat()
}

/// The key of a port that is not mapped any more, see [`as_gone`].
pub(crate) fn gone_key(host: HostPort) -> Vec<u8> {
    [key(host.address, host.protocol, host.port), GONE.to_vec()].concat()
}

/// The place of what is masqueraded: a map and a key. Two networks may have a container of one address, each with the
/// same port of another address of the host.
pub(crate) fn way_back(container: IpAddr, host: HostPort, turn: u32) -> PlaceBuf {
    let (family, key) = (Family::of(container), key(container, host.protocol, host.port));
    match turn {
        0 => (masqueraded_of(family).name, key),
        _ => (further_of(family).name, [key, turn.to_be_bytes().to_vec()].concat()),
    }
}

/// The port of an element; `None` of one of another map.
pub(crate) fn port_of(entry: &Entry) -> Option<HostPort> {
    let family = Family::ALL.into_iter().find(|family| ports_of(*family).name == entry.map)?;
    let (address, rest) = entry.key.split_at_checked(family.address_length() as usize)?;
    let [protocol, _, _, _, high, low, ..] = *rest else { return None };
    let port = u16::from_be_bytes([high, low]);
    Some(HostPort { address: family::address(address)?, protocol: Protocol::of_number(protocol)?, port })
}

/// The element that stands for a port of UDP that is not mapped any more, as long as the kernel knows connections to
/// it; `None` of what needs nothing like that.
pub(crate) fn as_gone(entry: &Entry) -> Option<Entry> {
    port_of(entry).filter(|port| port.protocol == Protocol::Udp)?;
    let mut key = entry.key.clone();
    let turn = key.len().checked_sub(GONE.len())?;
    key[turn..].copy_from_slice(&GONE);
    Some(Entry { key, ..entry.clone() })
}

pub(crate) fn is_gone(entry: &Entry) -> bool {
    port_of(entry).is_some() && entry.key.ends_with(&GONE)
}

/// A key as the registers hold it: each part fills up four bytes.
fn key(address: IpAddr, protocol: Protocol, port: u16) -> Vec<u8> {
    let [high, low] = port.to_be_bytes();
    [&family::octets(address)[..], &[protocol.number(), 0, 0, 0], &[high, low, 0, 0]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_for_turns_has_as_many_rules_as_it_is_known_by() {
        let known = CHAINS.iter().find_map(|chain| chain.rules_with_turns);
        assert_eq!(known, Some(chains_with_turns()[0].rules.len()));
    }
}

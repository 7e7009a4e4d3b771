//! Masquerading: what a container sends out of its network leaves with an address of the host.

use std::sync::LazyLock;

use libcni::plugin::{Answer, Failure};
use libcni::spec::IpNet;
use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::{InetHookNumber, Operator, Register, Verdict};

use super::expression::{self, Rule, Side};
use super::family::{self, Family};
use super::owned::{Chain, Change, Entry, Hook, Layout, Map, PlaceBuf};
use super::owner::Owner;
use super::reading::Look;

// A packet's source address is looked up in a map, so the number of containers does not matter to it; the map leads
// to a chain that all containers of a subnet share. Keys are an address and a turn: networks that don't know of each
// other may use one subnet, and their containers have one address then.
static LAYOUT: Layout = Layout {
    table: "libcni_masquerading",
    family: NetfilterProtoFamily::Inet,
    maps: &[SOURCES_4, SOURCES_6],
    chains: &CHAINS,
    chains_with_turns,
};
static CHAINS: LazyLock<Vec<Chain>> =
    LazyLock::new(|| vec![postrouting(1).or_with_turns(Family::ALL.len() * TURNS as usize)]);

// As `nft` counts types: six bits each. It has none for just a number; this one is for marks.
const NUMBER: u32 = 19;
const SOURCES_4: Map = Map { name: "sources4", key_type: 7 << 6 | NUMBER, key_length: 8 };
const SOURCES_6: Map = Map { name: "sources6", key_type: 8 << 6 | NUMBER, key_length: 20 };
const SOURCE_NAT: i32 = 100;

/// How many attachments may have one address. The next one takes a turn from another: of its own network, or the last.
const TURNS: u32 = 4;

fn map(family: Family) -> Map {
    match family {
        Family::V4 => SOURCES_4,
        Family::V6 => SOURCES_6,
    }
}

fn chains_with_turns() -> Vec<Chain> {
    vec![postrouting(TURNS)]
}

fn postrouting(turns: u32) -> Chain {
    let hook = Hook { kind: "nat", number: InetHookNumber::PostRouting, priority: SOURCE_NAT };
    let rules = (0..turns).flat_map(|turn| Family::ALL.map(|family| look_up_source(family, turn))).collect();
    Chain::base("postrouting", hook, rules)
}

fn look_up_source(family: Family, turn: u32) -> Rule {
    let after_address = match family {
        Family::V4 => Register::Reg32_01,
        Family::V6 => Register::Reg32_04,
    };
    let mut rule = expression::is_family(family);
    rule.push(expression::address(family, Side::Source, Register::Reg1));
    rule.push(expression::immediate(after_address, &turn.to_be_bytes()));
    rule.push(expression::verdict_of(map(family).name));
    rule
}

fn chain_name(subnet: IpNet) -> String {
    format!("subnet-{}", family::in_name(subnet))
}

/// Where packets of a subnet go: those that stay in it or are multicast as they are, all others masqueraded.
fn subnet_chain(subnet: IpNet) -> Chain {
    let as_it_is = |net| {
        let mut rule = expression::is_in(Side::Destination, Operator::Equal, net);
        rule.push(expression::verdict(Verdict::Return));
        rule
    };
    let multicast = Family::of(subnet.addr()).multicast();
    let rules = vec![as_it_is(subnet), as_it_is(multicast), vec![expression::masquerade()]];
    Chain::inner(chain_name(subnet), rules)
}

fn key(address: IpNet, turn: u32) -> Vec<u8> {
    [family::octets(address.addr()), turn.to_be_bytes().to_vec()].concat()
}

fn entry(owner: &Owner, address: IpNet, turn: u32) -> Entry {
    Entry {
        map: map(Family::of(address.addr())).name,
        key: key(address, turn),
        chain: chain_name(address.network()),
        owner: Some(owner.clone()),
    }
}

/// Where the elements of addresses may be.
fn places(addresses: &[IpNet]) -> Vec<PlaceBuf> {
    let of = |address: &IpNet| {
        let (map, address) = (map(Family::of(address.addr())).name, *address);
        (0..TURNS).map(move |turn| (map, key(address, turn)))
    };
    addresses.iter().flat_map(of).collect()
}

/// Who has an address, at each turn.
fn holders(present: &[Entry], address: IpNet) -> [Option<&Entry>; TURNS as usize] {
    let map = map(Family::of(address.addr())).name;
    std::array::from_fn(|turn| present.iter().find(|entry| entry.place() == (map, &key(address, turn as u32)[..])))
}

/// The turn that the attachment has, or else a free one; where there is none, one of its network, which an attachment
/// may have left behind.
fn turn_of(owner: &Owner, holders: [Option<&Entry>; TURNS as usize]) -> u32 {
    let is_of_network = |entry: &Entry| entry.owner.as_ref().is_some_and(|other| other.network == owner.network);
    let turns = || (0..TURNS).zip(holders);
    let own = turns().find(|(_, holder)| holder.is_some_and(|entry| entry.is_of(owner)));
    let free = || turns().find(|(_, holder)| holder.is_none());
    let of_network = || turns().find(|(_, holder)| holder.is_some_and(is_of_network));
    own.or_else(free).or_else(of_network).map_or(TURNS - 1, |(turn, _)| turn)
}

/// Masquerades what comes from addresses, given with the prefix length of their subnets, and goes neither to their own
/// subnet nor to multicast.
pub(crate) fn add(owner: &Owner, addresses: &[IpNet]) -> Answer {
    LAYOUT.change_where(&Look::At(places(addresses)), |present| {
        let turns: Vec<_> = addresses.iter().map(|address| turn_of(owner, holders(present, *address))).collect();
        let add = addresses.iter().zip(&turns).map(|(address, turn)| entry(owner, *address, *turn)).collect();
        let mut chains: Vec<_> = addresses.iter().map(|address| subnet_chain(address.network())).collect();
        if turns.iter().any(|turn| *turn > 0) {
            chains.extend(chains_with_turns());
        }
        Ok(Change { add, chains, ..Change::default() })
    })?;
    Ok(())
}

/// Ends masquerading for an attachment, whatever its addresses were, and says whether there was any. They are found
/// sooner if they are these. An address that another one took over stays.
pub(crate) fn remove(owner: &Owner, addresses: &[IpNet]) -> Answer<bool> {
    Ok(!LAYOUT.remove_of(owner, places(addresses))?.is_empty())
}

/// Says whether everything is as [`add`] left it.
///
/// # Errors
/// The address that is not masqueraded.
pub(crate) fn check(owner: &Owner, address: IpNet) -> Answer {
    let (entries, rules) = LAYOUT.contents_where(&Look::At(places(&[address])))?;
    let mut chains = vec![subnet_chain(address.network())];
    let turn = (0..TURNS).find(|turn| entries.contains(&entry(owner, address, *turn)));
    if turn.is_some_and(|turn| turn > 0) {
        chains.extend(chains_with_turns());
    }
    if turn.is_some() && CHAINS.iter().chain(&chains).all(|chain| chain.is_complete(&rules)) {
        return Ok(());
    }
    let table = LAYOUT.table;
    Err(Failure::internal(format!("table `{table}` does not masquerade `{address}` for {owner}")))
}

/// Ends masquerading for those attachments of a network that are not to be kept.
pub(crate) fn retain(network: &str, keep: impl Fn(&Owner) -> bool) -> Answer {
    LAYOUT.remove(|entry| entry.owner.as_ref().is_some_and(|owner| owner.network == network && !keep(owner))).map(drop)
}

/// Says whether this kernel could masquerade.
pub(crate) fn rehearse() -> Answer {
    LAYOUT.rehearse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_for_turns_has_as_many_rules_as_it_is_known_by() {
        assert_eq!(CHAINS[0].rules_with_turns, Some(chains_with_turns()[0].rules.len()));
    }

    fn turn(network: &str, present: &[(&str, &str, u32)]) -> u32 {
        let address = "10.1.0.2/24".parse().unwrap();
        let owner = |network, id| Owner::new(network, id, "eth0");
        let present: Vec<_> =
            present.iter().map(|(network, id, turn)| entry(&owner(network, id), address, *turn)).collect();
        turn_of(&owner(network, "c1"), holders(&present, address))
    }

    #[test]
    fn an_attachment_takes_the_turn_that_it_has_or_the_first_free_one() {
        assert_eq!(turn("a", &[]), 0);
        assert_eq!(turn("a", &[("b", "c1", 0)]), 1);
        assert_eq!(turn("a", &[("b", "c1", 0), ("a", "c1", 2)]), 2);
        assert_eq!(turn("a", &[("b", "c1", 1)]), 0);
        assert_eq!(turn("a", &[("a", "c2", 0)]), 1);
    }

    #[test]
    fn where_all_turns_are_taken_it_takes_one_from_its_own_network() {
        let others = [("b", "c1", 0), ("c", "c1", 1), ("d", "c1", 2), ("e", "c1", 3)];
        assert_eq!(turn("a", &others), 3);
        let mut with_own = others;
        with_own[1] = ("a", "c2", 1);
        assert_eq!(turn("a", &with_own), 1);
    }
}

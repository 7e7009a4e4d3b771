//! Ports mapped, unmapped and checked, each of which is somebody's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use libcni::plugin::{Answer, Failure};
use libcni::spec::ErrorCode;
use netlink_packet_netfilter::nftables::{Operator, Register};

use crate::nft::Owner;
use crate::nft::expression::{self, Side};
use crate::nft::family::{self, Family};
use crate::nft::owned::{Chain, Change, Entry, Place, PlaceBuf};
use crate::nft::reading::Look;
use crate::portmap::condition;
use crate::portmap::config::{Config, Masquerade};
use crate::portmap::layout::{
    CHAINS, FURTHER, LAYOUT, TURNS, chains_with_turns, gone_key, is_gone, port_key, ports_of, way_back,
};
use crate::portmap::mapping::{HostPort, Mapping};

/// The port is somebody else's: a code of the plugin's own.
const PORT_TAKEN: ErrorCode = ErrorCode(101);

/// The chain that a mapped port leads to: no other port leads there, so it is written again whenever the port is.
fn port_chain(mapping: &Mapping, turn: u32, config: &Config) -> Chain {
    let HostPort { address, protocol, port } = mapping.host;
    let family = mapping.family();
    let (to, to_port) = (Register::Reg1, Register::Reg2);
    let lead = [
        expression::immediate(to, &family::octets(mapping.container.addr())),
        expression::immediate(to_port, &mapping.container_port.to_be_bytes()),
        expression::translate_destination(family, to, to_port),
    ];
    let ways = condition::ways(config.conditions(family)).into_iter();
    let rules = ways.map(|way| way.into_iter().chain(lead.clone()).collect()).collect();
    let turn = if turn == 0 { String::new() } else { format!("_{turn}") };
    Chain::inner(format!("{protocol}-{port}-{}{turn}", family::in_name(address)), rules)
}

/// The chain that masquerades for a container, the same for all of its network; `None` when nothing is to be.
fn masquerade_chain(mapping: &Mapping, masquerade: Masquerade) -> Option<Chain> {
    let network = family::network(mapping.container);
    let from = |net| {
        let mut rule = expression::is_in(Side::Source, Operator::Equal, net);
        rule.push(expression::masquerade());
        rule
    };
    let (name, rules) = match masquerade {
        Masquerade::Nothing => return None,
        Masquerade::Everything => {
            (format!("from-anywhere-{}", family::in_name(network)), vec![vec![expression::masquerade()]])
        }
        Masquerade::Near => {
            let loopback = Some(mapping.family()).filter(|family| *family == Family::V4).map(Family::loopback);
            let near = [network].into_iter().chain(loopback);
            (format!("from-{}", family::in_name(network)), near.map(from).collect())
        }
    };
    Some(Chain::inner(name, rules))
}

/// The elements of a mapping: its own, and one that has the answers come back, where anything is masqueraded.
struct Needed {
    port: (Entry, Chain),
    way_back: Option<(Entry, Chain)>,
}

/// The turns of a mapping: of its own element, and of the one that has the answers come back.
#[derive(Clone, Copy)]
struct Turns {
    port: u32,
    way_back: u32,
}

impl Needed {
    fn of(owner: &Owner, mapping: &Mapping, turns: Turns, config: &Config) -> Self {
        let element = |(map, key), chain: Chain| {
            (Entry { map, key, chain: chain.name.clone(), owner: Some(owner.clone()) }, chain)
        };
        let port = (ports_of(mapping.family()).name, port_key(mapping.host, turns.port));
        let way_back = way_back(mapping.container.addr(), mapping.host, turns.way_back);
        let chain = masquerade_chain(mapping, config.masquerade);
        Self {
            port: element(port, port_chain(mapping, turns.port, config)),
            way_back: chain.map(|chain| element(way_back, chain)),
        }
    }

    fn all(&self) -> impl Iterator<Item = &(Entry, Chain)> {
        [&self.port].into_iter().chain(&self.way_back)
    }
}

/// More mappings than this are looked for by reading all elements.
const FEW: usize = 200;

/// Where the elements of mappings are or may be, at each turn.
fn places(mappings: &[Mapping]) -> Vec<PlaceBuf> {
    let of = |mapping: &Mapping| {
        let family = mapping.family();
        let at = (0..TURNS).map(|turn| (ports_of(family).name, port_key(mapping.host, turn)));
        let ways_back = (0..TURNS).map(|turn| way_back(mapping.container.addr(), mapping.host, turn));
        at.chain(ways_back).collect::<Vec<_>>()
    };
    mappings.iter().flat_map(of).collect()
}

/// A look at what is in the way of mappings.
fn at(mappings: &[Mapping]) -> Look {
    if mappings.len() > FEW { Look::Everywhere } else { Look::At(places(mappings)) }
}

/// A look at all that an attachment has, which are these mappings as far as one knows.
pub(crate) fn of(owner: &Owner, mappings: &[Mapping]) -> Look {
    if mappings.len() > FEW {
        return Look::Everywhere;
    }
    let gone = mappings.iter().map(|mapping| (ports_of(mapping.family()).name, gone_key(mapping.host)));
    Look::Of(owner.clone(), places(mappings).into_iter().chain(gone).collect())
}

/// The elements that are there, by their places.
type Present<'a> = BTreeMap<Place<'a>, &'a Entry>;

fn by_place(present: &[Entry]) -> Present<'_> {
    present.iter().map(|entry| (entry.place(), entry)).collect()
}

/// Who has the host's port of a mapping, at each turn.
fn holders<'a>(mapping: &Mapping, present: &Present<'a>) -> [Option<&'a Entry>; TURNS as usize] {
    let map = ports_of(mapping.family()).name;
    std::array::from_fn(|turn| present.get(&(map, &port_key(mapping.host, turn as u32)[..])).copied())
}

/// Who has the way back of a mapping, at each turn.
fn holders_of_way_back<'a>(mapping: &Mapping, present: &Present<'a>) -> [Option<&'a Entry>; TURNS as usize] {
    std::array::from_fn(|turn| {
        let (map, key) = way_back(mapping.container.addr(), mapping.host, turn as u32);
        present.get(&(map, &key[..])).copied()
    })
}

/// The first turn that no other attachment has; the last one if others have them all.
fn turn_of_way_back(owner: &Owner, holders: &[Option<&Entry>]) -> u32 {
    let free = (0..).zip(holders).find(|(_, holder)| holder.is_none_or(|entry| entry.is_of(owner)));
    free.map_or(TURNS - 1, |(turn, _)| turn)
}

/// Maps ports for an attachment, instead of those that it had in the same places.
///
/// # Errors
/// Code 101: a port is another container's.
pub(crate) fn add(owner: &Owner, mappings: &[Mapping], config: &Config) -> Answer {
    LAYOUT.change_where(&at(mappings), |present| {
        let by_place = by_place(present);
        let mut change = Change::default();
        for mapping in mappings {
            let turns = Turns {
                port: free_turn(owner, mapping, &holders(mapping, &by_place))?,
                way_back: turn_of_way_back(owner, &holders_of_way_back(mapping, &by_place)),
            };
            if turns.port > 0 {
                change.chains.extend(chains_with_turns());
            }
            let needed = Needed::of(owner, mapping, turns, config);
            change.own_chains.push(needed.port.1);
            change.add.push(needed.port.0);
            if let Some((entry, chain)) = needed.way_back {
                change.add.push(entry);
                change.chains.push(chain);
            }
        }
        // One port on several addresses of the host has one way back; containers share what their network has.
        let (mut places, mut names) = (BTreeSet::new(), BTreeSet::new());
        change.add.retain(|entry| places.insert((entry.map, entry.key.clone())));
        change.chains.retain(|chain| names.insert(chain.name.clone()));
        change.remove = present.iter().filter(|entry| entry.is_of(owner) && !is_gone(entry)).cloned().collect();
        Ok(change)
    })?;
    Ok(())
}

/// The first turn that no other attachment of the container has.
fn free_turn(owner: &Owner, mapping: &Mapping, holders: &[Option<&Entry>]) -> Answer<u32> {
    let of_same = |entry: &Entry| entry.owner.as_ref().is_some_and(|other| other.container_id == owner.container_id);
    let stranger = holders.iter().flatten().find(|entry| !of_same(entry));
    let free = (0..).zip(holders).find(|(_, holder)| holder.is_none_or(|entry| entry.is_of(owner)));
    match (stranger, free) {
        (None, Some((turn, _))) => Ok(turn),
        (None, None) => Err(taken(mapping.host, format!("{TURNS} attachments of the container already"))),
        (Some(Entry { owner: Some(other), .. }), _) => Err(taken(mapping.host, other)),
        (Some(_), _) => Err(taken(mapping.host, "somebody unknown")),
    }
}

pub(crate) fn taken(port: impl Display, whose: impl Display) -> Failure {
    Failure::new(PORT_TAKEN, format!("port {port} of the host is mapped for {whose}"))
}

/// Says whether everything is as [`add`] left it.
///
/// # Errors
/// The port that is not mapped as it should be.
pub(crate) fn check(owner: &Owner, mappings: &[Mapping], config: &Config) -> Answer {
    let (present, rules) = LAYOUT.contents_where(&at(mappings))?;
    let missing = |msg: String| Err(Failure::internal(format!("table `{}` {msg} for {owner}", LAYOUT.table)));
    let at = by_place(&present);
    let own_turn = |holders: [Option<&Entry>; TURNS as usize]| {
        (0..).zip(holders).find(|(_, holder)| holder.is_some_and(|entry| entry.is_of(owner))).map(|(turn, _)| turn)
    };
    let is_further = |mapping: &Mapping| own_turn(holders_of_way_back(mapping, &at)).is_some_and(|turn| turn > 0);
    let needs_further = mappings.iter().any(is_further);
    let takes_turn = |mapping: &Mapping| own_turn(holders(mapping, &at)).is_some_and(|turn| turn > 0);
    let with_turns = if mappings.iter().any(takes_turn) { chains_with_turns() } else { Vec::new() };
    let is_complete = |chain: &Chain| chain.is_complete(&rules) || chain.name == FURTHER && !needs_further;
    if !mappings.is_empty() && !CHAINS.iter().chain(&with_turns).all(is_complete) {
        return missing("lacks rules".to_owned());
    }
    let is_there = |(entry, chain): &(Entry, Chain)| {
        at.get(&entry.place()).is_some_and(|found| *found == entry) && chain.is_complete(&rules)
    };
    for mapping in mappings {
        let way_back = own_turn(holders_of_way_back(mapping, &at)).unwrap_or_default();
        let turns = own_turn(holders(mapping, &at)).map(|port| Turns { port, way_back });
        if !turns.is_some_and(|turns| Needed::of(owner, mapping, turns, config).all().all(is_there)) {
            return missing(format!("does not map port {}", mapping.host));
        }
    }
    Ok(())
}

/// Says whether this kernel could map ports.
pub(crate) fn rehearse() -> Answer {
    LAYOUT.rehearse()
}

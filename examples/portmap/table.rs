//! Ports mapped, unmapped and checked, each of which is somebody's.

use std::collections::{BTreeMap, BTreeSet};

use libcni::plugin::{Answer, Failure};
use libcni::spec::ErrorCode;
use netlink_packet_netfilter::nftables::{Operator, Register};

use crate::condition::Condition;
use crate::config::{Config, Masquerade};
use crate::layout::{LAYOUT, chains, host_key, key, masqueraded_of, ports_of};
use crate::mapping::{HostPort, Mapping, Protocol};
use crate::nft::Owner;
use crate::nft::expression::{self, Rule, Side};
use crate::nft::family::{self, Family};
use crate::nft::owned::{Chain, Change, Entry, Map};
use crate::nft::socket::Error;

/// The port is somebody else's: a code of the plugin's own.
const PORT_TAKEN: ErrorCode = ErrorCode(101);

/// The chain that a mapped port leads to: no other port leads there, so it is written anew whenever the port is.
fn port_chain(mapping: &Mapping, config: &Config) -> Chain {
    let HostPort { address, protocol, port } = mapping.host;
    let family = mapping.family();
    let (to, to_port) = (Register::Reg1, Register::Reg2);
    let mut rule: Rule = config.conditions(family).iter().flat_map(Condition::expressions).collect();
    rule.push(expression::immediate(to, &family::octets(mapping.container.addr())));
    rule.push(expression::immediate(to_port, &mapping.container_port.to_be_bytes()));
    rule.push(expression::translate_destination(family, to, to_port));
    Chain { name: format!("{protocol}-{port}-{}", family::in_name(address)), hook: None, rules: vec![rule] }
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
        Masquerade::Everything => ("from-anywhere".to_owned(), vec![vec![expression::masquerade()]]),
        Masquerade::Near => {
            let loopback = Some(mapping.family()).filter(|family| *family == Family::V4).map(Family::loopback);
            let near = [network].into_iter().chain(loopback);
            (format!("from-{}", family::in_name(network)), near.map(from).collect())
        }
    };
    Some(Chain { name, hook: None, rules })
}

/// The elements that mappings need, with the chains that these lead to.
fn elements(owner: &Owner, mappings: &[Mapping], config: &Config) -> Vec<(Entry, Chain)> {
    let element = |map: Map, key, chain: Chain| {
        (Entry { map: map.name, key, chain: chain.name.clone(), owner: Some(owner.clone()) }, chain)
    };
    let of_mapping = |mapping: &Mapping| {
        let HostPort { protocol, port, .. } = mapping.host;
        let (ports, masqueraded) = (ports_of(mapping.family()), masqueraded_of(mapping.family()));
        let mapped = element(ports, host_key(mapping.host), port_chain(mapping, config));
        let chain = masquerade_chain(mapping, config.masquerade);
        let back = chain.map(|chain| element(masqueraded, key(mapping.container.addr(), protocol, port), chain));
        [Some(mapped), back].into_iter().flatten()
    };
    mappings.iter().flat_map(of_mapping).collect()
}

/// Maps ports for an attachment, instead of those that it had.
///
/// # Errors
/// Code 101: a port is another attachment's.
pub(crate) fn add(owner: &Owner, mappings: &[Mapping], config: &Config) -> Answer {
    let (mut add, mut chains): (Vec<Entry>, Vec<Chain>) = elements(owner, mappings, config).into_iter().unzip();
    // One port on several addresses of the host has one way back; containers share what their network has.
    let (mut places, mut names) = (BTreeSet::new(), BTreeSet::new());
    add.retain(|entry| places.insert((entry.map, entry.key.clone())));
    chains.retain(|chain| names.insert(chain.name.clone()));
    LAYOUT.change(|present| {
        refuse_taken(owner, mappings, present)?;
        let remove = present.iter().filter(|entry| entry.is_of(owner)).cloned().collect();
        Ok(Change { remove, add: add.clone(), chains: chains.clone() })
    })?;
    Ok(())
}

fn refuse_taken(owner: &Owner, mappings: &[Mapping], present: &[Entry]) -> Answer {
    let of_others = present.iter().filter(|entry| !entry.is_of(owner)).map(|entry| (entry.place(), entry));
    let of_others: BTreeMap<_, _> = of_others.collect();
    for mapping in mappings {
        if let Some(entry) = of_others.get(&(ports_of(mapping.family()).name, &host_key(mapping.host)[..])) {
            let whose = entry.owner.as_ref().map_or("somebody unknown".to_owned(), Owner::to_string);
            return Err(Failure::new(PORT_TAKEN, format!("port {} of the host is mapped for {whose}", mapping.host)));
        }
    }
    Ok(())
}

/// Unmaps all ports of an attachment, and returns those of UDP.
pub(crate) fn remove(owner: &Owner) -> Answer<BTreeSet<(Family, u16)>> {
    let removed = LAYOUT.remove(|entry| entry.is_of(owner))?;
    Ok(removed.iter().filter_map(udp_port).collect())
}

/// The host's port, if an element is that of a UDP mapping.
fn udp_port(entry: &Entry) -> Option<(Family, u16)> {
    let family = Family::ALL.into_iter().find(|family| ports_of(*family).name == entry.map)?;
    match entry.key.get(family.address_length() as usize..)? {
        [protocol, _, _, _, high, low, ..] if *protocol == Protocol::Udp.number() => {
            Some((family, u16::from_be_bytes([*high, *low])))
        }
        _ => None,
    }
}

/// Says whether everything is as [`add`] left it.
///
/// # Errors
/// The port that is not mapped as it should be.
pub(crate) fn check(owner: &Owner, mappings: &[Mapping], config: &Config) -> Answer {
    let (present, rules) = LAYOUT.contents()?;
    let missing = |msg: String| Err(Failure::internal(format!("table `{}` {msg} for {owner}", LAYOUT.table)));
    if !mappings.is_empty() && !chains().iter().all(|chain| chain.is_complete(&rules)) {
        return missing("lacks rules".to_owned());
    }
    for mapping in mappings {
        let elements = elements(owner, &[*mapping], config);
        if !elements.iter().all(|(entry, chain)| present.contains(entry) && chain.is_complete(&rules)) {
            return missing(format!("does not map port {}", mapping.host));
        }
    }
    Ok(())
}

/// Unmaps the ports of those attachments of a network that are not to be kept.
pub(crate) fn retain(network: &str, keep: impl Fn(&Owner) -> bool) -> Answer {
    let stale = |owner: &Owner| owner.network == network && !keep(owner);
    LAYOUT.remove(|entry| entry.owner.as_ref().is_some_and(stale)).map(drop)
}

/// Says whether this kernel could map ports.
pub(crate) fn rehearse() -> Result<(), Error> {
    LAYOUT.rehearse()
}

//! Masquerading: what a container sends out of its network leaves with an address of the host.

use libcni::plugin::{Answer, Failure};
use libcni::spec::IpNet;
use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::{InetHookNumber, Operator, Register, Verdict};

use super::expression::{self, Rule, Side};
use super::family::{self, Family};
use super::owned::{Chain, Change, Entry, Hook, Layout, Map};
use super::owner::Owner;

// A packet's source address is looked up in a map, so the number of containers does not matter to it; the map leads
// to a chain that all containers of a subnet share.
const LAYOUT: Layout =
    Layout { table: "libcni_masquerade", family: NetfilterProtoFamily::Inet, maps: &[SOURCES_4, SOURCES_6], chains };

const SOURCES_4: Map = Map { name: "sources4", key_type: 7, key_length: 4 };
const SOURCES_6: Map = Map { name: "sources6", key_type: 8, key_length: 16 };
const SOURCE_NAT: i32 = 100;

fn map(family: Family) -> Map {
    match family {
        Family::V4 => SOURCES_4,
        Family::V6 => SOURCES_6,
    }
}

fn chains() -> Vec<Chain> {
    let hook = Hook { kind: "nat", number: InetHookNumber::PostRouting, priority: SOURCE_NAT };
    let rules = Family::ALL.map(look_up_source).to_vec();
    vec![Chain { name: "postrouting".to_owned(), hook: Some(hook), rules }]
}

fn look_up_source(family: Family) -> Rule {
    let mut rule = expression::is_family(family);
    rule.push(expression::address(family, Side::Source, Register::Reg1));
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
    Chain { name: chain_name(subnet), hook: None, rules }
}

fn entry(owner: &Owner, address: IpNet) -> Entry {
    Entry {
        map: map(Family::of(address.addr())).name,
        key: family::octets(address.addr()),
        chain: chain_name(family::network(address)),
        owner: Some(owner.clone()),
    }
}

/// Masquerades what comes from addresses, given with the prefix length of their subnets, and goes neither to their own
/// subnet nor to multicast. An address that another attachment left behind changes hands.
pub(crate) fn add(owner: &Owner, addresses: &[IpNet]) -> Answer {
    LAYOUT.change(|_| {
        let add = addresses.iter().map(|address| entry(owner, *address)).collect();
        let chains = addresses.iter().map(|address| subnet_chain(family::network(*address))).collect();
        Ok(Change { add, chains, ..Change::default() })
    })?;
    Ok(())
}

/// Ends masquerading for an attachment, whatever its addresses were, and says whether there was any. An address that
/// another one took over stays.
pub(crate) fn remove(owner: &Owner) -> Answer<bool> {
    Ok(!LAYOUT.remove(|entry| entry.is_of(owner))?.is_empty())
}

/// Says whether everything is as [`add`] left it.
///
/// # Errors
/// The address that is not masqueraded.
pub(crate) fn check(owner: &Owner, address: IpNet) -> Answer {
    let (entries, rules) = LAYOUT.contents()?;
    let mut chains = chains();
    chains.push(subnet_chain(family::network(address)));
    if entries.contains(&entry(owner, address)) && chains.iter().all(|chain| chain.is_complete(&rules)) {
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

//! Ports mapped by the reference plugin `portmap`, and their containers.

use std::fmt;
use std::net::IpAddr;

use libcni::plugin::Answer;

use super::names::{self, Comment};
use super::nat::Chains;
use super::rule::{Port, Rule};
use super::{kernel, legacy, nat};
use crate::nft::Owner;
use crate::nft::attempts::read_if_available;
use crate::nft::error::Error;
use crate::nft::family::Family;
use crate::nft::socket::connection;

/// The chains of `nftables` rules that lead to containers.
pub(super) const LEADING: [&str; 2] = ["hostports", "hostip_hostports"];

/// A rule that leads to a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mapped {
    family: Family,
    /// The address of the host; all of the family's when absent.
    address: Option<IpAddr>,
    /// Its other purpose.
    rule: Rule,
    chain: String,
    /// Whose it is, as far as a comment says so.
    network: Option<String>,
    container_id: Option<String>,
}

impl fmt::Display for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let container_id = self.container_id.as_deref().unwrap_or("?");
        write!(f, "container `{container_id}` by another implementation (chain `{}`)", self.chain)
    }
}

impl Mapped {
    fn by_nftables(family: Family, chain: &str, rule: &Rule) -> Self {
        let (rule, container_id) = (rule.clone(), rule.comment.clone());
        Self { family, address: rule.destination, rule, chain: chain.to_owned(), network: None, container_id }
    }

    /// By a rule that leads to a chain of the container, and a rule in that.
    fn by_iptables(family: Family, leading: &Rule, chain: &str, rule: &Rule) -> Self {
        let whose = leading.comment.as_deref().and_then(|comment| Comment::Ports.read(comment));
        let (network, container_id) = whose.map(|(network, id)| (network.to_owned(), id.to_owned())).unzip();
        let address = rule.destination.or(leading.destination);
        Self { family, address, rule: rule.clone(), chain: chain.to_owned(), network, container_id }
    }

    /// Returns true if it is for connections to this port, or to some of them.
    fn is_for(&self, port: Port) -> bool {
        Family::of(port.address) == self.family && self.rule.is_for(port)
    }

    fn is_of(&self, owner: &Owner) -> bool {
        match (&self.network, &self.container_id) {
            (Some(network), Some(id)) => *network == owner.network && *id == owner.container_id,
            (None, Some(id)) => *id == owner.container_id,
            (_, None) => self.chain == names::port_chains(owner)[0],
        }
    }

    fn is_of_container(&self, owner: &Owner) -> bool {
        self.container_id.as_deref() == Some(&*owner.container_id) || self.is_of(owner)
    }
}

/// Who has one of these ports, and which: another container, by rules that come before ours. As among our own, a port
/// of a single address comes before one of all: there is room for both.
pub(crate) fn holder(owner: &Owner, ports: &[Port]) -> Answer<Option<(Port, Mapped)>> {
    let comes_before = |mapped: &&Mapped, port: Port| {
        mapped.is_for(port) && mapped.address.is_none_or(|address| address == port.address)
    };
    let mapped = for_some(ports, &legacy::tables_that_may_map_ports()?)?;
    let mut strangers = mapped.iter().filter(|mapped| !mapped.is_of_container(owner));
    let held = |mapped: &&Mapped| ports.iter().copied().find(|port| comes_before(mapped, *port));
    Ok(strangers.find_map(|mapped| Some((held(&mapped)?, mapped.clone()))))
}

/// Returns true if all of these ports lead to a container of a network.
pub(crate) fn are_there(owner: &Owner, ports: &[Port]) -> Answer<bool> {
    let mapped = for_some(ports, &legacy::tables()?)?;
    let leads = |port: &Port| {
        let address = Some(port.address).filter(|address| !address.is_unspecified());
        mapped.iter().any(|mapped| mapped.is_of(owner) && mapped.is_for(*port) && mapped.address == address)
    };
    Ok(ports.iter().all(leads))
}

/// The elements that lead from ports of these numbers to containers.
fn for_some(ports: &[Port], legacy: &[legacy::Table]) -> Answer<Vec<Mapped>> {
    let mut mapped = read_if_available(|| in_kernel(ports))?.unwrap_or_default();
    for table in legacy {
        mapped.extend(by_iptables(table.family, &table.chains, ports));
    }
    Ok(mapped)
}

fn in_kernel(ports: &[Port]) -> Result<Vec<Mapped>, Error> {
    let connection = &mut *connection()?;
    let by_nftables = kernel::PORTS.into_iter().flat_map(|table| LEADING.map(|chain| (table, chain)));
    let asked: Vec<_> = kernel::NAT.map(|table| (table, names::PORTS)).into_iter().chain(by_nftables).collect();
    let mut mapped = Vec::new();
    for (table, chain) in kernel::there(connection, &asked)? {
        let family = kernel::family(table);
        let rules = kernel::rules(connection, table, chain)?;
        if chain == names::PORTS {
            let mut chains = nat::read(connection, table, &chains_for(&rules, ports))?;
            chains.insert(chain.to_owned(), rules);
            mapped.extend(by_iptables(family, &chains, ports));
        } else {
            let leading = rules.iter().filter(|rule| rule.translates);
            mapped.extend(leading.map(|rule| Mapped::by_nftables(family, chain, rule)));
        }
    }
    Ok(mapped)
}

/// The chains to which rules lead for some of the ports.
fn chains_for<'a>(rules: &'a [Rule], ports: &[Port]) -> Vec<&'a str> {
    let leading = rules.iter().filter(|rule| ports.iter().any(|port| rule.is_for(*port)));
    leading.filter_map(|rule| rule.to.as_deref()).collect()
}

fn by_iptables(family: Family, chains: &Chains, ports: &[Port]) -> Vec<Mapped> {
    let mut mapped = Vec::new();
    for leading in chains.get(names::PORTS).into_iter().flatten() {
        let Some(chain) = leading.to.as_deref() else { continue };
        let is_for_some = ports.iter().any(|port| leading.is_for(*port));
        let rules = chains.get(chain).into_iter().flatten().filter(|rule| rule.translates && is_for_some);
        mapped.extend(rules.map(|rule| Mapped::by_iptables(family, leading, chain, rule)));
    }
    mapped
}

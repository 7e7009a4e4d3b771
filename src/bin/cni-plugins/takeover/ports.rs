//! Ports mapped by the reference plugin `portmap`, and how they are unmapped.

use libcni::plugin::Answer;

use super::mapped::LEADING;
use super::names::{self, Comment};
use super::nat::{Chains, Removal};
use super::{kernel, legacy, nat};
use crate::nft::Owner;
use crate::nft::batch;
use crate::nft::error::Error;
use crate::nft::message::Message;
use crate::nft::request::Requests;
use crate::nft::socket::Connection;
use crate::valid::Valid;

/// The chain of `nftables` rules that masquerades.
const BACK: &str = "masquerading";

/// Removes the ports of an attachment. Rules of `nftables` say only the container that they are for: all go.
pub(crate) fn remove(owner: &Owner) -> Answer {
    let stale = |chains: &Chains| {
        let mut removal = Removal::default();
        for (from, chain) in [names::PORTS, names::PORTS_BACK].into_iter().zip(&names::port_chains(owner)) {
            removal.add_of(owner, Comment::Ports, chains, [from, chain]);
        }
        removal
    };
    let [port_chain, old_chain] = &names::port_chains(owner);
    let read = [names::PORTS, names::PORTS_BACK, port_chain, old_chain];
    batch::change_if_available(|connection| {
        let nat = kernel::NAT.iter().flat_map(|table| [(*table, &**port_chain), (*table, &**old_chain)]);
        let asked: Vec<_> = nat.chain(kernel::PORTS.map(|table| (table, LEADING[0]))).collect();
        let mut requests = Vec::new();
        let mut read_already = Vec::new();
        for (table, chain) in kernel::there(connection, &asked)? {
            if chain == LEADING[0] {
                requests.extend(of_container(connection, table, &owner.container_id)?);
            } else if !read_already.contains(&table.family) {
                read_already.push(table.family);
                requests.extend(stale(&nat::read(connection, table, &read)?).into_requests(table));
            }
        }
        Ok(requests)
    })?;
    legacy::remove(stale)
}

/// The requests that remove the rules of `nftables` for a container.
fn of_container(
    connection: &mut Connection,
    table: Requests<'static>,
    container_id: &str,
) -> Result<Vec<Message>, Error> {
    let mut removal = Removal::default();
    for (chain, rules) in nat::read(connection, table, &[LEADING[0], LEADING[1], BACK])? {
        let stale = rules.into_iter().filter(|rule| rule.comment.as_deref() == Some(container_id));
        removal.rules.extend(stale.map(|rule| (chain.clone(), rule.place)));
    }
    Ok(removal.into_requests(table))
}

/// Removes the ports of those attachments of a network that are not to be kept. Which network rules of `nftables` are
/// for, nothing says: they stay until DEL.
pub(crate) fn retain(network: &str, valid: &Valid) -> Answer {
    let stale = |chains: &Chains| {
        let mut removal = Removal::default();
        for rule in chains.get(names::PORTS).into_iter().flatten() {
            let comment = rule.comment.as_deref().unwrap_or_default();
            let container = Comment::Ports.container(network, comment);
            let is_stale = container.is_some_and(|id| !valid.has_container(id));
            if let Some(chain) = rule.to.as_deref().filter(|_| is_stale) {
                removal.add(chains, [names::PORTS, chain]);
            }
        }
        removal
    };
    batch::change_if_available(|connection| {
        let mut requests = Vec::new();
        for table in kernel::NAT {
            requests.extend(nat::stale(connection, table, names::PORTS, &stale)?);
        }
        Ok(requests)
    })?;
    legacy::remove(stale)
}

//! Masquerading by the reference plugins `bridge` and `ptp` (`ipMasq`).

use libcni::plugin::Answer;
use libcni::spec::IpNet;

use super::names::{self, Comment, POSTROUTING};
use super::nat::{Chains, Removal, leading};
use super::rule::Rule;
use super::{kernel, legacy, nat};
use crate::nft::Owner;
use crate::nft::attempts::read_if_available;
use crate::nft::batch;
use crate::nft::error::Error;
use crate::nft::message::Message;
use crate::nft::socket::{Connection, connection};
use crate::valid::Valid;

/// The chain of `nftables` rules.
const CHECKS: &str = "masq_checks";

/// Removes what masquerades for an attachment.
pub(crate) fn remove(owner: &Owner) -> Answer {
    let chain = names::masquerade_chain(owner);
    let stale = |chains: &Chains| {
        let mut removal = Removal::default();
        removal.add_of(owner, Comment::Masquerade, chains, [POSTROUTING, &chain]);
        removal
    };
    let prefix = names::nft_attachment(owner);
    let is_stale = |rule: &Rule| rule.comment.as_ref().is_some_and(|comment| comment.starts_with(&prefix));
    batch::change_if_available(|connection| {
        let asked = kernel::NAT.map(|table| (table, &*chain)).into_iter().chain([(kernel::MASQUERADE, CHECKS)]);
        let there = kernel::there(connection, &asked.collect::<Vec<_>>())?;
        let mut requests = Vec::new();
        for (table, there) in there {
            if there == CHECKS {
                requests.extend(checks(connection, is_stale)?);
            } else {
                let chains = nat::read(connection, table, &[POSTROUTING, there])?;
                requests.extend(stale(&chains).into_requests(table));
            }
        }
        Ok(requests)
    })?;
    legacy::remove(stale)
}

/// The requests that remove rules of `nftables`.
fn checks(connection: &mut Connection, is_stale: impl Fn(&Rule) -> bool) -> Result<Vec<Message>, Error> {
    let stale = kernel::rules(connection, kernel::MASQUERADE, CHECKS)?.into_iter().filter(is_stale);
    let rules = stale.map(|rule| (CHECKS.to_owned(), rule.place)).collect();
    Ok(Removal { rules, chains: Vec::new() }.into_requests(kernel::MASQUERADE))
}

/// Returns true if an address of an attachment is masqueraded.
pub(crate) fn is_there(owner: &Owner, address: IpNet) -> Answer<bool> {
    let chain = names::masquerade_chain(owner);
    let prefix = names::nft_attachment(owner);
    let is_from = |rule: &Rule| rule.source == Some(address.addr());
    let of_owner = |rule: &&Rule| rule.comment.as_ref().is_some_and(|comment| comment.starts_with(&prefix));
    let leads = |chains: &Chains| {
        let is_there = chains.get(&chain).is_some_and(|rules| !rules.is_empty());
        is_there && leading(chains, POSTROUTING, &chain).any(is_from)
    };
    let in_kernel = || {
        let connection = &mut *connection()?;
        for table in kernel::NAT {
            if leads(&nat::read(connection, table, &[POSTROUTING, &chain])?) {
                return Ok(true);
            }
        }
        Ok(kernel::rules(connection, kernel::MASQUERADE, CHECKS)?.iter().filter(of_owner).any(is_from))
    };
    Ok(read_if_available(in_kernel)?.unwrap_or_default() || legacy::tables()?.iter().any(|table| leads(&table.chains)))
}

/// Removes what masquerades for those attachments of a network that are not to be kept.
pub(crate) fn retain(network: &str, valid: &Valid) -> Answer {
    let stale = |chains: &Chains| {
        let mut removal = Removal::default();
        for rule in chains.get(POSTROUTING).into_iter().flatten() {
            let comment = rule.comment.as_deref().unwrap_or_default();
            let container = Comment::Masquerade.container(network, comment);
            let is_stale = container.is_some_and(|id| !valid.has_container(id));
            if let Some(chain) = rule.to.as_deref().filter(|_| is_stale) {
                removal.add(chains, [POSTROUTING, chain]);
            }
        }
        removal
    };
    let (network_prefix, kept) = (names::nft_network(network), names::nft_attachments(network, valid));
    let is_stale = |rule: &Rule| {
        let comment = rule.comment.as_deref().unwrap_or_default();
        comment.starts_with(&network_prefix) && !names::attachment_of(comment).is_some_and(|of| kept.contains(of))
    };
    batch::change_if_available(|connection| {
        let mut requests = checks(connection, is_stale)?;
        for table in kernel::NAT {
            requests.extend(nat::stale(connection, table, POSTROUTING, &stale)?);
        }
        Ok(requests)
    })?;
    legacy::remove(stale)
}

//! The tables `nat` of iptables, of either kind: what is in their chains, and what is to go from them.

use std::collections::BTreeMap;

use super::kernel;
use super::names::Comment;
use super::rule::{Place, Rule};
use crate::nft::Owner;
use crate::nft::error::Error;
use crate::nft::message::Message;
use crate::nft::request::Requests;
use crate::nft::socket::Connection;

/// Rules by their chains.
pub(super) type Chains = BTreeMap<String, Vec<Rule>>;

/// Chains with their rules, and rules elsewhere, that are to go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Removal {
    /// Rules, and the chains that they are in.
    pub(super) rules: Vec<(String, Place)>,
    pub(super) chains: Vec<String>,
}

impl Removal {
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.chains.is_empty()
    }

    /// Adds a chain, and what leads there from another one; nothing if that is somebody else's.
    pub(super) fn add_of(&mut self, owner: &Owner, kind: Comment, chains: &Chains, [from, chain]: [&str; 2]) {
        let is_of_another = |rule: &&Rule| rule.comment.as_ref().is_some_and(|text| kind.is_of_another(owner, text));
        if !leading(chains, from, chain).any(|rule| is_of_another(&rule)) {
            self.add(chains, [from, chain]);
        }
    }

    /// Adds a chain, and what leads there from another one.
    pub(super) fn add(&mut self, chains: &Chains, [from, chain]: [&str; 2]) {
        if !self.chains.iter().any(|other| other == chain) {
            self.rules.extend(leading(chains, from, chain).map(|rule| (from.to_owned(), rule.place.clone())));
            self.chains.extend(chains.contains_key(chain).then(|| chain.to_owned()));
        }
    }

    /// The requests to a table of `iptables-nft`.
    pub(super) fn into_requests(self, table: Requests<'_>) -> Vec<Message> {
        let rule = |(chain, place): &(String, Place)| match place {
            Place::Handle(handle) => Some(table.delete_rule(chain, *handle)),
            Place::Words(_) => None,
        };
        let rules = self.rules.iter().filter_map(rule);
        rules.chain(self.chains.iter().map(|chain| table.delete_chain(chain))).collect()
    }
}

/// The rules of a chain that lead to another one.
pub(super) fn leading<'a>(chains: &'a Chains, from: &str, to: &'a str) -> impl Iterator<Item = &'a Rule> {
    chains.get(from).into_iter().flatten().filter(move |rule| rule.leads_to(to))
}

/// Some chains of a table of `iptables-nft`, as far as they are there.
pub(super) fn read(connection: &mut Connection, table: Requests<'static>, names: &[&str]) -> Result<Chains, Error> {
    let asked: Vec<_> = names.iter().map(|name| (table, *name)).collect();
    let mut chains = Chains::new();
    for (_, name) in kernel::there(connection, &asked)? {
        chains.insert(name.to_owned(), kernel::rules(connection, table, name)?);
    }
    Ok(chains)
}

/// The requests that remove what is stale of what a chain leads to.
pub(super) fn stale(
    connection: &mut Connection,
    table: Requests<'static>,
    from: &str,
    stale: &impl Fn(&Chains) -> Removal,
) -> Result<Vec<Message>, Error> {
    let mut chains = read(connection, table, &[from])?;
    // Whether the chains are there that are to go.
    let led_to: Vec<_> = chains.values().flatten().filter_map(|rule| rule.to.clone()).collect();
    let asked: Vec<_> = led_to.iter().map(|chain| (table, &**chain)).collect();
    for (_, chain) in kernel::there(connection, &asked)? {
        chains.entry(chain.to_owned()).or_default();
    }
    Ok(stale(&chains).into_requests(table))
}

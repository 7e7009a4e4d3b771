//! The table `filter` of `iptables-legacy`, where it is in use.

use std::io;

use libcni::plugin::{Answer, Failure};

use crate::firewall::legacy_owner::{self, Owners};
use crate::firewall::plan::{Chains, Present, Step};
use crate::iptables_legacy::{self, Programs};
use crate::nft::family::Family;
use crate::nft::request::End;

const FILTER: &str = "filter";

/// Returns whether the kernel has the table.
pub(crate) fn is_in_use(family: Family) -> bool {
    iptables_legacy::is_in_use(family, FILTER)
}

fn failed(family: Family, text: &str) -> Failure {
    let family = match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    };
    Failure::internal(format!(
        "firewall: this host has rules of iptables-legacy ({family}, table `{FILTER}`), which only its programs reach: {text}"
    ))
}

/// Reads the table, and whose rules are; `None` without programs for it.
fn read(family: Family) -> Answer<Option<(Programs, Chains, Owners)>> {
    let read = match iptables_legacy::read(family, FILTER) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        read => read.map_err(|error| failed(family, &error.to_string()))?,
    };
    Ok(read.map(|(programs, saved)| {
        let mut chains = chains(&saved);
        let owners = Owners::take(&mut chains);
        (programs, chains, owners)
    }))
}

pub(crate) fn no_programs(family: Family) -> Failure {
    failed(family, "there is no `iptables-legacy-save`")
}

pub(crate) fn chains_of(family: Family) -> Answer<Chains> {
    read(family)?.map(|(_, chains, _)| chains).ok_or_else(|| no_programs(family))
}

fn chains(saved: &str) -> Chains {
    let mut chains = Chains::new();
    for line in saved.lines() {
        if let Some(name) = line.strip_prefix(':').and_then(|line| line.split(' ').next()) {
            chains.entry(name.to_owned()).or_default();
        }
        if let Some((chain, words)) = line.strip_prefix("-A ").and_then(|line| line.split_once(' ')) {
            let rule = Present { words: Some(words.to_owned()), handle: 0, owner: None };
            chains.entry(chain.to_owned()).or_default().push(rule);
        }
    }
    chains
}

/// Changes the table by a plan, which is made again when somebody else changed it meanwhile.
pub(crate) fn change(family: Family, plan: impl Fn(&Chains) -> Vec<Step>) -> Answer {
    if change_if_possible(family, plan)? { Ok(()) } else { Err(no_programs(family)) }
}

/// The same; false without programs for the table, which then has nothing of this plugin.
pub(crate) fn change_if_possible(family: Family, plan: impl Fn(&Chains) -> Vec<Step>) -> Answer<bool> {
    const ATTEMPTS: usize = 5;
    let mut attempts = 1;
    loop {
        let Some((programs, chains, owners)) = read(family)? else { return Ok(false) };
        let steps = plan(&chains);
        if steps.is_empty() {
            return Ok(true);
        }
        let commands = owners.prepare() + &commands(&steps);
        match iptables_legacy::change(programs, FILTER, &commands) {
            Err(_) if attempts < ATTEMPTS => attempts += 1,
            changed => return changed.map(|()| true).map_err(|error| failed(family, &error.to_string())),
        }
    }
}

fn commands(steps: &[Step]) -> String {
    let command = |step: &Step| match step {
        Step::NewChain(chain) => format!("-N {chain}\n"),
        Step::Place { chain, end, rule, owner } => {
            let option = if *end == End::First { "-I" } else { "-A" };
            let copy = owner.as_ref().map(|owner| legacy_owner::add(rule, owner)).unwrap_or_default();
            format!("{option} {chain} {}\n{copy}", rule.words())
        }
        Step::Remove { chain, rule } => {
            let words = rule.words.as_deref().unwrap_or_default();
            let copy = rule.owner.as_ref().map(|owner| legacy_owner::remove(words, owner)).unwrap_or_default();
            format!("-D {chain} {words}\n{copy}")
        }
    };
    steps.iter().map(command).collect()
}

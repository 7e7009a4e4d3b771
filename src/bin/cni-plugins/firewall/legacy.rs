//! The table `filter` of `iptables-legacy`, where it is in use.

use libcni::plugin::{Answer, Failure};

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

/// Reads the table.
fn read(family: Family) -> Answer<(Programs, Chains)> {
    let read = iptables_legacy::read(family, FILTER).map_err(|error| failed(family, &error.to_string()))?;
    let (programs, saved) = read.ok_or_else(|| failed(family, "there is no `iptables-legacy-save`"))?;
    Ok((programs, chains(&saved)))
}

pub(crate) fn chains_of(family: Family) -> Answer<Chains> {
    read(family).map(|(_, chains)| chains)
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
    const ATTEMPTS: usize = 5;
    let mut attempts = 1;
    loop {
        let (programs, chains) = read(family)?;
        let steps = plan(&chains);
        if steps.is_empty() {
            return Ok(());
        }
        match iptables_legacy::change(programs, FILTER, &commands(&steps)) {
            Err(_) if attempts < ATTEMPTS => attempts += 1,
            changed => return changed.map_err(|error| failed(family, &error.to_string())),
        }
    }
}

fn commands(steps: &[Step]) -> String {
    let command = |step: &Step| match step {
        Step::NewChain(chain) => format!("-N {chain}\n"),
        Step::Place { chain, end: End::First, rule, .. } => format!("-I {chain} {}\n", rule.words()),
        Step::Place { chain, end: End::Last, rule, .. } => format!("-A {chain} {}\n", rule.words()),
        Step::Remove { chain, rule } => format!("-D {chain} {}\n", rule.words.as_deref().unwrap_or_default()),
    };
    steps.iter().map(command).collect()
}

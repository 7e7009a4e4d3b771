//! Rules of `iptables-legacy`.

use std::io;
use std::io::Write;

use libcni::Chain;
use libcni::link::Handle;
use libcni::plugin::{Answer, Failure};

use super::nat::{Chains, Removal};
use super::rule::Place;
use super::words;
use crate::iptables_legacy::{self, Programs};
use crate::nft::family::Family;

/// The table whose rules the reference plugins add to.
const NAT: &str = "nat";

/// The rules of a table `nat`.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) family: Family,
    pub(super) chains: Chains,
    /// The programs that know them.
    programs: Programs,
}

/// The tables that are there; those that no program reads are left alone, with a word about it.
pub(super) fn tables() -> Answer<Vec<Table>> {
    let mut tables = Vec::new();
    for family in Family::ALL.into_iter().filter(|family| iptables_legacy::is_in_use(*family, NAT)) {
        match read(family) {
            Ok(table) => tables.extend(table),
            Err(error) => {
                let _ = writeln!(io::stderr(), "rules of iptables-legacy are left alone: {}", Chain(&error));
            }
        }
    }
    Ok(tables)
}

/// The same, unless no container of the reference plugin can have had a port mapped by them since the host started: it
/// opens links to 127.0.0.1 (`route_localnet`, with `snat`, its default), and never closes them. An ADD need not run
/// programs that go through all services of a cluster to find nothing.
pub(super) fn tables_that_may_map_ports() -> Answer<Vec<Table>> {
    const THEIRS: u32 = 1;
    if !Family::ALL.into_iter().any(|family| iptables_legacy::is_in_use(family, NAT)) {
        return Ok(Vec::new());
    }
    let open = Handle::here()?.links_that_route_localnet()?;
    if open.iter().any(|open| open.value == THEIRS) { tables() } else { Ok(Vec::new()) }
}

/// Reads a table; `None` when the program is one for nf_tables.
fn read(family: Family) -> io::Result<Option<Table>> {
    let read = iptables_legacy::read(family, NAT)?;
    Ok(read.map(|(programs, saved)| Table { family, chains: words::chains(&saved), programs }))
}

/// Removes what is stale of all tables.
pub(super) fn remove(stale: impl Fn(&Chains) -> Removal) -> Answer {
    for table in tables()? {
        let removal = stale(&table.chains);
        if !removal.is_empty() {
            let failure = |error| Failure::internal(format!("cannot remove rules of iptables-legacy: {error}"));
            iptables_legacy::change(table.programs, NAT, &commands(&removal)).map_err(failure)?;
        }
    }
    Ok(())
}

/// The text that removes it, all at once, as `iptables-legacy-restore` reads it.
fn commands(removal: &Removal) -> String {
    let mut commands = String::new();
    for (chain, place) in &removal.rules {
        if let Place::Words(words) = place {
            commands += &format!("-D {chain} {words}\n");
        }
    }
    removal.chains.iter().for_each(|chain| commands += &format!("-F {chain}\n"));
    removal.chains.iter().for_each(|chain| commands += &format!("-X {chain}\n"));
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_go_before_the_chains_that_they_lead_to() {
        let rules = vec![("POSTROUTING".to_owned(), Place::Words("-s 10.0.0.2/32 -j CNI-x".to_owned()))];
        let removal = Removal { rules, chains: vec!["CNI-x".to_owned()] };
        let expected = "-D POSTROUTING -s 10.0.0.2/32 -j CNI-x\n-F CNI-x\n-X CNI-x\n";
        assert_eq!(commands(&removal), expected);
    }
}

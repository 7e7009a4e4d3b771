//! Rules of `iptables-legacy`. The kernel shows them to its programs only, which are run where it has a table `nat` of
//! theirs in this namespace, and nowhere else.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::{fs, io};

use libcni::Chain;
use libcni::plugin::{Answer, Failure};

use super::nat::{Chains, Removal};
use super::rule::Place;
use super::words;
use crate::nft::family::Family;

/// The rules of a table `nat`.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) family: Family,
    pub(super) chains: Chains,
    /// The programs that know them.
    programs: Programs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Programs {
    save: &'static str,
    restore: &'static str,
}

impl Programs {
    /// Those that certainly are for such tables, and those that are on hosts without other ones.
    fn of(family: Family) -> [Self; 2] {
        match family {
            Family::V4 => [
                Self { save: "iptables-legacy-save", restore: "iptables-legacy-restore" },
                Self { save: "iptables-save", restore: "iptables-restore" },
            ],
            Family::V6 => [
                Self { save: "ip6tables-legacy-save", restore: "ip6tables-legacy-restore" },
                Self { save: "ip6tables-save", restore: "ip6tables-restore" },
            ],
        }
    }
}

/// The tables that are there; those that no program reads are left alone, with a word about it.
pub(super) fn tables() -> Answer<Vec<Table>> {
    let mut tables = Vec::new();
    for family in Family::ALL.into_iter().filter(|family| has_table(*family)) {
        match read(family) {
            Ok(table) => tables.extend(table),
            Err(error) => {
                let _ = writeln!(io::stderr(), "rules of iptables-legacy are left alone: {}", Chain(&error));
            }
        }
    }
    Ok(tables)
}

fn has_table(family: Family) -> bool {
    let names = match family {
        Family::V4 => "/proc/net/ip_tables_names",
        Family::V6 => "/proc/net/ip6_tables_names",
    };
    // A kernel without such tables has no such file.
    fs::read_to_string(names).is_ok_and(|names| names.lines().any(|name| name == "nat"))
}

/// Reads a table; `None` when the program is one for nf_tables.
fn read(family: Family) -> io::Result<Option<Table>> {
    let [legacy, plain] = Programs::of(family);
    let (programs, saved) = match save(legacy) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => (plain, save(plain)?),
        saved => (legacy, saved?),
    };
    let is_of_nf_tables = saved.lines().next().is_some_and(|line| line.contains("nf_tables"));
    Ok((!is_of_nf_tables).then(|| Table { family, chains: words::chains(&saved), programs }))
}

fn save(programs: Programs) -> io::Result<String> {
    let output = Command::new(programs.save).args(["-t", "nat"]).stdin(Stdio::null()).output()?;
    succeeded(programs.save, &output)?;
    String::from_utf8(output.stdout).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

fn succeeded(program: &str, output: &Output) -> io::Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{program}: {}: {}", output.status, said.trim())))
}

/// Removes what is stale of all tables.
pub(super) fn remove(stale: impl Fn(&Chains) -> Removal) -> Answer {
    for table in tables()? {
        let removal = stale(&table.chains);
        if !removal.is_empty() {
            let failure = |error| Failure::internal(format!("cannot remove rules of iptables-legacy: {error}"));
            restore(table.programs, &commands(&removal)).map_err(failure)?;
        }
    }
    Ok(())
}

/// What removes it, all at once, as `iptables-legacy-restore` reads it.
fn commands(removal: &Removal) -> String {
    let mut commands = String::from("*nat\n");
    for (chain, place) in &removal.rules {
        if let Place::Words(words) = place {
            commands += &format!("-D {chain} {words}\n");
        }
    }
    removal.chains.iter().for_each(|chain| commands += &format!("-F {chain}\n"));
    removal.chains.iter().for_each(|chain| commands += &format!("-X {chain}\n"));
    commands + "COMMIT\n"
}

fn restore(programs: Programs, commands: &str) -> io::Result<()> {
    let mut command = Command::new(programs.restore);
    // Others may be at it; they take turns.
    command.args(["--noflush", "--wait", "5"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    // Its end, when it has all been written.
    child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(commands.as_bytes()))?;
    succeeded(programs.restore, &child.wait_with_output()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_go_before_the_chains_that_they_lead_to() {
        let rules = vec![("POSTROUTING".to_owned(), Place::Words("-s 10.0.0.2/32 -j CNI-x".to_owned()))];
        let removal = Removal { rules, chains: vec!["CNI-x".to_owned()] };
        let expected = "*nat\n-D POSTROUTING -s 10.0.0.2/32 -j CNI-x\n-F CNI-x\n-X CNI-x\nCOMMIT\n";
        assert_eq!(commands(&removal), expected);
    }
}

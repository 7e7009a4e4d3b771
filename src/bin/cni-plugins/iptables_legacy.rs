//! Tables of `iptables-legacy`. The kernel shows them to its programs only, which are run where it has such a table in
//! this namespace, which it has from the first use on, and nowhere else.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::{fs, io};

use crate::nft::family::Family;
use crate::text;

/// The programs that know the tables of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Programs {
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

/// Returns whether the kernel has a table.
pub(crate) fn is_in_use(family: Family, table: &str) -> bool {
    let names = match family {
        Family::V4 => "/proc/net/ip_tables_names",
        Family::V6 => "/proc/net/ip6_tables_names",
    };
    // A kernel without such tables has no such file.
    fs::read_to_string(names).is_ok_and(|names| names.lines().any(|name| name == table))
}

/// Returns a table as text, and the programs that know it; `None` when the only program is one for nf_tables.
pub(crate) fn read(family: Family, table: &str) -> io::Result<Option<(Programs, String)>> {
    let [legacy, plain] = Programs::of(family);
    let (programs, saved) = match save(legacy, table) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => (plain, save(plain, table)?),
        saved => (legacy, saved?),
    };
    let is_of_nf_tables = saved.lines().next().is_some_and(|line| line.contains("nf_tables"));
    Ok((!is_of_nf_tables).then_some((programs, saved)))
}

fn save(programs: Programs, table: &str) -> io::Result<String> {
    let output = Command::new(programs.save).args(["-t", table]).stdin(Stdio::null()).output()?;
    succeeded(programs.save, &output)?;
    Ok(text::from_bytes(output.stdout))
}

fn succeeded(program: &str, output: &Output) -> io::Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{program}: {}: {}", output.status, said.trim())))
}

/// Changes a table, all at once, by commands such as `-D CHAIN …`.
pub(crate) fn change(programs: Programs, table: &str, commands: &str) -> io::Result<()> {
    let mut command = Command::new(programs.restore);
    // Others may be at it; they take turns.
    command.args(["--noflush", "--wait", "5"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let text = format!("*{table}\n{commands}COMMIT\n");
    // Its end, when it has all been written.
    child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(text.as_bytes()))?;
    succeeded(programs.restore, &child.wait_with_output()?)
}

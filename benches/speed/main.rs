//! How fast the library and `cnitool` are, each figure next to the floor that it stands on, all of one run.
//!
//! `scripts/bench.sh` builds what this needs and calls it in namespaces of its own: `speed DIR PROGRAMS CNITOOL STATIC
//! [quick] [SECTION...]`, with a directory on tmpfs, that of the compiled `benches/floor`, and two builds of the tool.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod bare;
mod cache;
mod calls;
mod files;
#[cfg(feature = "tokio")]
mod futures;
mod host;
mod measure;
mod results;
mod table;
mod tool;

use self::host::Host;
use self::table::Table;

type Section = fn(&Host, &mut Table);

/// What can be measured alone, by name.
const SECTIONS: &[(&str, Section)] = &[
    ("calls", calls::one_at_a_time),
    ("tool", tool::processes),
    ("sizes", tool::sizes),
    ("files", files::load),
    ("cache", cache::all),
    ("results", results::all),
    ("chain", calls::chain),
    ("threads", calls::many_at_once),
    ("memory", calls::with_much_memory),
    #[cfg(feature = "tokio")]
    ("futures", futures::all),
];

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [dir, programs, cnitool, fixed, options @ ..] = &arguments[..] else {
        return eprintln!("run it with scripts/bench.sh");
    };
    let (modes, wanted): (Vec<&String>, Vec<_>) = options.iter().partition(|option| *option == "quick");
    let host = Host::new(dir.into(), programs.into(), [cnitool.into(), fixed.into()], !modes.is_empty());
    let mut table = Table::new();
    for (name, measure) in SECTIONS {
        if wanted.is_empty() || wanted.iter().any(|section| *section == name) {
            measure(&host, &mut table);
        }
    }
    if wanted.is_empty() || wanted.iter().any(|section| *section != "plugins") {
        table.print();
    }
}

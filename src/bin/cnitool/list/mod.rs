//! `cnitool list`: what there is.

mod attachments;
mod networks;
mod plugins;

use clap::{Args, Subcommand};
use libcni::Cni;

pub(crate) use self::networks::in_file_order as networks_in_file_order;
use crate::Failure;
use crate::cli::Arguments;
use crate::output::print;
use crate::table::Table;

/// What to list, and how.
#[derive(Args, Debug)]
pub(crate) struct List {
    #[command(subcommand)]
    what: Listed,
    /// For scripts: cells separated by tabs, no titles, and only what can be used
    #[arg(long, global = true, conflicts_with = "json")]
    plain: bool,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Listed {
    /// The networks of the configuration directory, and the files that give none: shadowed or broken
    Networks,
    /// The attachments in the cache, of every runtime that shares it
    Attachments,
    /// The files of the plugin directories with the versions that they support
    ///
    /// Every executable is run with the verb VERSION. Directories of the system's own programs are left out.
    Plugins,
}

pub(crate) fn list(arguments: &Arguments, cni: &Cni, list: &List) -> Result<(), Failure> {
    match list.what {
        Listed::Networks => networks::list(arguments, list.plain),
        Listed::Attachments => attachments::list(arguments, cni, list.plain),
        Listed::Plugins => plugins::list(arguments, cni, list.plain),
    }
}

/// Prints a table for people or for scripts, or nothing where there is no row.
fn show<const N: usize>(table: &Table<N>, plain: bool) -> Result<(), Failure> {
    match (table.is_empty(), plain) {
        (true, _) => Ok(()),
        (false, true) => Ok(print(&table.plain())?),
        (false, false) => Ok(print(&table.aligned())?),
    }
}

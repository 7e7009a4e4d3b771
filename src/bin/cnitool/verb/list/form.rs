//! How a list is printed.

use clap::Args;

use crate::context::options::Output;
use crate::output::failure::Failure;
use crate::output::print;
use crate::output::table::Table;

/// Who reads the list.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Form {
    /// For scripts: cells separated by tabs, no titles, and usable entries only
    #[arg(long, conflicts_with = "json")]
    pub(super) plain: bool,
    #[command(flatten)]
    _output: Output,
}

impl Form {
    /// Prints a table for people or for scripts, or nothing if there is no row.
    pub(super) fn show<const N: usize>(self, table: &Table<N>) -> Result<(), Failure> {
        if table.is_empty() {
            return Ok(());
        }
        Ok(print(&if self.plain { table.plain() } else { table.aligned() })?)
    }
}

//! The table that the run ends with.

use std::time::Duration;

use crate::measure::Pair;

/// Rows of text under titles, printed as Markdown that can be read as it is.
pub(crate) struct Table {
    rows: Vec<[String; 6]>,
}

const TITLES: [&str; 6] = ["what", "compared with", "takes", "that takes", "ratio", "goal"];

impl Table {
    pub(crate) fn new() -> Self {
        Self { rows: vec![TITLES.map(str::to_owned)] }
    }

    /// Two times of one run.
    pub(crate) fn times(&mut self, what: &str, against: &str, pair: Pair, goal: &str) {
        let ratio = format!("{:.2}", pair.ratio());
        self.row([what, against, &time(pair.ours), &time(pair.floor), &ratio, goal]);
    }

    /// Anything else.
    pub(crate) fn row(&mut self, cells: [&str; 6]) {
        eprintln!("{}", cells.join("  "));
        self.rows.push(cells.map(str::to_owned));
    }

    pub(crate) fn print(&self) {
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: [usize; 6] = std::array::from_fn(width);
        for (number, row) in self.rows.iter().enumerate() {
            let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            println!("| {} |", cells.join(" | "));
            if number == 0 {
                println!("|{}|", widths.map(|width| "-".repeat(width + 2)).join("|"));
            }
        }
    }
}

/// A time in the unit that suits it.
pub(crate) fn time(time: Duration) -> String {
    match time.as_nanos() as f64 {
        short if short < 1e3 => format!("{short:.0} ns"),
        medium if medium < 1e6 => format!("{:.1} µs", medium / 1e3),
        long if long < 1e9 => format!("{:.2} ms", long / 1e6),
        seconds => format!("{:.2} s", seconds / 1e9),
    }
}

//! The tables of CONTRIBUTING.md.

use std::collections::BTreeMap;

/// What a module may do.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// In the page.
    pub(crate) line: usize,
    pub(crate) may_use: Vec<String>,
    pub(crate) is_for_all: bool,
    pub(crate) may_touch: Files,
}

/// Files and directories.
#[derive(Clone, Debug)]
pub(crate) enum Files {
    All,
    Only(Vec<String>),
}

impl Files {
    fn of(cell: &str) -> Self {
        if cell == "yes" { Self::All } else { Self::Only(words(cell)) }
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|name| is_in(path, name)),
        }
    }

    pub(crate) fn names(&self) -> &[String] {
        match self {
            Self::All => &[],
            Self::Only(names) => names,
        }
    }
}

/// Tells whether a path is that of a file, or in a directory, which ends with a slash.
pub(crate) fn is_in(path: &str, name: &str) -> bool {
    path == name || name.ends_with('/') && path.starts_with(name)
}

pub(crate) struct Table {
    pub(crate) modules: BTreeMap<String, Row>,
    /// Crates of optional features, with the files that may use them.
    pub(crate) crates: BTreeMap<String, Files>,
}

impl Table {
    /// Reads the tables with these titles.
    pub(crate) fn of(page: &str) -> Self {
        let mut table = Self { modules: BTreeMap::new(), crates: BTreeMap::new() };
        for (line, cells) in rows(page, "| module | may use | may touch the system |") {
            let is_for_all = cells[1].contains("every module may use");
            let row = Row { line, may_use: words(cells[1]), is_for_all, may_touch: Files::of(cells[2]) };
            table.modules.extend(words(cells[0]).into_iter().map(|name| (name, row.clone())));
        }
        for (_, cells) in rows(page, "| crate | only in |") {
            table.crates.extend(words(cells[0]).into_iter().map(|name| (name, Files::of(cells[1]))));
        }
        table
    }
}

/// The rows of a table, each with its line in the page.
fn rows<'a>(page: &'a str, title: &str) -> Vec<(usize, Vec<&'a str>)> {
    let lines = page.lines().enumerate().skip_while(|(_, line)| *line != title).skip(2);
    let rows = lines.take_while(|(_, line)| line.starts_with('|'));
    let rows = rows.map(|(n, line)| (n + 1, line.trim_matches('|').split('|').map(str::trim).collect()));
    let rows: Vec<_> = rows.collect();
    assert!(!rows.is_empty(), "CONTRIBUTING.md has no table `{title}`");
    rows
}

/// What is between backticks.
fn words(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

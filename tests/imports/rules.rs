//! The tables, held against the files.

use crate::Violation;
use crate::source::{File, LIBRARY, Source};
use crate::table::{Row, Table};

/// What reads or changes anything outside of the process's memory.
const SYSTEM: &[&str] = &[
    "nix",
    "rustix",
    "std::env",
    "std::fs",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::os::fd",
    "std::os::unix::net",
    "std::process::Command",
];

pub(crate) fn violations(source: &Source) -> Vec<Violation> {
    let table = Table::of(&source.page);
    let mut found = stale(source, &table);
    for file in source.files().filter(|file| file.module[0] == LIBRARY) {
        let Some(module) = file.module.get(1) else { continue };
        match table.modules.get(module) {
            Some(row) => found.extend(of_file(source, &table, file, row)),
            None => found.push(file.violation(1, "the table in CONTRIBUTING.md has no row for this module")),
        }
    }
    found
}

/// Rows about what is not there.
fn stale(source: &Source, table: &Table) -> Vec<Violation> {
    let mut found = Vec::new();
    for (module, row) in &table.modules {
        let is_there = |path: &str| source.files().any(|file| crate::table::is_in(&file.path, path));
        let mut wanted: Vec<_> = row.may_touch.names().iter().map(|name| format!("src/{module}/{name}")).collect();
        wanted.extend(row.may_use.iter().chain([module]).filter(|name| !source.has_module(name)).cloned());
        for path in wanted.into_iter().filter(|path| !is_there(path)) {
            let says = format!("`{path}` is not there");
            found.push(Violation { file: "CONTRIBUTING.md".into(), line: row.line, says });
        }
    }
    found
}

/// What a file of a module does that its row does not have.
fn of_file(source: &Source, table: &Table, file: &File, row: &Row) -> Vec<Violation> {
    let mut found = Vec::new();
    for named in &file.named {
        let path = source.written(file, named);
        let says = match path[0].as_str() {
            LIBRARY => uses(source, table, &file.module[1], row, &path),
            _ => touches(table, file, row, &path.join("::")),
        };
        found.extend(says.map(|says| file.violation(named.line, says)));
    }
    found
}

/// Says that a module names another one of the crate that is not its to use.
fn uses(source: &Source, table: &Table, module: &str, row: &Row, path: &[String]) -> Option<String> {
    let path = if path.get(1).is_some_and(|name| source.has_module(name)) { path } else { &source.follow(path) };
    let Some(name) = path.get(1).filter(|name| *name != "*") else {
        return Some(format!("`{module}` may not use the whole crate"));
    };
    let may = name == module || row.may_use.contains(name) || table.modules.get(name).is_some_and(|row| row.is_for_all);
    (!may).then(|| format!("`{module}` may not use `{name}`"))
}

/// Says that a file names what touches the system, or a crate of an optional feature, and may not.
fn touches(table: &Table, file: &File, row: &Row, path: &str) -> Option<String> {
    let begins = |what: &str| path.strip_prefix(what).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    let below_src = &file.path["src/".len()..];
    let below_module = below_src.split_once('/').map_or(below_src, |(_, below)| below);
    if SYSTEM.iter().any(|what| begins(what)) && !row.may_touch.has(below_module) {
        return Some(format!("this file may not touch the system: `{path}`"));
    }
    let other = table.crates.iter().find(|(name, files)| begins(name) && !files.has(below_src));
    other.map(|(name, _)| format!("this file may not use the crate `{name}`"))
}

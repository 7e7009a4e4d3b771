//! How the tool's files know each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::repository;

/// A module of the tool, by its path in the crate: `["verb", "list"]`.
type Module = Vec<String>;

/// The text of each module.
fn modules(dir: &Path, above: &Module) -> BTreeMap<Module, String> {
    let mut found = BTreeMap::new();
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = if matches!(&*name, "main" | "mod") { above.clone() } else { [&above[..], &[name]].concat() };
        if path.is_dir() {
            found.extend(modules(&path, &module));
        } else {
            found.insert(module, fs::read_to_string(path).unwrap());
        }
    }
    found
}

/// The paths of a use tree: `a::{b, c::d}` has `a::b` and `a::c::d`.
fn paths(tree: &str) -> Vec<String> {
    let Some((stem, inner)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let inner = inner.trim_end().strip_suffix('}').unwrap_or_else(|| panic!("{tree}"));
    let mut depth = 0;
    let is_end = |c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    };
    let trees = inner.split(is_end).map(str::trim).filter(|tree| !tree.is_empty());
    trees.flat_map(paths).map(|path| format!("{stem}{path}")).collect()
}

/// The trees of the use statements in a text.
fn trees(text: &str) -> Vec<String> {
    let is_use = |line: &str| {
        let rest = line.trim_start();
        let rest = rest.strip_prefix("pub").map_or(rest, |rest| rest.trim_start_matches(|c| c != ' ').trim_start());
        rest.strip_prefix("use ").map(str::len)
    };
    let mut trees = Vec::new();
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let end = begin + line.len();
        if let Some(length) = is_use(line) {
            let tree = text[end - length..].split(';').next().unwrap_or_default();
            trees.push(tree.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        begin = end;
    }
    trees
}

/// The modules that a module uses: those that it imports from, and those within it that it names.
fn used(module: &Module, text: &str, all: &BTreeMap<Module, String>) -> BTreeSet<Module> {
    let text = text.split("#[cfg(test)]").next().unwrap();
    let absolute = |path: String| {
        let names: Vec<_> = path.split("::").map(|name| name.trim().to_owned()).collect();
        let supers = names.iter().take_while(|name| *name == "super").count();
        let above = match &*names[0] {
            "crate" => &[][..],
            "self" | "super" => &module[..module.len() - supers],
            _ => return None,
        };
        let names = [above, &names[supers.max(1)..]].concat();
        (0..=names.len()).rev().map(|length| names[..length].to_vec()).find(|module| all.contains_key(module))
    };
    let mut found: BTreeSet<_> = trees(text).iter().flat_map(|tree| paths(tree)).filter_map(absolute).collect();
    let inner = all.keys().filter(|other| other.len() == module.len() + 1 && other.starts_with(module));
    found.extend(inner.filter(|other| text.contains(&format!("{}::", other[module.len()]))).cloned());
    found.remove(module);
    found
}

/// A way from a module back to itself.
fn circle(uses: &BTreeMap<Module, BTreeSet<Module>>) -> Option<Vec<Module>> {
    fn back(from: &[Module], uses: &BTreeMap<Module, BTreeSet<Module>>) -> Option<Vec<Module>> {
        uses[from.last()?].iter().find_map(|next| {
            let way = [from, std::slice::from_ref(next)].concat();
            if *next == from[0] { Some(way) } else { (!from.contains(next)).then(|| back(&way, uses)).flatten() }
        })
    }
    uses.keys().find_map(|module| back(std::slice::from_ref(module), uses))
}

fn uses(all: &BTreeMap<Module, String>) -> BTreeMap<Module, BTreeSet<Module>> {
    all.iter().map(|(module, text)| (module.clone(), used(module, text, all))).collect()
}

fn tool() -> PathBuf {
    repository().join("src/bin/cnitool")
}

#[test]
fn no_file_of_the_tool_uses_one_that_uses_it() {
    let uses = uses(&modules(&tool(), &Module::new()));
    assert!(uses[&Module::new()].len() > 5 && uses.values().filter(|used| !used.is_empty()).count() > 20, "{uses:?}");
    assert_eq!(circle(&uses), None);
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let module = |path: &str| path.split("::").map(str::to_owned).collect::<Module>();
    for (one, other) in [
        ("use crate::b::c::B;", "use crate::a::A;"),
        ("use crate::{b::{c::{self, B}, d}, x};", "pub(crate) use super::super::a::A;"),
        ("use crate::{\n    b::{\n        c::B,\n    },\n};", "use std::io;\n\nuse super::super::{a::A};"),
        ("use super::b::c;", "//! Some words; some more.\n\nuse crate::a;"),
    ] {
        let texts = [("a", one), ("b", "pub(crate) mod c;"), ("b::c", other)];
        let all = texts.map(|(path, text)| (module(path), text.to_owned())).into();
        assert!(circle(&uses(&all)).is_some(), "{one} {other}");
    }
    let within = [(module("a"), "mod b;\nfn f() { b::g() }".to_owned()), (module("a::b"), "use super::f;".to_owned())];
    assert!(circle(&uses(&within.into())).is_some());
}

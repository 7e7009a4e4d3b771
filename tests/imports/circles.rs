//! Files of a program that need each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::Violation;
use crate::source::{File, LIBRARY, Source};

/// Which files each file needs, with the first line that says so.
type Needs<'a> = BTreeMap<&'a str, BTreeMap<&'a str, usize>>;

pub(crate) fn violations(source: &Source) -> Vec<Violation> {
    let programs = source.files().filter(|file| file.module[0] != LIBRARY);
    let needs: Needs = programs.map(|file| (file.path.as_str(), needs_of(source, file))).collect();
    let mut found = Vec::new();
    for (file, others) in &needs {
        for (other, line) in others {
            if let Some(way) = way(&needs, other, file) {
                let says = format!("needs {other}, which needs this file{way}");
                found.push(Violation { file: (*file).into(), line: *line, says });
            }
        }
    }
    found
}

/// What a file needs for itself: its tests may know what is above it.
fn needs_of<'a>(source: &'a Source, file: &'a File) -> BTreeMap<&'a str, usize> {
    let mut needs = BTreeMap::new();
    for named in file.named.iter().filter(|named| !named.inside.iter().any(|module| module == "tests")) {
        let path = source.follow(&source.written(file, named));
        let other = source.file_of(&path).filter(|other| other.module[0] == file.module[0] && other.path != file.path);
        if let Some(other) = other {
            needs.entry(other.path.as_str()).or_insert(named.line);
        }
    }
    needs
}

/// How one file needs another, if it does: by way of which others.
fn way(needs: &Needs, from: &str, to: &str) -> Option<String> {
    let mut ways = VecDeque::from([(from, String::new())]);
    let mut seen = BTreeSet::from([from]);
    while let Some((at, way)) = ways.pop_front() {
        if at == to {
            return Some(way);
        }
        for other in needs.get(at).into_iter().flat_map(BTreeMap::keys).filter(|other| seen.insert(other)) {
            let by = if *other == to { way.clone() } else { format!("{way} by way of {other}") };
            ways.push_back((other, by));
        }
    }
    None
}

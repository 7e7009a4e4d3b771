//! Paths, followed step by step, so that every directory is watched that decides what a path means.
//!
//! Each directory is watched before it is looked into: what changes after the look is reported, and what changed before
//! it is seen.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::inotify::Watches;
use crate::directory;

/// How many symbolic links are followed, as by the kernel.
const MAX_LINKS: usize = 40;

/// Follows a path; returns the path of its target without links, if it exists.
fn follow(watches: &mut Watches, path: &Path) -> Option<PathBuf> {
    // Fails for an empty path, and where the working directory is gone.
    let path = std::path::absolute(path).ok()?;
    follow_from(watches, Path::new("/"), &path)
}

/// The same, from a directory whose own path is watched.
fn follow_from(watches: &mut Watches, dir: &Path, path: &Path) -> Option<PathBuf> {
    let mut here = dir.to_owned();
    let mut ahead = steps(path);
    let mut links = 0;
    while let Some(step) = ahead.pop() {
        match step {
            Step::Root => here = PathBuf::from("/"),
            Step::Up => drop(here.pop()),
            Step::Entry(name) => {
                watches.entry(&here, &name);
                here.push(name);
                match target(&here)? {
                    None => {}
                    Some(_) if links == MAX_LINKS => return None,
                    Some(target) => {
                        links += 1;
                        here.pop();
                        ahead.extend(steps(&target));
                    }
                }
            }
        }
    }
    Some(here)
}

enum Step {
    Root,
    Up,
    Entry(OsString),
}

/// The steps of a path, the first one last.
fn steps(path: &Path) -> Vec<Step> {
    let step = |component| match component {
        Component::Normal(name) => Some(Step::Entry(name.to_owned())),
        Component::ParentDir => Some(Step::Up),
        Component::RootDir => Some(Step::Root),
        Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(step).collect()
}

/// The target of a symbolic link; empty for anything else. `None` where there is nothing.
fn target(path: &Path) -> Option<Option<PathBuf>> {
    match fs::read_link(path) {
        Ok(target) => Some(Some(target)),
        // The kernel's word for: not a link.
        Err(e) if e.kind() == io::ErrorKind::InvalidInput => Some(None),
        Err(_) => None,
    }
}

/// Watches a directory of configurations: its path, its files, and the files of the folders in it, which may belong to
/// networks.
pub(super) fn follow_conf_dir(watches: &mut Watches, path: &Path) {
    let Some(dir) = follow(watches, path) else { return };
    for entry in follow_entries(watches, &dir) {
        if entry.is_dir() {
            follow_entries(watches, &entry);
        }
    }
}

/// Watches a directory and the files in it; returns its content.
fn follow_entries(watches: &mut Watches, dir: &Path) -> Vec<PathBuf> {
    watches.dir(dir);
    let follow_entry = |name: OsString| {
        let entry = follow_from(watches, dir, Path::new(&name))?;
        if entry.is_file() {
            watches.file(&entry);
        }
        Some(entry)
    };
    names(dir).into_iter().filter_map(follow_entry).collect()
}

/// Empty if the directory can't be read: the code that loads from it reports that.
fn names(dir: &Path) -> Vec<OsString> {
    let entries = directory::entries(dir).into_iter().flatten();
    entries.map(|entry| entry.name().to_owned()).collect()
}

/// Watches for a plugin in a directory.
pub(super) fn follow_plugin(watches: &mut Watches, dir: &Path, plugin: &str) {
    // Any other name is not that of a plugin, and `find` reports it.
    if Path::new(plugin).file_name() == Some(OsStr::new(plugin)) {
        follow(watches, &dir.join(plugin));
    }
}

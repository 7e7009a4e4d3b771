//! A verb within a verb: a plugin that uses this library, or the tool, for another network of its container.
//!
//! The verb that runs the plugin holds the container, and waits for the plugin. A wait for that verb would never end.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::process::{Status, Variables};
use super::{Guard, LockError, Mode, Purpose, Resource, Wanted, holders};
use crate::spec::ContainerId;

/// The deepest chain of processes that is followed, in case the numbers of processes are given again meanwhile.
const DEEPEST: usize = 1000;

/// Grants a lock that is held by a verb which this process was started by, as a plugin or below one: that verb holds it
/// for whoever works for it. `None` where somebody else holds it.
///
/// # Errors
/// It is held for this very attachment, or the holder would have to give it back before it can be had.
pub(super) fn grant(path: &Path, wanted: &Wanted<'_>) -> Option<Result<Guard, LockError>> {
    let holder = holders::pids(path).into_iter().find(|holder| is_below_plugin_of(*holder, wanted))?;
    let refused = || {
        let (resource, holder) = (wanted.resource.to_string(), holders::describe(holder));
        Err(LockError::Nested { resource, holder })
    };
    let is_network = matches!(wanted.resource, Resource::Network(_));
    Some(match wanted.purpose.map(|purpose| Mark { path: path.to_owned(), line: line(purpose) }) {
        _ if is_network && wanted.mode == Mode::Exclusive => refused(),
        Some(mark) if mark.lines().contains(&mark.line) => refused(),
        Some(mark) => Ok(Guard::new(mark.made())),
        None => Ok(Guard::new(())),
    })
}

/// The attachments that verbs which this process was started by are at work on, of a container whose lock is here: each
/// by its network and interface.
pub(super) fn outer(path: &Path, id: &ContainerId) -> Vec<(String, String)> {
    let wanted = Wanted::new(Resource::Container(id), Mode::Exclusive);
    if !holders::pids(path).into_iter().any(|holder| is_below_plugin_of(holder, &wanted)) {
        return Vec::new();
    }
    let lines = Mark { path: path.to_owned(), line: String::new() }.lines();
    let pair = |line: &String| line.split_once(' ').map(|(network, ifname)| (network.to_owned(), ifname.to_owned()));
    lines.iter().filter_map(pair).collect()
}

/// The line in a container's lock, below its ID, for an attachment that somebody is at work on.
pub(super) fn line(purpose: Purpose<'_>) -> String {
    format!("{} {}", purpose.network, purpose.ifname)
}

/// Returns true if this process is a plugin, or was started by one, that a process has started for what it has locked.
fn is_below_plugin_of(holder: i32, wanted: &Wanted<'_>) -> bool {
    let mut process = std::process::id().cast_signed();
    for _ in 0..DEEPEST {
        let Some(parent) = Status::of(process).map(|status| status.parent).filter(|parent| *parent > 1) else {
            return false;
        };
        if parent == holder {
            return Variables::of(process).is_some_and(|variables| match (wanted.resource, wanted.mode) {
                // Which network a plugin is run for, its variables do not say.
                (Resource::Network(_), Mode::Exclusive) => variables.are_of_plugin(),
                (resource, _) => variables.are_of_plugin_for(resource),
            });
        }
        process = parent;
    }
    false
}

/// A line in the lock of a container.
struct Mark {
    path: PathBuf,
    line: String,
}

impl Mark {
    fn open(&self) -> Option<File> {
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        OpenOptions::new().read(true).append(true).custom_flags(flags.bits()).open(&self.path).ok()
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // What can't be read says nothing.
        let _ = self.open().and_then(|mut file| file.read_to_string(&mut text).ok());
        text
    }

    /// The lines below the ID.
    fn lines(&self) -> Vec<String> {
        self.text().lines().skip(1).map(str::to_owned).collect()
    }

    /// Adds the line, until this is dropped.
    fn made(self) -> Self {
        if let Some(mut file) = self.open() {
            // A lock without it is a lock all the same.
            let _ = file.write_all(format!("\n{}", self.line).as_bytes());
        }
        self
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let text = self.text();
        let Some(rest) = text.strip_suffix(&format!("\n{}", self.line)) else { return };
        if let Some(file) = self.open() {
            let _ = file.set_len(rest.len() as u64);
        }
    }
}

//! The system's information about other processes, and which of them are plugins.

use std::fs;

use super::Resource;
use crate::spec::{CNI_ARGS, CNI_COMMAND, CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS, CNI_PATH, Command};

/// The status of a process, as the kernel reports it.
pub(super) struct Status {
    pub(super) is_alive: bool,
    pub(super) parent: i32,
    pub(super) group: i32,
}

impl Status {
    pub(super) fn of(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(stat: &str) -> Option<Self> {
        // The name, in parentheses, may contain anything.
        let (_, rest) = stat.rsplit_once(") ")?;
        let mut words = rest.split(' ');
        let is_alive = !matches!(words.next()?, "Z" | "X");
        let mut number = || words.next()?.parse().ok();
        Some(Self { is_alive, parent: number()?, group: number()? })
    }
}

/// The variables that a process was started with.
pub(super) struct Variables(Vec<u8>);

impl Variables {
    pub(super) fn of(pid: i32) -> Option<Self> {
        fs::read(format!("/proc/{pid}/environ")).ok().map(Self)
    }

    fn pairs(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|byte| *byte == 0)
    }

    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        let pair = format!("{name}={value}");
        self.pairs().any(|found| found == pair.as_bytes())
    }

    /// Returns whether they are those of a plugin, which has each of the protocol's variables.
    pub(super) fn are_of_plugin(&self) -> bool {
        let names: Vec<_> = self.pairs().filter_map(|pair| pair.split(|b| *b == b'=').next()).collect();
        [CNI_COMMAND, CNI_NETNS, CNI_IFNAME, CNI_ARGS, CNI_PATH].iter().all(|name| names.contains(&name.as_bytes()))
    }

    /// Returns whether they are those of a plugin that was started for the container, or for a GC of some network:
    /// which, they do not say.
    pub(super) fn are_of_plugin_for(&self, resource: Resource<'_>) -> bool {
        let is_its_own = match resource {
            Resource::Container(id) => self.has(CNI_CONTAINERID, id.as_str()),
            Resource::Network(_) => self.has(CNI_COMMAND, Command::Gc.as_str()),
        };
        is_its_own && self.are_of_plugin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_behind_any_name() {
        let status = Status::parse("42 (a) b)) S 1 42 7 0 -1").unwrap();
        assert_eq!((status.is_alive, status.parent, status.group), (true, 1, 42));
        assert!(!Status::parse("42 (x) Z 1 42 7 0 -1").unwrap().is_alive);
    }
}

//! The things that could grow.

use std::fs;

use super::killed::children;
use crate::host::{Host, eventually};

/// What this process and its host have.
#[derive(Debug, PartialEq)]
pub(super) struct State {
    descriptors: usize,
    threads: usize,
    /// Ended and not reaped, or still running.
    children: usize,
    /// In KiB.
    memory: u64,
    /// Connections that the kernel tracks.
    flows: u64,
    files: String,
    links: String,
    rules: String,
}

impl State {
    pub(super) fn of(host: &Host) -> Self {
        let count = |dir: &str| fs::read_dir(dir).unwrap().count();
        let number = |text: &str| text.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let flows = fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_count");
        Self {
            children: children().len(),
            descriptors: count("/proc/self/fd"),
            threads: count("/proc/self/task"),
            memory: number(status.lines().find(|line| line.starts_with("VmRSS")).unwrap()),
            flows: number(&flows.unwrap_or_else(|_| "0".to_owned())),
            files: host.run("find cache ipam | sort"),
            links: host.run("ip -br link | cut -d ' ' -f 1"),
            rules: host.run("nft list ruleset"),
        }
    }

    /// Returns true if all is as it was; the allocator keeps some memory, and the kernel counts connections that have
    /// ended until it gets to them.
    pub(super) fn has_not_grown(&self, before: &Self) -> bool {
        let rest = |state: &Self| Self { memory: 0, flows: 0, ..state.copy() };
        let is_bounded = self.memory <= before.memory * 5 / 4 + 4096 && self.flows <= before.flows + 16;
        rest(self) == rest(before) && is_bounded
    }

    fn copy(&self) -> Self {
        let (files, links, rules) = (self.files.clone(), self.links.clone(), self.rules.clone());
        Self { files, links, rules, ..*self }
    }

    /// Waits until there is no thread but the main one and these.
    pub(super) fn wait_for_threads(workers: usize) {
        eventually(|| fs::read_dir("/proc/self/task").unwrap().count() <= workers + 1);
    }
}

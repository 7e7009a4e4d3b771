//! Facts about a network and a host, as sentences that can be compared.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::netns::run_in;

use super::finding::Verdict;
use super::host::state_dirs;
use super::nft::chains;
use crate::link::{Address, Handle, Link, LinkError, TableRoute};

/// A namespace as it is at one moment.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) links: Vec<Link>,
    pub(super) addresses: Vec<Address>,
    pub(super) routes: Vec<TableRoute>,
}

impl View {
    /// The namespace of the calling thread.
    pub(super) fn here() -> Result<Self, LinkError> {
        let mut namespace = Handle::here()?;
        let (links, mut addresses, mut routes) = (namespace.links()?, namespace.all_addresses()?, namespace.routes()?);
        // Those that the kernel makes by itself come in their own time.
        addresses.retain(|on_link| !is_automatic(on_link.address.addr()));
        routes.retain(|route| !is_automatic(route.dst.addr()));
        Ok(Self { links, addresses, routes })
    }

    pub(super) fn of(netns: &Path) -> Verdict<Self> {
        Ok(run_in(netns, Self::here)??)
    }

    pub(super) fn link(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.name == name)
    }

    fn name_of(&self, index: u32) -> &str {
        self.links.iter().find(|link| link.index == index).map_or("?", |link| &link.name)
    }

    /// Everything in it.
    pub(super) fn facts(&self) -> Facts {
        let link = |link: &Link| {
            let Link { name, mac, mtu, is_up, .. } = link;
            let mac = mac.as_deref().unwrap_or("no hardware address");
            format!("interface {name} ({mac}, MTU {mtu}, {})", if *is_up { "up" } else { "down" })
        };
        let address = |on_link: &Address| format!("address {} of {}", on_link.address, self.name_of(on_link.link));
        let route = |route: &TableRoute| {
            let via = route.gw.map(|gw| format!(" via {gw}")).unwrap_or_default();
            let dev = route.link.map(|link| format!(" by {}", self.name_of(link))).unwrap_or_default();
            format!("route to {}{via}{dev} in table {}", route.dst, route.table)
        };
        let links = self.links.iter().map(link);
        // The kernel gives `lo` its addresses when it comes up, and does not take them back.
        let given = self.addresses.iter().filter(|on_link| !on_link.address.addr().is_loopback());
        Facts(links.chain(given.map(address)).chain(self.routes.iter().map(route)).collect())
    }
}

/// Returns true if the kernel chooses such an address or route by itself.
fn is_automatic(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local() || ip.is_multicast())
}

/// The facts, each a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts(BTreeSet<String>);

impl Facts {
    /// The interfaces of a host. Their settings don't count: those of shared ones change with the containers.
    pub(super) fn of_links() -> Result<Self, LinkError> {
        let links = Handle::here()?.links()?;
        Ok(Self(links.into_iter().map(|link| format!("interface {} on the host", link.name)).collect()))
    }

    /// The things that plugins make on a host: interfaces, rules, and files, except those of some directories.
    pub(super) fn of_host(but: &[PathBuf]) -> Verdict<Self> {
        let rules = chains()?.into_iter().flat_map(|(chain, rules)| {
            let rule = move |number: usize| match number {
                0 => format!("nftables chain {chain}"),
                _ => format!("rule {number} of nftables chain {chain}"),
            };
            (0..=rules).map(rule)
        });
        let files = state_files(but).into_iter().map(|file| format!("file {}", file.display()));
        Ok(Self(Self::of_links()?.0.into_iter().chain(rules).chain(files).collect()))
    }

    /// These facts and others.
    pub(super) fn and(self, others: Self) -> Self {
        Self(self.0.into_iter().chain(others.0).collect())
    }

    /// Returns true if there is nothing that was not there before.
    pub(super) fn is_within(&self, before: &Self) -> bool {
        self.0.is_subset(&before.0)
    }

    /// The things that are here and were not there.
    pub(super) fn since(&self, before: &Self) -> String {
        self.0.difference(&before.0).cloned().collect::<Vec<_>>().join(", ")
    }

    /// The change, if there is one.
    pub(super) fn changes(&self, before: &Self) -> Option<String> {
        let part = |what: &str, facts: String| if facts.is_empty() { None } else { Some(format!("{what}: {facts}")) };
        let parts = [part("new", self.since(before)), part("gone", before.since(self))];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// How long the kernel may take to remove the interfaces of a namespace that has ended.
const KERNEL: Duration = Duration::from_secs(20);

/// Waits until the host has no interface that it did not have before.
pub(super) fn wait_for_links(before: &Facts) -> Verdict {
    let began = Instant::now();
    while !Facts::of_links()?.is_within(before) && began.elapsed() < KERNEL {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// The files in which plugins remember things: all but those of some directories.
fn state_files(but: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = state_dirs().map(Path::to_owned).collect();
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.ends_with("run/netns") || but.contains(&path) {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) { open.push(path) } else { found.push(path) }
        }
    }
    found
}

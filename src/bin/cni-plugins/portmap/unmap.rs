//! Ports unmapped, and what was done for them undone.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::IpAddr;

use libcni::Chain;
use libcni::plugin::Answer;

use crate::nft::Owner;
use crate::nft::family::{self, Family};
use crate::nft::owned::{Change, Entry, PlaceBuf};
use crate::nft::reading::Look;
use crate::portmap::layout::{LAYOUT, as_gone, is_gone, port_of, ways_back_of};
use crate::portmap::mapping::{HostPort, Protocol};
use crate::portmap::{conntrack, localhost};

/// The work that is left when ports were unmapped.
#[derive(Debug)]
pub(crate) struct Unmapped {
    /// True if there were any.
    pub(crate) had_any: bool,
    /// True if nobody has a port any more, as far as one can tell.
    is_empty: bool,
    /// True if containers of a network were reached by 127.0.0.1, and none is any more.
    is_last_of_network: bool,
}

/// Unmaps all ports of the owners that are to go, and forgets their UDP connections. Whoever dies on the way leaves
/// enough for the next one to go on.
pub(crate) fn unmap(look: &Look, is_to_go: impl Fn(&Owner) -> bool) -> Answer<Unmapped> {
    let goes = |entry: &Entry| entry.owner.as_ref().is_some_and(&is_to_go);
    let gone = RefCell::new(Vec::new());
    LAYOUT.change_where(look, |entries| {
        let all: Vec<Entry> = entries.iter().filter(|entry| goes(entry)).cloned().collect();
        // Until its connections are forgotten, a port of UDP is still known, but leads nowhere.
        let remove: Vec<Entry> = all.iter().filter(|entry| !is_gone(entry)).cloned().collect();
        let add = remove.iter().filter_map(as_gone).collect();
        *gone.borrow_mut() = all;
        Ok(Change { remove, add, keep_table: true, ..Change::default() })
    })?;
    let gone = gone.into_inner();
    let udp: Vec<_> = gone.iter().filter_map(port_of).filter(|port| port.protocol == Protocol::Udp).collect();
    if !udp.is_empty() {
        forget(&udp);
        let leading_nowhere = gone.iter().filter_map(as_gone).map(|entry| (entry.map, entry.key)).collect();
        LAYOUT.change_where(&at(leading_nowhere), |entries| {
            let remove = entries.iter().filter(|entry| goes(entry) && is_gone(entry)).cloned().collect();
            Ok(Change { remove, keep_table: true, ..Change::default() })
        })?;
    }
    Unmapped::after(&gone)
}

/// A look at some places, or at all if those are more than are asked for at once.
fn at(places: Vec<PlaceBuf>) -> Look {
    const AT_ONCE: usize = 64;
    if places.len() > AT_ONCE { Look::Everywhere } else { Look::At(places) }
}

impl Unmapped {
    /// Looks at what is left after the elements that went.
    fn after(gone: &[Entry]) -> Answer<Self> {
        let maps = ways_back_of(Family::V4).map(|map| map.name);
        let of_v4 = gone.iter().filter(|entry| maps.contains(&entry.map)).map(|entry| &*entry.chain);
        let chains: BTreeSet<_> = of_v4.collect();
        Ok(Self {
            had_any: !gone.is_empty(),
            is_last_of_network: LAYOUT.led_to(&chains)?.len() < chains.len(),
            is_empty: !LAYOUT.has_owners()?,
        })
    }

    /// Closes the links that no port on 127.0.0.1 needs, and removes the table if no mapping needs it.
    pub(crate) fn tidy_up(&self) -> Answer {
        if self.is_last_of_network || self.is_empty {
            localhost::close(reached_by_loopback)?;
        }
        if self.is_empty && !localhost::must_be_guarded()? && LAYOUT.sets_of_others()?.is_empty() {
            LAYOUT.change(|_| Ok(Change::default()))?;
        }
        Ok(())
    }
}

/// A container of each network that has containers which 127.0.0.1 reaches.
fn reached_by_loopback() -> Answer<Vec<IpAddr>> {
    let mut by_network = BTreeMap::new();
    for map in ways_back_of(Family::V4) {
        let entries = LAYOUT.entries_of(map)?.into_iter();
        by_network.extend(entries.filter_map(|entry| Some((entry.chain, family::address(entry.key.get(..4)?)?))));
    }
    Ok(by_network.into_values().collect())
}

/// Has the kernel forget UDP connections to ports of the host. Nothing fails for want of it: they time out.
pub(crate) fn forget(ports: &[HostPort]) {
    if let Err(error) = conntrack::forget(ports) {
        let _ = writeln!(std::io::stderr(), "portmap: {} UDP ports: {}", ports.len(), Chain(&error));
    }
}

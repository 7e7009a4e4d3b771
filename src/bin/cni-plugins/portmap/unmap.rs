//! Ports unmapped, and what was done for them undone.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::mem::take;
use std::net::IpAddr;

use libcni::Chain;
use libcni::plugin::Answer;

use crate::nft::Owner;
use crate::nft::family::{self, Family};
use crate::nft::owned::{Change, Entry};
use crate::nft::reading::Look;
use crate::portmap::layout::{LAYOUT, as_gone, is_gone, port_of, ways_back_of};
use crate::portmap::mapping::{HostPort, Protocol};
use crate::portmap::{conntrack, localhost};

/// The work that is left when ports were unmapped.
#[derive(Debug, Default)]
pub(crate) struct Unmapped {
    /// True if there were any.
    pub(crate) had_any: bool,
    /// Those of UDP.
    udp: Vec<HostPort>,
    /// Where those are, until their connections are forgotten.
    leading_nowhere: Vec<(&'static str, Vec<u8>)>,
    /// The chains that answers came back by.
    ways_back: BTreeSet<String>,
    /// True if the table has no element any more, as far as one can tell.
    is_empty: bool,
    /// True if containers of a network were reached by 127.0.0.1, and none is any more.
    is_last_of_network: bool,
}

/// Unmaps all ports of the owners that are to go, and forgets their UDP connections. Whoever dies on the way leaves
/// enough for the next one to go on.
pub(crate) fn unmap(is_to_go: impl Fn(&Owner) -> bool) -> Answer<Unmapped> {
    let goes = |entry: &Entry| entry.owner.as_ref().is_some_and(&is_to_go);
    let unmapped = RefCell::new(Unmapped::default());
    LAYOUT.change(|entries| {
        let (gone, left): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| goes(entry));
        *unmapped.borrow_mut() = Unmapped::of(&gone, &left);
        // Until its connections are forgotten, a port of UDP is still known, but leads nowhere.
        let remove: Vec<Entry> = gone.into_iter().filter(|entry| !is_gone(entry)).cloned().collect();
        let add = remove.iter().filter_map(as_gone).collect();
        Ok(Change { remove, add, keep_table: true, ..Change::default() })
    })?;
    let mut unmapped = unmapped.into_inner();
    forget(&unmapped.udp);
    if unmapped.udp.is_empty() {
        return Ok(unmapped);
    }
    LAYOUT.change_where(&at(take(&mut unmapped.leading_nowhere)), |entries| {
        let remove = entries.iter().filter(|entry| goes(entry) && is_gone(entry)).cloned().collect();
        Ok(Change { remove, keep_table: true, ..Change::default() })
    })?;
    // Once more: others that are removed at the same time may have gone since.
    let chains = unmapped.ways_back.iter().map(String::as_str).collect();
    unmapped.is_empty = unmapped.is_empty || !LAYOUT.leads_to_any(&chains)?;
    Ok(unmapped)
}

/// A look at some places, or at all if those are more than are asked for at once.
fn at(places: Vec<(&'static str, Vec<u8>)>) -> Look {
    const AT_ONCE: usize = 64;
    if places.len() > AT_ONCE { Look::Everywhere } else { Look::At(places) }
}

impl Unmapped {
    fn of(gone: &[&Entry], left: &[&Entry]) -> Self {
        let udp = gone.iter().filter_map(|entry| port_of(entry)).filter(|port| port.protocol == Protocol::Udp);
        let chains = |entries: &[&Entry], family| -> BTreeSet<String> {
            let maps = ways_back_of(family).map(|map| map.name);
            entries.iter().filter(|entry| maps.contains(&entry.map)).map(|entry| entry.chain.clone()).collect()
        };
        let of_v4 = chains(gone, Family::V4);
        Self {
            had_any: !gone.is_empty(),
            udp: udp.collect(),
            leading_nowhere: gone.iter().filter_map(|e| as_gone(e)).map(|e| (e.map, e.key)).collect(),
            is_empty: left.is_empty(),
            is_last_of_network: !of_v4.is_subset(&chains(left, Family::V4)),
            ways_back: &of_v4 | &chains(gone, Family::V6),
        }
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

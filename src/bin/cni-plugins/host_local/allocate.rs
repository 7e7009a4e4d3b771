//! Which addresses an attachment gets, and taking them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use libcni::result::v100::Ip;
use libcni::spec::{ErrorCode, ErrorReply};

use crate::host_local::held::Held;
use crate::host_local::owner::Owner;
use crate::host_local::range::Range;
use crate::host_local::range_set::RangeSet;
use crate::host_local::store::{Reservation, Store, StoreError};

/// An attachment can't have its addresses.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("no IP addresses available in range set {set}: {ranges}")]
    Exhausted { set: usize, ranges: String },
    #[error("{address} of range set {set} is already allocated to container {container_id}")]
    Duplicate { set: usize, address: IpAddr, container_id: String },
    #[error("requested address {address} is not available in range set {set}: {ranges}")]
    Taken { set: usize, address: IpAddr, ranges: String },
    #[error("requested address {address} is the gateway of range set {set}")]
    Gateway { set: usize, address: IpAddr },
    // In the words of the reference: somebody may look for them.
    #[error("failed to allocate all requested IPs: {}: each needs a range set of its own that has it", list(.0))]
    NotInRanges(Vec<IpAddr>),
}

fn list(addresses: &[IpAddr]) -> String {
    let addresses: Vec<_> = addresses.iter().map(IpAddr::to_string).collect();
    addresses.join(", ")
}

impl From<Refused> for ErrorReply {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::Gateway { .. } | Refused::NotInRanges(_) => ErrorCode::INVALID_NETWORK_CONFIG,
            Refused::Exhausted { .. } | Refused::Duplicate { .. } | Refused::Taken { .. } => ErrorCode::INTERNAL,
        };
        Self::new(code, refused.to_string())
    }
}

/// Takes one address out of every set, all of them or none.
pub(crate) fn allocate(
    store: &Store,
    sets: &[RangeSet],
    requested: &[IpAddr],
    owner: &Owner,
) -> Result<Vec<Ip>, ErrorReply> {
    let requested = assign(sets, requested)?;
    let held = store.held_by(&[Some(owner.clone()), Some(owner.without_ifname())])?;
    for (set, ranges) in sets.iter().enumerate() {
        refuse_duplicate(set, ranges, held.reservations(), owner)?;
    }
    let mut allocation = Allocation { held, owner, made: Vec::new(), complete: false };
    let ips = sets.iter().zip(requested).enumerate();
    let ips =
        ips.map(|(set, (ranges, requested))| allocation.take(set, ranges, requested)).collect::<Result<_, _>>()?;
    allocation.complete = true;
    Ok(ips)
}

/// The requested address of each set, at most one; there must be a set for each of them.
fn assign(sets: &[RangeSet], requested: &[IpAddr]) -> Result<Vec<Option<IpAddr>>, Refused> {
    let mut left = requested.to_vec();
    let mut assign = |set: &RangeSet| {
        let index = left.iter().position(|address| set.range_of(*address).is_some())?;
        Some(left.remove(index))
    };
    let assigned = sets.iter().map(&mut assign).collect();
    if left.is_empty() { Ok(assigned) } else { Err(Refused::NotInRanges(left)) }
}

/// Refuses an attachment that has an address of the set already.
fn refuse_duplicate(set: usize, ranges: &RangeSet, reservations: &[Reservation], owner: &Owner) -> Result<(), Refused> {
    match reservations.iter().find(|reservation| ranges.range_of(reservation.address).is_some()) {
        Some(&Reservation { address, .. }) => {
            Err(Refused::Duplicate { set, address, container_id: owner.container_id.clone() })
        }
        None => Ok(()),
    }
}

/// The next address of a set that is not taken. Costs as many steps as there are taken ones in a row.
pub(crate) fn next_free<'a>(
    ranges: &'a RangeSet,
    last_reserved: Option<IpAddr>,
    taken: &BTreeSet<IpAddr>,
) -> Option<(IpAddr, &'a Range)> {
    ranges.candidates(last_reserved).find(|(address, _)| !taken.contains(address))
}

/// How many addresses are tried one by one.
const ATTEMPTS: usize = 8;

/// The addresses taken so far; released if the value is dropped before it is complete.
struct Allocation<'a> {
    held: Held<'a>,
    owner: &'a Owner,
    made: Vec<IpAddr>,
    complete: bool,
}

impl Allocation<'_> {
    fn take(&mut self, set: usize, ranges: &RangeSet, requested: Option<IpAddr>) -> Result<Ip, ErrorReply> {
        let (address, range) = match requested {
            Some(address) => self.take_requested(set, ranges, address)?,
            None => self.take_next(set, ranges)?,
        };
        self.held.set_last_reserved(set, address)?;
        Ok(Ip::new(range.with_prefix(address)).gateway(range.gateway))
    }

    fn take_requested<'r>(
        &mut self,
        set: usize,
        ranges: &'r RangeSet,
        address: IpAddr,
    ) -> Result<(IpAddr, &'r Range), ErrorReply> {
        let range = ranges.range_of(address).ok_or_else(|| Refused::NotInRanges(vec![address]))?;
        if range.gateway == address {
            return Err(Refused::Gateway { set, address }.into());
        }
        if self.reserve(address)? {
            Ok((address, range))
        } else {
            Err(Refused::Taken { set, address, ranges: ranges.to_string() }.into())
        }
    }

    fn take_next<'r>(&mut self, set: usize, ranges: &'r RangeSet) -> Result<(IpAddr, &'r Range), ErrorReply> {
        let last_reserved = self.held.last_reserved(set);
        // Mostly, the next one is free. To look which are taken costs more, the more there are.
        for (address, range) in ranges.candidates(last_reserved).take(ATTEMPTS) {
            if self.reserve(address)? {
                return Ok((address, range));
            }
        }
        let mut taken = self.held.taken()?;
        loop {
            let next = next_free(ranges, last_reserved, &taken);
            let (address, range) = next.ok_or_else(|| Refused::Exhausted { set, ranges: ranges.to_string() })?;
            if self.reserve(address)? {
                return Ok((address, range));
            }
            // Taken all the same, by somebody who does not lock.
            taken.insert(address);
        }
    }

    fn reserve(&mut self, address: IpAddr) -> Result<bool, StoreError> {
        let reserved = self.held.reserve(address, self.owner)?;
        self.made.extend(reserved.then_some(address));
        Ok(reserved)
    }
}

impl Drop for Allocation<'_> {
    fn drop(&mut self) {
        if self.complete {
            return;
        }
        for address in &self.made {
            // The error that stopped the allocation is the one to tell; DEL tries again.
            let _ = self.held.release(*address, Some(self.owner));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::host_local::range::RangeConfig;

    fn sets(json: &str) -> Vec<RangeSet> {
        let sets: Vec<Vec<RangeConfig>> = serde_json::from_str(json).unwrap();
        sets.iter().map(|set| RangeSet::new(set).unwrap()).collect()
    }

    fn take(dir: &Path, sets: &[RangeSet], requested: &[&str], id: &str) -> Result<Vec<String>, String> {
        let store = Store::create(dir.join("net")).unwrap();
        let requested: Vec<_> = requested.iter().map(|address| address.parse().unwrap()).collect();
        let ips = allocate(&store, sets, &requested, &Owner::new(id, "eth0")).map_err(|e| e.to_string())?;
        Ok(ips.iter().map(|ip| ip.address.to_string()).collect())
    }

    fn reserved(dir: &Path) -> usize {
        Store::create(dir.join("net")).unwrap().reservations().unwrap().len()
    }

    const DUAL_STACK: &str = r#"[[{"subnet":"10.0.0.0/29"}],[{"subnet":"fd00::/64"}]]"#;

    #[test]
    fn every_set_gives_one_address_in_turn() {
        let dir = tempfile::tempdir().unwrap();
        let sets = sets(DUAL_STACK);
        assert_eq!(take(dir.path(), &sets, &[], "c1").unwrap(), ["10.0.0.2/29", "fd00::2/64"]);
        assert_eq!(take(dir.path(), &sets, &["fd00::77"], "c2").unwrap(), ["10.0.0.3/29", "fd00::77/64"]);
        assert_eq!(take(dir.path(), &sets, &[], "c3").unwrap(), ["10.0.0.4/29", "fd00::78/64"]);
    }

    #[test]
    fn an_address_that_can_not_be_given_is_named_and_nothing_stays_reserved() {
        let dir = tempfile::tempdir().unwrap();
        let sets = sets(DUAL_STACK);
        take(dir.path(), &sets, &["10.0.0.5", "fd00::5"], "c1").unwrap();
        for (requested, message) in [
            ("fd00::5", "requested address fd00::5 is not available in range set 1: fd00::1-"),
            ("fd00::1", "requested address fd00::1 is the gateway of range set 1"),
            ("10.9.9.9", "failed to allocate all requested IPs: 10.9.9.9: each needs a range set"),
        ] {
            let error = take(dir.path(), &sets, &[requested], "c2").unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
        assert_eq!(reserved(dir.path()), 2);
    }

    #[test]
    fn an_attachment_gets_no_second_address_of_a_set() {
        let dir = tempfile::tempdir().unwrap();
        let sets = sets(DUAL_STACK);
        take(dir.path(), &sets, &[], "c1").unwrap();
        let error = take(dir.path(), &sets, &[], "c1").unwrap_err();
        assert_eq!(error, "10.0.0.2 of range set 0 is already allocated to container c1");
        assert_eq!(reserved(dir.path()), 2);
    }

    #[test]
    fn a_used_up_set_gives_nothing_and_takes_nothing_from_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let sets = sets(r#"[[{"subnet":"fd00::/64"}],[{"subnet":"10.0.0.0/30"}]]"#);
        take(dir.path(), &sets, &[], "c1").unwrap();
        let error = take(dir.path(), &sets, &[], "c2").unwrap_err();
        assert_eq!(error, "no IP addresses available in range set 1: 10.0.0.1-10.0.0.2");
        assert_eq!(reserved(dir.path()), 2);
    }

    #[test]
    fn parallel_allocations_get_different_addresses() {
        let dir = tempfile::tempdir().unwrap();
        let sets = sets(r#"[[{"subnet":"10.0.0.0/26"}]]"#);
        let take = |n: usize| take(dir.path(), &sets, &[], &format!("c{n}")).unwrap().remove(0);
        let taken: BTreeSet<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..61).map(|n| scope.spawn(move || take(n))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(taken.len(), 61);
    }
}

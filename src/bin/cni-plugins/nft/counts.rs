//! How many elements each owner has, kept in the table with them. So nobody has to read the elements of all others to
//! know that an owner has no more than those that were found.
//!
//! The count is the comment of an element of the map `owners`, which leads to the empty chain `owned`: the kernel tells
//! how many elements lead to a chain, so it tells how many owners there are.

use std::collections::{BTreeMap, BTreeSet};

use super::owned::{Chain, Change, Entry, Map};
use super::owner::{COMMENT, Owner, hash};

/// The map. Keys are hashes of owners' names; `nft` shows them as addresses of IPv6, which have the same length.
pub(super) const OWNERS: Map = Map { name: "owners", key_type: 8, key_length: 16 };
const KEY: usize = OWNERS.key_length as usize;

/// The chain that its elements lead to. Nothing comes to it.
pub(super) const OWNED: &str = "owned";

/// The chain, as it is made.
pub(super) fn owned() -> Chain {
    Chain::inner(OWNED.to_owned(), Vec::new())
}

/// The key of an owner's count.
pub(super) type Key = [u8; KEY];

/// Counts by owners. An owner without elements has none.
pub(super) type Counts = BTreeMap<Key, u32>;

pub(super) fn key_of(Owner { network, container_id, ifname }: &Owner) -> Key {
    let hash = hash(&[network, container_id, ifname]);
    std::array::from_fn(|index| hash[index])
}

/// User data of an owner's count, which `nft` prints as a comment.
pub(super) fn to_user_data(count: u32) -> Vec<u8> {
    let text = count.to_string();
    let length = u8::try_from(text.len() + 1).unwrap_or(u8::MAX);
    [&[COMMENT, length], text.as_bytes(), &[0]].concat()
}

/// The count that user data tells; `None` of what we did not write.
pub(super) fn from_user_data(user_data: &[u8]) -> Option<u32> {
    let [COMMENT, _, text @ .., 0] = user_data else { return None };
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The owners whose counts a change may change, among those of some elements.
pub(super) fn touched(entries: &[Entry], change: &Change) -> BTreeSet<Key> {
    let all = gone(entries, change).chain(&change.add);
    all.filter_map(|entry| entry.owner.as_ref()).map(key_of).collect()
}

/// The counts of the same owners after a change.
pub(super) fn after(before: &Counts, entries: &[Entry], change: &Change) -> Counts {
    let mut counts = before.clone();
    for key in gone(entries, change).filter_map(|entry| entry.owner.as_ref()).map(key_of) {
        counts.entry(key).and_modify(|count| *count = count.saturating_sub(1));
    }
    add(&mut counts, &change.add);
    counts.retain(|_, count| *count > 0);
    counts
}

/// The counts after a change of owners whose elements are all known.
pub(super) fn of_all(entries: &[Entry], change: &Change) -> Counts {
    let mut counts = Counts::new();
    add(&mut counts, entries);
    after(&counts, entries, change)
}

fn add(counts: &mut Counts, entries: &[Entry]) {
    for key in entries.iter().filter_map(|entry| entry.owner.as_ref()).map(key_of) {
        *counts.entry(key).or_default() += 1;
    }
}

/// The elements that a change removes or replaces.
fn gone<'a>(entries: &'a [Entry], change: &'a Change) -> impl Iterator<Item = &'a Entry> {
    let places: BTreeSet<_> = change.remove.iter().chain(&change.add).map(Entry::place).collect();
    entries.iter().filter(move |entry| places.contains(&entry.place()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: u8, owner: &str) -> Entry {
        Entry { map: "m", key: vec![key], chain: "c".to_owned(), owner: Some(Owner::new("net", owner, "eth0")) }
    }

    fn counts(of: &[(&str, u32)]) -> Counts {
        of.iter().map(|(owner, count)| (key_of(&Owner::new("net", owner, "eth0")), *count)).collect()
    }

    #[test]
    fn a_count_survives_the_way_through_the_kernel() {
        assert_eq!(to_user_data(12), b"\0\x0312\0");
        assert_eq!(from_user_data(&to_user_data(4_000_000)), Some(4_000_000));
        for foreign in [&b""[..], b"\0\x01", b"\0\x02x\0", b"\x01\x0212\0"] {
            assert_eq!(from_user_data(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn owners_are_told_apart_by_all_of_their_names() {
        let owners = [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("a", "c", "b")];
        let keys: BTreeSet<_> = owners.map(|(net, id, ifname)| key_of(&Owner::new(net, id, ifname))).into();
        assert_eq!(keys.len(), owners.len());
    }

    #[test]
    fn a_change_counts_what_it_adds_removes_and_replaces() {
        let before = [entry(1, "a"), entry(2, "a"), entry(3, "b")];
        // One of those of `a` goes, `b` gets the place of the other, and `c` is new.
        let change =
            Change { remove: vec![entry(1, "a")], add: vec![entry(2, "b"), entry(4, "c")], ..Change::default() };
        let keys: BTreeSet<_> = counts(&[("a", 0), ("b", 0), ("c", 0)]).into_keys().collect();
        assert_eq!(touched(&before, &change), keys);
        assert_eq!(of_all(&before, &change), counts(&[("b", 2), ("c", 1)]));
        // With a place of `a` elsewhere, of which only the count tells.
        let counted = counts(&[("a", 3), ("b", 1)]);
        assert_eq!(super::after(&counted, &before[..2], &change), counts(&[("a", 1), ("b", 2), ("c", 1)]));
    }
}

//! The user and the group that the plugin's root is outside of its user namespace.

use std::fs;

use rustix::fs::{Gid, Uid};
use rustix::process::{getegid, geteuid};

/// Ids that the plugin's root has outside, as far as there is a choice.
pub(super) enum Ids {
    /// Ids that nobody else has.
    Unused(Uid, Gid),
    /// The ordinary user's own.
    Own,
    /// Those of the machine's root, since no others can be had.
    Root,
}

impl Ids {
    /// The ids to take, where there is a choice.
    pub(super) fn ids(&self) -> Option<(Uid, Gid)> {
        if let Self::Unused(uid, gid) = self { Some((*uid, *gid)) } else { None }
    }

    pub(super) fn weakness(&self) -> Option<String> {
        let text = match self {
            Self::Unused(..) => return None,
            Self::Own => "the plugin can read the names of the keys in the caller's session keyring, in /proc/keys",
            Self::Root => {
                "the plugin has the user ID of root: it can change settings of the kernel in /proc/sys and /sys, \
                 start any number of processes, and read the names of the caller's keys in /proc/keys"
            }
        };
        Some(text.to_owned())
    }
}

/// An ID beyond those that people, services and containers get.
const UNUSED: u32 = 0x7000_0000;

/// Chooses the ids for this process, which is root of its user namespace.
pub(super) fn instead_of_root() -> Ids {
    let read = |map: &str| fs::read_to_string(format!("/proc/self/{map}")).unwrap_or_default();
    let (users, groups) = (read("uid_map"), read("gid_map"));
    match (choose(&users, geteuid().as_raw()), choose(&groups, getegid().as_raw())) {
        (Some(user), Some(group)) => Ids::Unused(Uid::from_raw(user), Gid::from_raw(group)),
        _ if is_root_outside(&users) => Ids::Root,
        _ => Ids::Own,
    }
}

/// An ID of a map that is not the process's own: the best, or else the last.
fn choose(map: &str, own: u32) -> Option<u32> {
    let ranges: Vec<_> = ranges(map).map(|[first, _, count]| first..first + count).collect();
    if ranges.iter().any(|range| range.contains(&u64::from(UNUSED))) {
        return Some(UNUSED);
    }
    let last = ranges.iter().map(|range| range.end.saturating_sub(1)).max()?;
    u32::try_from(last).ok().filter(|last| *last != own)
}

fn is_root_outside(map: &str) -> bool {
    ranges(map).any(|[first, outside, _]| first == 0 && outside == 0)
}

/// The first ID inside, the first outside, and how many there are.
fn ranges(map: &str) -> impl Iterator<Item = [u64; 3]> {
    map.lines().filter_map(|line| {
        let numbers: Vec<u64> = line.split_whitespace().map_while(|number| number.parse().ok()).collect();
        numbers.try_into().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_not_ones_own_is_chosen_where_there_is_one() {
        assert_eq!(choose("         0          0 4294967295\n", 0), Some(UNUSED));
        assert_eq!(choose("0 100000 65536\n", 0), Some(65535));
        assert_eq!(choose("0 1000 1\n", 0), None);
        assert_eq!(choose("", 0), None);
    }

    #[test]
    fn root_in_a_user_namespace_is_no_root_outside() {
        assert!(is_root_outside("0 0 1\n"));
        assert!(!is_root_outside("0 1000 1\n"));
    }
}

//! SIGCHLD: a process that ignores it makes the system forget how its children ended.

use std::fs;

use nix::sys::signal::Signal;

/// Returns whether this process ignores SIGCHLD, so that the system forgets at once how a child ended. Where that can't
/// be told, the end of the first plugin tells.
pub(super) fn is_ignored() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| is_ignored_in(&status))
}

fn is_ignored_in(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (Signal::SIGCHLD as u32 - 1)) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signal_is_ignored_where_its_bit_says_so() {
        assert!(is_ignored_in("SigBlk:\t0000000000000000\nSigIgn:\t0000000000011000\n"));
        assert!(!is_ignored_in("SigBlk:\t0000000000010000\nSigIgn:\t0000000000001000\n"));
        assert!(!is_ignored_in("SigIgn:\tx\n") && !is_ignored_in(""));
        assert!(!is_ignored());
    }
}

//! Descriptors that a plugin must not get.

use std::fs;
use std::os::fd::RawFd;

use crate::threads::is_only_thread;

/// The open descriptors above the standard ones, but for `ours`, which close by themselves when a program is started:
/// some of the others may have been inherited without close-on-exec. Where /proc is not mounted, close-on-exec has to
/// do.
pub(super) fn others(ours: &[RawFd], are_lowest: bool) -> Vec<RawFd> {
    let mut open = match ours.iter().max() {
        Some(highest) if are_lowest && is_highest(*highest) => (3..*highest).collect(),
        _ => listed(),
    };
    open.retain(|fd| *fd > 2 && !ours.contains(fd));
    open
}

/// Returns whether a descriptor that took the lowest free number is the highest of all, so that it is known which are
/// open without listing them, which costs ten times as much as these two questions.
fn is_highest(newest: RawFd) -> bool {
    // Another thread might close one and open another while they are counted.
    // The size is the number of open descriptors; 0 before Linux 6.2.
    is_only_thread() && fs::metadata("/proc/self/fd").is_ok_and(|open| i64::from(newest) + 1 == open.len() as i64)
}

fn listed() -> Vec<RawFd> {
    crate::directory::numbers("/proc/self/fd")
}

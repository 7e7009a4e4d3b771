//! Waiting for other processes, not longer than needed.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Waits until something holds; fails when it does not for a long time.
#[track_caller]
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Does what takes a moment, and minutes where the work grows with the square of the input.
#[track_caller]
pub(crate) fn promptly<T>(work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    assert!(began.elapsed() < Duration::from_secs(15), "took {:?}", began.elapsed());
    done
}

/// The process ID that a plugin wrote into a file.
#[track_caller]
pub(crate) fn pid_in(file: &Path) -> i32 {
    let read = || fs::read_to_string(file).ok()?.strip_suffix('\n')?.parse().ok();
    eventually(&format!("a process ID in {}", file.display()), || read().is_some());
    read().unwrap()
}

/// Returns true if a process has ended; it may still wait to be reaped by whoever inherited it.
pub(crate) fn is_gone(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return true;
    };
    // The state follows the command, which is in parentheses and may contain some itself.
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

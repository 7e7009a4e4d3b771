//! Processes that are killed while they work.

use std::fs;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The children of this process, ended or not.
pub(super) fn children() -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(|pid| is_child(*pid)).collect()
}

fn is_child(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The command, in parentheses, may have any characters in it.
    let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
    parent == Some(std::process::id())
}

/// Kills one of the children, chosen by a number, and says whether there was one.
pub(super) fn kill_one(number: usize) -> bool {
    let children = children();
    let Some(pid) = children.get(number % children.len().max(1)) else { return false };
    let Ok(process) = pidfd_open(Pid::from_raw(*pid).unwrap(), PidfdFlags::empty()) else { return false };
    // The number may be that of another process by now.
    is_child(*pid) && pidfd_send_signal(&process, Signal::KILL).is_ok()
}

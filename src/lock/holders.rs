//! Who holds a lock, for an error message.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{major, minor};

/// The processes that hold locks on a file, by number and name, as far as the system tells.
pub(super) fn of(path: &Path) -> String {
    let holders = pids(path);
    if holders.is_empty() {
        return UNKNOWN.to_owned();
    }
    holders.into_iter().map(describe).collect::<Vec<_>>().join(", ")
}

/// The same processes by their numbers.
pub(super) fn pids(path: &Path) -> Vec<i32> {
    let Ok(metadata) = fs::metadata(path) else { return Vec::new() };
    let file = name(metadata.dev(), metadata.ino());
    let file = if is_mounted(metadata.dev()) { file } else { format!(":{}", metadata.ino()) };
    (0..ATTEMPTS).map(|_| holders(&file)).find(|holders| !holders.is_empty()).unwrap_or_default()
}

/// The name of a file in /proc/locks: its device and its inode.
fn name(device: u64, inode: u64) -> String {
    format!("{:02x}:{:02x}:{inode}", major(device), minor(device))
}

/// Returns true if there is a mount of the device. Where there is none, as for subvolumes of btrfs, /proc/locks calls
/// it otherwise.
fn is_mounted(device: u64) -> bool {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let device = format!("{}:{}", major(device), minor(device));
    mounts.lines().any(|line| line.split(' ').nth(2) == Some(&device))
}

fn holders(file: &str) -> Vec<i32> {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    locks.lines().filter_map(|line| holder(line, file)).collect()
}

/// The kernel passes over a line where locks of others are released while it is read.
const ATTEMPTS: usize = 5;
const UNKNOWN: &str = "another process";

/// The process of a line such as `1: FLOCK  ADVISORY  WRITE 1234 08:01:131090 0 EOF`, if it is about the file, of which
/// the end of the name will do.
fn holder(line: &str, file: &str) -> Option<i32> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, "FLOCK", _, _, pid, found, ..] = words[..] else { return None };
    found.ends_with(file).then(|| pid.parse().ok()).flatten()
}

pub(super) fn describe(pid: i32) -> String {
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => format!("process {pid} ({})", name.trim().escape_debug()),
        Err(_) => format!("process {pid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_found_by_the_device_and_the_inode_of_the_file() {
        let line = "1: FLOCK  ADVISORY  WRITE 1234 08:01:131090 0 EOF";
        let file = name(rustix::fs::makedev(8, 1), 131090);
        assert_eq!(holder(line, &file), Some(1234));
        assert_eq!(holder(line, &name(rustix::fs::makedev(8, 1), 1)), None);
        // Each file system has its own inodes.
        assert_eq!(holder(line, &name(rustix::fs::makedev(8, 2), 131090)), None);
        assert_eq!(holder("1: POSIX  ADVISORY  WRITE 1234 08:01:131090 0 EOF", &file), None);
        // Those who wait for it don't hold it.
        assert_eq!(holder("1: -> FLOCK  ADVISORY  WRITE 1234 08:01:131090 0 EOF", &file), None);
    }
}

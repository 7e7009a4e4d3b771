//! Who holds a lock, for an error message.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

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
    let Ok(inode) = fs::metadata(path).map(|metadata| metadata.ino()) else { return Vec::new() };
    (0..ATTEMPTS).map(|_| holders(inode)).find(|holders| !holders.is_empty()).unwrap_or_default()
}

fn holders(inode: u64) -> Vec<i32> {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    locks.lines().filter_map(|line| holder(line, inode)).collect()
}

/// The kernel passes over a line where locks of others are released while it is read.
const ATTEMPTS: usize = 5;
const UNKNOWN: &str = "another process";

/// The process of a line such as `1: FLOCK  ADVISORY  WRITE 1234 08:01:131090 0 EOF`, if it is about the file.
fn holder(line: &str, inode: u64) -> Option<i32> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, "FLOCK", _, _, pid, file, ..] = words[..] else { return None };
    let (_, found) = file.rsplit_once(':')?;
    (found == inode.to_string()).then(|| pid.parse().ok()).flatten()
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
    fn a_holder_is_found_by_the_inode_of_the_file() {
        let line = "1: FLOCK  ADVISORY  WRITE 1234 08:01:131090 0 EOF";
        assert_eq!(holder(line, 131090), Some(1234));
        assert_eq!(holder(line, 1), None);
        assert_eq!(holder("1: POSIX  ADVISORY  WRITE 1234 08:01:131090 0 EOF", 131090), None);
        // Those who wait for it don't hold it.
        assert_eq!(holder("1: -> FLOCK  ADVISORY  WRITE 1234 08:01:131090 0 EOF", 131090), None);
    }
}

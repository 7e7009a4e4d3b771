//! Processes that a plugin left behind: in its PID namespace there are no others.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::isolation::PROCESSES;

/// A process that lives on after the plugin that started it.
pub(super) struct Orphan {
    pub(super) command: String,
    /// True if it has a pipe open to write to, as its stdout or stderr: the plugin's own, in all likelihood.
    pub(super) holds_output: bool,
}

/// The processes that are left, a moment after the plugin has ended.
pub(super) fn orphans() -> Vec<Orphan> {
    let began = Instant::now();
    loop {
        let left = living();
        if left.is_empty() || began.elapsed() > Duration::from_millis(300) {
            return left;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The processes of the namespace that have not ended, except the suite's own.
pub(super) fn living() -> Vec<Orphan> {
    let entries = fs::read_dir(PROCESSES).into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| *pid != 1).filter_map(orphan).collect()
}

fn orphan(pid: i32) -> Option<Orphan> {
    let dir = Path::new(PROCESSES).join(pid.to_string());
    let stat = fs::read_to_string(dir.join("stat")).ok()?;
    // The state follows the command, which is in parentheses and may contain some itself.
    let (command, rest) = stat.rsplit_once(") ")?;
    let (_, command) = command.split_once(" (")?;
    let is_pipe = |fd: &str| fs::metadata(dir.join("fd").join(fd)).is_ok_and(|meta| meta.file_type().is_fifo());
    let orphan = Orphan { command: command.to_owned(), holds_output: ["1", "2"].into_iter().any(is_pipe) };
    (!rest.starts_with(['Z', 'X'])).then_some(orphan)
}

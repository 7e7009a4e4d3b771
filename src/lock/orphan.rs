//! Plugins that a runtime has left running, because it was killed.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, getpgrp};

use super::Resource;
use super::process::{Status, Variables};
use crate::directory::numbers;

/// How long a plugin has, after SIGTERM, before SIGKILL, and then to vanish.
const GRACE: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(2);

/// Ends the plugins of a container, or the GCs of nobody's. Best effort: what can't be seen or signalled is left.
pub(super) fn end_all(resource: Resource<'_>) {
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let began = Instant::now();
        let mut signalled = Vec::new();
        loop {
            let orphans = orphans(resource);
            if orphans.is_empty() {
                return;
            }
            for orphan in orphans.into_iter().filter(|pid| !signalled.contains(pid)).collect::<Vec<_>>() {
                let _ = killpg(Pid::from_raw(orphan), signal);
                signalled.push(orphan);
            }
            if began.elapsed() > GRACE {
                break;
            }
            std::thread::sleep(TICK);
        }
    }
}

/// The process groups whose leader is a plugin that was started for the resource.
fn orphans(resource: Resource<'_>) -> Vec<i32> {
    numbers("/proc").into_iter().filter(|pid| is_orphan(*pid, resource)).collect()
}

fn is_orphan(pid: i32, resource: Resource<'_>) -> bool {
    let Some((status, variables)) = Status::of(pid).zip(Variables::of(pid)) else { return false };
    // Whoever calls us may have the variables.
    if !status.is_alive || status.group != pid || pid == getpgrp().as_raw() {
        return false;
    }
    variables.are_of_plugin_for(resource) && is_abandoned(pid).unwrap_or(false)
}

/// Returns whether nobody waits for a plugin's answer: it writes to a pipe that nobody can read any more. A daemon that
/// a plugin started on purpose writes elsewhere, since runtimes that wait for the end of the answer would wait for its
/// end, too.
fn is_abandoned(pid: i32) -> io::Result<bool> {
    // Opened for reading or writing only once it is known to be a pipe.
    let stdout = OpenOptions::new().read(true).custom_flags(OFlag::O_PATH.bits()).open(format!("/proc/{pid}/fd/1"))?;
    if !stdout.metadata()?.file_type().is_fifo() {
        return Ok(false);
    }
    let path = format!("/proc/self/fd/{}", stdout.as_raw_fd());
    let pipe = OpenOptions::new().write(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    let mut poll_fd = [PollFd::new(pipe.as_fd(), PollFlags::empty())];
    poll(&mut poll_fd, PollTimeout::ZERO)?;
    // What the kernel says at the writing end once the last reader has gone.
    Ok(poll_fd[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR)))
}

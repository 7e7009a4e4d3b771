//! Plugins that a runtime has left running, because it was killed.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, getpgrp};

use super::Resource;
use crate::spec::{CNI_ARGS, CNI_COMMAND, CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS, CNI_PATH, Command};

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
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| is_orphan(*pid, resource)).collect()
}

fn is_orphan(pid: i32, resource: Resource<'_>) -> bool {
    let read = || Some((Status::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?, environment(pid)?));
    let Some((status, environment)) = read() else { return false };
    // Whoever calls us may have the variables.
    if !status.is_alive || status.group != pid || pid == getpgrp().as_raw() {
        return false;
    }
    let has = |name: &str, value: &str| {
        let pair = format!("{name}={value}");
        environment.split(|byte| *byte == 0).any(|found| found == pair.as_bytes())
    };
    let is_ours = match resource {
        Resource::Container(id) => has(CNI_CONTAINERID, id.as_str()),
        // A GC does not say of which network it is.
        Resource::Network(_) => has(CNI_COMMAND, Command::Gc.as_str()),
    };
    is_ours && is_call(&environment) && is_abandoned(pid).unwrap_or(false)
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

/// Returns whether an environment is that of a plugin, which has each of the protocol's variables.
fn is_call(environment: &[u8]) -> bool {
    let names: Vec<_> =
        environment.split(|byte| *byte == 0).filter_map(|pair| pair.split(|b| *b == b'=').next()).collect();
    [CNI_COMMAND, CNI_NETNS, CNI_IFNAME, CNI_ARGS, CNI_PATH].iter().all(|name| names.contains(&name.as_bytes()))
}

fn environment(pid: i32) -> Option<Vec<u8>> {
    fs::read(format!("/proc/{pid}/environ")).ok()
}

/// The status of a process, as the kernel reports it.
struct Status {
    is_alive: bool,
    group: i32,
}

impl Status {
    fn parse(stat: &str) -> Option<Self> {
        // The name, in parentheses, may contain anything.
        let (_, rest) = stat.rsplit_once(") ")?;
        let mut words = rest.split(' ');
        let is_alive = !matches!(words.next()?, "Z" | "X");
        // The parent comes first.
        Some(Self { is_alive, group: words.nth(1)?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_behind_any_name() {
        let status = Status::parse("42 (a) b)) S 1 42 7 0 -1").unwrap();
        assert_eq!((status.is_alive, status.group), (true, 42));
        assert!(!Status::parse("42 (x) Z 1 42 7 0 -1").unwrap().is_alive);
    }
}

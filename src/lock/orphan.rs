//! Plugins that a runtime has left running, because it was killed.

use std::fs;
use std::time::{Duration, Instant};

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
    // A daemon that a plugin started on purpose has a session of its own; and whoever calls us may have the variables.
    if !status.is_alive || status.group != pid || status.session == pid || pid == getpgrp().as_raw() {
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
    is_ours && is_call(&environment) && is_abandoned(pid, status.parent)
}

/// Whether nobody waits for a plugin's answer: whoever started it would be its parent, and hold the other end of the
/// pipe that it writes to.
fn is_abandoned(pid: i32, parent: i32) -> bool {
    let Ok(stdout) = fs::read_link(format!("/proc/{pid}/fd/1")) else { return false };
    let Ok(open) = fs::read_dir(format!("/proc/{parent}/fd")) else { return false };
    let is_stdout = |entry: fs::DirEntry| fs::read_link(entry.path()).is_ok_and(|file| file == stdout);
    stdout.to_string_lossy().starts_with("pipe:") && !open.flatten().any(is_stdout)
}

/// Whether an environment is that of a plugin, which has each of the protocol's variables.
fn is_call(environment: &[u8]) -> bool {
    let names: Vec<_> =
        environment.split(|byte| *byte == 0).filter_map(|pair| pair.split(|b| *b == b'=').next()).collect();
    [CNI_COMMAND, CNI_NETNS, CNI_IFNAME, CNI_ARGS, CNI_PATH].iter().all(|name| names.contains(&name.as_bytes()))
}

fn environment(pid: i32) -> Option<Vec<u8>> {
    fs::read(format!("/proc/{pid}/environ")).ok()
}

/// What the kernel says of a process.
struct Status {
    is_alive: bool,
    parent: i32,
    group: i32,
    session: i32,
}

impl Status {
    fn parse(stat: &str) -> Option<Self> {
        // The name, in parentheses, may contain anything.
        let (_, rest) = stat.rsplit_once(") ")?;
        let mut words = rest.split(' ');
        let is_alive = !matches!(words.next()?, "Z" | "X");
        let mut number = || words.next()?.parse().ok();
        Some(Self { is_alive, parent: number()?, group: number()?, session: number()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_behind_any_name() {
        let status = Status::parse("42 (a) b)) S 1 42 7 0 -1").unwrap();
        assert!(status.is_alive);
        assert_eq!((status.parent, status.group, status.session), (1, 42, 7));
        assert!(!Status::parse("42 (x) Z 1 42 7 0 -1").unwrap().is_alive);
    }
}

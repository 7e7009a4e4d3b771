//! The command of `run`, and what it leaves behind.

use std::ffi::{CString, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use libcni::netns::{Namespace, NetnsError};
use nix::errno::Errno;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;
use rustix::process::{WaitOptions, wait};

use crate::context::signals::Signals;
use crate::output::warn;

/// The command has no exit status.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoStatus {
    #[error(transparent)]
    Namespace(#[from] NetnsError),
    #[error("cannot run `{}`", program.display())]
    Spawn { program: OsString, source: io::Error },
    #[error("cannot wait for the command")]
    Wait(#[source] io::Error),
}

/// How long what is left has after SIGTERM, and then after SIGKILL.
const GRACE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(5);

/// Runs the command in the namespace, and ends what it leaves running there. Signals that came to this program alone are
/// passed on to it.
pub(super) fn supervise(namespace: &Namespace, words: &[OsString], signals: &Signals) -> Result<ExitStatus, NoStatus> {
    let _adopting = Adopting::begin();
    let program = || words.first().cloned().unwrap_or_default();
    let spawned = namespace.run(|| spawn(words))?;
    let child = spawned.map_err(|source| NoStatus::Spawn { program: program(), source })?;
    signals.wait_for(child).map_err(NoStatus::Wait)
}

/// Starts the command with the standard descriptors and none of the others that this program was handed.
fn spawn(words: &[OsString]) -> io::Result<rustix::process::Pid> {
    let words = words.iter().map(|word| CString::new(word.as_bytes())).collect::<Result<Vec<_>, _>>()?;
    let program = words.first().ok_or(Errno::ENOENT)?;
    let variable =
        |(name, value): (OsString, OsString)| CString::new([name.as_bytes(), b"=", value.as_bytes()].concat());
    let environment = std::env::vars_os().map(variable).collect::<Result<Vec<_>, _>>()?;
    let mut actions = PosixSpawnFileActions::init()?;
    for fd in numbers("/proc/self/fd").filter(|fd| *fd > 2) {
        // Refused for numbers above a limit lowered since.
        let _ = actions.add_close(fd);
    }
    let pid = posix_spawnp(program, &actions, &attributes()?, &words, &environment)?;
    Ok(rustix::process::Pid::from_raw(pid.as_raw()).ok_or(Errno::ESRCH)?)
}

/// No signal blocked, but in the command only: here, one that came meanwhile would end this program, and leave everything
/// behind. And the default action for SIGPIPE, which Rust programs ignore.
fn attributes() -> nix::Result<PosixSpawnAttr> {
    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK)?;
    attributes.set_sigmask(&SigSet::empty())?;
    attributes.set_sigdefault(&SigSet::from(Signal::SIGPIPE))?;
    Ok(attributes)
}

/// While this is there, what loses its parent among the command's processes becomes a child of this one.
struct Adopting;

impl Adopting {
    fn begin() -> Self {
        // Refused by no kernel that the rest works on.
        let _ = set_child_subreaper(true);
        Self
    }
}

impl Drop for Adopting {
    fn drop(&mut self) {
        end_children();
        // What a plugin leaves running when networks are taken back is none of the command's.
        let _ = set_child_subreaper(false);
    }
}

/// The entries of a directory that are numbers.
fn numbers(dir: &str) -> impl Iterator<Item = i32> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let numbers: Vec<i32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.into_iter()
}

/// Ends the children of this process, and theirs, which become its own: SIGTERM, and SIGKILL after the grace period.
fn end_children() {
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let (began, mut signalled) = (Instant::now(), Vec::new());
        while began.elapsed() < GRACE {
            let children = children();
            if children.is_empty() {
                return;
            }
            for child in children.into_iter().filter(|child| !signalled.contains(child)).collect::<Vec<_>>() {
                let _ = kill(child, signal);
                // What has stopped itself can't hear that otherwise.
                let _ = kill(child, Signal::SIGCONT);
                signalled.push(child);
            }
            std::thread::sleep(TICK);
        }
    }
    let left: Vec<_> = children().iter().map(Pid::to_string).collect();
    if !left.is_empty() {
        warn(&format!("the command has left processes that can't be ended: {}", left.join(", ")));
    }
}

/// The living children.
fn children() -> Vec<Pid> {
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
    let own = std::process::id().to_string();
    let is_child = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name, in parentheses, may contain anything; then come the state and the parent.
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.split(' ').nth(1) == Some(&own))
    };
    numbers("/proc").filter(is_child).map(Pid::from_raw).collect()
}

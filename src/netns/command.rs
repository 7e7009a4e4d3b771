//! A command in a namespace, and the processes that it leaves running.

use std::ffi::{CString, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;
use rustix::process::{WaitOptions, wait};

use super::{Namespace, NetnsError};
use crate::directory::numbers;

/// A command has no exit status.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The namespace can't be entered.
    #[error(transparent)]
    Namespace(#[from] NetnsError),
    /// The command can't be started.
    #[error("cannot run `{}`", program.display())]
    #[non_exhaustive]
    Spawn {
        /// Its first word.
        program: OsString,
        /// Why.
        source: io::Error,
    },
    /// It can't be waited for.
    #[error("cannot wait for the command")]
    Wait(#[source] io::Error),
}

/// How long the remaining processes have after SIGTERM, and then after SIGKILL.
const GRACE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(5);

/// Runs a command in a namespace to its end, and ends the processes that it leaves running.
///
/// The command gets the standard descriptors and none of the others of this program. `wait` gets its process ID, waits
/// for it and returns its status. A process that loses its parent meanwhile becomes a child of this process, and is
/// ended afterwards, by SIGTERM before SIGKILL; `left` gets the IDs of processes that can't be ended. Use this only in
/// a program that has no other children.
///
/// # Errors
/// The namespace can't be entered, or the command can't be started or waited for.
pub fn supervise(
    namespace: &Namespace,
    words: &[OsString],
    wait: impl FnOnce(i32) -> io::Result<ExitStatus>,
    left: impl FnOnce(&[i32]),
) -> Result<ExitStatus, CommandError> {
    let adopting = Adopting::begin();
    let program = || words.first().cloned().unwrap_or_default();
    let spawned = namespace.run(|| spawn(words))?;
    let child = spawned.map_err(|source| CommandError::Spawn { program: program(), source })?;
    let status = wait(child.as_raw()).map_err(CommandError::Wait);
    let stubborn = adopting.end();
    if !stubborn.is_empty() {
        left(&stubborn);
    }
    status
}

/// Starts the command with the standard descriptors and none of the others that this program was handed.
fn spawn(words: &[OsString]) -> io::Result<Pid> {
    let words = words.iter().map(|word| CString::new(word.as_bytes())).collect::<Result<Vec<_>, _>>()?;
    let program = words.first().ok_or(Errno::ENOENT)?;
    let variable =
        |(name, value): (OsString, OsString)| CString::new([name.as_bytes(), b"=", value.as_bytes()].concat());
    let environment = std::env::vars_os().map(variable).collect::<Result<Vec<_>, _>>()?;
    let mut actions = PosixSpawnFileActions::init()?;
    for fd in numbers("/proc/self/fd").into_iter().filter(|fd| *fd > 2) {
        // Refused for numbers above a limit lowered since.
        let _ = actions.add_close(fd);
    }
    Ok(posix_spawnp(program, &actions, &attributes()?, &words, &environment)?)
}

/// No signal blocked, but in the command only: here, one that came meanwhile would end this program, and leave
/// everything behind. And the default action for SIGPIPE, which Rust programs ignore.
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

impl Adopting {
    /// Ends the children, and returns those that can't be ended.
    fn end(self) -> Vec<i32> {
        end_children();
        children().iter().map(|child| child.as_raw()).collect()
    }
}

impl Drop for Adopting {
    fn drop(&mut self) {
        // What a plugin leaves running when networks are taken back is none of the command's.
        let _ = set_child_subreaper(false);
    }
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
    numbers("/proc").into_iter().filter(is_child).map(Pid::from_raw).collect()
}

//! Isolation of the plugin, which may be hostile, from the host, from the caller, and from the process that judges it.
//!
//! The program runs itself again, in three processes:
//!
//! | process | where | what for |
//! |---|---|---|
//! | [`entry`] | a session of its own | makes a PID namespace: whatever is in it ends with its first process |
//! | the judge ([`settle_in`]) | first process of that namespace | makes the checks; nothing of a plugin can name it |
//! | [`reaper`] | first process of a PID namespace within that one | collects what plugins leave behind |
//!
//! Plugins run in the reaper's PID namespace, and in a user namespace whose root is an ordinary user outside. The
//! directories that they must not reach are not covered, but missing: their root directory is a new one ([`root`]),
//! whose mounts are locked because they come from a more privileged namespace.
//!
//! The judge enters that user namespace as well, since the plugin must be able to change what the judge makes. It
//! starts no program on the way: for the kernel, the memory of a process belongs to the user namespace in which its
//! program was started, so rights over the inner one are not enough to trace it.

mod entry;
#[cfg(target_endian = "little")]
mod filter;
mod ids;
mod limit;
pub(super) mod mounts;
mod reaper;
mod rights;
mod root;
mod sources;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Filters of system calls are for machines whose numbers begin with their lowest byte.
#[cfg(target_endian = "big")]
mod filter {
    pub(super) fn apply() -> Option<String> {
        let weakness = "the plugin can use the caller's keyrings, make user namespaces, and open sockets that belong to no \
                        namespace: no filter of system calls";
        Some(format!("{weakness} on {}", std::env::consts::ARCH))
    }

    pub(super) fn keep_limit_of_processes() -> Option<()> {
        None
    }
}

pub(super) use self::entry::run as enter;
pub(super) use self::limit::Lowered;
pub(super) use self::reaper::{PROCESSES, Reaper, run as reap};
pub(super) use self::root::Shown;
use crate::netns::UnshareError;

/// Tells the program which of its processes it is.
const STAGE: &str = "LIBCNI_CONFORMANCE_STAGE";

/// A process of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Caller,
    Entry,
    Judge,
    Reaper,
}

impl Stage {
    /// The one that this process is.
    pub(super) fn own() -> Self {
        // The variable alone would let whoever sets it have a program that believes the host to be its own.
        let is_first = std::process::id() == 1;
        let stage = std::env::var_os(STAGE).unwrap_or_default();
        match stage.to_str() {
            Some("entry") => Self::Entry,
            Some("judge") if is_first => Self::Judge,
            Some("reaper") if is_first => Self::Reaper,
            _ => Self::Caller,
        }
    }

    /// This program, with the same arguments, as another process of the suite.
    fn command(self, program: &str) -> Command {
        let name = match self {
            Self::Caller => "",
            Self::Entry => "entry",
            Self::Judge => "judge",
            Self::Reaper => "reaper",
        };
        let mut command = Command::new(program);
        command.args(std::env::args_os().skip(1)).env(STAGE, name).stdin(Stdio::null());
        command
    }
}

/// This very program, whatever has become of its file.
const OWN: &str = "/proc/self/exe";

/// A plugin can't be isolated here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotIsolated {
    /// The kernel refuses the namespaces.
    #[error(transparent)]
    Refused(#[from] UnshareError),
    /// Something else that isolation needs is not available.
    #[error("cannot isolate the plugin: cannot {doing}")]
    #[non_exhaustive]
    Unfinished {
        /// The operation that failed.
        doing: String,
        /// Why.
        source: io::Error,
    },
}

fn failed<E: Into<io::Error>>(doing: impl Into<String>) -> impl FnOnce(E) -> NotIsolated {
    let doing = doing.into();
    move |source| NotIsolated::Unfinished { doing, source: source.into() }
}

/// The process that makes the checks; it ends when this is dropped, and with it everything in its namespaces.
pub(super) struct Judge {
    entry: Child,
    stdout: Option<ChildStdout>,
}

impl Judge {
    /// Starts it.
    pub(super) fn start() -> Result<Self, NotIsolated> {
        let spawned = Stage::Entry.command(OWN).stdout(Stdio::piped()).spawn();
        let mut entry = spawned.map_err(failed("run the program again"))?;
        Ok(Self { stdout: entry.stdout.take(), entry })
    }

    /// The message. To be asked for once.
    pub(super) fn stdout(&mut self) -> ChildStdout {
        self.stdout.take().expect("it is asked for once")
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.entry.kill();
        let _ = self.entry.wait();
    }
}

/// The isolation that the judge has made around itself.
pub(super) struct Isolated {
    /// The directories to show again on each host, whose new directories cover it.
    pub(super) shown: Vec<Shown>,
    /// The condition that does not hold on this machine, in words for the report.
    pub(super) weaknesses: Vec<String>,
}

/// Isolates this process, which must have one thread only, with what plugins need: some directories.
pub(super) fn settle_in(dirs: &[PathBuf]) -> Result<Isolated, NotIsolated> {
    rights::end_with_parent()?;
    let ids = ids::instead_of_root();
    let mut weaknesses: Vec<_> = ids.weakness().into_iter().collect();
    let root = root::change(dirs, ids.ids())?;
    rights::become_unprivileged(ids.ids())?;
    rights::enter_user_namespace(&root.processes)?;
    rights::give_up_rights()?;
    weaknesses.extend(filter::apply());
    rights::end_with_parent()?;
    Ok(Isolated { shown: root.shown, weaknesses })
}

/// The paths of the new root directory that each host has new ones of.
pub(super) fn is_new_on_each_host(path: &Path) -> bool {
    ["/run", "/var", "/tmp", "/dev/shm"].iter().any(|dir| path.starts_with(dir))
}

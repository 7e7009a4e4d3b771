//! Namespaces of the suite's own, so that no plugin, however broken, reaches the host's network or outlives the program.

use std::ffi::OsStr;
use std::io;
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::mount::{MsFlags, mount};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

use crate::netns::{Kind, UnshareError, unshare, unshare_as_root};

/// Tells the program that it is the one inside.
const INSIDE: &str = "LIBCNI_CONFORMANCE_INSIDE";

/// The namespaces can't be made.
#[derive(Debug, thiserror::Error)]
pub enum NotIsolated {
    /// The kernel refuses to make them.
    #[error(transparent)]
    Refused(#[from] UnshareError),
    /// They can't be made a host.
    #[error("cannot {doing}")]
    Unfinished {
        /// What failed.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
}

fn failed<E: Into<io::Error>>(doing: &'static str) -> impl Fn(E) -> NotIsolated {
    move |source| NotIsolated::Unfinished { doing, source: source.into() }
}

/// Whether this process was started by [`run_again_inside`].
pub(super) fn is_inside() -> bool {
    // The variable alone would let whoever sets it have a program that believes the host to be its own.
    std::process::id() == 1 && std::env::var_os(INSIDE).is_some()
}

/// Whether a variable of the environment is not meant for plugins.
pub(super) fn is_private(variable: &OsStr) -> bool {
    variable == INSIDE
}

/// The process that makes the checks; it ends when this is dropped, and with it everything in its namespaces.
pub(super) struct Judge {
    process: Child,
    stdout: Option<ChildStdout>,
}

impl Judge {
    /// What it says. To be asked for once.
    pub(super) fn stdout(&mut self) -> ChildStdout {
        self.stdout.take().expect("it is asked for once")
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs this program again, with the same arguments, as the first process of new namespaces.
///
/// The kernel ends every process of a PID namespace with its first one, and frees the network with the last of them.
pub(super) fn run_again_inside() -> Result<Judge, NotIsolated> {
    make_namespaces()?;
    let mut command = Command::new("/proc/self/exe");
    command.args(std::env::args_os().skip(1)).env(INSIDE, "1").stdin(Stdio::null()).stdout(Stdio::piped());
    let mut process = command.spawn().map_err(failed("run the program in new namespaces"))?;
    Ok(Judge { stdout: process.stdout.take(), process })
}

/// In a user namespace, where the caller is no root.
fn make_namespaces() -> Result<(), UnshareError> {
    const OWN: [Kind; 4] = [Kind::Network, Kind::Mount, Kind::Pid, Kind::Ipc];
    match unshare(&OWN) {
        Err(error) if error.is_refused() => unshare_as_root(&OWN),
        done => done,
    }
}

/// What the first process of the namespaces does first: it ends with its parent, keeps its mounts to itself, and sees
/// the processes of its own namespace only.
pub(super) fn settle_in() -> Result<(), NotIsolated> {
    set_pdeathsig(Signal::SIGKILL).map_err(failed("tie the program to its parent"))?;
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).map_err(failed("make mounts private"))?;
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), safe, none).map_err(failed("mount /proc"))
}

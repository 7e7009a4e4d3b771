//! Namespaces of the suite's own, so that no plugin, however broken, reaches the host's network or outlives the program.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

/// Tells the program that it is the one inside.
const INSIDE: &str = "LIBCNI_CONFORMANCE_INSIDE";

/// The namespaces can't be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing}: {source}; checking needs root, or user namespaces for everybody")]
pub struct NotIsolated {
    doing: &'static str,
    source: io::Error,
}

fn failed<E: Into<io::Error>>(doing: &'static str) -> impl Fn(E) -> NotIsolated {
    move |source| NotIsolated { doing, source: source.into() }
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

fn make_namespaces() -> Result<(), NotIsolated> {
    let wanted =
        CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWIPC;
    match unshare(wanted) {
        Err(Errno::EPERM) => become_root_with(wanted),
        done => done.map_err(failed("make namespaces")),
    }
}

/// In a user namespace, the caller is root over the other namespaces.
fn become_root_with(wanted: CloneFlags) -> Result<(), NotIsolated> {
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    unshare(CloneFlags::CLONE_NEWUSER | wanted).map_err(failed("make a user namespace"))?;
    let map = |file: &str, text: String| fs::write(file, text).map_err(failed("become root in a user namespace"));
    map("/proc/self/setgroups", "deny".to_owned())?;
    map("/proc/self/uid_map", format!("0 {user} 1"))?;
    map("/proc/self/gid_map", format!("0 {group} 1"))
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

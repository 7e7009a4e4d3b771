//! Starting a process with three pipes and nothing else.

use std::ffi::{CString, OsString};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Pid, pipe2};
use rustix::io::fcntl_dupfd_cloexec;

use crate::invoke::Request;

/// A process that was started, and our ends of its pipes, which don't block.
pub(super) struct Spawned {
    pub(super) pid: rustix::process::Pid,
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

/// Starts the program of a request. `posix_spawn` does not copy the caller's page tables as fork does.
pub(super) fn spawn(request: &Request) -> Result<Spawned, Errno> {
    let (stdin_theirs, stdin) = pipe()?;
    let (stdout, stdout_theirs) = pipe()?;
    let (stderr, stderr_theirs) = pipe()?;
    for ours in [&stdin, &stdout, &stderr] {
        fcntl(ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    }
    let mut actions = PosixSpawnFileActions::init()?;
    let theirs = [&stdin_theirs, &stdout_theirs, &stderr_theirs];
    for (number, fd) in (0..).zip(theirs) {
        actions.add_dup2(fd.as_raw_fd(), number)?;
    }
    for fd in open_descriptors() {
        // Refused for numbers above a limit lowered since: close-on-exec has to do for those.
        let _ = actions.add_close(fd);
    }
    let program = c_string(request.program.as_os_str().as_bytes())?;
    let env = environment(&request.env)?;
    let pid = posix_spawn(program.as_c_str(), &actions, &attributes()?, &[&program], &env)?;
    let pid = rustix::process::Pid::from_raw(pid.as_raw()).ok_or(Errno::ESRCH)?;
    Ok(Spawned { pid, stdin, stdout, stderr })
}

/// A process group of its own; no signal blocked; at their defaults SIGPIPE, which Rust programs ignore, SIGTERM, which
/// ends it at the deadline, and SIGCHLD, without which it could not wait for plugins of its own.
fn attributes() -> Result<PosixSpawnAttr, Errno> {
    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_flags(
        PosixSpawnFlags::POSIX_SPAWN_SETPGROUP
            | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF
            | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK,
    )?;
    attributes.set_pgroup(Pid::from_raw(0))?;
    attributes.set_sigmask(&SigSet::empty())?;
    let defaults = [Signal::SIGPIPE, Signal::SIGTERM, Signal::SIGCHLD];
    attributes.set_sigdefault(&defaults.into_iter().collect())?;
    Ok(attributes)
}

/// A pipe, read end first, both ends above the three standard descriptors: where one of those is closed, a new
/// descriptor takes its number, and moving it there would overwrite another.
fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
    Ok((above_standard(read)?, above_standard(write)?))
}

fn above_standard(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    if fd.as_raw_fd() > 2 {
        return Ok(fd);
    }
    fcntl_dupfd_cloexec(&fd, 3).map_err(|errno| Errno::from_raw(errno.raw_os_error()))
}

/// Every descriptor above the standard ones: some may have been inherited without close-on-exec. Where /proc is
/// not mounted, close-on-exec has to do.
fn open_descriptors() -> Vec<RawFd> {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    let number = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    let open = entries.flatten().filter_map(number);
    open.filter(|fd| *fd > 2).collect()
}

fn environment(env: &[(OsString, OsString)]) -> Result<Vec<CString>, Errno> {
    let variable = |(key, value): &(OsString, OsString)| c_string(&[key.as_bytes(), b"=", value.as_bytes()].concat());
    env.iter().map(variable).collect()
}

fn c_string(bytes: &[u8]) -> Result<CString, Errno> {
    CString::new(bytes).map_err(|_| Errno::EINVAL)
}

//! Starting a process with three pipes and nothing else.

use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Pid, pipe2};
use rustix::io::fcntl_dupfd_cloexec;

use super::{apart, descriptors};

/// A process that was started, and our ends of its pipes, which don't block.
pub(super) struct Spawned {
    pub(super) pid: rustix::process::Pid,
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

/// Starts the program of a request. `posix_spawn` does not copy the caller's page tables as fork does.
pub(super) fn spawn(program: &Path, env: &[&CStr]) -> Result<Spawned, Errno> {
    let program = CString::new(program.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    let pipes = [Pipe::new()?, Pipe::new()?, Pipe::new()?];
    let are_lowest = pipes.iter().all(|pipe| pipe.is_lowest);
    let [stdin, stdout, stderr] = pipes;
    let ours = [&stdin.write, &stdout.read, &stderr.read];
    for fd in ours {
        fcntl(fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    }
    let theirs = [&stdin.read, &stdout.write, &stderr.write];
    let started = apart::start(&program, env, theirs).unwrap_or_else(|| {
        let known: Vec<_> = ours.into_iter().chain(theirs).map(AsRawFd::as_raw_fd).collect();
        start(&program, env, theirs, descriptors::others(&known, are_lowest))
    });
    let pid = rustix::process::Pid::from_raw(started?.as_raw()).ok_or(Errno::ESRCH)?;
    Ok(Spawned { pid, stdin: stdin.write, stdout: stdout.read, stderr: stderr.read })
}

/// Starts a program with three descriptors, and without those others that don't close by themselves.
pub(super) fn start(program: &CStr, env: &[&CStr], theirs: [&OwnedFd; 3], others: Vec<RawFd>) -> Result<Pid, Errno> {
    let mut actions = PosixSpawnFileActions::init()?;
    for (number, fd) in (0..).zip(theirs) {
        actions.add_dup2(fd.as_raw_fd(), number)?;
    }
    for fd in others {
        // Refused for numbers above a limit lowered since: close-on-exec has to do for those.
        let _ = actions.add_close(fd);
    }
    posix_spawn(program, &actions, &attributes()?, &[program], env)
}

/// A session of its own, and with it a process group; no signal blocked; at their defaults SIGPIPE, which Rust programs
/// ignore, SIGTERM, which ends it at the deadline, and SIGCHLD, without which it could not wait for plugins of its own.
fn attributes() -> Result<PosixSpawnAttr, Errno> {
    // POSIX_SPAWN_SETSID of glibc and musl. In the caller's session, a plugin could type into the caller's terminal.
    const SETSID: i32 = 0x80;
    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_flags(
        PosixSpawnFlags::from_bits_retain(SETSID)
            | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF
            | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK,
    )?;
    attributes.set_sigmask(&SigSet::empty())?;
    let defaults = [Signal::SIGPIPE, Signal::SIGTERM, Signal::SIGCHLD];
    attributes.set_sigdefault(&defaults.into_iter().collect())?;
    Ok(attributes)
}

/// A pipe that is not inherited, with both ends above the three standard descriptors: where one of those is closed, a
/// new descriptor takes its number, and moving it there would overwrite another.
struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
    /// Both ends have the lowest numbers that were free.
    is_lowest: bool,
}

impl Pipe {
    fn new() -> Result<Self, Errno> {
        let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
        let is_lowest = read.as_raw_fd() > 2 && write.as_raw_fd() > 2;
        Ok(Self { read: above_standard(read)?, write: above_standard(write)?, is_lowest })
    }
}

pub(super) fn above_standard(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    if fd.as_raw_fd() > 2 {
        return Ok(fd);
    }
    fcntl_dupfd_cloexec(&fd, 3).map_err(|errno| Errno::from_raw(errno.raw_os_error()))
}

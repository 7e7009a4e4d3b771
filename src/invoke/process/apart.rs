//! Starting a process from a thread that has next to no descriptors.
//!
//! Where hundreds of plugins run, thousands of descriptors are open. To find those that a process must not get takes
//! more time than to start it.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::unistd::Pid;
#[cfg(feature = "tokio")]
use rustix::fs::{Mode, OFlags};

/// Starts a program with three descriptors; `None` where that has to be done here.
#[cfg(feature = "tokio")]
pub(super) fn start(program: &CStr, env: &[&CStr], theirs: [&OwnedFd; 3]) -> Option<Result<Pid, Errno>> {
    use std::ffi::CString;
    use std::os::fd::AsRawFd;

    use nix::unistd::gettid;

    if crate::waiting::is_by_thread() {
        return None;
    }
    // The numbers mean nothing there, but the system has names for them.
    let thread = gettid();
    let names = theirs.map(|fd| format!("/proc/self/task/{thread}/fd/{}", fd.as_raw_fd()));
    let (program, env): (_, Vec<CString>) = (program.to_owned(), env.iter().map(|&pair| pair.to_owned()).collect());
    crate::waiting::apart(move || {
        let [stdin, stdout, stderr] = &names;
        let theirs = [open(stdin, OFlags::RDONLY)?, open(stdout, OFlags::WRONLY)?, open(stderr, OFlags::WRONLY)?];
        let env: Vec<_> = env.iter().map(CString::as_c_str).collect();
        Some(super::spawn::start(&program, &env, theirs.each_ref(), Vec::new()))
    })?
}

#[cfg(not(feature = "tokio"))]
pub(super) fn start(_: &CStr, _: &[&CStr], _: [&OwnedFd; 3]) -> Option<Result<Pid, Errno>> {
    None
}

/// Opens an end of a pipe once more, above the standard descriptors.
#[cfg(feature = "tokio")]
fn open(name: &str, mode: OFlags) -> Option<OwnedFd> {
    let opened = rustix::fs::open(name, mode | OFlags::CLOEXEC, Mode::empty()).ok()?;
    super::spawn::above_standard(opened).ok()
}

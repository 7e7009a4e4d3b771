//! One plugin, run by nothing but what the system offers: the floor under a call of the library.

use std::ffi::CString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::fcntl::OFlag;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
use nix::sys::wait::waitpid;
use nix::unistd::pipe2;

/// Starts a program with pipes for stdin, stdout and stderr, feeds it, reads what it answers, and waits for its end.
pub(crate) fn run(program: &Path, stdin: &[u8], env: &[CString]) -> Vec<u8> {
    let pipes = [(); 3].map(|()| pipe2(OFlag::O_CLOEXEC).unwrap());
    let [(stdin_theirs, stdin_ours), (stdout_ours, stdout_theirs), (stderr_ours, stderr_theirs)] = pipes;
    let mut actions = PosixSpawnFileActions::init().unwrap();
    for (number, fd) in (0..).zip([&stdin_theirs, &stdout_theirs, &stderr_theirs]) {
        actions.add_dup2(fd.as_raw_fd(), number).unwrap();
    }
    let program = CString::new(program.as_os_str().as_bytes()).unwrap();
    let attributes = PosixSpawnAttr::init().unwrap();
    let pid = posix_spawn(program.as_c_str(), &actions, &attributes, &[&program], env).unwrap();
    drop((stdin_theirs, stdout_theirs, stderr_theirs));
    File::from(stdin_ours).write_all(stdin).unwrap();
    let mut answer = Vec::new();
    File::from(stdout_ours).read_to_end(&mut answer).unwrap();
    File::from(stderr_ours).read_to_end(&mut Vec::new()).unwrap();
    waitpid(pid, None).unwrap();
    answer
}

/// The environment of this process.
pub(crate) fn environment() -> Vec<CString> {
    let pair = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
        CString::new([key.as_bytes(), b"=", value.as_bytes()].concat()).unwrap()
    };
    std::env::vars_os().map(pair).collect()
}

//! The first process of the PID namespace that plugins run in: it collects what they leave behind, and ends it when
//! told.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_dumpable;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, wait, waitpid};
use nix::unistd::Pid;

use super::root::INIT;
use super::{NotIsolated, Stage, failed};
use crate::conformance::processes::living;

/// Where the processes of the namespace are to be seen.
pub(in crate::conformance) const PROCESSES: &str = "/.proc";

/// Everything is well.
const DONE: u8 = b'.';
/// Something does not end.
const LEFT: u8 = b'!';

/// How long processes may take to end after SIGKILL.
const PATIENCE: Duration = Duration::from_secs(2);

/// Is the reaper, until the judge ends.
pub(in crate::conformance) fn run() -> ! {
    let status = if serve().is_ok() { 0 } else { 1 };
    std::process::exit(status)
}

fn serve() -> io::Result<()> {
    set_dumpable(false)?;
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), PROCESSES, Some("proc"), safe, None::<&str>)?;
    std::thread::Builder::new().spawn(collect)?;
    let (mut orders, mut answers) = (io::stdin(), io::stdout());
    answers.write_all(&[DONE])?;
    answers.flush()?;
    while orders.read(&mut [0])? > 0 {
        answers.write_all(&[end_all()])?;
        answers.flush()?;
    }
    Ok(())
}

/// Collects the exit status of every process that has lost its parent.
fn collect() {
    loop {
        if wait().is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Ends every other process of the namespace, all at once, so that none can start others meanwhile.
fn end_all() -> u8 {
    let began = Instant::now();
    // Those that have ended, and whose parent is the judge, stay in the list of the kernel until that collects them.
    while kill(Pid::from_raw(-1), Signal::SIGKILL) != Err(Errno::ESRCH) && !living().is_empty() {
        if began.elapsed() > PATIENCE {
            return LEFT;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    DONE
}

/// Collects plugins that had to be ended, and had not ended yet when nobody waited for them any longer.
fn collect_ended() {
    while waitpid(None, Some(WaitPidFlag::WNOHANG)).is_ok_and(|status| status != WaitStatus::StillAlive) {}
}

/// The reaper, seen by the judge.
pub(in crate::conformance) struct Reaper {
    process: Child,
    pipes: Mutex<(ChildStdin, ChildStdout)>,
    namespace: File,
}

impl Reaper {
    /// Starts one, in a new PID namespace.
    pub(in crate::conformance) fn start() -> Result<Self, NotIsolated> {
        let spawn = || {
            // This thread can start no other one from here on, and ends with the closure.
            unshare(CloneFlags::CLONE_NEWPID)?;
            let mut command = Stage::Reaper.command(INIT);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
        };
        let spawned = std::thread::scope(|scope| scope.spawn(spawn).join());
        let spawned = spawned.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let mut process = spawned.map_err(failed("start the first process of the plugin's PID namespace"))?;
        let pipes = process.stdin.take().zip(process.stdout.take()).expect("both are pipes");
        let namespace = File::open(format!("/proc/{}/ns/pid", process.id()));
        let namespace = namespace.map_err(failed("open the plugin's PID namespace"))?;
        let reaper = Self { process, pipes: Mutex::new(pipes), namespace };
        let ready = reaper.hear().map_err(failed("hear the first process of the plugin's PID namespace"))?;
        if ready { Ok(reaper) } else { Err(failed("mount /proc for the plugin")(Errno::EIO)) }
    }

    /// The PID namespace.
    pub(in crate::conformance) fn namespace(&self) -> &File {
        &self.namespace
    }

    /// Ends all processes of plugins; returns whether they are gone. To be called between executions only.
    pub(in crate::conformance) fn end_all(&self) -> bool {
        collect_ended();
        self.end_running()
    }

    /// Ends all processes of plugins, and leaves the status of those that are waited for to whoever waits; returns
    /// whether they are gone.
    pub(in crate::conformance) fn end_running(&self) -> bool {
        let mut pipes = self.pipes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let ordered = pipes.0.write_all(b"\n");
        drop(pipes);
        ordered.and_then(|()| self.hear()).unwrap_or(false)
    }

    /// Hears an answer.
    fn hear(&self) -> io::Result<bool> {
        let mut pipes = self.pipes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut fds = [PollFd::new(pipes.1.as_fd(), PollFlags::POLLIN)];
        let longest = PollTimeout::try_from(4 * PATIENCE).unwrap_or(PollTimeout::MAX);
        // A plugin may have stopped or ended it, which is no reason to wait for ever.
        if poll(&mut fds, longest)? == 0 {
            return Ok(false);
        }
        let mut answer = [LEFT];
        let read = pipes.1.read(&mut answer)?;
        Ok(read == 1 && answer == [DONE])
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        // With it, the kernel ends everything in its namespace, and waits for all of that to be collected.
        let _ = self.process.kill();
        let began = Instant::now();
        while began.elapsed() < PATIENCE && matches!(self.process.try_wait(), Ok(None)) {
            collect_ended();
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

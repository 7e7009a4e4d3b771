//! Plugins as processes.

mod apart;
mod block;
mod child;
mod descriptors;
mod obstacle;
mod sigchld;
mod spawn;
mod stream;

use std::ffi::CStr;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use self::block::Block;
use self::child::{Child, Event};
use self::obstacle::obstacle;
use super::{Exec, ExecError, ExecFuture, Limits, Output, Request};
use crate::CancelToken;
use crate::waiting::{self, after, block_on};

/// Runs plugins as processes, each bounded.
///
/// - The plugin is the leader of a session and a process group of its own, without a terminal, and gets descriptors 0,
///   1 and 2 only, an empty signal mask and the default actions for SIGPIPE, SIGTERM and SIGCHLD.
/// - stdin is fed while stdout and stderr are read, so no order of reading and writing can block it.
/// - The call ends when the plugin does: a child that it leaves behind may keep the pipes open, and may live on.
/// - At the deadline, or when cancelled, the plugin and the whole group get SIGTERM, after the grace period SIGKILL,
///   and the plugin is reaped.
/// - In a process that ignores SIGCHLD nothing is run, since it would not learn how a plugin ended
///   ([`ExecError::ChildrenIgnored`]).
/// - A file that is busy ("text file busy": it is being replaced) is tried again for up to 5 seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessExec;

impl Exec for ProcessExec {
    #[doc(alias = "ExecPlugin")]
    fn exec(&self, request: &Request, limits: &Limits) -> Result<Output, ExecError> {
        block_on(execute(request, limits))
    }

    fn exec_async<'a>(&'a self, request: &'a Request, limits: &'a Limits) -> ExecFuture<'a> {
        Box::pin(execute(request, limits))
    }
}

async fn execute(request: &Request, limits: &Limits) -> Result<Output, ExecError> {
    let deadline = after(limits.timeout);
    let block = Block::new(&request.env);
    let env = block.pairs().map_err(|variable| {
        let variable = variable.to_string_lossy().into_owned();
        ExecError::Environment { variable }
    })?;
    sleep(Duration::ZERO, limits.cancel.as_ref()).await?;
    if sigchld::is_ignored() {
        return Err(ExecError::ChildrenIgnored);
    }
    let mut child = start(request, &env, limits, deadline).await?;
    match run(&mut child, limits, deadline).await {
        Ok(()) => child.finish(),
        Err(stop) => {
            child.end(limits.grace).await;
            Err(stop.into_error(child, limits))
        }
    }
}

/// Why a plugin is ended.
enum Stop {
    Deadline,
    Cancelled,
    StdoutTooLong,
    Failed(ExecError),
}

impl Stop {
    fn into_error(self, child: Child, limits: &Limits) -> ExecError {
        let stderr = child.into_stderr();
        match self {
            Stop::Deadline => ExecError::TimedOut { after: limits.timeout, stderr },
            Stop::Cancelled => ExecError::Cancelled { started: true, stderr },
            Stop::StdoutTooLong => ExecError::StdoutTooLong { limit: limits.max_stdout },
            Stop::Failed(error) => error,
        }
    }
}

/// How long a busy file is tried again, and the first and longest pause between two tries.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
const BUSY_PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

async fn start<'a>(
    request: &'a Request,
    env: &[&CStr],
    limits: &Limits,
    deadline: Instant,
) -> Result<Child<'a>, ExecError> {
    let began = Instant::now();
    let program = || request.program.clone();
    let (mut pause, longest) = BUSY_PAUSES;
    loop {
        match spawn::spawn(&request.program, env) {
            Ok(spawned) => return Ok(Child::new(spawned, &request.stdin, limits)),
            Err(Errno::ETXTBSY) if began.elapsed() < BUSY_LIMIT && Instant::now() < deadline => {
                sleep(pause, limits.cancel.as_ref()).await?;
                pause = (pause * 2).min(longest);
            }
            Err(Errno::ETXTBSY) => {
                let (program, waited) = (program(), began.elapsed());
                return Err(ExecError::Busy { program, waited });
            }
            Err(errno) => {
                let obstacle = obstacle(&request.program, errno);
                let (program, source) = (program(), errno.into());
                return Err(ExecError::Spawn { program, obstacle, source });
            }
        }
    }
}

async fn sleep(pause: Duration, cancel: Option<&CancelToken>) -> Result<(), ExecError> {
    if waiting::sleep(pause, cancel).await {
        return Err(ExecError::Cancelled { started: false, stderr: Vec::new() });
    }
    Ok(())
}

/// Feeds and drains the plugin until it exits, or there is a reason to end it.
async fn run(child: &mut Child<'_>, limits: &Limits, deadline: Instant) -> Result<(), Stop> {
    loop {
        match child.step(deadline, limits.cancel.as_ref()).await.map_err(Stop::Failed)? {
            Event::Exited => return Ok(()),
            Event::Deadline => return Err(Stop::Deadline),
            Event::Cancelled => return Err(Stop::Cancelled),
            Event::StdoutTooLong => return Err(Stop::StdoutTooLong),
            Event::Progress => {}
        }
    }
}

//! The process around a plugin: the only place of the library that writes to stdout.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::sync::OnceLock;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::dispatch::{answer_after_panic, dispatch};
use super::{Input, Plugin, pass_on_stderr};
use crate::invoke::Exec;

pub(super) fn run(plugin: &dyn Plugin, exec: impl Exec + 'static) -> ExitCode {
    set_stdout_aside();
    if cfg!(panic = "abort") {
        answer_panics();
    }
    let input = Input::new(std::env::vars_os()).read_stdin(read_stdin).own_netns(crate::netns::is_own).exec(exec);
    let outcome = dispatch(plugin, input);
    pass_on_stderr(outcome.stderr.as_bytes());
    match print(&outcome.stdout) {
        Ok(()) => ExitCode::from(outcome.exit_code),
        Err(error) => {
            pass_on_stderr(format!("cannot write the answer to stdout: {error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

/// Where the answer goes, once stdout is set aside.
static STDOUT: OnceLock<OwnedFd> = OnceLock::new();

/// Keeps stdout for the answer: from now on descriptor 1 is stderr, for whoever prints by accident. Where no descriptor
/// is left for that, the answer goes to descriptor 1.
fn set_stdout_aside() {
    let Ok(stdout) = io::stdout().as_fd().try_clone_to_owned() else { return };
    if nix::unistd::dup2_stdout(io::stderr()).is_ok() {
        STDOUT.get_or_init(|| stdout);
    }
}

/// Returns true if the caller still waits for the answer of this process: false if stdout is a pipe without a reader,
/// because the caller was killed. Nobody may ever delete what an answer without a reader is about.
///
/// A plugin that takes something out of a locked store calls this while it holds the lock: if it is true then, the DEL
/// of the caller's caller comes later, and finds what was taken. It is always true outside of [`run`](super::run).
pub fn is_awaited() -> bool {
    let Some(stdout) = STDOUT.get() else { return true };
    let mut pipe = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    let polled = poll(&mut pipe, PollTimeout::ZERO);
    let is_closed = pipe[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR));
    polled.is_err() || !is_closed
}

/// The configuration, for the answer after a panic.
static STDIN: OnceLock<Vec<u8>> = OnceLock::new();

fn read_stdin() -> io::Result<Vec<u8>> {
    // Most configurations are read at once.
    let mut bytes = Vec::with_capacity(8 << 10);
    io::stdin().lock().read_to_end(&mut bytes)?;
    if cfg!(panic = "abort") {
        let _ = STDIN.set(bytes.clone());
    }
    Ok(bytes)
}

/// Answers where a panic occurs, since nothing is unwound to a place that could.
fn answer_panics() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        let stdin = STDIN.get().map(Vec::as_slice).unwrap_or_default();
        let _ = print(&answer_after_panic(panic.payload(), stdin));
        std::process::exit(1);
    }));
}

fn print(text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let own = io::stdout();
    let stdout = STDOUT.get().map_or_else(|| own.as_fd(), |stdout| stdout.as_fd());
    // One write: a reader never sees half an answer.
    let text = format!("{text}\n");
    let mut left = text.as_bytes();
    while !left.is_empty() {
        let written = rustix::io::retry_on_intr(|| rustix::io::write(stdout, left))?;
        left = left.get(written..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_panic_that_is_not_unwound_is_answered_too() {
        const INSIDE: &str = "LIBCNI_TEST_PANICS";
        if std::env::var_os(INSIDE).is_some() {
            set_stdout_aside();
            STDIN.set(br#"{"cniVersion": "0.4.0", "name": "net", "type": "p"}"#.to_vec()).unwrap();
            answer_panics();
            panic!("out of order");
        }
        let mut itself = Command::new(std::env::current_exe().unwrap());
        itself.args(["--exact", "--nocapture", "plugin::io::tests::a_panic_that_is_not_unwound_is_answered_too"]);
        let ended = itself.env(INSIDE, "1").output().unwrap();
        let (stdout, stderr) = (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
        let answer = r#"{"cniVersion":"0.4.0","code":999,"msg":"the plugin panicked","details":"out of order"}"#;
        assert!(stdout.ends_with(&format!("{answer}\n")), "{stdout}\n{stderr}");
        assert!(stderr.contains("out of order") && ended.status.code() == Some(1), "{stderr}");
    }
}

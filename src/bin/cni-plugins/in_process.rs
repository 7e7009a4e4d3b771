//! Delegates that are this very program are called instead of started: it saves a process for each address.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::mpsc;
use std::thread;

use libcni::invoke::{Exec, ExecError, Limits, Output, ProcessExec, Request};
use libcni::plugin::{Input, Outcome, dispatch};

use crate::plugins::{AnyPlugin, called};

/// Runs plugins of this program in the process, and all others as processes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InProcess;

impl Exec for InProcess {
    fn exec(&self, request: &Request, limits: &Limits) -> Result<Output, ExecError> {
        let own = called(&request.program).filter(|_| is_this_program(&request.program));
        own.map_or_else(|| ProcessExec.exec(request, limits), |plugin| call(plugin, request, limits))
    }
}

fn is_this_program(path: &Path) -> bool {
    let file = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    file(path).is_some_and(|found| file("/proc/self/exe".as_ref()) == Some(found))
}

/// How much longer than a process a plugin of this program may take. It can't hang, but waits for its turn at a lock:
/// that of fifty containers that start at once on a busy node takes long, and fails none of them with the Go plugins.
const LONGER: u32 = 4;

/// Calls a plugin in a thread of its own, which is left behind at the deadline: it ends with the process.
fn call(plugin: AnyPlugin, request: &Request, limits: &Limits) -> Result<Output, ExecError> {
    let (sender, receiver) = mpsc::channel();
    let own = request.clone();
    let run = move || drop(sender.send(answer(plugin, own)));
    let outcome = if thread::Builder::new().spawn(run).is_ok() {
        let after = limits.timeout.saturating_mul(LONGER);
        receiver.recv_timeout(after).map_err(|_| ExecError::timed_out(after))?
    } else {
        // Without a thread the only deadline is that of this plugin's caller.
        answer(plugin, request.clone())
    };
    let mut stdout = outcome.stdout.into_bytes();
    if !stdout.is_empty() {
        // As a process ends its answer.
        stdout.push(b'\n');
    }
    if stdout.len() > limits.max_stdout {
        return Err(ExecError::stdout_too_long(limits.max_stdout));
    }
    let status = ExitStatus::from_raw(i32::from(outcome.exit_code) << 8);
    Ok(Output::default().status(status).stdout(stdout).stderr(outcome.stderr.into_bytes()))
}

fn answer(plugin: AnyPlugin, request: Request) -> Outcome {
    let stdin = request.stdin;
    let input = Input::new(request.env.iter()).read_stdin(|| Ok(stdin));
    dispatch(&plugin, input.own_netns(libcni::netns::is_own).exec(InProcess))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use libcni::invoke::Parameters;
    use libcni::spec::Command;

    use super::*;

    /// The path of a link to this program, which is called like the plugin.
    fn program(dir: &Path, plugin: &str) -> std::path::PathBuf {
        let path = dir.join(plugin);
        symlink(std::env::current_exe().unwrap(), &path).unwrap();
        path
    }

    fn request(dir: &Path, command: Command, config: &str) -> Request {
        let parameters = Parameters::default()
            .container_id("c1")
            .netns("/run/netns/c1".as_ref())
            .ifname("eth0")
            .path(dir.as_os_str());
        let env = parameters.environment(command, &[]);
        let stdin = config.as_bytes().to_vec();
        Request::new("host-local", command, program(dir, "host-local")).with_env(env).with_stdin(stdin)
    }

    #[test]
    fn an_answer_longer_than_the_limit_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let request = request(dir.path(), Command::Version, "");
        let error = InProcess.exec(&request, &Limits::default().max_stdout(10)).unwrap_err();
        assert!(matches!(error, ExecError::StdoutTooLong { limit: 10, .. }), "{error:?}");
    }

    #[test]
    fn at_the_deadline_the_caller_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("net");
        fs::create_dir(&store).unwrap();
        let lock = fs::File::create(store.join("lock")).unwrap();
        lock.lock().unwrap();
        let config = format!(
            r#"{{"cniVersion":"1.1.0","name":"net","ipam":{{"type":"host-local","dataDir":"{}","subnet":"10.0.0.0/24"}}}}"#,
            dir.path().display()
        );
        let limits = Limits::default().timeout(Duration::from_millis(50));
        let error = InProcess.exec(&request(dir.path(), Command::Add, &config), &limits).unwrap_err();
        assert!(matches!(error, ExecError::TimedOut { .. }), "{error:?}");
    }
}

//! Other parts of a process, which know nothing of plugins.

use std::process::Command;
use std::thread;

use libcni::Error;
use libcni::invoke::{ExecError, PluginFailure};
use nix::sys::wait::waitpid;

use crate::support::{Sandbox, attachment, fails_with};

/// Set where a test runs itself again, in a process that does to all threads what it is about.
const INSIDE: &str = "LIBCNI_TEST_NEIGHBOUR";

/// Runs a test of this file again, in a process of its own that a shell prepares.
#[track_caller]
fn passes_in_a_process_of_its_own(test: &str, prepare: &str) {
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!(r#"{prepare} exec "$@""#), "bash"]).arg(std::env::current_exe().unwrap());
    shell.args([&format!("execution::neighbours::{test}"), "--exact", "--test-threads=1"]).env(INSIDE, test);
    let output = shell.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn is_inside(test: &str) -> bool {
    std::env::var_os(INSIDE).is_some_and(|inside| inside == test)
}

#[track_caller]
fn exec_error(error: &Error) -> &ExecError {
    match error {
        Error::Plugin(source) => match &source.failure {
            PluginFailure::Exec { error } => error,
            other => panic!("{other}"),
        },
        other => panic!("{other}"),
    }
}

#[test]
fn where_sigchld_is_ignored_nothing_is_run_and_the_error_says_why() {
    let test = "where_sigchld_is_ignored_nothing_is_run_and_the_error_says_why";
    if !is_inside(test) {
        // What a process ignores, those that it becomes ignore, too.
        return passes_in_a_process_of_its_own(test, "trap '' CHLD;");
    }
    let sandbox = Sandbox::new().plugins(["one"]);
    let error = sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(matches!(exec_error(&error), ExecError::ChildrenIgnored), "{error}");
    assert!(error.to_string().contains("SIGCHLD is ignored"), "{error}");
    assert!(!error.needs_cleanup() && sandbox.calls().is_empty(), "{error}");
}

#[test]
fn where_a_thread_reaps_every_child_no_verb_takes_a_guess() {
    let test = "where_a_thread_reaps_every_child_no_verb_takes_a_guess";
    if !is_inside(test) {
        return passes_in_a_process_of_its_own(test, "");
    }
    thread::spawn(|| {
        loop {
            if waitpid(None, None).is_err() {
                thread::yield_now();
            }
        }
    });
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "DEL", &fails_with(7, "no such set"));
    let cni = sandbox.cni();
    for number in 0..20 {
        let container = attachment(&format!("c{number}"), "eth0");
        if let Err(error) = cni.add(&sandbox.network(), &container) {
            assert!(matches!(exec_error(&error), ExecError::StatusUnknown { .. }) && error.needs_cleanup(), "{error}");
            assert!(error.to_string().contains("by their process IDs"), "{error}");
        }
        cni.del(&sandbox.network(), &container).unwrap_err();
    }
}

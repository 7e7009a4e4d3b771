//! Other parts of a process, which know nothing of plugins.

use std::thread;

use libcni::Error;
use libcni::invoke::{ExecError, PluginFailure};
use nix::sys::wait::waitpid;

use crate::support::{Sandbox, alone, attachment, fails_with};

#[track_caller]
fn exec_error(error: &Error) -> &ExecError {
    match error {
        Error::Plugin(source) => match &source.failure {
            PluginFailure::Exec { error, .. } => error,
            other => panic!("{other}"),
        },
        other => panic!("{other}"),
    }
}

#[test]
fn where_sigchld_is_ignored_nothing_is_run_and_the_error_says_why() {
    // What a process ignores, those that it becomes ignore, too.
    if alone("execution::neighbours::where_sigchld_is_ignored_nothing_is_run_and_the_error_says_why", "trap '' CHLD;") {
        return;
    }
    let sandbox = Sandbox::new().plugins(["one"]);
    let error = sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(matches!(exec_error(&error), ExecError::ChildrenIgnored), "{error}");
    assert!(error.to_string().contains("SIGCHLD is ignored"), "{error}");
    assert!(!error.needs_cleanup() && sandbox.calls().is_empty(), "{error}");
}

#[test]
fn where_a_thread_reaps_every_child_no_verb_takes_a_guess() {
    if alone("execution::neighbours::where_a_thread_reaps_every_child_no_verb_takes_a_guess", "") {
        return;
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

//! Ending an execution from another thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use libcni::CancelToken;
use libcni::invoke::{Exec, ExecError, Limits, Output, Request};
use libcni::runtime::Keep;

use crate::support::{Sandbox, Script, attachment, eventually, is_gone, pid_in, printing};

#[test]
fn a_running_plugin_is_ended_with_its_tree_when_cancelled() {
    let token = CancelToken::new().unwrap();
    let mut script = Script::new("sleep 300 & echo $! >~/pid; wait");
    script.limits.cancel = Some(token.clone());
    let (error, pid) = std::thread::scope(|scope| {
        let running = scope.spawn(|| script.error());
        let pid = pid_in(&script.file("pid"));
        token.cancel().unwrap();
        (running.join().unwrap(), pid)
    });
    assert!(matches!(error, ExecError::Cancelled { started: true, .. }), "{error:?}\n{script}");
    eventually("the plugin's child is gone", || is_gone(pid));
}

#[test]
fn what_is_cancelled_before_the_start_does_not_run() {
    let token = CancelToken::new().unwrap();
    token.cancel().unwrap();
    let mut script = Script::new("touch ~/ran");
    script.limits.cancel = Some(token);
    let error = script.error();
    assert!(matches!(error, ExecError::Cancelled { started: false, .. }), "{error:?}");
    assert!(!error.was_started());
    assert!(!script.file("ran").exists());
}

/// Whether a token is cancelled, by its own words and for a program that is run with it.
#[track_caller]
fn is_cancelled(token: &CancelToken) -> bool {
    let mut script = Script::new("true");
    script.limits.cancel = Some(token.clone());
    let ended = script.run();
    assert_eq!(token.is_cancelled(), matches!(ended, Err(ExecError::Cancelled { .. })), "{ended:?}");
    token.is_cancelled()
}

#[test]
fn a_token_is_cancelled_with_its_parent() {
    let parent = CancelToken::new().unwrap();
    let grandchild = parent.child().unwrap().child().unwrap();
    assert!(!is_cancelled(&grandchild));
    parent.cancel().unwrap();
    assert!(is_cancelled(&grandchild));
}

#[test]
fn a_token_is_cancelled_with_every_ancestor_however_many() {
    let mut family = vec![CancelToken::new().unwrap()];
    for _ in 0..100 {
        family.push(family[family.len() - 1].child().unwrap());
    }
    let youngest = family.pop().unwrap();
    assert!(!is_cancelled(&youngest));
    family[50].cancel().unwrap();
    assert!(!is_cancelled(&family[49]) && is_cancelled(&family[51]));
    assert!(is_cancelled(&youngest));
}

#[test]
fn a_token_can_be_cancelled_without_its_parent() {
    let parent = CancelToken::new().unwrap();
    let (one, other) = (parent.child().unwrap(), parent.child().unwrap());
    one.cancel().unwrap();
    assert!(is_cancelled(&one) && !is_cancelled(&parent) && !is_cancelled(&other));
}

#[test]
fn a_token_may_be_the_child_of_a_descriptor() {
    let (reader, writer) = nix::unistd::pipe().unwrap();
    let child = CancelToken::when_readable(reader).child().unwrap();
    assert!(!is_cancelled(&child));
    nix::unistd::write(&writer, b"x").unwrap();
    assert!(is_cancelled(&child));
}

#[test]
fn a_cancelled_add_runs_no_further_plugin_and_caches_nothing() {
    let token = CancelToken::new().unwrap();
    let sandbox = Sandbox::new().plugins(["one", "two"]).on("one", "ADD", "exec sleep 300");
    let cni = sandbox.builder().cancel(token.clone()).build().unwrap();
    let error = std::thread::scope(|scope| {
        let adding = scope.spawn(|| cni.add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err());
        eventually("the first plugin runs", || sandbox.calls() == ["ADD one"]);
        token.cancel().unwrap();
        adding.join().unwrap()
    });
    assert_eq!(sandbox.calls(), ["ADD one"]);
    assert!(sandbox.cached().is_empty());
    assert!(error.needs_cleanup() && !error.is_retryable(), "{error:?}");
}

/// The first execution succeeds, and every later one is cancelled before it starts.
#[derive(Debug, Default)]
struct CancelledAfterOne(AtomicBool);

impl Exec for CancelledAfterOne {
    fn exec(&self, _: &Request, _: &Limits) -> Result<Output, ExecError> {
        if self.0.swap(true, Ordering::Relaxed) { Err(ExecError::cancelled_before_start()) } else { Ok(printing("{}")) }
    }
}

#[test]
fn an_add_that_is_cancelled_between_two_plugins_stays_on_record() {
    let sandbox = Sandbox::new().plugins(["one", "two"]);
    let cni = sandbox.builder().exec(CancelledAfterOne::default()).build().unwrap();
    let error = cni.add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(error.needs_cleanup(), "{error:?}");
    let stale = cni.stale(&sandbox.network(), &Keep::Nothing).unwrap();
    assert_eq!(stale.iter().map(|entry| &*entry.container_id).collect::<Vec<_>>(), ["c1"]);
}

#[test]
fn waiting_for_a_busy_file_can_be_cancelled() {
    let token = CancelToken::new().unwrap();
    let mut script = Script::new("true");
    script.limits.cancel = Some(token.clone());
    let _writer = std::fs::OpenOptions::new().append(true).open(script.program()).unwrap();
    let error = std::thread::scope(|scope| {
        let running = scope.spawn(|| script.run());
        std::thread::sleep(Duration::from_millis(50));
        token.cancel().unwrap();
        running.join().unwrap().unwrap_err()
    });
    assert!(matches!(error, ExecError::Cancelled { started: false, .. }), "{error:?}");
}

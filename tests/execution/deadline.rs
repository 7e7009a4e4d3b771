//! A plugin that does not end by itself is ended, and its children with it.

use libcni::Error;
use libcni::invoke::ExecError;
use nix::errno::Errno;
use nix::unistd::{Pid, getpgid, getppid, setpgid, setsid};
use std::time::{Duration, Instant};

use crate::support::{Sandbox, Script, attachment, chain, eventually, is_gone, pid_in};

/// A hung plugin is ended at the deadline, and so is the process whose ID it wrote into `pid`.
#[track_caller]
fn is_ended_with_its_tree(body: &str) {
    let script = Script::new(body).timeout(1000);
    let error = script.error();
    assert!(matches!(error, ExecError::TimedOut { .. }), "{error:?}\n{script}");
    for file in ["plugin", "pid"] {
        let pid = pid_in(&script.file(file));
        eventually(&format!("{file} {pid} is gone\n{script}"), || is_gone(pid));
    }
}

#[test]
fn a_hung_plugin_is_ended_at_the_deadline_with_its_whole_process_group() {
    is_ended_with_its_tree("echo $$ >~/plugin; sleep 300 & echo $! >~/pid; wait");
}

#[test]
fn a_grandchild_is_ended_too_when_the_plugin_goes_first() {
    is_ended_with_its_tree("echo $$ >~/plugin; trap 'exit 0' TERM; (trap '' TERM; sleep 300) & echo $! >~/pid; wait");
}

#[test]
fn a_plugin_that_ignores_sigterm_is_killed_after_the_grace_period() {
    is_ended_with_its_tree("trap '' TERM; echo $$ >~/plugin; sleep 300 & echo $! >~/pid; wait");
}

#[test]
fn a_plugin_is_dead_when_its_execution_is_over_even_without_grace() {
    for _ in 0..20 {
        let mut script = Script::new("trap '' TERM; echo $$ >~/plugin; sleep 300").timeout(100);
        script.limits.grace = Duration::ZERO;
        script.error();
        assert!(is_gone(pid_in(&script.file("plugin"))), "{script}");
    }
}

#[test]
fn a_plugin_that_stops_itself_is_ended() {
    is_ended_with_its_tree("echo $$ | tee ~/plugin >~/pid; kill -STOP $$");
}

#[test]
fn a_plugin_that_stops_itself_can_still_clean_up() {
    let mut script =
        Script::new("trap 'echo cleaned >~/done; exit 0' TERM; kill -STOP $$; sleep 300 & wait").timeout(1000);
    script.limits.grace = Duration::from_secs(20);
    script.error();
    assert!(script.file("done").exists(), "{script}");
}

#[test]
fn a_plugin_can_not_leave_its_process_group() {
    // No shell can try that, so the plugin becomes this very test.
    const PLUGIN: &str = "LIBCNI_TEST_LEAVES_ITS_GROUP";
    if std::env::var_os(PLUGIN).is_some() {
        let group = getpgid(Some(getppid())).unwrap();
        assert_eq!(setpgid(Pid::from_raw(0), group), Err(Errno::EPERM));
        assert_eq!(setsid(), Err(Errno::EPERM));
        return;
    }
    let own = std::env::current_exe().unwrap();
    let name = "execution::deadline::a_plugin_can_not_leave_its_process_group";
    let ran = Script::new(&format!("{PLUGIN}=1 exec '{}' --exact {name}", own.display())).stdout();
    assert!(ran.contains("1 passed"), "{ran}");
}

#[test]
fn a_plugin_has_the_grace_period_to_clean_up() {
    let script = Script::new("trap 'echo cleaned >~/done; exit 0' TERM; sleep 300 & wait").timeout(1000);
    script.error();
    assert!(script.file("done").exists(), "{script}");
}

#[test]
fn a_plugin_that_ends_in_the_grace_period_does_not_use_it_up() {
    let mut script = Script::new("exec sleep 300").timeout(100);
    script.limits.grace = Duration::from_secs(60);
    assert!(matches!(script.error(), ExecError::TimedOut { .. }), "{script}");
}

#[test]
fn a_time_without_end_is_a_long_time() {
    let mut script = Script::new("echo '{}'");
    script.limits.timeout = Duration::MAX;
    assert_eq!(script.stdout(), "{}\n");
    let mut script = Script::new("exec sleep 300").timeout(100);
    script.limits.grace = Duration::MAX;
    assert!(matches!(script.error(), ExecError::TimedOut { .. }), "{script}");
}

#[test]
fn a_timeout_says_how_long_it_was_and_what_the_plugin_said() {
    let script = Script::new("echo waiting for a lease >&2; exec sleep 300").timeout(1000);
    let error = script.error();
    assert!(error.to_string().contains("1000 ms"), "{error}");
    assert_eq!(error.stderr(), b"waiting for a lease\n");
    assert!(error.was_started());
}

#[test]
fn endless_writers_are_ended_at_the_deadline() {
    let flood = "head -c 100M /dev/zero >&2";
    let script = Script::new(&format!("for n in 1 2 3 4; do while :; do {flood}; done & done; wait")).timeout(200);
    let began = Instant::now();
    let error = script.error();
    assert!(matches!(error, ExecError::TimedOut { .. }), "{error:?}\n{script}");
    assert!(began.elapsed() < Duration::from_secs(3), "took {:?}", began.elapsed());
}

#[test]
fn an_error_of_a_verb_says_which_plugin_hung_and_may_be_tried_again() {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "ADD", "echo no lease >&2; exec sleep 300");
    let cni = sandbox.builder().timeout(Duration::from_secs(1)).build().unwrap();
    let error = cni.add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(matches!(error, Error::Plugin(_)), "{error:?}");
    assert!(error.is_retryable() && error.needs_cleanup(), "{error:?}");
    let message = chain(&error);
    for word in ["`one`", "ADD", "1000 ms", "no lease"] {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}

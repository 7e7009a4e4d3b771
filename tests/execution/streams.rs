//! stdin, stdout and stderr, in any order and of any size.

use libcni::invoke::ExecError;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Script, pid_in};

const MIB: usize = 1 << 20;

#[test]
fn a_plugin_gets_all_of_stdin_and_its_end() {
    let script = Script::new("wc -c").stdin(vec![b'x'; 3 * MIB]);
    assert_eq!(script.stdout().trim(), (3 * MIB).to_string());
}

#[test]
fn a_plugin_may_answer_without_reading_stdin() {
    let script = Script::new("echo '{}'").stdin(vec![b'x'; MIB]);
    assert_eq!(script.stdout(), "{}\n");
}

#[test]
fn a_plugin_may_close_stdin_and_answer_later() {
    let script = Script::new("exec <&-; sleep 0.1; echo '{}'").stdin(vec![b'x'; MIB]);
    assert_eq!(script.stdout(), "{}\n");
}

#[test]
fn a_plugin_may_write_a_lot_before_it_reads() {
    let script = Script::new("head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero; wc -c >&2");
    let output = script.stdin(vec![b'x'; MIB]).run().unwrap();
    assert_eq!(output.stdout.len(), 1_000_000);
}

#[test]
fn a_plugin_may_copy_more_than_a_pipe_holds() {
    let text: Vec<u8> = (0..MIB).map(|i| b'a' + (i % 26) as u8).collect();
    let script = Script::new("tee /dev/stderr").stdin(text.clone());
    let output = script.run().unwrap();
    assert!(output.stdout == text, "{} bytes came back", output.stdout.len());
    assert!(output.stderr == text[..script.limits.max_stderr], "{} bytes of stderr", output.stderr.len());
}

#[test]
fn too_much_stdout_is_an_error_and_ends_the_plugin() {
    let mut script = Script::new("cat /dev/zero");
    script.limits.max_stdout = 100_000;
    let error = script.error();
    assert!(matches!(error, ExecError::StdoutTooLong { limit: 100_000, .. }), "{error:?}");
}

#[test]
fn as_much_stdout_as_allowed_is_fine() {
    let mut script = Script::new("head -c 100000 /dev/zero");
    script.limits.max_stdout = 100_000;
    assert_eq!(script.stdout().len(), 100_000);
}

#[test]
fn too_much_stderr_is_dropped_and_no_error() {
    let mut script = Script::new("echo begin >&2; head -c 1000000 /dev/zero >&2; echo '{}'");
    script.limits.max_stderr = 1000;
    let output = script.run().unwrap();
    assert_eq!(output.stdout, b"{}\n");
    assert_eq!(output.stderr.len(), 1000);
    assert!(output.stderr.starts_with(b"begin\n"));
}

#[test]
fn a_grandchild_that_keeps_the_pipes_open_does_not_delay_the_answer() {
    let script = Script::new("sleep 300 & echo $! >~/pid; echo '{}'");
    let answer = script.stdout();
    let pid = pid_in(&script.file("pid"));
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("what a plugin leaves behind on purpose lives on");
    assert_eq!(answer, "{}\n");
}

#[test]
fn grandchildren_that_flood_the_pipes_do_not_delay_the_answer() {
    // They end when nobody reads any more.
    let script = Script::new("for n in 1 2 3 4; do cat /dev/zero >&2 & done; echo '{}'");
    assert_eq!(script.stdout(), "{}\n");
}

#[test]
fn a_plugin_that_closes_everything_is_still_awaited() {
    let script = Script::new("exec <&- >&- 2>&-; sleep 0.1; touch ~/done; exit 3");
    let output = script.run().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(script.file("done").exists());
}

#[test]
fn too_much_stdout_at_the_very_end_is_an_error() {
    let mut script = Script::new("head -c 1001 /dev/zero");
    script.limits.max_stdout = 1000;
    assert!(matches!(script.error(), ExecError::StdoutTooLong { limit: 1000, .. }), "{script}");
}

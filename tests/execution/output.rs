//! How a plugin's words come back in messages.

use crate::support::{Sandbox, attachment, chain};

/// The message of an ADD whose plugin does this.
#[track_caller]
fn message(shell: &str) -> String {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "ADD", shell);
    chain(&sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err())
}

#[track_caller]
fn message_has<const N: usize>(shell: &str, words: [&str; N]) {
    let message = message(shell);
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
    assert!(!message.contains(|c: char| c.is_control()), "control character in: {message:?}");
}

#[test]
fn a_plugin_that_was_killed_names_the_signal() {
    message_has("kill -KILL $$", ["`one`", "ADD", "signal: 9", "SIGKILL"]);
}

#[test]
fn a_signal_without_a_name_is_named_by_its_number() {
    message_has("kill -40 $$", ["`one`", "signal: 40"]);
}

#[test]
fn a_silent_failure_names_the_exit_status_and_quotes_stderr() {
    message_has("echo 'cannot open socket' >&2; exit 3", ["`one`", "exit status: 3", "cannot open socket"]);
}

#[test]
fn stdout_that_is_no_error_object_is_quoted_with_the_status() {
    message_has("echo panic: oh no; exit 2", ["exit status: 2", "panic: oh no"]);
}

#[test]
fn invalid_utf8_is_quoted() {
    message_has(r"printf 'bad \377 byte'; exit 1", ["bad \u{fffd} byte"]);
    message_has(r"printf 'bad \377 byte' >&2; exit 1", ["bad \u{fffd} byte"]);
    message_has(r"printf 'bad \377 byte'", ["bad \u{fffd} byte"]);
}

#[test]
fn terminal_escapes_are_escaped() {
    message_has(r"printf '\033[2Jgone' >&2; exit 1", [r"\u{1b}[2Jgone"]);
    message_has(r"printf '\033]0;title\007'; exit 1", [r"\u{1b}]0;title\u{7}"]);
    message_has(r"printf '\033[2Jgone'", [r"\u{1b}[2Jgone"]);
}

#[test]
fn a_long_output_is_cut_in_the_message() {
    let message = message("head -c 100000 /dev/zero | tr '\\0' x; exit 1");
    assert!(message.len() < 3000, "{} bytes", message.len());
    assert!(message.contains("bytes more"), "{message}");
}

#[test]
fn an_error_object_with_exit_status_0_is_no_error_object() {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "DEL", r#"echo '{"code":7,"msg":"no"}'"#);
    sandbox.cni().del(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
}

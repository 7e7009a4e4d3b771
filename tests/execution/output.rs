//! How a plugin's words come back in messages.

use libcni::{Chain, Error};

use crate::support::{Sandbox, attachment};

/// The message of an ADD whose plugin does this.
#[track_caller]
fn message(shell: &str) -> String {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "ADD", shell);
    Chain(&sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err()).to_string()
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
    let said = r#"printf '%s' '{"code":7,"msg":"a\u001b[2J\u202eb\u009b1m","details":"c\u200bd\u2028e"}'; exit 1"#;
    message_has(said, [r"a\u{1b}[2J\u{202e}b\u{9b}1m", r"c\u{200b}d\u{2028}e"]);
}

#[test]
fn further_lines_of_a_message_are_indented_and_forge_none() {
    let message = message(r#"printf '%s' '{"code":7,"msg":"iptables:\nerror: forged\r\n\nlast"}'; exit 1"#);
    assert!(
        message.ends_with("iptables:\n    error: forged\\r\n\n    last (code 7: invalid network configuration)"),
        "{message:?}"
    );
}

#[test]
fn a_result_of_a_plugin_that_then_failed_is_quoted_and_no_result() {
    let result = r#"echo '{"cniVersion":"1.0.0","ips":[]}'"#;
    message_has(&format!("{result}; exit 3"), ["exit status: 3", "ips"]);
    message_has(&format!("{result}; kill -KILL $$"), ["signal: 9 (SIGKILL)", "ips"]);
}

#[test]
fn a_plugin_that_was_killed_after_its_error_says_both() {
    message_has(r#"echo '{"code":7,"msg":"no lease"}'; kill -KILL $$"#, ["no lease", "signal: 9 (SIGKILL)"]);
}

#[test]
fn an_error_object_without_words_is_still_a_message() {
    message_has("echo '{}'; exit 3", ["exit status: 3", "without a text"]);
    message_has("echo null; exit 3", ["exit status: 3", "without a text"]);
    message_has(r#"echo '{"code":50}'; exit 3"#, ["exit status: 3", "code 50"]);
}

/// The code and message of a plugin's error object.
#[track_caller]
fn reported(object: &str) -> Option<(u64, String)> {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "ADD", &format!("echo '{object}'; exit 1"));
    match sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err() {
        Error::Plugin(source) => source.reply().map(|reply| (reply.code.0, reply.to_string())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_field_of_the_wrong_type_does_not_lose_the_code() {
    assert_eq!(reported(r#"{"code":11,"msg":5,"details":"d"}"#), Some((11, "5; d".to_owned())));
    assert_eq!(reported(r#"{"code":11,"msg":"m","details":{"a":1}}"#), Some((11, r#"m; {"a":1}"#.to_owned())));
    assert_eq!(reported(r#"{"code":11,"msg":"a\ud800"}"#), Some((11, "a\u{fffd}".to_owned())));
    assert_eq!(reported(r#"{"code":18446744073709551615,"msg":"m"}"#), Some((u64::MAX, "m".to_owned())));
    assert_eq!(reported(r#"{"code":null,"msg":"m"}"#), Some((0, "m".to_owned())));
}

#[test]
fn what_has_no_code_that_is_one_is_no_error_object() {
    for code in ["18446744073709551616", "-1", "7.5", "1e400", r#""7""#, "[]"] {
        assert_eq!(reported(&format!(r#"{{"code":{code},"msg":"m"}}"#)), None, "{code}");
    }
}

#[test]
fn an_error_object_as_the_answer_to_add_is_a_failure_whatever_the_exit_status() {
    let error = r#"echo '{"cniVersion":"1.0.0","code":7,"msg":"no lease"}'"#;
    message_has(error, ["no lease", "exit status: 0"]);
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "ADD", error);
    let error = sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert_eq!(error.code().0, 7);
    assert!(sandbox.cached().is_empty());
}

#[test]
fn a_long_message_is_cut() {
    let long = r#"printf '{"code":7,"msg":"'; head -c 100000 /dev/zero | tr '\0' x; echo '"}'; exit 1"#;
    let message = message(long);
    assert!(message.len() < 5000, "{} bytes", message.len());
    assert!(message.contains("bytes more"), "{message}");
}

#[test]
fn an_error_object_need_not_be_utf8() {
    message_has(r#"printf '{"code":7,"msg":"f\374r","details":"\\ud800"}'; exit 1"#, ["f\u{fffd}r; \u{fffd}"]);
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

//! `--trace` and `--trace-file`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::process::after;
use super::{NETNS, host, succeeds};
use crate::support::{Ran, Sandbox};

/// The lines of the trace file.
#[track_caller]
fn records(sandbox: &Sandbox) -> Vec<Value> {
    let text = fs::read_to_string(sandbox.path("trace")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn a_trace_shows_what_each_plugin_is_sent_and_what_it_answers() {
    let sandbox = host().on("one", "ADD", "echo '{\"dns\":{}}'; echo careful >&2");
    let mut command = sandbox.cnitool(["add", "net", NETNS, "--trace"]);
    let ran = Ran::new(command.env("SECRET", "hidden")).exits_with(0);
    assert!(ran.stdout().starts_with("{\n    \"cniVersion\""), "{ran}");
    let stderr = ran.stderr();
    let lines: Vec<_> = stderr.lines().map(str::trim).collect();
    let program = format!("trace 1: ADD one, {}", sandbox.bin().join("one").display());
    let expected =
        [&program, "CNI_COMMAND=ADD", "stdin", r#""type": "one","#, "trace 1: exit status: 0, after", "stdout"];
    let expected = expected.into_iter().chain(["stderr", "careful", "trace 2: ADD two", r#""prevResult": {"#]);
    let mut rest = lines.iter();
    expected.for_each(|word| assert!(rest.any(|line| line.starts_with(word)), "{word:?} is not next in: {ran}"));
    assert!(stderr.contains("SECRET") && !stderr.contains("hidden"), "{ran}");
    assert_eq!(stderr.matches("careful").count(), 1, "{ran}");
}

#[test]
fn a_trace_file_has_a_line_for_each_plugin_and_is_appended_to() {
    let sandbox = host().on("one", "ADD", "echo '{}'; echo careful >&2");
    Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--trace-file", "trace"])).exits_with(0).says("careful");
    sandbox.now_on("two", "DEL", "kill -9 $$");
    Ran::new(&mut sandbox.cnitool(["del", "net", NETNS, "--trace-file", "trace"])).exits_with(1);
    let records = records(&sandbox);
    let verbs: Vec<_> = records.iter().map(|record| (record["verb"].clone(), record["plugin"].clone())).collect();
    assert_eq!(verbs, [("ADD", "one"), ("ADD", "two"), ("DEL", "two")].map(|(a, b)| (json!(a), json!(b))));
    let first = &records[0];
    assert_eq!(first["env"]["CNI_NETNS"], NETNS);
    assert_eq!(first["stdin"]["type"], "one");
    assert_eq!((&first["exitStatus"], &first["stdout"]), (&json!(0), &json!("{}\n")));
    assert_eq!((&first["stderr"], &first["program"]), (&json!("careful\n"), &json!(sandbox.bin().join("one"))));
    assert!(first["inherited"].as_array().unwrap().contains(&json!("PATH")), "{first}");
    assert!(first["milliseconds"].is_u64() && first["endedUnixMilliseconds"].is_u64(), "{first}");
    assert_eq!((&records[2]["signal"], &records[2]["exitStatus"]), (&json!(9), &Value::Null));
    let mode = fs::metadata(sandbox.path("trace")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "a configuration may have secrets in it");
}

#[test]
fn a_configuration_of_many_lines_is_one_line_of_a_trace() {
    let list =
        "{\"cniVersion\":\"1.0.0\",\"name\":\"many\",\"plugins\":[{\"type\":\"one\",\"x\":{\n\t\"y\":\r\n[1e400]}}]}";
    let sandbox = host().file("many.conflist", list);
    succeeds(&mut sandbox.cnitool(["add", "many", NETNS, "--trace-file", "trace"]));
    let text = fs::read_to_string(sandbox.path("trace")).unwrap();
    assert_eq!(text.lines().count(), 1, "{text:?}");
    assert!(text.contains("[1e400]") && !text.trim_end().contains(char::is_control), "{text:?}");
}

#[test]
fn a_plugin_that_had_to_be_ended_or_did_not_start_is_in_the_trace_with_the_reason() {
    let sandbox = host().on("one", "ADD", "echo so far >&2; exec sleep 300");
    let mut command = sandbox.cnitool(["add", "net", NETNS, "--trace-file", "trace", "--timeout", "2s"]);
    Ran::new(&mut command).exits_with(1);
    let record = &records(&sandbox)[0];
    assert!(record["error"].as_str().unwrap().starts_with("timed out: no answer after 2000 ms"), "{record}");
    assert_eq!(record["stderr"], "so far\n");
}

#[test]
fn with_json_a_trace_on_stderr_is_lines_of_json() {
    let ran = Ran::new(&mut host().cnitool(["add", "net", NETNS, "--trace", "--json"])).exits_with(0);
    let stderr = ran.stderr();
    let lines = stderr.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{ran}")));
    assert_eq!(lines.map(|line| line["trace"].clone()).collect::<Vec<_>>(), [json!(1), json!(2)], "{ran}");
}

#[test]
fn control_characters_of_a_plugin_do_not_reach_the_terminal() {
    let sandbox = host().on("one", "ADD", r"printf '{}\033[2J\302\2331m'; printf '\033[2J' >&2");
    let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--trace"])).exits_with(1);
    assert!(!ran.stderr().contains(|c: char| c.is_control() && c != '\n'), "{:?}", ran.stderr());
}

#[test]
fn a_trace_file_that_can_not_be_opened_is_an_error_before_anything_runs() {
    let sandbox = host();
    let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--trace-file", "no/such/dir"])).exits_with(1);
    ran.says("no/such/dir");
    assert!(sandbox.calls().is_empty());
}

#[test]
fn a_trace_file_that_can_not_be_written_is_a_warning() {
    let sandbox = host();
    private(&sandbox.path("trace"), &"x".repeat(64 << 10));
    let tool = sandbox.cnitool(["add", "net", NETNS, "--trace-file", "trace"]);
    // Files of 64 KiB and no more.
    let ran = Ran::new(&mut after("ulimit -f 64", &tool)).exits_with(0);
    assert_eq!(ran.stderr().matches("warning: cannot write to the trace file").count(), 1, "{ran}");
}

/// Makes a file of this user alone.
fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// Tries to trace into the file `trace`, which must be refused in no time and stay as it is.
#[track_caller]
fn is_refused(sandbox: &Sandbox, why: &str) {
    let tool = sandbox.cnitool(["add", "net", NETNS, "--trace-file", "trace"]);
    Ran::new(&mut after("exec timeout 10 \"$0\" \"$@\"", &tool)).exits_with(1).says("trace file trace").says(why);
    assert!(sandbox.calls().is_empty());
}

#[test]
fn a_trace_file_is_a_regular_file() {
    for make in ["mkfifo trace", "ln -s /dev/full trace", "mkdir trace", "touch own; chmod 600 own; ln -s own trace"] {
        let sandbox = host();
        succeeds(Command::new("sh").args(["-c", make]).current_dir(sandbox.path("")));
        is_refused(&sandbox, "not a regular file");
    }
}

#[test]
fn a_trace_file_is_this_users_alone() {
    for (mode, why) in [(0o644, "others may read"), (0o640, "chmod 600"), (0o602, "others may read or write")] {
        let sandbox = host();
        private(&sandbox.path("trace"), "");
        fs::set_permissions(sandbox.path("trace"), Permissions::from_mode(mode)).unwrap();
        is_refused(&sandbox, why);
        assert_eq!(fs::read_to_string(sandbox.path("trace")).unwrap(), "");
    }
    let sandbox = host();
    private(&sandbox.path("secret"), "");
    fs::hard_link(sandbox.path("secret"), sandbox.path("trace")).unwrap();
    is_refused(&sandbox, "second name");
}

#[test]
fn a_trace_file_of_another_user_is_not_appended_to() {
    let sandbox = host();
    private(&sandbox.path("trace"), "");
    // Only root can give a file away; for anybody else, root has files that are known to be there.
    if chown(sandbox.path("trace"), Some(12345), None).is_ok() {
        is_refused(&sandbox, "belongs to user 12345");
    } else {
        let tool = sandbox.cnitool(["add", "net", NETNS, "--trace-file", "/etc/passwd"]);
        Ran::new(&mut { tool }).exits_with(1).says("/etc/passwd");
    }
}

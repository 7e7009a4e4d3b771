//! The three forms of the report, and the tool around them.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::Test;
use crate::faults::Faulty;
use crate::tool::{Report, conformance, plugins};

pub(crate) fn tests() -> Vec<Test> {
    let tests: [(&str, fn()); 9] = [
        ("people_read_what_was_found_and_where_it_is_specified", people_read_what_was_found),
        ("harnesses_read_tap_with_skips_and_todos", harnesses_read_tap),
        ("a_failure_comes_with_what_was_run", a_failure_comes_with_what_was_run),
        ("single_checks_can_be_chosen_and_left_out", single_checks_can_be_chosen),
        ("a_plugin_that_hangs_is_ended_and_not_run_for_ever", a_plugin_that_hangs_is_ended),
        ("nothing_of_a_plugin_outlives_the_tool", nothing_outlives_the_tool),
        ("a_signal_ends_tool_and_plugin", a_signal_ends_tool_and_plugin),
        ("a_plugin_has_the_variables_and_directories_that_it_is_given", a_plugin_has_what_it_is_given),
        ("the_first_plugin_of_its_type_is_taken_from_a_list", the_first_plugin_of_its_type_is_taken),
    ];
    tests.into_iter().map(|(name, test)| (format!("report::{name}"), Box::new(test) as _)).collect()
}

fn stdout(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// A noop whose DEL fails, with a message that would move a terminal's cursor.
fn broken() -> Faulty {
    Faulty::new("noop", r#"on DEL && fail 100 '\u001b[2J'"#)
}

fn people_read_what_was_found() {
    let text = stdout(broken().conformance().args(["--only", "101,402,504"]));
    assert!(text.contains("  pass   101  VERSION answers"), "{text}");
    assert!(text.contains("  n/a    402  an interface") && text.contains("(the plugin makes no interface)"), "{text}");
    assert!(text.contains("  FAIL   504  DEL succeeds where ADD never ran\n"), "{text}");
    assert!(text.contains("SPECIFICATION.md 2.6 DEL, asked for by the official text; see --explain 504"), "{text}");
    assert!(text.contains("error 100"), "{text}");
    assert!(text.ends_with("\n1 passed, 1 failed, 0 warned, 1 not applicable\n"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

fn harnesses_read_tap() {
    let mut faulty = Faulty::new("noop", r#"on DEL && fail 100; on PLUG && { echo '{"code":4,"msg":"no"}'; exit 1; }"#);
    let text = stdout(faulty.conformance().args(["--format", "tap", "--only", "101,402,504,903"]));
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..2], ["TAP version 14", "1..4"], "{text}");
    assert_eq!(lines[3], "ok 1 - 101 VERSION answers with `cniVersion` and `supportedVersions`", "{text}");
    assert!(lines[4].starts_with("ok 2 - 402 ") && lines[4].contains(" # SKIP "), "{text}");
    assert_eq!(lines[5], "not ok 3 - 504 DEL succeeds where ADD never ran", "{text}");
    assert!(text.contains("\nnot ok 4 - 903 an error says its `cniVersion` # TODO"), "{text}");
    assert!(text.contains("  section: \"SPECIFICATION.md 2.6 DEL\"\n  origin: \"official\"\n"), "{text}");
}

fn a_failure_comes_with_what_was_run() {
    let report = Report::of(broken().conformance().args(["--only", "504"]));
    let execution = &report.json["checks"][0]["executions"][0];
    assert_eq!(execution["env"]["CNI_COMMAND"], "DEL", "{report}");
    assert_eq!(report.json["checks"][0]["origin"], "official", "{report}");
    assert!(execution["stdin"].as_str().unwrap().contains("\"name\":\"net\""), "{report}");
    assert_eq!(execution["ended"], "exit status: 1", "{report}");
    let text = stdout(broken().conformance().args(["--only", "504", "--verbose"]));
    assert!(text.contains("$ CNI_ARGS= CNI_COMMAND=DEL CNI_CONTAINERID=conformance-1"), "{text}");
}

fn single_checks_can_be_chosen() {
    let run = |arguments: &[&str]| Report::of(broken().conformance().args(arguments));
    assert_eq!(run(&["--only", "101,504", "--skip", "504"]).with_outcome(&["pass"]), [101]);
    let report = run(&["--skip", "504"]);
    assert!(!report.with_outcome(&["fail"]).contains(&504), "{report}");
    assert!(report.with_outcome(&["pass"]).len() > 20, "{report}");
}

fn a_plugin_that_hangs_is_ended() {
    let mut faulty = Faulty::new("noop", "exec sleep 300");
    let report = Report::of(faulty.conformance().args(["--timeout", "100ms"]));
    assert_eq!(report.with_outcome(&["pass"]), Vec::<u64>::new(), "{report}");
    assert!(report.to_string().contains("no answer after 100 ms"), "{report}");
    assert!(report.to_string().contains("had to be ended by force"), "{report}");
}

fn a_plugin_has_what_it_is_given() {
    let shown = tempfile::tempdir().unwrap();
    std::fs::set_permissions(shown.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::write(shown.path().join("file"), "content").unwrap();
    let shell = format!(
        r#"on ADD && {{ [ "$GIVEN" = a=b ] && [ "$HOME" = /root ] || fail 100 variables
            [ "$(cat {0}/file)" = content ] && echo changed >{0}/file || fail 100 directory; }}"#,
        shown.path().display()
    );
    let mut faulty = Faulty::new("noop", &shell);
    let mut command = faulty.conformance();
    command.arg("--show").arg(shown.path()).args(["--env", "GIVEN=a=b", "--only", "401"]);
    // The first ADD changes what the next ones find.
    let report = Report::of(&mut command);
    assert!(report.to_string().contains("directory\\\""), "{report}");
    assert_eq!(std::fs::read_to_string(shown.path().join("file")).unwrap(), "content");
}

/// Whether a process with this command line exists, in whatever namespace.
fn is_running(command: &[u8]) -> bool {
    let cmdline = |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| cmdline(entry) == command)
}

#[track_caller]
fn eventually(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "waited in vain");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn nothing_outlives_the_tool() {
    let mut faulty = Faulty::new("noop", "setsid sleep 300.125 >/dev/null 2>&1 &");
    Report::of(faulty.conformance().args(["--only", "401"])).passes(401);
    eventually(|| !is_running(b"sleep\x00300.125\x00"));
}

fn a_signal_ends_tool_and_plugin() {
    for (signal, status) in [(Signal::SIGTERM, Some(143)), (Signal::SIGKILL, None)] {
        let mut faulty = Faulty::new("noop", "exec sleep 300.25");
        let mut tool = faulty.conformance().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        eventually(|| is_running(b"sleep\x00300.25\x00"));
        kill(Pid::from_raw(tool.id().try_into().unwrap()), signal).unwrap();
        assert_eq!(tool.wait().unwrap().code(), status);
        eventually(|| !is_running(b"sleep\x00300.25\x00"));
    }
}

fn the_first_plugin_of_its_type_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("net.conflist");
    let three = json!([{"type": "bridge"}, {"type": "noop", "x": 1}, {"type": "noop", "x": 2}]);
    let list = json!({"cniVersion": "0.4.0", "name": "listed", "plugins": three});
    std::fs::write(&file, list.to_string()).unwrap();
    let report = Report::of(conformance(&plugins().join("noop")).arg("--config").arg(&file).args(["--only", "601"]));
    assert_eq!(report.json["config"], json!({"type": "noop", "x": 1}), "{report}");
    assert_eq!(report.json["version"], "0.4.0", "{report}");
    report.passes(601);
}

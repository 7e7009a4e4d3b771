//! What a plugin's author takes over: `examples/conformance.rs`, which is a test target, and the commands for CI of the
//! page.

use std::fs;
use std::process::{Command, Output};

use crate::Test;
use crate::faults::Faulty;
use crate::tool::{built, plugins};

pub(crate) fn tests() -> Vec<Test> {
    let tests: [(&str, fn()); 3] = [
        ("the_commands_for_ci_check_a_plugin", ci_checks_a_plugin),
        ("a_test_target_of_a_dozen_lines_checks_a_plugin", checks_a_plugin),
        ("a_test_target_fails_when_a_check_does", fails_when_a_check_does),
    ];
    tests.into_iter().map(|(name, test)| (format!("example::{name}"), Box::new(test) as _)).collect()
}

fn target() -> Command {
    Command::new(built().join("examples/conformance"))
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The text between two marks of the page.
fn on_page(begin: &str, end: &str) -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/conformance/README.md")).unwrap();
    let rest = page.split_once(begin).unwrap_or_else(|| panic!("the page has no {begin:?}")).1;
    rest.split_once(end).unwrap().0.to_owned()
}

fn ci_checks_a_plugin() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("my-network.conflist"), on_page("<!-- example: my-network -->\n```json\n", "```")).unwrap();
    fs::create_dir(path("bin")).unwrap();
    fs::copy(plugins().join("noop"), path("bin/my-plugin")).unwrap();
    // In place of the download, and of sudo.
    let served = format!("file://{}", env!("CARGO_BIN_EXE_cnitool"));
    let download = on_page("      - run: |\n", "        env:");
    let check = on_page("      - run: sudo ", "\n");
    let script = format!(
        "set -e; type curl >/dev/null || curl() {{ cp \"${{CNITOOL#file://}}\" cnitool; }}\nCNITOOL={served} CNITOOL_SHA256=$(sha256sum <{} | cut -d' ' -f1)\n{download}{check}\n",
        env!("CARGO_BIN_EXE_cnitool")
    );
    let output = Command::new("bash").args(["-c", &script]).current_dir(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{script}\n{output:?}");
    let text = stdout(&output);
    assert!(text.contains("TAP version 14\n1..80\n") && text.contains("401 ADD succeeds"), "{text}");
    assert!(!text.contains("\nnot ok"), "{text}");
}

fn checks_a_plugin() {
    let output = target().output().unwrap();
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text.contains("/examples/noop, supports 0.1.0"), "{text}");
    assert!(text.contains("  pass   401  ADD succeeds\n") && text.contains(" passed, 0 failed, 0 warned, "), "{text}");
}

fn fails_when_a_check_does() {
    let faulty = Faulty::new("noop", "on DEL && fail 100");
    let output = target().arg(faulty.program()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stdout(&output).contains("  FAIL   504  DEL succeeds where ADD never ran\n"), "{output:?}");
    let output = target().arg("./no-such-plugin").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

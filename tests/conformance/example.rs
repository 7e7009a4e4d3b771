//! `examples/conformance.rs`, which is the test target of a plugin's author.

use std::process::{Command, Output};

use crate::Test;
use crate::faults::Faulty;
use crate::tool::built;

pub(crate) fn tests() -> Vec<Test> {
    let tests: [(&str, fn()); 2] = [
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

//! A test in a process that it has for itself.

use std::process::Command;

/// Set where a test runs itself again.
const INSIDE: &str = "LIBCNI_TEST_ALONE";

/// Runs a test again, by its path in this target, in a process of its own that a shell prepares. Returns false where
/// this is that process already.
#[track_caller]
pub(crate) fn alone(test: &str, prepare: &str) -> bool {
    if std::env::var_os(INSIDE).is_some_and(|inside| inside == test) {
        return false;
    }
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!(r#"{prepare} exec "$@""#), "bash"]).arg(std::env::current_exe().unwrap());
    shell.args([test, "--exact", "--test-threads=1"]).env(INSIDE, test);
    let output = shell.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    true
}

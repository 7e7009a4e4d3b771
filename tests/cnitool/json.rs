//! What the tool says to programs.

use std::fs;

use nix::fcntl::{Flock, FlockArg};
use serde_json::{Value, json};

use super::{NETNS, host};
use crate::support::{Ran, Sandbox, fails_with};

/// The lines of stderr, each an object.
#[track_caller]
fn lines(ran: &Ran) -> Vec<Value> {
    ran.stderr().lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}\n{ran}"))).collect()
}

#[track_caller]
fn failure<const N: usize>(sandbox: &Sandbox, arguments: [&str; N]) -> Value {
    let ran = Ran::new(sandbox.cnitool(arguments).arg("--json"));
    assert_eq!(ran.stdout(), "", "{ran}");
    lines(&ran).pop().unwrap()
}

#[test]
fn an_error_of_a_plugin_says_code_details_plugin_verb_and_file() {
    let says = r#"echo '{"code":121,"msg":"no","details":"more\u001b[2J"}'; exit 1"#;
    let sandbox = host().on("two", "ADD", says);
    let error = failure(&sandbox, ["add", "net", NETNS]);
    assert_eq!((&error["code"], &error["details"]), (&json!(121), &json!("more\u{1b}[2J")));
    assert_eq!((&error["plugin"], &error["verb"]), (&json!("two"), &json!("ADD")));
    assert_eq!(error["file"], sandbox.bin().join("two").to_str().unwrap());
    let msg = format!("plugin `two` ({}) of network `net` failed on ADD: no", sandbox.bin().join("two").display());
    assert_eq!((&error["msg"], &error["network"]), (&json!(msg), &json!("net")));
    assert!(error["hint"].as_str().unwrap().contains("cnitool del"), "{error}");
}

#[test]
fn an_error_of_a_configuration_names_the_file() {
    let sandbox = host().file("10-broken.conflist", "{\"name\": \"broken\",\n \"plugins\": 7}");
    let error = failure(&sandbox, ["add", "broken", NETNS]);
    assert_eq!(error["code"], 7);
    assert_eq!(error["file"], sandbox.net_d().join("10-broken.conflist").to_str().unwrap());
    assert!(error["msg"].as_str().unwrap().contains("conflist:2:13"), "{error}");
}

#[test]
fn wrong_arguments_and_names_are_json_too() {
    let sandbox = host();
    let error = failure(&sandbox, ["add", "net", NETNS, "--ifname", "a/b"]);
    assert_eq!(error["code"], 4);
    let ran = Ran::new(&mut sandbox.cnitool(["add", "--json"])).exits_with(2);
    assert_eq!(lines(&ran).len(), 1, "{ran}");
    let ran = Ran::new(&mut sandbox.cnitool(["gc", "net", "--json"])).exits_with(2);
    assert!(lines(&ran)[0]["hint"].as_str().unwrap().contains("--keep"), "{ran}");
}

#[test]
fn several_errors_are_listed() {
    let sandbox = host().on("one", "GC", &fails_with(120, "first")).on("two", "GC", &fails_with(121, "second"));
    let error = failure(&sandbox, ["gc", "net", "--all"]);
    let codes: Vec<_> = error["errors"].as_array().unwrap().iter().map(|error| &error["code"]).collect();
    assert_eq!(codes, [&json!(120), &json!(121)]);
}

#[test]
fn warnings_and_what_plugins_say_on_stderr_are_lines_of_json() {
    let sandbox = host().on("one", "ADD", "echo '{}'; echo careful >&2").file("10-broken.conflist", "{");
    let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--json"])).exits_with(0);
    let lines = lines(&ran);
    assert!(lines[0]["warning"].as_str().unwrap().contains("10-broken"), "{ran}");
    assert_eq!(lines[1], json!({"stderr": "careful\n", "plugin": "one", "verb": "ADD"}));
    serde_json::from_str::<Value>(&ran.stdout()).unwrap();
}

#[test]
fn a_lock_that_others_hold_is_an_error_to_try_again() {
    let sandbox = host();
    fs::create_dir(sandbox.path("cache")).unwrap();
    let file = fs::File::create(sandbox.path("cache/.lock-container-c1")).unwrap();
    let _held = Flock::lock(file, FlockArg::LockExclusive).unwrap();
    let error = failure(&sandbox, ["add", "net", NETNS, "--container-id", "c1", "--lock-timeout", "10ms"]);
    assert_eq!(error["code"], 11);
    assert!(error["msg"].as_str().unwrap().contains(&format!("process {}", std::process::id())), "{error}");
}

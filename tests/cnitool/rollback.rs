//! `cnitool add --rollback`.

use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::{NETNS, host};
use crate::support::{Ran, eventually, fails_with};

#[test]
fn a_failed_add_is_undone_and_needs_no_del() {
    let sandbox = host().on("two", "ADD", &fails_with(120, "out of luck"));
    let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--rollback"])).exits_with(1);
    let ran = ran.says("error: ADD failed and was undone: ").says("out of luck");
    assert!(!ran.stderr().contains("hint"), "{ran}");
    assert_eq!(sandbox.calls(), ["ADD one", "ADD two", "DEL two", "DEL one"]);
}

#[test]
fn both_errors_are_told_when_undoing_fails_too() {
    let sandbox = host().on("two", "ADD", &fails_with(120, "out of luck"));
    let sandbox = sandbox.on("two", "DEL", &fails_with(121, "no way back"));
    let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--rollback"])).exits_with(1);
    ran.says("out of luck").says("no way back").says("hint: ").says("cnitool del");
    let ran = Ran::new(&mut sandbox.cnitool(["add", "net", NETNS, "--rollback", "--json"])).exits_with(1);
    let error: Value = serde_json::from_str(&ran.stderr()).unwrap();
    assert_eq!(
        (error["code"].as_u64(), error["plugin"].as_str(), error["verb"].as_str()),
        (Some(120), Some("two"), Some("ADD"))
    );
}

#[test]
fn ctrl_c_undoes_what_was_begun() {
    let sandbox = host().on("two", "ADD", "touch $home/running; exec sleep 300");
    let mut command = sandbox.cnitool(["add", "net", NETNS, "--rollback"]);
    let tool = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("plugin `two` runs", || sandbox.path("running").exists());
    kill(Pid::from_raw(tool.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    Ran::of(&command, tool.wait_with_output().unwrap()).exits_with(130).says("ADD failed and was undone: ");
    assert_eq!(sandbox.calls(), ["ADD one", "ADD two", "DEL two", "DEL one"]);
}

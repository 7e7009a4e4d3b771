//! Ctrl-C and its like.

use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{NETNS, host};
use crate::support::{Ran, eventually, is_gone, pid_in};

/// The signal ends the tool with the status that a shell gives, and the plugin with its children.
#[track_caller]
fn ends_everything(signal: Signal, status: i32) {
    let sandbox = host().on("one", "ADD", "echo $$ >$home/plugin; sleep 300 & echo $! >$home/child; wait");
    let mut command = sandbox.cnitool(["add", "net", NETNS]);
    let tool = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pids = ["plugin", "child"].map(|name| pid_in(&sandbox.path(name)));
    kill(Pid::from_raw(tool.id().try_into().unwrap()), signal).unwrap();
    let ran = Ran::of(&command, tool.wait_with_output().unwrap()).exits_with(status);
    let ran = ran.says("`one`").says("cancelled").says("cnitool del");
    for pid in pids {
        eventually(&format!("process {pid} of the plugin is gone\n{ran}"), || is_gone(pid));
    }
    assert_eq!(sandbox.calls(), ["ADD one"]);
    assert!(sandbox.cached().is_empty());
}

#[test]
fn ctrl_c_ends_the_plugin_with_its_children() {
    ends_everything(Signal::SIGINT, 130);
}

#[test]
fn a_termination_ends_the_plugin_with_its_children() {
    ends_everything(Signal::SIGTERM, 143);
}

#[test]
fn a_closed_terminal_ends_the_plugin_with_its_children() {
    ends_everything(Signal::SIGHUP, 129);
}

#[test]
fn ctrl_backslash_ends_the_plugin_with_its_children() {
    ends_everything(Signal::SIGQUIT, 131);
}

//! An ordinary user of the host, against a tool that root runs: what they plant in the working directory and in the
//! environment.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{NETNS, host};
use crate::support::{Ran, Sandbox};

/// A program called like a plugin, in the working directory, which says that it ran.
fn planted() -> Sandbox {
    let sandbox = host();
    let program = sandbox.path("three");
    fs::write(&program, "#!/bin/sh\necho ran >ran\necho '{}'\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.file("three.conflist", r#"{"cniVersion": "1.0.0", "name": "three", "plugins": [{"type": "three"}]}"#)
}

#[test]
fn no_program_of_the_working_directory_or_of_path_is_run() {
    for dirs in [":", "::/no/such/dir:", "/no/such/dir"] {
        let sandbox = planted();
        let mut command = sandbox.cnitool(["add", "three", NETNS]);
        let ran = Ran::new(command.env("CNI_PATH", dirs).env("PATH", format!(":.:{}", sandbox.path("").display())));
        ran.exits_with(1).says("`three`");
        assert!(!sandbox.path("ran").exists(), "{dirs}");
    }
}

#[test]
fn variables_of_the_protocol_do_not_say_which_attachment_is_meant() {
    let sandbox = host();
    let mut command = sandbox.cnitool(["add", "net", NETNS, "--container-id", "c1"]);
    let others = [("CNI_COMMAND", "DEL"), ("CNI_CONTAINERID", "other"), ("CNI_NETNS", "/proc/1/ns/net")];
    Ran::new(command.envs(others)).exits_with(0);
    for (name, expected) in [("CNI_COMMAND", "ADD"), ("CNI_CONTAINERID", "c1"), ("CNI_NETNS", NETNS)] {
        assert_eq!(sandbox.variable_of("one", "ADD", name), expected);
    }
}

#[test]
fn a_variable_can_smuggle_in_no_path() {
    for (name, value) in [("CNI_IFNAME", "../eth0"), ("CNI_ARGS", "A=1;B"), ("CAP_ARGS", "[]")] {
        let sandbox = host();
        Ran::new(sandbox.cnitool(["add", "net", NETNS]).env(name, value)).exits_with(1);
        assert!(sandbox.calls().is_empty(), "{name}");
    }
}

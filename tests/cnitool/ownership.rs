//! What is not an attachment's own is not touched, and no hint leads there.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use super::{host, succeeds};
use crate::support::{Ran, Sandbox, fails_with};

/// A host with networks `net` and `internal`, and a namespace that nobody can tell to be gone.
fn with_two_networks() -> Sandbox {
    let list = r#"{"cniVersion":"1.1.0","name":"internal","plugins":[{"type":"one"}]}"#;
    let sandbox = host().file("60-internal.conflist", list);
    symlink("alive", sandbox.path("alive")).unwrap();
    sandbox
}

#[test]
fn an_add_to_the_interface_of_another_network_runs_nothing_and_hints_at_no_del() {
    let sandbox = with_two_networks();
    succeeds(&mut sandbox.cnitool(["add", "internal", "./alive"]));
    sandbox.forget_calls();
    for options in [&[][..], &["--rollback"]] {
        let ran = Ran::new(sandbox.cnitool(["add", "net", "./alive"]).args(options)).exits_with(1);
        let ran = ran.says("interface `eth0`").says("network `internal`").says("--ifname");
        assert!(!ran.stderr().contains("del"), "{ran}");
    }
    assert!(sandbox.calls().is_empty());
    succeeds(&mut sandbox.cnitool(["add", "net", "./alive", "--ifname", "eth1"]));
}

#[test]
fn del_of_the_wrong_network_leaves_the_interface_of_another_alone_and_says_so() {
    let sandbox = with_two_networks();
    succeeds(&mut sandbox.cnitool(["add", "internal", "./alive"]));
    let ran = Ran::new(&mut sandbox.cnitool(["del", "net", "./alive"])).exits_with(0);
    ran.says("warning: interface `eth0` in ")
        .says("belongs to network `internal`, as container `cnitool-")
        .says("and is not touched");
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_NETNS"), "");
    let ran = succeeds(&mut sandbox.cnitool(["list", "attachments", "--plain"]));
    assert!(ran.stdout().starts_with("internal\t"), "{ran}");
}

#[test]
fn an_interface_of_another_container_on_the_same_network_is_left_alone() {
    let sandbox = with_two_networks();
    succeeds(&mut sandbox.cnitool(["add", "net", "./alive", "--container-id", "web-1"]));
    sandbox.forget_calls();
    let ran = Ran::new(&mut sandbox.cnitool(["add", "net", "./alive"])).exits_with(1);
    ran.says("interface `eth0`").says("container `web-1`");
    assert!(sandbox.calls().is_empty());
    let ran = Ran::new(&mut sandbox.cnitool(["del", "net", "./alive"])).exits_with(0);
    ran.says("belongs to network `net`, as container `web-1`, and is not touched");
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_NETNS"), "");
    assert_eq!(sandbox.cached(), ["net-web-1-eth0"]);
}

#[test]
fn del_of_a_container_without_namespace_takes_what_its_add_was_given() {
    let sandbox = with_two_networks();
    succeeds(&mut sandbox.cnitool(["add", "net", "./alive", "--container-id", "web-1", "--arg", "K=V"]));
    let netns = sandbox.variable_of("one", "ADD", "CNI_NETNS");
    succeeds(&mut sandbox.cnitool(["del", "net", "--container-id", "web-1", "--quiet"]));
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_NETNS"), netns);
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_ARGS"), "K=V");
}

#[test]
fn an_add_that_lacks_a_plugin_runs_none() {
    let sandbox = with_two_networks();
    std::fs::remove_file(sandbox.bin().join("two")).unwrap();
    for options in [&[][..], &["--rollback"]] {
        let ran = Ran::new(sandbox.cnitool(["add", "net", "./alive"]).args(options)).exits_with(1).says("`two`");
        assert!(!ran.stderr().contains("cnitool del") && !ran.stderr().contains("undone"), "{ran}");
    }
    assert!(sandbox.calls().is_empty());
}

/// scripts/exec-plugins.sh on this host.
fn exec_plugins(sandbox: &Sandbox, arguments: [&str; 3]) -> Command {
    let tool = sandbox.cnitool([]);
    let wrapper = format!(
        "#!/bin/sh\nexec {} --cache-dir {} \"$@\"\n",
        tool.get_program().display(),
        sandbox.path("cache").display()
    );
    std::fs::write(sandbox.path("cnitool"), wrapper).unwrap();
    std::fs::set_permissions(sandbox.path("cnitool"), Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/exec-plugins.sh"));
    command.args(arguments).env("NETCONFPATH", sandbox.net_d()).env("CNI_PATH", sandbox.bin());
    command.env("CNITOOL", sandbox.path("cnitool"));
    command
}

#[test]
fn the_script_for_several_networks_takes_back_only_what_it_added() {
    let list = r#"{"cniVersion":"1.1.0","name":"first","plugins":[{"type":"one"}]}"#;
    let sandbox = with_two_networks().file("40-first.conflist", list);
    let netns = sandbox.path("alive").display().to_string();
    // The second network finds its interface taken.
    succeeds(&mut sandbox.cnitool(["add", "internal", &netns, "--container-id", "other", "--ifname", "eth1"]));
    sandbox.forget_calls();
    let ran = Ran::new(&mut exec_plugins(&sandbox, ["add", "c1", &netns])).exits_with(1);
    ran.says("interface `eth1`").says("belongs to network `internal`");
    assert_eq!(sandbox.calls(), ["ADD one", "DEL one"]);
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_IFNAME"), "eth0");
    assert_eq!(sandbox.cached(), ["internal-other-eth1"]);
}

#[test]
fn the_script_for_several_networks_leaves_alone_what_it_had_added_before() {
    let sandbox = with_two_networks();
    std::fs::remove_file(sandbox.net_d().join("60-internal.conflist")).unwrap();
    let netns = sandbox.path("alive").display().to_string();
    Ran::new(&mut exec_plugins(&sandbox, ["add", "c1", &netns])).exits_with(0);
    sandbox.now_on("two", "ADD", &fails_with(100, "it is there already"));
    sandbox.forget_calls();
    Ran::new(&mut exec_plugins(&sandbox, ["add", "c1", &netns])).exits_with(1).says("it is there already");
    assert_eq!(sandbox.calls(), ["ADD one", "ADD two"]);
    assert_eq!(sandbox.cached(), ["net-c1-eth0"]);
}

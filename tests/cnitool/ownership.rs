//! What is not an attachment's own is not touched, and no hint leads there.

use std::os::unix::fs::symlink;

use super::{host, succeeds};
use crate::support::{Ran, Sandbox};

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
    ran.says("warning: interface `eth0` in ").says("belongs to network `internal`, and is not touched");
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_NETNS"), "");
    let ran = succeeds(&mut sandbox.cnitool(["list", "attachments", "--plain"]));
    assert!(ran.stdout().starts_with("internal\t"), "{ran}");
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

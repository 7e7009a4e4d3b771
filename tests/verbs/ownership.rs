//! Nothing is removed, or run at all, for an interface that is somebody else's.

use std::os::unix::fs::{PermissionsExt, symlink};

use libcni::cache::unlocked;
use libcni::cache::{Cache, Entry};
use libcni::conf::NetworkConfig;
use libcni::{Attachment, Error};
use serde_json::json;

use super::{Heard, hearing, says};
use crate::support::{Sandbox, attachment, fails_with};

fn host() -> Sandbox {
    let sandbox = Sandbox::new().plugins(["one", "two", "three"]);
    symlink("loop", sandbox.path("loop")).unwrap();
    sandbox
}

/// An attachment to a namespace that nobody can tell to be gone.
fn alive(sandbox: &Sandbox, container_id: &str, ifname: &str) -> Attachment {
    attachment(container_id, ifname).netns(sandbox.path("loop").display().to_string())
}

fn other(sandbox: &Sandbox) -> NetworkConfig {
    sandbox.network_with(json!({"name": "internal"}))
}

#[track_caller]
fn is_refused(sandbox: &Sandbox, attachment: &Attachment, words: [&str; 2]) {
    let cni = sandbox.cni();
    for added in [cni.add(&sandbox.network(), attachment), cni.add_with_rollback(&sandbox.network(), attachment)] {
        let error = added.unwrap_err();
        assert!(matches!(&error, Error::Occupied(occupied) if occupied.by.is_some()), "{error:?}");
        assert!(!error.needs_cleanup() && !error.is_retryable());
        says(&error, words);
    }
    assert!(sandbox.calls().is_empty());
}

#[test]
fn an_interface_that_another_network_has_is_refused_before_anything_runs() {
    let sandbox = host();
    sandbox.cni().add(&other(&sandbox), &alive(&sandbox, "c1", "eth0")).unwrap();
    sandbox.forget_calls();
    // The same container; and the same namespace under another name.
    is_refused(&sandbox, &alive(&sandbox, "c1", "eth0"), ["interface `eth0` of container `c1`", "network `internal`"]);
    is_refused(&sandbox, &attachment("c1", "eth0"), ["interface `eth0` of container `c1`", "network `internal`"]);
    is_refused(&sandbox, &alive(&sandbox, "c2", "eth0"), ["network `internal`", "as container `c1`"]);
    assert_eq!(sandbox.cached(), ["internal-c1-eth0"]);
    sandbox.cni().add(&sandbox.network(), &alive(&sandbox, "c1", "eth1")).unwrap();
}

#[test]
fn an_add_that_another_process_has_begun_counts() {
    let sandbox = host();
    let begun = alive(&sandbox, "c1", "eth0");
    let mut entry = Entry::default().container_id("c1").network("internal").ifname("eth0");
    entry.netns = begun.netns.clone();
    unlocked::begin(&Cache::new(sandbox.path("cache")), &begun.key("internal".parse().unwrap()), &entry).unwrap();
    is_refused(&sandbox, &alive(&sandbox, "c1", "eth0"), ["`eth0`", "`internal`"]);
}

#[test]
fn what_is_on_record_of_a_namespace_that_is_gone_is_in_nobodys_way() {
    let sandbox = host();
    sandbox.cni().add(&other(&sandbox), &attachment("c1", "eth0")).unwrap();
    sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
}

#[test]
fn every_network_may_set_up_the_loopback_interface() {
    let sandbox = host();
    sandbox.cni().add(&other(&sandbox), &alive(&sandbox, "c1", "lo")).unwrap();
    sandbox.cni().add(&sandbox.network(), &alive(&sandbox, "c1", "lo")).unwrap();
}

#[test]
fn of_several_networks_nothing_runs_where_one_can_not_be_added() {
    let sandbox = host();
    let network = |name: &str, plugin: &str| sandbox.network_with(json!({"name": name, "plugins": [{"type": plugin}]}));
    let (front, back) = (network("front", "one"), network("back", "gone"));
    let (eth0, eth1) = (alive(&sandbox, "c1", "eth0"), alive(&sandbox, "c1", "eth1"));
    let error = sandbox.cni().add_all(&[(&front, &eth0), (&back, &eth1)]).unwrap_err();
    says(&error, ["`gone`", "`back`", "not found"]);
    assert!(matches!(error, Error::PluginNotFound { .. }) && !error.needs_cleanup(), "{error:?}");
    assert!(sandbox.calls().is_empty());
    sandbox.cni().add(&other(&sandbox), &eth1).unwrap();
    sandbox.forget_calls();
    let error = sandbox.cni().add_all(&[(&front, &eth0), (&network("back", "two"), &eth1)]).unwrap_err();
    assert!(matches!(error, Error::Occupied(_)), "{error:?}");
    assert!(sandbox.calls().is_empty());
}

#[test]
fn a_plugin_that_is_not_installed_is_found_out_before_the_first_runs() {
    let sandbox = host();
    std::fs::remove_file(sandbox.bin().join("three")).unwrap();
    let error = sandbox.cni().add_with_rollback(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(matches!(error, Error::PluginNotFound { .. }) && !error.needs_cleanup(), "{error:?}");
    assert!(sandbox.calls().is_empty());
}

/// A host whose plugin `name` is this text, with these rights.
fn with_odd(name: &str, text: &str, mode: u32) -> Sandbox {
    let sandbox = host();
    std::fs::remove_file(sandbox.bin().join(name)).unwrap();
    std::fs::write(sandbox.bin().join(name), text).unwrap();
    std::fs::set_permissions(sandbox.bin().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    sandbox
}

#[test]
fn a_plugin_that_may_not_be_executed_is_found_out_before_the_first_runs() {
    let sandbox = with_odd("three", "#!/bin/sh\n", 0o644);
    let error = sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    says(&error, ["network `net`", "`three`", "may not be executed"]);
    assert!(matches!(error, Error::PluginNotFound { .. }) && !error.needs_cleanup(), "{error:?}");
    assert!(sandbox.calls().is_empty());
}

#[test]
fn del_runs_of_those_plugins_only_whose_add_was_started() {
    let unrunnable = |name| with_odd(name, "#!/no/such/interpreter\n", 0o755);
    let sandbox = unrunnable("two");
    let error = sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(error.needs_cleanup(), "{error:?}");
    sandbox.forget_calls();
    sandbox.cni().add_with_rollback(&sandbox.network(), &attachment("c2", "eth0")).unwrap_err();
    assert_eq!(sandbox.calls(), ["ADD one", "DEL one"]);
    let sandbox = unrunnable("one");
    let error = sandbox.cni().add_with_rollback(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert!(matches!(error, Error::Plugin(_)) && !error.needs_cleanup(), "{error:?}");
    assert!(sandbox.calls().is_empty());
}

#[test]
fn a_second_add_that_fails_asks_for_no_clean_up_of_the_first() {
    let sandbox = host();
    let (network, attachment) = (sandbox.network(), alive(&sandbox, "c1", "eth0"));
    sandbox.cni().add(&network, &attachment).unwrap();
    sandbox.now_on("one", "ADD", &fails_with(999, "eth0 is there already"));
    assert!(!sandbox.cni().add(&network, &attachment).unwrap_err().needs_cleanup());
}

#[test]
fn del_of_what_was_never_added_leaves_the_interface_of_another_network_alone() {
    let sandbox = host();
    let attachment = alive(&sandbox, "c1", "eth0");
    sandbox.cni().add(&other(&sandbox), &attachment).unwrap();
    let (cni, heard) = hearing(sandbox.cni());
    cni.del(&sandbox.network(), &attachment).unwrap();
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_NETNS"), "");
    let heard = heard.lock().unwrap();
    assert!(matches!(&heard[..], [Heard::InterfaceOfOther(network)] if network == "internal"), "{heard:?}");
    // Its own network still finds it.
    sandbox.cni().del(&other(&sandbox), &attachment).unwrap();
    assert_eq!(sandbox.variable_of("one", "DEL", "CNI_NETNS"), attachment.netns.unwrap().to_str().unwrap());
}

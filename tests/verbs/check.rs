//! CHECK.

use libcni::Error;
use libcni::runtime::Caution;
use libcni::spec::ErrorCode;
use serde_json::json;

use super::says;
use crate::support::{Sandbox, attachment, fails_with};

#[test]
fn check_runs_plugins_in_order_each_with_the_cached_result() {
    let sandbox = Sandbox::new().plugins(["one", "two"]);
    sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    sandbox.forget_calls();
    sandbox.cni().check(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    assert_eq!(sandbox.calls(), ["CHECK one", "CHECK two"]);
    for plugin in ["one", "two"] {
        assert_eq!(sandbox.request_of(plugin, "CHECK")["prevResult"]["dns"]["domain"], "two", "{plugin}");
    }
    assert_eq!(sandbox.cached(), ["net-c1-eth0"]);
}

#[test]
fn check_stops_at_the_first_failure_and_names_the_plugin() {
    let sandbox = Sandbox::new().plugins(["one", "two"]).on("one", "CHECK", &fails_with(110, "address is gone"));
    sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    sandbox.forget_calls();
    let error = sandbox.cni().check(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    assert_eq!(sandbox.calls(), ["CHECK one"]);
    assert_eq!(error.code(), ErrorCode(110));
    says(&error, ["`net`", "`one`", "CHECK", "address is gone"]);
}

#[test]
fn check_is_refused_before_0_4_0_and_says_why() {
    for version in ["", "0.1.0", "0.2.0", "0.3.0", "0.3.1"] {
        let sandbox = Sandbox::new().plugins(["one"]);
        let network = sandbox.network_with(json!({"cniVersion": version}));
        let error = sandbox.cni().check(&network, &attachment("c1", "eth0")).unwrap_err();
        assert!(matches!(error, Error::CheckUnsupported { .. }), "{version}: {error:?}");
        says(&error, ["0.4.0"]);
        assert!(sandbox.calls().is_empty());
    }
}

#[test]
fn check_does_nothing_where_it_is_disabled() {
    let sandbox = Sandbox::new().plugins(["one"]).on("one", "CHECK", &fails_with(110, "no"));
    sandbox.plant_cached("net-c1-eth0", "{");
    let network = sandbox.network_with(json!({"disableCheck": true}));
    sandbox.cni().check(&network, &attachment("c1", "eth0")).unwrap();
    assert!(sandbox.calls().is_empty());
}

#[test]
fn check_fails_on_a_broken_cache_entry_and_names_the_file() {
    let sandbox = Sandbox::new().plugins(["one"]);
    sandbox.plant_cached("net-c1-eth0", "{");
    let error = sandbox.cni().check(&sandbox.network(), &attachment("c1", "eth0")).unwrap_err();
    says(&error, ["cache/results/net-c1-eth0"]);
    assert!(sandbox.calls().is_empty());
    assert_eq!(sandbox.cached(), ["net-c1-eth0"]);
}

#[test]
fn check_of_what_was_never_added_says_so_and_where_it_looked() {
    let sandbox = Sandbox::new().plugins(["one"]);
    sandbox.cni().add(&sandbox.network(), &attachment("c1", "eth0")).unwrap();
    sandbox.forget_calls();
    let error = sandbox.cni().check(&sandbox.network(), &attachment("c1", "eth1")).unwrap_err();
    assert_eq!((error.code(), error.network()), (ErrorCode::UNKNOWN_CONTAINER, Some("net")));
    says(&error, ["container `c1` is not on network `net` as `eth1`: ", &sandbox.path("cache").display().to_string()]);
    assert!(sandbox.calls().is_empty());
    // As Go does it, plugins are asked.
    let cni = sandbox.builder().caution(Caution::AsGo).build().unwrap();
    cni.check(&sandbox.network(), &attachment("c1", "eth1")).unwrap();
    assert_eq!(sandbox.request_of("one", "CHECK").get("prevResult"), None);
}

#[test]
fn a_namespace_that_is_another_one_than_at_add_is_named_before_plugins_miss_the_interface() {
    let sandbox = Sandbox::new().plugins(["one"]);
    for (recorded, words) in [
        ("/run/netns/blue", "was added to network namespace /run/netns/blue, and /proc/self/ns/net is another one"),
        ("/proc/self/ns/net", "a network namespace that was at /proc/self/ns/net; another one is there now"),
    ] {
        let entry = json!({"kind": "cniCacheV1", "containerId": "c1", "networkName": "net", "ifName": "eth0",
            "netns": recorded, "netnsIdentity": "1@1.1", "result": {"cniVersion": "1.1.0"}});
        sandbox.plant_cached("net-c1-eth0", &entry.to_string());
        let given = attachment("c1", "eth0").netns("/proc/self/ns/net");
        says(&sandbox.cni().check(&sandbox.network(), &given).unwrap_err(), [words]);
    }
    assert!(sandbox.calls().is_empty());
}

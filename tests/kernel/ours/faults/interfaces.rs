//! Plugins that make interfaces, and those that give them addresses.

use std::fs;

use serde_json::{Value, json};

use super::injected::Run;
use super::verbs::Verbs;
use crate::host::Host;
use crate::ours::merge;

/// One address of each family, so that every ADD has the same.
pub(super) fn ipam(host: &Host) -> Value {
    let one = |subnet: &str, address: &str| json!([{"subnet": subnet, "rangeStart": address, "rangeEnd": address}]);
    let ranges = [one("10.77.0.0/24", "10.77.0.2"), one("fd00:77::/64", "fd00:77::2")];
    json!({"type": "host-local", "dataDir": host.path("ipam"), "ranges": ranges})
}

/// The configuration of a plugin, with more keys.
fn config(plugin: &str, keys: Value) -> Value {
    let mut config = json!({"cniVersion": "1.1.0", "name": "net", "type": plugin});
    merge(&mut config, keys);
    config
}

pub(super) fn bridge(host: &Host) -> Value {
    config(
        "bridge",
        json!({"bridge": "cni0", "isDefaultGateway": true, "ipMasq": true, "macspoofchk": true, "ipam": ipam(host)}),
    )
}

pub(super) fn bridge_survives(host: &Host) {
    let config = bridge(host);
    Verbs::of_plugin(&config).and_gc(&config).survive(host, &|| is_clean(host));
}

pub(super) fn ptp_survives(host: &Host) {
    let config = config("ptp", json!({"ipMasq": true, "ipam": ipam(host)}));
    Verbs::of_plugin(&config).and_gc(&config).survive(host, &|| is_clean(host));
}

pub(super) fn macvlan_survives(host: &Host) {
    host.make_world();
    host.without_duplicate_detection();
    let config = config("macvlan", json!({"master": "world", "ipam": ipam(host)}));
    // Its interfaces go with their namespaces, not by GC.
    Verbs::of_plugin(&config).survive(host, &|| is_clean(host));
}

pub(super) fn flannel(host: &Host) -> Value {
    fs::write(
        host.path("subnet.env"),
        "FLANNEL_NETWORK=10.77.0.0/16\nFLANNEL_SUBNET=10.77.0.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n",
    )
    .unwrap();
    let one = json!([[{"subnet": "10.77.0.0/24", "rangeStart": "10.77.0.2", "rangeEnd": "10.77.0.2"}]]);
    config(
        "flannel",
        json!({"subnetFile": host.path("subnet.env"), "dataDir": host.path("flannel"),
            "ipam": {"dataDir": host.path("ipam"), "ranges": one}}),
    )
}

pub(super) fn flannel_survives(host: &Host) {
    let config = flannel(host);
    Verbs::of_plugin(&config).and_gc(&config).survive(host, &|| {
        is_clean(host);
        assert_eq!(host.run("ls -A flannel 2>/dev/null || true"), "");
    });
}

pub(super) fn loopback_survives(host: &Host) {
    Verbs::of_plugin(&config("loopback", json!({}))).survive(host, &|| is_clean(host));
}

pub(super) fn host_local_survives(host: &Host) {
    let config = config("host-local", json!({"ipam": ipam(host)}));
    Verbs::of_plugin(&config).and_gc(&config).survive(host, &|| is_clean(host));
}

pub(super) fn static_survives(host: &Host) {
    let addresses = json!([{"address": "10.77.0.2/24", "gateway": "10.77.0.1"}, {"address": "fd00:77::2/64"}]);
    let config = config("static", json!({"ipam": {"type": "static", "addresses": addresses}}));
    Verbs::of_plugin(&config).and_gc(&config).survive(host, &|| is_clean(host));
}

fn is_clean(host: &Host) {
    host.is_clean();
    assert_eq!(host.run("ip -n blue -o link show | grep -v ' lo: ' || true"), "");
}

/// The answer of a plugin that must succeed.
#[track_caller]
pub(super) fn answer(run: &Run) -> Value {
    let output = run.plain();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

//! Plugins killed after each message that ADD sends to the kernel: the DEL that follows makes everything as it was.
//!
//! [`faults`](super::faults) kills all plugins at what else changes something, and in DEL, GC and updates, too.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::killed::{kill_at, start_paused, succeeds};
use super::{DUAL_STACK, ipam};
use crate::Test;
use crate::host::{Host, eventually};

pub(crate) const TESTS: &[Test] = &[
    ("ours::halfway::bridge_is_as_before", |host| is_as_before(host, &bridge(host))),
    ("ours::halfway::ptp_is_as_before", |host| is_as_before(host, &ptp(host))),
    ("ours::halfway::macvlan_is_as_before", |host| is_as_before(host, &macvlan(host))),
    ("ours::halfway::host_local_is_as_before", |host| is_as_before(host, &host_local(host))),
    ("ours::halfway::portmap_is_as_before", |host| is_as_before(host, &after_bridge(host, portmap()))),
    ("ours::halfway::firewall_is_as_before", |host| is_as_before(host, &after_bridge(host, firewall()))),
    ("ours::halfway::bandwidth_is_as_before", |host| is_as_before(host, &after_bridge(host, bandwidth()))),
];

fn is_as_before(host: &Host, config: &Value) {
    // A runtime has no result for the DEL after an ADD that failed.
    let mut without_result = config.clone();
    without_result.as_object_mut().unwrap().remove("prevResult");
    // What all attachments share stays.
    succeeds("ADD", config);
    succeeds("DEL", &without_result);
    let before = state(host);
    for messages in 0.. {
        let is_through = kill_at(messages, start_paused("ADD", config), config);
        succeeds("DEL", &without_result);
        let new = || &state(host) - &before;
        eventually(|| new().is_empty());
        assert_eq!(new(), BTreeSet::new(), "{}: killed after {messages} messages", config["type"]);
        if is_through {
            assert!(messages > 0 || config["type"] == "host-local", "it does nothing");
            break;
        }
    }
}

/// The state of the host and of the container, but for what the kernel does in its own time, such as to show a link
/// that queues nothing.
pub(super) fn state(host: &Host) -> BTreeSet<String> {
    let shown = ["-br link", "-o addr", "route show table all", "-6 route show table all", "rule"];
    let shown = ["", "-n blue "].map(|place| shown.map(|what| format!("ip {place}{what}\n")).concat()).concat();
    let sysctls = "grep -rs . /proc/sys/net/ipv[46]/conf/eth0 || true";
    let state = host.run(&format!(
        "({shown}) | grep -vE 'fe80|anycast|multicast' | sed -E 's/,?(LOWER_UP|NO-CARRIER),?|linkdown| (UP|DOWN|UNKNOWN) //g; s/ +/ /g; s/ $//'
        nft list ruleset; tc qdisc show | sed /noqueue/d; find .
        ip netns exec blue sh -c 'ip -o link show | sed s/@.*qlen//; tc qdisc show | sed /noqueue/d; nft list ruleset; {sysctls}'"
    ));
    state.lines().map(str::to_owned).collect()
}

fn bridge(host: &Host) -> Value {
    json!({"cniVersion": "1.1.0", "name": "net", "type": "bridge", "bridge": "cni0", "isDefaultGateway": true,
        "ipMasq": true, "macspoofchk": true, "ipam": ipam(host, DUAL_STACK)})
}

fn ptp(host: &Host) -> Value {
    json!({"cniVersion": "1.1.0", "name": "net", "type": "ptp", "ipMasq": true, "ipam": ipam(host, DUAL_STACK)})
}

fn macvlan(host: &Host) -> Value {
    host.make_world();
    host.without_duplicate_detection();
    json!({"cniVersion": "1.1.0", "name": "net", "type": "macvlan", "master": "world", "ipam": ipam(host, DUAL_STACK)})
}

fn host_local(host: &Host) -> Value {
    json!({"cniVersion": "1.1.0", "name": "net", "type": "host-local", "ipam": ipam(host, DUAL_STACK)})
}

/// A plugin that comes after `bridge` in a list.
fn after_bridge(host: &Host, mut config: Value) -> Value {
    let mut bridge = bridge(host);
    bridge["name"] = json!("below");
    config["prevResult"] = succeeds("ADD", &bridge);
    config["cniVersion"] = json!("1.1.0");
    config["name"] = json!("net");
    config
}

fn portmap() -> Value {
    json!({"type": "portmap", "runtimeConfig": {"portMappings": [
        {"hostPort": 8080, "containerPort": 80}, {"hostPort": 5353, "containerPort": 53, "protocol": "udp"}]}})
}

fn firewall() -> Value {
    json!({"type": "firewall", "ingressPolicy": "same-bridge"})
}

fn bandwidth() -> Value {
    json!({"type": "bandwidth", "ingressRate": 1_000_000, "ingressBurst": 80_000, "egressRate": 1_000_000,
        "egressBurst": 80_000})
}

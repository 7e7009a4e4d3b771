//! Default configurations for plugins that many hosts have.

use serde_json::{Value, json};

use super::host::UPLINK;
use crate::spec::Object;

/// Something that the plugin works with. An unknown plugin gets nothing but its type.
pub(super) fn configuration(plugin: &str) -> Value {
    match plugin {
        "bridge" => json!({"bridge": "cni0", "isGateway": true}),
        "macvlan" | "ipvlan" => json!({"master": UPLINK}),
        "vlan" => json!({"master": UPLINK, "vlanId": 100}),
        "host-device" => json!({"device": UPLINK}),
        "portmap" => json!({"capabilities": {"portMappings": true}}),
        "bandwidth" => {
            let megabytes = 8_000_000;
            json!({
                "ingressRate": megabytes, "ingressBurst": megabytes, "egressRate": megabytes, "egressBurst": megabytes
            })
        }
        "tuning" => json!({"mtu": 1400}),
        "firewall" => json!({"backend": "iptables"}),
        "vrf" => json!({"vrfname": "blue"}),
        _ => json!({}),
    }
}

/// Sets a key of a configuration.
pub(super) fn set(object: &mut Object, key: &str, value: &Value) {
    object.try_set(key, value).expect("a value is JSON");
}

/// The IPAM plugin that the plugin is usually configured with. One that is an IPAM plugin is its own.
pub(super) fn ipam_of(plugin: &str) -> Option<&str> {
    match plugin {
        "bridge" | "ptp" | "macvlan" | "ipvlan" | "vlan" | "tap" | "dummy" => Some("host-local"),
        "host-local" | "static" | "dhcp" => Some(plugin),
        _ => None,
    }
}

/// Addresses for an IPAM plugin to hand out. IPv4 alone: it takes a second or two before an IPv6 address is usable.
pub(super) fn ipam(plugin: &str) -> Value {
    let routes = json!([{"dst": "0.0.0.0/0"}]);
    match plugin {
        "host-local" => json!({"type": plugin, "ranges": [[{"subnet": "10.88.0.0/16"}]], "routes": routes}),
        "static" => {
            let address = json!({"address": "10.88.0.2/16", "gateway": "10.88.0.1"});
            json!({"type": plugin, "addresses": [address], "routes": routes})
        }
        _ => json!({"type": plugin}),
    }
}

/// An argument for a capability that a plugin declares. No two attachments of one host get the same port.
pub(super) fn capability_argument(capability: &str, attachment: usize) -> Option<Value> {
    match capability {
        "portMappings" => {
            let port = 20_000 + attachment % 40_000;
            Some(json!([{"hostPort": port, "containerPort": 80, "protocol": "tcp"}]))
        }
        "bandwidth" => Some(json!({"ingressRate": 8_000_000, "ingressBurst": 8_000_000})),
        _ => None,
    }
}

//! VLANs, where the kernel has bridges that keep them apart.

use libcni::Chain;
use libcni::conf::NetworkConfig;
use serde_json::{Value, json};

use super::{attachment, bridge, ipam, merge, network};
use crate::Test;
use crate::host::{Host, lacks_host};
use crate::traffic::{HOST, does_not_reach, reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::vlan::containers_reach_those_of_their_vlan_only", containers_reach_their_vlan_only),
    ("ours::vlan::the_default_vlan_is_left_unless_it_is_to_be_kept", default_vlan_is_left),
    ("ours::vlan::a_trunk_takes_tagged_frames_of_its_vlans", trunk),
    ("ours::vlan::a_vlan_has_a_gateway_of_its_own", vlan_has_a_gateway),
    ("ours::vlan::an_address_of_the_gateway_goes_only_by_force", gateway_address_goes_only_by_force),
    ("ours::vlan::the_name_of_the_gateway_has_to_fit", name_has_to_fit),
];

/// Why this machine can't run the tests, if it can't.
pub(crate) fn missing() -> Option<String> {
    super::missing().or_else(|| lacks_host("ip link add probe type bridge vlan_filtering 1"))
}

/// Why this machine can't run the tests for kernels without VLAN filtering, if it can't.
pub(crate) fn there() -> Option<String> {
    missing().is_none().then(|| "the kernel has VLAN filtering".into())
}

/// The bridge's ports, each with its VLANs as `ip` shows them.
fn ports(host: &Host) -> Vec<(String, Vec<String>)> {
    let shown: Value = serde_json::from_str(&host.run("bridge -j -compressvlans vlan show")).unwrap();
    let vlan = |vlan: &Value| {
        let flags: Vec<_> = vlan["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let end = vlan["vlanEnd"].as_u64().map(|end| format!("-{end}")).unwrap_or_default();
        format!("{}{end} {}", vlan["vlan"], flags.join(" ")).trim_end().to_owned()
    };
    let port = |port: &Value| {
        let vlans = port["vlans"].as_array().unwrap().iter().map(vlan).collect();
        (port["ifname"].as_str().unwrap().to_owned(), vlans)
    };
    shown.as_array().unwrap().iter().map(port).filter(|(name, _)| name.starts_with("veth")).collect()
}

/// The VLANs of the only port.
#[track_caller]
fn vlans_of_port(host: &Host) -> Vec<String> {
    let [(_, vlans)] = ports(host).try_into().unwrap();
    vlans
}

/// A network without gateway.
fn plain(host: &Host, name: &str, keys: Value) -> NetworkConfig {
    let mut plugin = json!({"type": "bridge", "bridge": "cni0", "ipam": ipam(host, &["10.77.0.0/24"])});
    merge(&mut plugin, keys);
    NetworkConfig::parse(&network(plugin, "1.1.0").text().replace(r#""net""#, &format!("{name:?}"))).unwrap()
}

fn containers_reach_their_vlan_only(host: &Host) {
    let first = plain(host, "net", json!({"vlan": 100}));
    let mut other = ipam(host, &[]);
    merge(&mut other, json!({"ranges": [[{"subnet": "10.77.0.0/24", "rangeStart": "10.77.0.100"}]]}));
    let second = plain(host, "net2", json!({"vlan": 200, "ipam": other}));
    for (network, container) in [(&first, "blue"), (&first, "green"), (&second, "red")] {
        host.add(network, container);
        host.ours().check(network, &attachment(container)).unwrap();
    }
    serve("green", 80);
    reaches("blue", "10.77.0.3:80", "green", "10.77.0.2");
    does_not_reach("red", "10.77.0.3:80");
    for (network, container) in [(&first, "blue"), (&first, "green"), (&second, "red")] {
        host.del(network, container);
    }
    host.is_clean();
}

fn default_vlan_is_left(host: &Host) {
    for (default, keep, expected) in [
        (1, false, &["100 PVID Egress Untagged"][..]),
        (1, true, &["1 Egress Untagged", "100 PVID Egress Untagged"]),
        (5, false, &["100 PVID Egress Untagged"]),
        (100, false, &["100 PVID Egress Untagged"]),
        (0, false, &["100 PVID Egress Untagged"]),
    ] {
        // Of somebody who did not want VLANs; what is there stays where it is.
        host.run(&format!("ip link add cni0 type bridge vlan_default_pvid {default} && ip link set cni0 up"));
        let network = plain(host, "net", json!({"vlan": 100, "preserveDefaultVlan": keep}));
        host.add(&network, "blue");
        assert!(host.run("ip -d link show cni0").contains("vlan_filtering 1"));
        assert_eq!(vlans_of_port(host), expected, "default {default}, kept {keep}");
        host.del(&network, "blue");
        host.run("ip link del cni0");
    }
    // Without VLANs nothing of this happens.
    let network = plain(host, "net", json!({}));
    host.add(&network, "blue");
    assert!(host.run("ip -d link show cni0").contains("vlan_filtering 0"));
}

fn trunk(host: &Host) {
    for (keys, expected) in [
        (
            json!({"vlanTrunk": [{"id": 101}, {"minID": 200, "maxID": 210}]}),
            &["1 PVID Egress Untagged", "101", "200-210"][..],
        ),
        (
            json!({"vlan": 100, "vlanTrunk": [{"id": 101}, {"minID": 200, "maxID": 210}]}),
            &["100 PVID Egress Untagged", "101", "200-210"],
        ),
        (json!({"vlan": 100, "vlanTrunk": [{"minID": 99, "maxID": 101}]}), &["99", "100 PVID Egress Untagged", "101"]),
        (json!({"vlanTrunk": [{"minID": 1, "maxID": 4094}]}), &["1 PVID Egress Untagged", "2-4094"]),
        (json!({"vlanTrunk": []}), &["1 PVID Egress Untagged"]),
    ] {
        let network = plain(host, "net", keys.clone());
        host.add(&network, "blue");
        assert_eq!(vlans_of_port(host), expected, "{keys}");
        host.del(&network, "blue");
        host.is_clean();
    }
}

fn vlan_has_a_gateway(host: &Host) {
    let network = bridge(host, json!({"vlan": 100, "ipMasq": true}));
    host.make_world();
    serve("world", 80);
    serve(HOST, 80);
    for container in ["blue", "green"] {
        host.run(&format!("ip netns add {container} 2>/dev/null || true"));
        let result = host.ours().add(&network, &attachment(container)).unwrap().latest();
        let names: Vec<_> = result.interfaces.iter().map(|interface| interface.name.as_str()).collect();
        assert_eq!((names.len(), names[0], names[2], names[3]), (4, "cni0", "eth0", "cni0.100"));
        let told = result.interfaces[3].mac.as_deref().unwrap();
        assert!(host.run("ip -o link show cni0.100").contains(told), "{told}");
    }
    assert!(host.run("ip -o addr show dev cni0.100").contains("10.77.0.1/24"));
    assert!(!host.run("ip -o addr show dev cni0").contains("10.77.0.1/24"));
    assert_eq!(host.run("cat /proc/sys/net/ipv6/conf/cni0.100/accept_ra").trim(), "0");
    assert!(ports(host).iter().all(|(_, vlans)| *vlans == ["100 PVID Egress Untagged"]), "{:?}", ports(host));
    reaches("blue", "10.77.0.1:80", HOST, "10.77.0.2");
    reaches("blue", "[fd00:77::1]:80", HOST, "fd00:77::2");
    reaches("blue", "192.0.2.9:80", "world", "192.0.2.1");
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.run("ip addr del 10.77.0.1/24 dev cni0.100");
    let error = host.ours().check(&network, &attachment("blue")).unwrap_err();
    assert!(Chain(&error).to_string().contains("`cni0.100` has lost address 10.77.0.1/24"), "{error:?}");
    host.del(&network, "blue");
    host.del(&network, "green");
    // It stays, as the bridge does.
    host.run("ip link del cni0.100 && ip link del world");
    host.is_clean();
}

fn gateway_address_goes_only_by_force(host: &Host) {
    let network = bridge(host, json!({"vlan": 100}));
    host.add(&network, "blue");
    host.del(&network, "blue");
    host.run("ip addr flush dev cni0.100 && ip addr add 10.78.0.1/24 dev cni0.100");
    let error = host.ours().add(&network, &attachment("blue")).unwrap_err();
    let expected = "`cni0.100` already has an IP address different from 10.77.0.1/24: 10.78.0.1/24";
    assert!(Chain(&error).to_string().contains(expected), "{error:?}");
    host.add(&bridge(host, json!({"vlan": 100, "forceAddress": true})), "blue");
    assert!(!host.run("ip -o addr show dev cni0.100").contains("10.78.0.1/24"));
}

fn name_has_to_fit(host: &Host) {
    let network = bridge(host, json!({"vlan": 1000, "bridge": "a-long-name"}));
    let error = host.ours().add(&network, &attachment("blue")).unwrap_err();
    assert!(Chain(&error).to_string().contains("`a-long-name.1000`, whose name is too long"), "{error:?}");
    host.is_clean();
}

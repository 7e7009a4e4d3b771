//! What the keys of `bridge` change.

use libcni::conf::NetworkConfig;
use libcni::spec::capability::CapabilityArgs;
use libcni::{Chain, Error};
use serde_json::{Value, json};

use super::{attachment, bridge, network};
use crate::Test;
use crate::host::Host;
use crate::traffic::{HOST, does_not_reach, reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::settings::a_plain_bridge_has_no_address", a_plain_bridge_has_no_address),
    ("ours::settings::a_gateway_is_no_default_route_unless_it_is_to_be", a_gateway_is_no_default_route),
    ("ours::settings::another_address_of_the_bridge_goes_only_by_force", another_address_goes_only_by_force),
    ("ours::settings::mtu", mtu),
    ("ours::settings::hairpin_mode", hairpin_mode),
    ("ours::settings::promiscuous_mode", promiscuous_mode),
    ("ours::settings::a_frame_with_a_false_hardware_address_is_dropped", false_hardware_address_is_dropped),
    ("ours::settings::a_guard_is_in_the_way_of_another_hardware_address_and_check_says_so", guard_and_tuning),
    ("ours::settings::isolated_containers_reach_the_gateway_only", isolated_containers_reach_the_gateway_only),
    ("ours::settings::a_disabled_interface_is_down_and_has_no_address", disabled_interface_is_down),
    ("ours::settings::a_hardware_address_is_taken_from_capability_args_and_variable", hardware_address),
    ("ours::settings::duplicate_addresses_are_looked_for_when_asked", duplicate_addresses_are_looked_for),
    ("ours::settings::what_can_not_be_is_refused_and_del_works_all_the_same", what_can_not_be_is_refused),
];

/// What needs a kernel without VLAN filtering.
pub(crate) const WITHOUT_VLANS: &[Test] = &[("ours::settings::the_error_says_that_the_kernel_has_no_vlans", no_vlans)];

/// Why an ADD of `blue` fails.
#[track_caller]
fn refused(host: &Host, keys: Value) -> String {
    let error = host.ours().add(&bridge(host, keys), &attachment("blue")).unwrap_err();
    assert!(matches!(error, Error::Plugin(_)), "{error:?}");
    Chain(&error).to_string()
}

/// The line of `ip` about a link.
fn link(host: &Host, namespace: Option<&str>, which: &str) -> String {
    let option = namespace.map(|name| format!("-n {name}")).unwrap_or_default();
    host.run(&format!("ip {option} -d -o link show {which}"))
}

fn a_plain_bridge_has_no_address(host: &Host) {
    host.add(&bridge(host, json!({"isDefaultGateway": false})), "blue");
    assert_eq!(host.run("ip -o addr show dev cni0 scope global"), "");
    assert_eq!(host.run("ip -n blue route show default"), "");
}

fn a_gateway_is_no_default_route(host: &Host) {
    host.add(&bridge(host, json!({"isDefaultGateway": false, "isGateway": true})), "blue");
    assert_eq!(host.run("ip -n blue route show default"), "");
    assert!(host.run("ip -o addr show dev cni0").contains("10.77.0.1/24"));
    host.add(&bridge(host, json!({})), "green");
    assert!(host.run("ip -n green route show default").contains("default via 10.77.0.1 dev eth0"));
    assert!(host.run("ip -n green -6 route show default").contains("default via fd00:77::1 dev eth0"));
    assert_eq!(host.run("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding"), "1\n1\n");
}

fn another_address_goes_only_by_force(host: &Host) {
    // Of the same network, and of another one, whose route would take what is for whoever has that network now.
    for other in ["10.77.0.77/16", "10.78.0.1/24"] {
        host.run(&format!("ip link add cni0 type bridge && ip addr add {other} dev cni0"));
        let message = refused(host, json!({}));
        let expected = format!("`cni0` already has an IP address different from 10.77.0.1/24: {other}");
        assert!(message.contains(&expected), "{message}");
        assert_eq!(host.run("ip -o addr show dev cni0 | grep -v fe80 | wc -l").trim(), "1", "{other}");
        let network = bridge(host, json!({"forceAddress": true}));
        host.add(&network, "blue");
        let addresses = host.run("ip -o -4 addr show dev cni0");
        assert!(addresses.contains("10.77.0.1/24") && addresses.lines().count() == 1, "{addresses}");
        host.del(&network, "blue");
        host.run("ip link del cni0");
    }
}

fn mtu(host: &Host) {
    host.add(&bridge(host, json!({"mtu": 1400})), "blue");
    for (namespace, which) in [(None, "cni0"), (None, "master cni0"), (Some("blue"), "eth0")] {
        assert!(link(host, namespace, which).contains(" mtu 1400 "), "{which}");
    }
    // No MTU is the kernel's choice, in the words of the reference plugin.
    host.add(&bridge(host, json!({"bridge": "cni1", "mtu": -1})), "green");
    assert!(link(host, None, "cni1").contains(" mtu 1500 "));
}

fn hairpin_mode(host: &Host) {
    host.add(&bridge(host, json!({"hairpinMode": true})), "blue");
    assert!(link(host, None, "master cni0").contains(" hairpin on "));
}

fn promiscuous_mode(host: &Host) {
    host.add(&bridge(host, json!({"promiscMode": true})), "blue");
    assert!(link(host, None, "cni0").contains("PROMISC"));
}

fn false_hardware_address_is_dropped(host: &Host) {
    let network = bridge(host, json!({"macspoofchk": true}));
    host.add(&network, "blue");
    host.add(&network, "green");
    serve("green", 80);
    reaches("blue", "10.77.0.3:80", "green", "10.77.0.2");
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.run("ip -n blue link set eth0 address 02:00:00:00:00:99");
    does_not_reach("blue", "10.77.0.3:80");
    does_not_reach("blue", "[fd00:77::3]:80");
    host.run("nft flush chain bridge libcni_macspoofchk prerouting");
    reaches("blue", "10.77.0.3:80", "green", "10.77.0.2");
    let error = host.ours().check(&network, &attachment("green")).unwrap_err();
    assert!(Chain(&error).to_string().contains("`libcni_macspoofchk` does not guard port"), "{error:?}");
    host.del(&network, "blue");
    host.del(&network, "green");
    host.is_clean();
}

fn guard_and_tuning(host: &Host) {
    let bridge = json!({"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "macspoofchk": true,
        "ipam": super::ipam(host, super::DUAL_STACK)});
    let tuning = json!({"type": "tuning", "dataDir": host.path("tuning"), "mac": "02:00:00:00:07:07"});
    let list = json!({"cniVersion": "1.1.0", "name": "net", "plugins": [bridge, tuning]});
    let network = NetworkConfig::parse(&list.to_string()).unwrap();
    host.add(&network, "blue");
    serve(HOST, 80);
    does_not_reach("blue", "10.77.0.1:80");
    let error = host.ours().check(&network, &attachment("blue")).unwrap_err();
    assert!(Chain(&error).to_string().ends_with("whose hardware address is 02:00:00:00:07:07"), "{error:?}");
    host.run("nft flush chain bridge libcni_macspoofchk prerouting");
    reaches("blue", "10.77.0.1:80", HOST, "10.77.0.2");
    host.del(&network, "blue");
    host.is_clean();
}

fn isolated_containers_reach_the_gateway_only(host: &Host) {
    let network = bridge(host, json!({"portIsolation": true}));
    host.add(&network, "blue");
    host.add(&network, "green");
    serve("green", 80);
    does_not_reach("blue", "10.77.0.3:80");
    host.run("ip netns exec blue busybox ping -c 1 -W 10 10.77.0.1");
}

fn disabled_interface_is_down(host: &Host) {
    let network = network(json!({"type": "bridge", "bridge": "cni0", "disableContainerInterface": true}), "1.1.0");
    host.add(&network, "blue");
    assert!(link(host, Some("blue"), "eth0").contains("state DOWN"));
    assert_eq!(host.run("ip -n blue -o addr show dev eth0"), "");
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.del(&network, "blue");
    host.is_clean();
    let message = refused(host, json!({"disableContainerInterface": true}));
    assert!(message.contains("with `disableContainerInterface` there can't be an `ipam`"), "{message}");
}

fn hardware_address(host: &Host) {
    let mac = |place: u8| format!("02:00:00:00:00:0{place}");
    let mut capability = CapabilityArgs::new();
    capability.set_mac(&mac(1));
    let variable = format!("IgnoreUnknown=1;MAC={}", mac(3)).parse().unwrap();
    let plain = bridge(host, json!({}));
    let with_args = bridge(host, json!({"args": {"cni": {"mac": mac(2)}}}));
    let blue = attachment("blue");
    let all = blue.clone().args(variable);
    for (network, attachment, expected) in [
        (&with_args, all.clone().capability_args(capability), mac(1)),
        (&with_args, all.clone(), mac(2)),
        (&plain, all, mac(3)),
    ] {
        host.ours().add(network, &attachment).unwrap();
        assert_eq!(host.run("ip netns exec blue cat /sys/class/net/eth0/address").trim(), expected);
        host.ours().check(network, &attachment).unwrap();
        host.ours().del(network, &attachment).unwrap();
    }
    host.is_clean();
}

fn duplicate_addresses_are_looked_for(host: &Host) {
    // What the kernel notes of an address that is used without looking.
    let is_used_at_once = || host.run("ip -n blue -6 addr show dev eth0 scope global").contains("nodad");
    for (asked, expected) in [(false, true), (true, false)] {
        let network = bridge(host, json!({"enabledad": asked}));
        host.add(&network, "blue");
        assert_eq!(is_used_at_once(), expected, "enabledad: {asked}");
        host.del(&network, "blue");
    }
}

fn no_vlans(host: &Host) {
    for keys in [json!({"vlan": 100}), json!({"vlanTrunk": [{"id": 100}]})] {
        let message = refused(host, keys.clone());
        assert!(message.contains("the kernel has no VLAN filtering for bridges"), "{message}");
        host.del(&bridge(host, keys), "blue");
        host.is_clean();
    }
}

fn what_can_not_be_is_refused(host: &Host) {
    for (keys, expected) in [
        (json!({"vlan": 4095}), "invalid VLAN ID 4095 (must be between 0 and 4094)"),
        (json!({"vlan": -1}), "invalid VLAN ID -1 (must be between 0 and 4094)"),
        (json!({"vlanTrunk": [{"id": 0}]}), "invalid `vlanTrunk`: incorrect `id` 0: must be between 1 and 4094"),
        (json!({"vlanTrunk": [{"minID": 7}]}), "invalid `vlanTrunk`: `minID` and `maxID` go together"),
        (json!({"ipMasq": true, "ipMasqBackend": "ipfw"}), "unknown `ipMasqBackend` `ipfw`"),
        (json!({"hairpinMode": true, "promiscMode": true}), "`hairpinMode` and `promiscMode` can't be set together"),
        (json!({"bridge": "a/b"}), "invalid bridge name `a/b`"),
        (json!({"bridge": "sixteen-or-more-x"}), "invalid bridge name `sixteen-or-more-x`"),
        (json!({"MTU": "big"}), r#"`mtu` must be a number, not "big""#),
        (json!({"bridge": "lo"}), "link `lo` exists but is not a bridge"),
    ] {
        let message = refused(host, keys.clone());
        assert!(message.contains(expected), "{message}");
        host.del(&bridge(host, keys), "blue");
        host.is_clean();
    }
}

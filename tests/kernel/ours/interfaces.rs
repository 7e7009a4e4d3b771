//! What ADD does to interfaces, the bridge's included, beyond their addresses.

use std::thread;
use std::time::Instant;

use libcni::Chain;
use libcni::conf::NetworkConfig;
use serde_json::json;

use super::{attachment, bridge, ipam, merge};
use crate::Test;
use crate::host::{Host, eventually};

pub(crate) const TESTS: &[Test] = &[
    ("ours::interfaces::the_host_takes_no_router_advertisements_of_containers", no_router_advertisements),
    ("ours::interfaces::addresses_can_be_used_when_add_returns", addresses_can_be_used),
    ("ours::interfaces::ipv6_is_switched_on_for_lo_as_well", ipv6_is_switched_on),
    ("ours::interfaces::ipv6_addresses_outlive_a_moment_without_the_interface", addresses_outlive_down),
    ("ours::interfaces::duplicate_addresses_are_waited_for_and_refused", duplicates_are_refused),
    ("ours::interfaces::a_bridge_that_was_there_before_keeps_its_hardware_address", bridge_keeps_its_address),
    ("ours::interfaces::a_bridge_is_up_with_its_first_port", bridge_is_up_with_its_first_port),
    ("ours::interfaces::a_new_bridge_has_one_hardware_address_for_all_who_make_it_at_once", new_bridge_has_one_address),
    ("ours::interfaces::the_result_has_the_hardware_address_of_a_plain_bridge", plain_bridge_reports_its_address),
];

/// A setting of an interface: `ipv6/conf/eth0/accept_dad`.
fn setting(host: &Host, namespace: Option<&str>, key: &str) -> String {
    let inside = namespace.map(|name| format!("ip netns exec {name} ")).unwrap_or_default();
    host.run(&format!("{inside}cat /proc/sys/net/{key}")).trim().to_owned()
}

fn no_router_advertisements(host: &Host) {
    // One that ADD makes, and one that was there before.
    for made in ["true", "ip link add cni0 type bridge && ip link set cni0 up"] {
        host.run(made);
        let network = bridge(host, json!({}));
        host.add(&network, "blue");
        let port = host
            .run("ls /sys/class/net/cni0/brif 2>/dev/null || ip -o link show master cni0 | cut -d: -f2 | cut -d@ -f1");
        for ifname in ["cni0", port.trim()] {
            assert_eq!(setting(host, None, &format!("ipv6/conf/{ifname}/accept_ra")), "0", "{ifname}");
        }
        host.del(&network, "blue");
        host.run("ip link del cni0");
    }
}

fn addresses_can_be_used(host: &Host) {
    host.add(&bridge(host, json!({})), "blue");
    let addresses = host.run("ip -n blue -o -6 addr show dev eth0");
    assert!(addresses.contains("fe80::") && !addresses.contains("tentative"), "{addresses}");
    let state = |namespace: &str| host.run(&format!("ip {namespace} -o link show type veth"));
    assert!(state("-n blue").contains("state UP") && state("").contains("state UP"));
    for (key, expected) in
        [("ipv6/conf/eth0/accept_dad", "0"), ("ipv6/conf/eth0/ndisc_notify", "1"), ("ipv4/conf/eth0/arp_notify", "1")]
    {
        assert_eq!(setting(host, Some("blue"), key), expected, "{key}");
    }
}

fn ipv6_is_switched_on(host: &Host) {
    let switch_off = "for i in all default lo; do echo 1 > /proc/sys/net/ipv6/conf/$i/disable_ipv6; done";
    host.run(&format!("ip netns exec blue sh -c '{switch_off}' && ip -n blue link set lo up"));
    host.add(&bridge(host, json!({})), "blue");
    assert!(host.run("ip -n blue -o addr show dev lo").contains("::1/128"));
    assert_eq!(setting(host, Some("blue"), "ipv6/conf/eth0/disable_ipv6"), "0");
    assert_eq!(host.addresses("blue"), ["10.77.0.2", "fd00:77::2"]);
}

fn addresses_outlive_down(host: &Host) {
    let network = bridge(host, json!({}));
    host.add(&network, "blue");
    host.run("ip -n blue link set eth0 down && ip -n blue link set eth0 up");
    assert_eq!(host.addresses("blue"), ["10.77.0.2", "fd00:77::2"]);
}

/// A network of IPv6 only that looks for duplicates, and gives a certain address.
fn detecting(host: &Host, address: &str) -> NetworkConfig {
    let mut ipam = ipam(host, &[]);
    merge(&mut ipam, json!({"ranges": [[{"subnet": "fd00:77::/64", "rangeStart": address, "rangeEnd": address}]]}));
    bridge(host, json!({"enabledad": true, "ipam": ipam}))
}

fn duplicates_are_refused(host: &Host) {
    let began = Instant::now();
    host.add(&detecting(host, "fd00:77::5"), "blue");
    let addresses = host.run("ip -n blue -o -6 addr show dev eth0");
    assert!(addresses.contains("fd00:77::5/64") && !addresses.contains("tentative"), "{addresses}");
    assert!(began.elapsed().as_millis() >= 900, "{:?}: nobody was given time to answer", began.elapsed());
    // A neighbour that no IPAM plugin knows of.
    host.run("ip -n blue addr add fd00:77::99/64 dev eth0 nodad && ip netns add green");
    let network = detecting(host, "fd00:77::99");
    let error = host.ours().add(&network, &attachment("green")).unwrap_err();
    let expected = "address fd00:77::99/64 is in use by a neighbour";
    assert!(Chain(&error).to_string().contains(expected), "{error:?}");
    assert_eq!(host.reservations(), ["fd00:77::5"]);
    assert_eq!(host.run("ip -n green -o link show type veth"), "");
}

fn address_of(host: &Host, namespace: Option<&str>, ifname: &str) -> String {
    let namespace = namespace.map(|name| format!("-n {name}")).unwrap_or_default();
    let shown = host.run(&format!("ip {namespace} -o link show {ifname}"));
    shown.split("link/ether ").nth(1).unwrap().split(' ').next().unwrap().to_owned()
}

fn bridge_keeps_its_address(host: &Host) {
    // Without an address, with the gateway's, and with one whose last port has gone and took the hardware address
    // along.
    for before in [
        "true",
        "ip addr add 10.77.0.1/24 dev cni0",
        "ip link add one type veth && ip link set one master cni0 && ip link del one",
    ] {
        host.run(&format!("ip link add cni0 type bridge && ip link set cni0 up && {before}"));
        let address = address_of(host, None, "cni0");
        let network = bridge(host, json!({}));
        host.run("ip netns add green 2>/dev/null || true");
        let mut told = Vec::new();
        for container in ["blue", "green"] {
            let result = host.ours().add(&network, &attachment(container)).unwrap().latest();
            told.push(result.interfaces[0].mac.clone().unwrap());
            assert_eq!(told.last(), Some(&address_of(host, None, "cni0")), "{before}");
        }
        host.del(&network, "blue");
        told.push(address_of(host, None, "cni0"));
        host.ours().check(&network, &attachment("green")).unwrap();
        host.del(&network, "green");
        told.push(address_of(host, None, "cni0"));
        told.dedup();
        assert_eq!(told.len(), 1, "{before}: {told:?}");
        assert!(address == told[0] || address == "00:00:00:00:00:00", "{before}: {address} {told:?}");
        host.run("ip link del cni0");
    }
}

fn new_bridge_has_one_address(host: &Host) {
    let network = bridge(host, json!({}));
    let names: Vec<_> = (0..8).map(|n| format!("c{n}")).collect();
    host.run("for n in $(seq 0 7); do ip netns add c$n; done");
    for round in 0..10 {
        let add = |name: &str| host.ours().add(&network, &attachment(name)).unwrap().latest().interfaces[0].mac.clone();
        let told: Vec<_> = thread::scope(|scope| {
            let all: Vec<_> = names.iter().map(|name| scope.spawn(move || add(name))).collect();
            all.into_iter().map(|one| one.join().unwrap().unwrap()).collect()
        });
        assert_eq!(told, vec![address_of(host, None, "cni0"); names.len()], "round {round}");
        names.iter().for_each(|name| host.del(&network, name));
        host.run("ip link del cni0");
    }
}

fn plain_bridge_reports_its_address(host: &Host) {
    host.run("ip link add cni0 type bridge && ip link set cni0 up");
    let network = bridge(host, json!({"isDefaultGateway": false}));
    let result = host.ours().add(&network, &attachment("blue")).unwrap().latest();
    let told: Vec<_> = result.interfaces.iter().map(|interface| interface.mac.clone().unwrap()).collect();
    let port = result.interfaces[1].name.as_str();
    let found = [(None, "cni0"), (None, port), (Some("blue"), "eth0")].map(|(ns, name)| address_of(host, ns, name));
    assert_eq!(told, found);
}

fn bridge_is_up_with_its_first_port(host: &Host) {
    host.add(&bridge(host, json!({})), "blue");
    assert!(host.run("ip -o link show cni0").contains(" state UP "));
    // A bridge whose only port is down has an address of its own all the same.
    host.run("ip link del cni0 && ip netns add green");
    let network =
        super::network(json!({"type": "bridge", "bridge": "cni0", "disableContainerInterface": true}), "1.1.0");
    host.add(&network, "green");
    // The kernel says in its own time that there is no port.
    let link = || host.run("ip -o link show cni0");
    eventually(|| link().contains(" state DOWN "));
    assert!(link().contains(" state DOWN ") && link().contains(",UP"), "{}", link());
    assert!(host.run("ip -o -6 addr show dev cni0").contains("fe80::"));
}

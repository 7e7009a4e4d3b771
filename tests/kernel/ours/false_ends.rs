//! Interfaces that look like those of another attachment: a container made them, or names on the host are the same by
//! chance.

use libcni::conf::NetworkConfig;
use serde_json::{Value, json};

use super::{attachment, ipam, network};
use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("ours::false_ends::an_interface_of_its_own_making_lifts_no_limit_of_others", lifts_no_limit_of_others),
    ("ours::false_ends::an_interface_of_its_own_making_deletes_none_of_others", deletes_none_of_others),
    ("ours::false_ends::a_port_with_the_alias_of_another_attachment_stays", the_port_of_another_stays),
];

/// The other end, on the host, of a container's eth0.
fn port_of(host: &Host, container: &str) -> String {
    let index = host.run(&format!("ip netns exec {container} cat /sys/class/net/eth0/iflink"));
    host.run(&format!("ip -o link | sed -n 's/^{}: \\([^@]*\\)@.*/\\1/p'", index.trim())).trim().to_owned()
}

/// Makes an interface in `blue`, instead of its own, that looks as if the port of another container was its other end.
fn make_false_end(host: &Host, victim: &str) {
    let number = |file: &str| host.run(&format!("ip netns exec {victim} cat /sys/class/net/eth0/{file}"));
    let (own, peer) = (number("ifindex"), number("iflink"));
    host.run(&format!(
        "ip -n blue link del eth0
        ip -n blue link add eth0 index {} type veth peer name foo index {}",
        own.trim(),
        peer.trim()
    ));
}

fn limits(host: &Host, port: &str) -> String {
    host.run(&format!("tc qdisc show dev {port}; tc filter show dev {port} parent ffff:"))
}

fn lifts_no_limit_of_others(host: &Host) {
    let bridge = json!({"type": "bridge", "bridge": "cni0", "ipam": ipam(host, &["10.77.0.0/24"])});
    let rates =
        json!({"ingressRate": 1_000_000, "ingressBurst": 200_000, "egressRate": 1_000_000, "egressBurst": 200_000});
    let mut bandwidth = json!({"type": "bandwidth"});
    super::merge(&mut bandwidth, rates);
    let list = json!({"cniVersion": "1.1.0", "name": "net", "plugins": [bridge, bandwidth]});
    let network = NetworkConfig::parse(&list.to_string()).unwrap();
    host.add(&network, "blue");
    host.add(&network, "green");
    let port = port_of(host, "green");
    let before = limits(host, &port);
    assert!(before.contains("tbf") && before.contains("bwp"), "{before}");
    make_false_end(host, "green");
    host.del(&network, "blue");
    assert_eq!(limits(host, &port), before);
    host.ours().check(&network, &attachment("green")).unwrap();
    host.del(&network, "green");
    host.is_clean();
}

/// The networks of plugins that connect containers by pairs of veths, for runtimes that keep no results.
fn networks(host: &Host) -> [NetworkConfig; 2] {
    let of = |plugin: Value| {
        let mut plugin = plugin;
        plugin["ipam"] = ipam(host, &["10.77.0.0/24"]);
        network(plugin, "0.3.1")
    };
    [of(json!({"type": "bridge", "bridge": "cni0"})), of(json!({"type": "ptp"}))]
}

fn deletes_none_of_others(host: &Host) {
    for (network, master) in networks(host).iter().zip(["master cni0", ""]) {
        host.add(network, "blue");
        // As the reference plugin makes them.
        host.run(&format!(
            "ip netns add green
            ip link add veth12345678 {master} type veth peer name eth0 netns green"
        ));
        make_false_end(host, "green");
        host.del(network, "blue");
        host.run("ip link show veth12345678");
        host.run("rm -f cache/results/*; ip -n blue link del eth0");
        // Its own is the attachment's.
        host.del(network, "green");
        host.is_clean();
        host.run("ip netns del green");
    }
}

fn the_port_of_another_stays(host: &Host) {
    for network in networks(host) {
        host.add(&network, "blue");
        let port = port_of(host, "blue");
        let own = host.run(&format!("ip link show {port} | sed -n 's/ *alias //p'"));
        host.run(&format!("ip link set {port} up alias cni:other/red/eth0"));
        host.del(&network, "blue");
        assert!(host.run(&format!("ip link show {port}")).contains(",UP"));
        host.run(&format!("ip link set {port} alias {own}"));
        host.del(&network, "blue");
        host.is_clean();
    }
}

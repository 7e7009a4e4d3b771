//! `bandwidth`: limits for each direction, for subnets, as they come and go.

use std::time::Duration;

use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::spec::Version;
use libcni::{Chain, Error};
use serde_json::{Value, json};

use super::{attachment, ipam, merge};
use crate::Test;
use crate::host::{Host, PLUGINS};
use crate::traffic::{swallow, time_to_send};

pub(crate) const TESTS: &[Test] = &[
    ("ours::bandwidth::each_direction_has_its_rate", each_direction_has_its_rate),
    ("ours::bandwidth::subnets_are_left_out_or_chosen", subnets_are_left_out_or_chosen),
    ("ours::bandwidth::every_version_works_and_leaves_nothing", every_version_works),
    ("ours::bandwidth::check_finds_what_is_different", check_finds_what_is_different),
    ("ours::bandwidth::interfaces_of_a_container_are_apart", interfaces_are_apart),
    ("ours::bandwidth::del_lifts_the_limits_of_a_running_container", del_lifts_the_limits),
    ("ours::bandwidth::gc_removes_what_nobody_knows_of", gc_removes_what_nobody_knows_of),
];

pub(crate) const WITH_GO: &[Test] = &[("ours::bandwidth::what_go_limited_is_accepted_and_lifted", what_go_limited)];

const MEGABIT: u64 = 1_000_000;

fn network(host: &Host, version: &str, keys: Value) -> NetworkConfig {
    let bridge = json!({"type": "bridge", "bridge": "cni0", "isDefaultGateway": true,
        "ipam": ipam(host, super::DUAL_STACK)});
    let mut bandwidth = json!({"type": "bandwidth", "capabilities": {"bandwidth": true}});
    merge(&mut bandwidth, keys);
    let list = json!({"cniVersion": version, "name": "net", "plugins": [bridge, bandwidth]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

/// Both directions, with 2 Mbit/s and 10 kB at once.
fn limited() -> Value {
    json!({"ingressRate": 2 * MEGABIT, "ingressBurst": 80_000, "egressRate": 2 * MEGABIT, "egressBurst": 80_000})
}

/// How long 100 kB take from a place to another, with a limit: at 2 Mbit/s 0.4 seconds, less what goes at once.
const LIMITED: Duration = Duration::from_millis(300);

#[track_caller]
fn is_limited(from: &str, to: &str, limited: bool) {
    let took = time_to_send(from, to, 100_000);
    assert_eq!(took >= LIMITED, limited, "{from} -> {to}: {took:?}");
}

fn each_direction_has_its_rate(host: &Host) {
    let network = network(host, "1.1.0", json!({}));
    host.make_world();
    swallow("world", 80);
    swallow("blue", 80);
    host.run("ip -n world route add 10.77.0.0/24 via 192.0.2.1");
    for (capability, ingress, egress) in [
        (json!({"ingressRate": 2 * MEGABIT, "ingressBurst": 80_000}), true, false),
        (json!({"egressRate": 2 * MEGABIT, "egressBurst": 80_000}), false, true),
        (limited(), true, true),
    ] {
        let mut blue = attachment("blue");
        blue.capability_args.set("bandwidth", &capability).unwrap();
        let result = host.ours().add(&network, &blue).unwrap().latest();
        let address = result.ips[0].address.addr();
        is_limited("world", &format!("{address}:80"), ingress);
        is_limited("blue", "192.0.2.9:80", egress);
        // The result knows the ifb, on the host.
        let ifbs = result.interfaces.iter().filter(|interface| interface.name.starts_with("bwp")).count();
        assert_eq!(ifbs, usize::from(egress));
        host.ours().check(&network, &blue).unwrap();
        host.ours().del(&network, &blue).unwrap();
    }
    host.run("ip link del world");
    host.is_clean();
    assert_eq!(host.run("ip -o link show type ifb"), "");
}

fn subnets_are_left_out_or_chosen(host: &Host) {
    host.make_world();
    swallow("world", 80);
    swallow("blue", 80);
    host.run("ip -n world route add 10.77.0.0/24 via 192.0.2.1 && ip -n world route add fd00:77::/64 via 2001:db8::1");
    host.run("echo 1 >/proc/sys/net/ipv6/conf/all/forwarding");
    let near = json!(["192.0.2.0/28", "2001:db8::8/125"]);
    let far = json!(["198.51.100.0/24", "2001:db8:1::/48"]);
    for (key, subnets, is_shaped) in [
        ("unshapedSubnets", &near, false),
        ("unshapedSubnets", &far, true),
        ("shapedSubnets", &near, true),
        ("shapedSubnets", &far, false),
    ] {
        let mut keys = limited();
        keys[key] = subnets.clone();
        let network = network(host, "1.1.0", keys);
        let result = host.ours().add(&network, &attachment("blue")).unwrap().latest();
        let (v4, v6) = (result.ips[0].address.addr(), result.ips[1].address.addr());
        for to_container in [format!("{v4}:80"), format!("[{v6}]:80")] {
            is_limited("world", &to_container, is_shaped);
        }
        for to_world in ["192.0.2.9:80", "[2001:db8::9]:80"] {
            is_limited("blue", to_world, is_shaped);
        }
        host.ours().check(&network, &attachment("blue")).unwrap();
        host.del(&network, "blue");
    }
    host.run("ip link del world");
    host.is_clean();
}

fn every_version_works(host: &Host) {
    for version in Version::ALL {
        // Without interfaces in the result nobody knows what is to be limited.
        let has_interfaces = !["0.1.0", "0.2.0"].contains(&version.as_str());
        let network = network(host, version.as_str(), limited());
        let added = host.ours().add(&network, &attachment("blue"));
        if !has_interfaces {
            let error = Chain(&added.unwrap_err()).to_string();
            assert!(error.contains("the previous result has no `interfaces`"), "{error}");
        } else {
            assert_eq!(*added.unwrap().version(), version);
            match host.ours().check(&network, &attachment("blue")) {
                Err(Error::CheckUnsupported { .. }) => assert!(!version.has_check()),
                checked => checked.unwrap(),
            }
        }
        for _ in 0..2 {
            host.del(&network, "blue");
            assert_eq!(host.run("ip -o link show type ifb"), "", "{version}");
        }
        host.is_clean();
    }
}

fn check_finds_what_is_different(host: &Host) {
    let port = "$(ip -o link show master cni0 | grep -o 'veth[0-9a-f]*' | head -1)";
    for damage in [
        "tc qdisc del dev PORT root".to_owned(),
        "tc qdisc change dev PORT root handle 1: tbf rate 1mbit burst 10000 limit 20000".to_owned(),
        "tc qdisc del dev PORT ingress".to_owned(),
        "ip link del $(ip -o link show type ifb | cut -d: -f2)".to_owned(),
        "ip link set $(ip -o link show type ifb | cut -d: -f2) down".to_owned(),
        "tc qdisc del dev $(ip -o link show type ifb | cut -d: -f2) root".to_owned(),
    ] {
        let network = network(host, "1.1.0", limited());
        host.add(&network, "blue");
        host.ours().check(&network, &attachment("blue")).unwrap();
        host.run(&damage.replace("PORT", port));
        let checked = host.ours().check(&network, &attachment("blue"));
        let named = matches!(&checked, Err(Error::Plugin(source)) if source.plugin == "bandwidth");
        assert!(named, "{damage}: {checked:?}");
        host.del(&network, "blue");
        host.is_clean();
    }
}

fn interfaces_are_apart(host: &Host) {
    let network = network(host, "1.1.0", limited());
    let second = attachment("blue").ifname("eth1".parse().unwrap());
    host.add(&network, "blue");
    host.ours().add(&network, &second).unwrap();
    assert_eq!(host.run("ip -o link show type ifb | wc -l").trim(), "2");
    host.ours().check(&network, &second).unwrap();
    host.del(&network, "blue");
    host.ours().check(&network, &second).unwrap();
    host.ours().del(&network, &second).unwrap();
    host.is_clean();
    assert_eq!(host.run("ip -o link show type ifb"), "");
}

/// As the plugin is called when its configuration changes under a running container.
fn del_lifts_the_limits(host: &Host) {
    let network = network(host, "1.1.0", limited());
    host.add(&network, "blue");
    let answer = call(host, "DEL");
    assert_eq!(answer, "");
    let port = "$(ip -o link show master cni0 | grep -o 'veth[0-9a-f]*' | head -1)";
    assert_eq!(host.run(&format!("tc qdisc show dev {port} | grep -v noqueue || true")), "");
    assert_eq!(host.run("ip -o link show type ifb"), "");
    assert!(call(host, "ADD").contains("bwp"));
    // A second time: with what an ADD left that was killed.
    assert!(call(host, "ADD").contains("bwp"));
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.del(&network, "blue");
    host.is_clean();
}

/// Calls the plugin alone, with what the runtime has on record.
fn call(host: &Host, command: &str) -> String {
    let record = host.run("cat cache/results/net-blue-eth0");
    let record: Value = serde_json::from_str(&record).unwrap();
    let mut config = json!({"cniVersion": "1.1.0", "name": "net", "type": "bandwidth", "prevResult": record["result"]});
    merge(&mut config, limited());
    host.run(&format!(
        "echo '{config}' | CNI_COMMAND={command} CNI_CONTAINERID=blue CNI_IFNAME=eth0 CNI_NETNS=/run/netns/blue \
         CNI_PATH={dir} {dir}/bandwidth",
        dir = super::plugins().display()
    ))
}

fn gc_removes_what_nobody_knows_of(host: &Host) {
    let network = network(host, "1.1.0", limited());
    host.run("ip link add mine type ifb && ip netns add green");
    host.add(&network, "blue");
    host.add(&network, "green");
    std::fs::remove_dir_all(host.path("cache")).unwrap();
    let blue = attachment("blue");
    host.ours().gc(&network, &Keep::only([(&blue.container_id, &blue.ifname)])).unwrap();
    assert_eq!(host.run("ip -o link show type ifb | grep -c bwp").trim(), "1");
    host.ours().gc(&network, &Keep::Only(Vec::new())).unwrap();
    assert_eq!(host.run("ip -o link show type ifb | wc -l").trim(), "1");
    host.run("ip link del mine");
    host.is_clean();
}

fn what_go_limited(host: &Host) {
    // The burst of Kubernetes, which takes more ticks than the kernel's number has room for.
    let kubernetes = json!({"ingressRate": MEGABIT, "ingressBurst": i32::MAX});
    for limits in [limited(), kubernetes] {
        let network = network(host, "1.0.0", limits);
        let go = host.cni_with([PLUGINS]);
        go.add(&network, &attachment("blue")).unwrap();
        host.ours().check(&network, &attachment("blue")).unwrap();
        host.del(&network, "blue");
        assert_eq!(host.run("ip -o link show type ifb"), "");
        host.is_clean();
    }
}

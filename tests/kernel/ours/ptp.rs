//! `ptp`: a link of its own for each container.

use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::spec::Version;
use libcni::{Attachment, Error};
use serde_json::{Value, json};

use super::{DUAL_STACK, attachment, ipam, merge};
use crate::Test;
use crate::host::{Host, PLUGINS};
use crate::traffic::{reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::ptp::every_version_works_and_leaves_nothing", every_version_works),
    ("ours::ptp::containers_reach_each_other_and_the_world", containers_reach_each_other),
    ("ours::ptp::check_finds_what_is_different", check_finds_what_is_different),
    ("ours::ptp::a_failed_add_leaves_nothing", a_failed_add_leaves_nothing),
    ("ours::ptp::del_works_without_namespace_and_leaves_what_a_person_made", del_works_without_namespace),
    ("ours::ptp::gc_removes_what_nobody_knows_of", gc_removes_what_nobody_knows_of),
    ("ours::ptp::fifty_at_once_get_fifty_addresses", fifty_at_once),
];

pub(crate) const WITH_GO: &[Test] = &[("ours::ptp::what_go_added_is_accepted_and_removed", what_go_added)];

fn network(host: &Host, version: &str, keys: Value) -> NetworkConfig {
    let mut ptp = json!({"type": "ptp", "ipMasq": true, "ipam": ipam(host, DUAL_STACK)});
    ptp["ipam"]["routes"] = json!([{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]);
    merge(&mut ptp, keys);
    let list = json!({"cniVersion": version, "name": "net", "plugins": [ptp]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

fn every_version_works(host: &Host) {
    for version in Version::ALL {
        let network = network(host, version.as_str(), json!({"mtu": 1400}));
        let result = host.ours().add(&network, &attachment("blue")).unwrap();
        assert_eq!(*result.version(), version);
        let said: Vec<_> = result.latest().ips.iter().map(|ip| ip.address.addr().to_string()).collect();
        assert_eq!(said, host.addresses("blue"), "{version}");
        let routes = host.run("ip -n blue route; ip -n blue -6 route");
        for route in ["default via 10.77.0.1", "10.77.0.0/24 via 10.77.0.1", "10.77.0.1 ", "default via fd00:77::1"] {
            assert!(routes.contains(route), "no {route}: {routes}");
        }
        assert!(host.run("ip -n blue link show eth0").contains("mtu 1400"));
        match host.ours().check(&network, &attachment("blue")) {
            Err(Error::CheckUnsupported { .. }) => assert!(!version.has_check()),
            checked => checked.unwrap(),
        }
        host.ours().status(&network).unwrap();
        for _ in 0..2 {
            host.del(&network, "blue");
            host.is_clean();
        }
    }
}

fn containers_reach_each_other(host: &Host) {
    host.run("ip netns add green");
    host.make_world();
    let network = network(host, "1.1.0", json!({}));
    host.add(&network, "blue");
    host.add(&network, "green");
    serve("world", 80);
    serve("green", 80);
    reaches("blue", "192.0.2.9:80", "world", "192.0.2.1");
    reaches("blue", "[2001:db8::9]:80", "world", "2001:db8::1");
    let (blue, green) = (host.addresses("blue"), host.addresses("green"));
    reaches("blue", &format!("{}:80", green[0]), "green", &blue[0]);
    reaches("blue", &format!("[{}]:80", green[1]), "green", &blue[1]);
    reaches("host", &format!("{}:80", green[0]), "green", "10.77.0.1");
    host.del(&network, "blue");
    host.del(&network, "green");
    host.run("ip link del world");
    host.is_clean();
}

fn check_finds_what_is_different(host: &Host) {
    let port = "$(ip -o link show type veth | grep -o 'veth[0-9a-f]*' | head -1)";
    for damage in [
        "ip -n blue addr flush dev eth0",
        "ip -n blue route flush default",
        "ip -n blue route del 10.77.0.0/24",
        "ip -n blue link set eth0 address 02:00:00:00:00:01",
        "ip addr flush dev PORT",
        "ip link set PORT down",
        "ip route flush dev PORT",
        "nft flush chain inet libcni_masquerading subnet-10.77.0.0/24",
    ] {
        let network = network(host, "1.1.0", json!({}));
        host.add(&network, "blue");
        host.ours().check(&network, &attachment("blue")).unwrap();
        host.run(&damage.replace("PORT", port));
        let checked = host.ours().check(&network, &attachment("blue"));
        // The subnet's own route is none of the result.
        let is_unsaid = damage.contains("route del 10.77.0.0/24");
        assert_eq!(checked.is_ok(), is_unsaid, "{damage}: {checked:?}");
        host.del(&network, "blue");
        host.is_clean();
    }
}

fn a_failed_add_leaves_nothing(host: &Host) {
    for keys in [
        json!({"ipam": ipam(host, &["10.77.0.0/33"])}),
        json!({"ipam": {"type": "nowhere"}}),
        json!({"ipam": {"type": "static", "addresses": [{"address": "10.77.0.2/24"}]}}),
        json!({"ipam": null}),
        json!({"mtu": 1}),
    ] {
        let network = network(host, "1.1.0", keys.clone());
        // What IPAM refuses is told on stderr, too.
        let cni = host.ours().to_builder().on_notice(|_| {}).build().unwrap();
        let added = cni.add(&network, &attachment("blue"));
        assert!(added.is_err(), "{keys}");
        host.is_clean();
        let _ = cni.del(&network, &attachment("blue"));
    }
    let good = network(host, "1.1.0", json!({}));
    host.add(&good, "blue");
    host.run("ip netns add green");
    host.ours().add(&good, &attachment("blue").netns("/run/netns/green")).unwrap_err();
    host.ours().check(&good, &attachment("blue")).unwrap();
    host.del(&good, "blue");
    host.is_clean();
}

fn del_works_without_namespace(host: &Host) {
    let network = network(host, "1.1.0", json!({}));
    host.run("ip link add mine type veth peer name eth0 netns blue");
    host.del(&network, "blue");
    host.run("ip link del mine");
    host.add(&network, "blue");
    host.ours().del(&network, &attachment("blue").netns("")).unwrap();
    host.is_clean();
}

fn gc_removes_what_nobody_knows_of(host: &Host) {
    host.run("ip netns add green");
    let network = network(host, "1.1.0", json!({}));
    host.add(&network, "blue");
    host.add(&network, "green");
    std::fs::remove_dir_all(host.path("cache")).unwrap();
    let blue = attachment("blue");
    host.ours().gc(&network, &Keep::only([(&blue.container_id, &blue.ifname)])).unwrap();
    assert_eq!(host.reservations(), ["10.77.0.2", "fd00:77::2"]);
    assert_eq!(host.run("ip -o link show type veth | wc -l").trim(), "1");
    host.ours().gc(&network, &Keep::Only(Vec::new())).unwrap();
    host.is_clean();
}

fn fifty_at_once(host: &Host) {
    host.run("for n in $(seq 0 49); do ip netns add c$n; done");
    let (network, cni) = (network(host, "1.1.0", json!({})), host.ours());
    let each = |act: &(dyn Fn(&Attachment) + Sync)| {
        std::thread::scope(|scope| {
            for n in 0..50 {
                scope.spawn(move || act(&attachment(&format!("c{n}"))));
            }
        });
    };
    each(&|attachment| drop(cni.add(&network, attachment).unwrap()));
    each(&|attachment| cni.check(&network, attachment).unwrap());
    assert_eq!(host.reservations().len(), 100);
    each(&|attachment| cni.del(&network, attachment).unwrap());
    host.is_clean();
}

fn what_go_added(host: &Host) {
    // Version 1.1.1 has no IPv6 gateway that could be used at once.
    let ipam = json!({"type": "host-local", "dataDir": host.path("ipam"), "subnet": "10.77.0.0/24"});
    let network = network(host, "1.0.0", json!({"ipam": ipam}));
    for netns in ["/run/netns/blue", "", "/run/netns/gone"] {
        let go = host.cni_with([PLUGINS]);
        go.add(&network, &attachment("blue")).unwrap();
        host.ours().check(&network, &attachment("blue")).unwrap();
        // Neither a namespace nor a path to it is needed.
        host.ours().del(&network, &attachment("blue").netns(netns)).unwrap();
        host.has_no_links();
        assert_eq!(host.reservations(), Vec::<String>::new());
        assert!(!host.run("iptables-save").contains("10.77.0."));
    }
}

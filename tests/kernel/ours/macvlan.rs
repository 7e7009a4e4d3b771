//! `macvlan`: a link of its own on top of one of the host's.

use libcni::conf::NetworkConfig;
use libcni::spec::Version;
use libcni::{Chain, Error};
use serde_json::{Value, json};

use super::{attachment, ipam, merge};
use crate::Test;
use crate::host::{Host, PLUGINS, eventually};
use crate::traffic::{does_not_reach, reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::macvlan::every_version_works_and_leaves_nothing", every_version_works),
    ("ours::macvlan::containers_are_on_the_network_of_the_host", containers_are_on_the_network),
    ("ours::macvlan::a_link_of_the_host_may_have_the_name", a_link_of_the_host_may_have_the_name),
    ("ours::macvlan::check_finds_what_is_different", check_finds_what_is_different),
    ("ours::macvlan::a_failed_add_leaves_nothing", a_failed_add_leaves_nothing),
    ("ours::macvlan::an_ipv6_address_that_a_neighbour_has_is_refused", an_address_of_a_neighbour),
    ("ours::macvlan::del_leaves_what_a_person_made", del_leaves_what_a_person_made),
    ("ours::macvlan::an_alias_that_the_container_chose_keeps_no_interface", an_alias_of_the_container),
    ("ours::macvlan::it_may_be_on_top_of_a_link_of_the_container", on_top_of_a_link_of_the_container),
];

pub(crate) const WITH_GO: &[Test] = &[("ours::macvlan::what_go_added_is_accepted_and_removed", what_go_added)];

const SUBNETS: &[&str] = &["192.0.2.0/24", "2001:db8::/64"];

fn network(host: &Host, version: &str, keys: Value) -> NetworkConfig {
    let mut macvlan = json!({"type": "macvlan", "master": "world", "ipam": ipam(host, SUBNETS)});
    macvlan["ipam"]["ranges"][0][0]["rangeStart"] = json!("192.0.2.100");
    macvlan["ipam"]["ranges"][1][0]["rangeStart"] = json!("2001:db8::100");
    macvlan["capabilities"] = json!({"mac": true});
    merge(&mut macvlan, keys);
    let list = json!({"cniVersion": version, "name": "net", "plugins": [macvlan]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

fn macvlans(host: &Host) -> String {
    host.run("ip -o link show type macvlan; ip -n blue -o link show type macvlan")
}

#[track_caller]
fn is_clean(host: &Host) {
    assert_eq!(macvlans(host), "");
    assert_eq!(host.reservations(), Vec::<String>::new());
}

fn every_version_works(host: &Host) {
    host.make_world();
    for version in Version::ALL {
        let network = network(host, version.as_str(), json!({"mtu": 1400, "mode": "private"}));
        let mut blue = attachment("blue");
        blue.capability_args.set("mac", &"02:00:00:00:07:01").unwrap();
        let result = host.ours().add(&network, &blue).unwrap();
        assert_eq!(*result.version(), version);
        let said: Vec<_> = result.latest().ips.iter().map(|ip| ip.address.addr().to_string()).collect();
        assert_eq!(said, host.addresses("blue"), "{version}");
        let link = host.run("ip -n blue -d link show eth0");
        for part in ["mtu 1400", "macvlan mode private", "02:00:00:00:07:01", "alias cni:net/blue/eth0"] {
            assert!(link.contains(part), "no {part}: {link}");
        }
        match host.ours().check(&network, &blue) {
            Err(Error::CheckUnsupported { .. }) => assert!(!version.has_check()),
            checked => checked.unwrap(),
        }
        host.ours().status(&network).unwrap();
        for _ in 0..2 {
            host.ours().del(&network, &blue).unwrap();
            is_clean(host);
        }
    }
}

fn containers_are_on_the_network(host: &Host) {
    host.make_world();
    host.run("ip netns add green");
    let network = network(host, "1.1.0", json!({}));
    host.add(&network, "blue");
    host.add(&network, "green");
    serve("world", 80);
    serve("green", 80);
    let (blue, green) = (host.addresses("blue"), host.addresses("green"));
    reaches("blue", "192.0.2.9:80", "world", &blue[0]);
    reaches("blue", "[2001:db8::9]:80", "world", &blue[1]);
    reaches("blue", &format!("{}:80", green[0]), "green", &blue[0]);
    host.del(&network, "blue");
    host.del(&network, "green");
    // Each for itself.
    let apart = self::network(host, "1.1.0", json!({"mode": "private"}));
    host.add(&apart, "blue");
    host.add(&apart, "green");
    reaches("blue", "192.0.2.9:80", "world", &host.addresses("blue")[0]);
    does_not_reach("blue", &format!("{}:80", host.addresses("green")[0]));
    host.del(&apart, "blue");
    host.del(&apart, "green");
    is_clean(host);
}

fn an_address_of_a_neighbour(host: &Host) {
    host.make_world();
    // Before, the kernel drops what is sent through it.
    eventually(|| host.run("ip -o link show world; ip -n world -o link show eth0").matches("state UP").count() == 2);
    let ipam = json!({"type": "static", "addresses": [{"address": "2001:db8::9/64"}]});
    let network = network(host, "1.1.0", json!({"ipam": ipam, "capabilities": {"ips": true}}));
    let ask = |times: u8| {
        host.run(&format!("ip netns exec blue sh -c 'echo {times} >/proc/sys/net/ipv6/conf/default/dad_transmits'"));
    };
    // A second for each.
    ask(4);
    let error = Chain(&host.ours().add(&network, &attachment("blue")).unwrap_err()).to_string();
    assert!(error.contains("address 2001:db8::9/64 is in use by a neighbour"), "{error}");
    is_clean(host);
    ask(1);
    let mut blue = attachment("blue");
    blue.capability_args.set("ips", &["2001:db8::10/64"]).unwrap();
    host.ours().add(&network, &blue).unwrap();
    let addresses = || host.run("ip -n blue -6 -o addr show dev eth0");
    assert!(!addresses().contains("tentative") && !addresses().contains("nodad"), "{}", addresses());
    host.ours().del(&network, &blue).unwrap();
    is_clean(host);
}

fn a_link_of_the_host_may_have_the_name(host: &Host) {
    host.make_world();
    host.run("ip link add eth0 type bridge && ip route add default via 192.0.2.9");
    // The link below is that of the default route.
    let network = network(host, "1.1.0", json!({"master": null, "ipam": null}));
    let result = host.ours().add(&network, &attachment("blue")).unwrap().latest();
    assert!(result.ips.is_empty());
    assert!(host.run("ip -n blue link show eth0").contains(",UP"));
    host.ours().check(&network, &attachment("blue")).unwrap();
    // The host has another way out by now, or none.
    for change in ["ip link set eth0 up && ip route replace default dev eth0", "ip route del default"] {
        host.run(change);
        host.ours().check(&network, &attachment("blue")).unwrap();
    }
    host.del(&network, "blue");
    is_clean(host);
}

fn check_finds_what_is_different(host: &Host) {
    host.make_world();
    for (damage, said) in [
        ("ip -n blue addr flush dev eth0", "has lost address"),
        ("ip -n blue link set eth0 address 02:00:00:00:00:01", "has hardware address"),
        ("ip -n blue link set eth0 type macvlan mode vepa", "has mode"),
        ("ip -n blue link set eth0 down", "is down"),
        ("ip -n blue link del eth0", "is gone"),
        ("rm ipam/net/192.*", "not reserved"),
    ] {
        let network = network(host, "1.1.0", json!({}));
        host.add(&network, "blue");
        host.ours().check(&network, &attachment("blue")).unwrap();
        host.run(damage);
        let cni = host.ours().to_builder().on_notice(|_| {}).build().unwrap();
        let error = Chain(&cni.check(&network, &attachment("blue")).unwrap_err()).to_string();
        assert!(error.contains(said), "{damage}: {error}");
        host.del(&network, "blue");
        is_clean(host);
    }
}

fn a_failed_add_leaves_nothing(host: &Host) {
    host.make_world();
    for (keys, said) in [
        (json!({"master": "nowhere"}), "`master`: the host has no link `nowhere`"),
        (json!({"mode": "source"}), "unknown `mode` `source`"),
        (json!({"mtu": 9000}), "invalid `mtu` 9000"),
        (json!({"mtu": -1}), "invalid `mtu` -1"),
        (json!({"mac": "02:00"}), "invalid hardware address `02:00`"),
        (json!({"ipam": {"type": "nowhere"}}), "nowhere"),
        (json!({"ipam": {"type": "static"}}), "returned no address"),
    ] {
        let network = network(host, "1.1.0", keys.clone());
        let cni = host.ours().to_builder().on_notice(|_| {}).build().unwrap();
        let error = Chain(&cni.add(&network, &attachment("blue")).unwrap_err()).to_string();
        assert!(error.contains(said), "{keys}: {error}");
        is_clean(host);
        let _ = cni.del(&network, &attachment("blue"));
    }
}

fn del_leaves_what_a_person_made(host: &Host) {
    host.make_world();
    let network = network(host, "1.1.0", json!({}));
    host.run("ip link add mine type veth peer name eth0 netns blue");
    host.del(&network, "blue");
    host.run("ip -n blue link del eth0");
    // Another network's.
    host.add(&network, "blue");
    let other = NetworkConfig::parse(&network.text().replace(r#""net""#, r#""other""#)).unwrap();
    let cni = host.ours().to_builder().cache_dir(host.path("other-cache")).build().unwrap();
    cni.del(&other, &attachment("blue")).unwrap();
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.del(&network, "blue");
    host.run("ip netns del blue");
    host.del(&network, "blue");
    host.run("ip netns add blue");
    is_clean(host);
}

fn an_alias_of_the_container(host: &Host) {
    host.make_world();
    let network = network(host, "1.1.0", json!({}));
    host.add(&network, "blue");
    host.run("ip -n blue link set eth0 alias mine");
    host.del(&network, "blue");
    is_clean(host);
}

fn on_top_of_a_link_of_the_container(host: &Host) {
    host.run("ip -n blue link add below type veth peer name other && ip -n blue link set below up");
    let ipam = ipam(host, &["192.0.2.0/24"]);
    let network = network(host, "1.1.0", json!({"master": "below", "linkInContainer": true, "ipam": &ipam}));
    host.add(&network, "blue");
    assert!(host.run("ip -n blue -o link show eth0").contains("eth0@below"));
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.del(&network, "blue");
    // Without a name it is that of the default route, behind as many others as there are.
    let routes = (0..2000).map(|n| format!("route add 10.{}.{}.0/24 dev below", n / 256, n % 256));
    let batch = routes.chain(["route add default dev below".to_owned()]).collect::<Vec<_>>().join("\n");
    host.run(&format!("ip -n blue -batch - <<'EOF'\n{batch}\nEOF"));
    let network = self::network(host, "1.1.0", json!({"master": null, "linkInContainer": true, "ipam": ipam}));
    host.add(&network, "blue");
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.del(&network, "blue");
    is_clean(host);
}

fn what_go_added(host: &Host) {
    host.make_world();
    let network = network(host, "1.0.0", json!({"ipam": ipam(host, &["192.0.2.0/24"])}));
    for netns in ["/run/netns/blue", ""] {
        host.cni_with([PLUGINS]).add(&network, &attachment("blue")).unwrap();
        host.ours().check(&network, &attachment("blue")).unwrap();
        if netns.is_empty() {
            // The interface goes with the namespace.
            host.run("ip netns del blue; ip netns add blue");
        }
        host.ours().del(&network, &attachment("blue").netns(netns)).unwrap();
        is_clean(host);
    }
}

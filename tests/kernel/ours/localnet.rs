//! `portmap`: the host's loopback addresses stay the host's own, while ports are mapped and after.

use std::fs;

use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::spec::capability::PortMapping;
use libcni::{Attachment, Chain};
use serde_json::json;

use super::{DUAL_STACK, attachment, ipam};
use crate::Test;
use crate::host::Host;
use crate::traffic::{HOST, arrives, does_not_reach, reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::localnet::is_closed_after_the_last_mapped_port", is_closed_after_the_last_port),
    ("ours::localnet::is_closed_for_one_network_and_open_for_another", is_closed_for_one_of_two_networks),
    ("ours::localnet::is_never_open_on_the_way_to_everywhere", is_never_open_on_the_way_to_everywhere),
    ("ours::localnet::is_closed_by_del_and_gc_after_the_rules_were_flushed", is_closed_after_a_flush),
    ("ours::localnet::that_others_opened_stays_open_and_guarded", that_others_opened_stays_guarded),
    ("ours::localnet::check_sees_the_setting_and_the_guard", check_sees_the_setting_and_the_guard),
    ("ours::localnet::nobody_speaks_as_a_loopback_address", nobody_speaks_as_a_loopback_address),
    ("ours::localnet::a_pod_that_asks_for_a_loopback_address_opens_nothing", a_loopback_address_is_refused),
    ("ours::localnet::is_never_open_where_others_are_behind_the_link", is_never_open_where_others_are),
];

/// A network with a bridge of its own, and mapped ports.
fn network(host: &Host, name: &str, subnet: &str, is_gateway: bool) -> NetworkConfig {
    let subnets: Vec<_> = DUAL_STACK.iter().map(|net| net.replace("77", subnet)).collect();
    let subnets: Vec<_> = subnets.iter().map(String::as_str).collect();
    let bridge = json!({"type": "bridge", "bridge": format!("cni-{name}"), "isDefaultGateway": is_gateway,
        "ipam": ipam(host, &subnets)});
    let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    let list = json!({"cniVersion": "1.1.0", "name": name, "plugins": [bridge, portmap]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

/// Its container, with a port.
fn mapped(host: &Host, container: &str, port: u16) -> Attachment {
    host.run(&format!("ip netns add {container} 2>/dev/null || true"));
    let mut attachment = attachment(container);
    attachment.capability_args.set_port_mappings(&[PortMapping::tcp(port, 80)]);
    attachment
}

impl Host {
    fn localnet(&self, link: &str) -> String {
        self.run(&format!("cat /proc/sys/net/ipv4/conf/{link}/route_localnet")).trim().to_owned()
    }

    fn is_open(&self, link: &str) -> bool {
        self.localnet(link) != "0"
    }
}

/// Tries to get from a place to what listens on the host's loopback address only.
#[track_caller]
fn cannot_get_in(host: &Host, from: &str, gateway: &str) {
    host.run(&format!(
        "ip netns exec {from} sh -c 'for f in /proc/sys/net/ipv4/conf/*/route_localnet; do echo 1 >$f; done'
        ip -n {from} addr flush dev lo
        ip -n {from} route del local 127.0.0.0/8 dev lo table local 2>/dev/null
        ip -n {from} route replace 127.0.0.0/8 via {gateway}"
    ));
    does_not_reach(from, "127.0.0.1:9999");
    does_not_reach(from, "127.9.9.9:9999");
}

fn is_closed_after_the_last_port(host: &Host) {
    let net = network(host, "net", "77", true);
    serve(HOST, 9999);
    let [blue, green] = [mapped(host, "blue", 8080), mapped(host, "green", 8081)];
    host.ours().add(&net, &blue).unwrap();
    host.ours().add(&net, &green).unwrap();
    host.add(&net, "red");
    assert!(host.is_open("cni-net"));
    cannot_get_in(host, "red", "10.77.0.1");
    host.ours().del(&net, &green).unwrap();
    serve("blue", 80);
    reaches(HOST, "127.0.0.1:8080", "blue", "10.77.0.1");
    cannot_get_in(host, "red", "10.77.0.1");
    host.ours().del(&net, &blue).unwrap();
    assert!(!host.is_open("cni-net"));
    cannot_get_in(host, "red", "10.77.0.1");
    host.del(&net, "red");
    host.is_clean();
}

fn is_closed_for_one_of_two_networks(host: &Host) {
    let [one, two] = [network(host, "one", "77", true), network(host, "two", "78", true)];
    let [blue, green] = [mapped(host, "blue", 8080), mapped(host, "green", 8081)];
    host.ours().add(&one, &blue).unwrap();
    host.ours().add(&two, &green).unwrap();
    host.ours().del(&one, &blue).unwrap();
    assert!(!host.is_open("cni-one") && host.is_open("cni-two"));
    serve("green", 80);
    reaches(HOST, "127.0.0.1:8081", "green", "10.78.0.1");
    host.ours().add(&one, &blue).unwrap();
    // Nobody knows of green any more.
    host.run("rm cache/results/two-green-eth0");
    host.ours().gc(&two, &Keep::Only(Vec::new())).unwrap();
    assert!(host.is_open("cni-one") && !host.is_open("cni-two"));
    host.ours().del(&one, &blue).unwrap();
    host.is_clean();
}

fn is_never_open_on_the_way_to_everywhere(host: &Host) {
    // The host is not on the network of its containers.
    let net = network(host, "net", "77", false);
    host.make_world();
    serve(HOST, 9999);
    host.run("ip route add default via 192.0.2.9");
    let blue = mapped(host, "blue", 8080);
    for way in ["ip route add 0.0.0.0/1 dev world", "ip route add 10.0.0.0/8 via 192.0.2.9", "true"] {
        host.run(way);
        host.ours().add(&net, &blue).unwrap();
        assert_eq!(host.localnet("world"), "0", "{way}");
        host.ours().check(&net, &blue).unwrap();
        cannot_get_in(host, "world", "192.0.2.1");
        host.ours().del(&net, &blue).unwrap();
    }
    host.is_clean();
}

fn is_closed_after_a_flush(host: &Host) {
    let net = network(host, "net", "77", true);
    serve(HOST, 9999);
    let blue = mapped(host, "blue", 8080);
    host.add(&net, "green");
    host.ours().add(&net, &blue).unwrap();
    host.run("nft flush ruleset");
    host.ours().del(&net, &blue).unwrap();
    assert!(!host.is_open("cni-net"));
    cannot_get_in(host, "green", "10.77.0.1");
    host.ours().add(&net, &blue).unwrap();
    host.run("nft flush ruleset; rm cache/results/net-blue-eth0");
    let green = attachment("green");
    host.ours().gc(&net, &Keep::only([(&green.container_id, &green.ifname)])).unwrap();
    assert!(!host.is_open("cni-net"));
    host.del(&net, "green");
    host.is_clean();
}

fn that_others_opened_stays_guarded(host: &Host) {
    let net = network(host, "net", "77", true);
    serve(HOST, 9999);
    let blue = mapped(host, "blue", 8080);
    host.add(&net, "green");
    host.run("echo 1 >/proc/sys/net/ipv4/conf/cni-net/route_localnet");
    host.ours().add(&net, &blue).unwrap();
    host.ours().del(&net, &blue).unwrap();
    assert_eq!(host.localnet("cni-net"), "1");
    cannot_get_in(host, "green", "10.77.0.1");
    // With the setting goes the guard, at the next occasion.
    host.run("echo 0 >/proc/sys/net/ipv4/conf/cni-net/route_localnet");
    host.ours().add(&net, &blue).unwrap();
    host.ours().del(&net, &blue).unwrap();
    host.del(&net, "green");
    host.is_clean();
}

fn check_sees_the_setting_and_the_guard(host: &Host) {
    let net = network(host, "net", "77", true);
    let blue = mapped(host, "blue", 8080);
    for (damage, said) in [
        ("echo 0 >/proc/sys/net/ipv4/conf/cni-net/route_localnet", "route_localnet"),
        ("nft flush chain inet libcni_portmap guard", "lacks rules"),
        ("nft flush ruleset", "libcni_portmap"),
    ] {
        host.ours().add(&net, &blue).unwrap();
        host.ours().check(&net, &blue).unwrap();
        host.run(damage);
        let error = Chain(&host.ours().check(&net, &blue).unwrap_err()).to_string();
        assert!(error.contains(said), "{damage}: {error}");
        host.ours().del(&net, &blue).unwrap();
        assert!(!host.is_open("cni-net"), "{damage}");
    }
    host.is_clean();
}

fn nobody_speaks_as_a_loopback_address(host: &Host) {
    let net = network(host, "net", "77", true);
    let blue = mapped(host, "blue", 8080);
    host.add(&net, "green");
    host.ours().add(&net, &blue).unwrap();
    host.run("echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter; echo 0 >/proc/sys/net/ipv4/conf/cni-net/rp_filter");
    host.run(
        "ip -n green link set lo up
        ip netns exec green sh -c 'for f in /proc/sys/net/ipv4/conf/*/route_localnet; do echo 1 >$f; done'",
    );
    assert!(arrives("green", "0.0.0.0:0", "10.77.0.1:9998"), "as itself");
    for source in ["127.0.0.1:0", "127.0.0.2:0"] {
        assert!(!arrives("green", source, "10.77.0.1:9998"), "{source}");
    }
    host.del(&net, "green");
    host.ours().del(&net, &blue).unwrap();
    host.is_clean();
}

/// An IPAM plugin that gives what is asked for.
const OBEDIENT: &str = r#"#!/bin/sh
[ "$CNI_COMMAND" != ADD ] || echo '{"cniVersion": "1.1.0", "ips": [{"address": "127.0.0.1/32"}]}'
"#;

fn a_loopback_address_is_refused(host: &Host) {
    let one = network(host, "one", "77", true);
    let blue = mapped(host, "blue", 8080);
    host.ours().add(&one, &blue).unwrap();
    serve(HOST, 10250);
    host.run("mkdir bin");
    fs::write(host.path("bin/obedient"), OBEDIENT).unwrap();
    host.run("chmod +x bin/obedient");
    for (ipam, refuses) in [("static", "static: "), ("obedient", "portmap: ")] {
        let bridge =
            json!({"type": "bridge", "bridge": "cni-two", "capabilities": {"ips": true}, "ipam": {"type": ipam}});
        let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
        let list = json!({"cniVersion": "1.1.0", "name": "two", "plugins": [bridge, portmap]});
        let two = NetworkConfig::parse(&list.to_string()).unwrap();
        let mut green = mapped(host, "green", 9999);
        green.capability_args.set_port_mappings(&[PortMapping::tcp(9999, 10250)]);
        green.capability_args.set_ips(&["127.0.0.1/32".parse().unwrap()]);
        let cni = host.cni_with([super::plugins(), host.path("bin")]);
        let added = cni.add(&two, &green);
        does_not_reach("blue", "10.77.0.1:9999");
        let said = Chain(&added.unwrap_err()).to_string();
        assert!(said.contains(&format!("{refuses}address 127.0.0.1/32 is a loopback address")), "{said}");
        cni.del(&two, &green).unwrap();
    }
    host.ours().del(&one, &blue).unwrap();
    host.is_clean();
}

fn is_never_open_where_others_are(host: &Host) {
    host.make_world();
    serve(HOST, 9999);
    let blue = mapped(host, "blue", 8080);
    // Containers have addresses of the network that the host is on itself, as behind a macvlan.
    let bridge = json!({"type": "bridge", "bridge": "cni-net",
        "ipam": {"type": "static", "addresses": [{"address": "192.0.2.77/24"}]}});
    let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    let list = json!({"cniVersion": "1.1.0", "name": "net", "plugins": [bridge, portmap]});
    let outside = NetworkConfig::parse(&list.to_string()).unwrap();
    host.ours().add(&outside, &blue).unwrap();
    assert_eq!(host.localnet("world"), "0");
    host.ours().check(&outside, &blue).unwrap();
    host.run("nft flush ruleset");
    cannot_get_in(host, "world", "192.0.2.1");
    host.ours().del(&outside, &blue).unwrap();

    // Others are on the bridge, too.
    let net = network(host, "net", "77", true);
    host.add(&net, "green");
    for (uplink, is_open) in [("add uplink master cni-net link world type macvlan", false), ("del uplink", true)] {
        host.run(&format!("ip link {uplink}"));
        host.ours().add(&net, &blue).unwrap();
        assert_eq!(host.is_open("cni-net"), is_open, "{uplink}");
        host.ours().check(&net, &blue).unwrap();
        host.ours().del(&net, &blue).unwrap();
    }
    host.del(&net, "green");
    host.is_clean();
}

//! `portmap`: who reaches a container by which port of the host, and as whom.

use libcni::conf::NetworkConfig;
use libcni::spec::capability::{PortMapping, Protocol};
use libcni::{Attachment, Chain, Error};
use serde_json::{Value, json};

use super::{DUAL_STACK, attachment, ipam, merge};
use crate::Test;
use crate::host::Host;
use crate::traffic::{HOST, Sender, does_not_reach, reaches, reaches_by_sctp, serve, serve_sctp, serve_udp};

pub(crate) const TESTS: &[Test] = &[
    ("ours::ports::a_mapped_port_answers_the_world", a_mapped_port_answers_the_world),
    ("ours::ports::a_mapped_port_answers_the_host_itself", a_mapped_port_answers_the_host_itself),
    ("ours::ports::a_mapped_port_answers_containers_of_the_same_network", answers_containers_of_the_same_network),
    ("ours::ports::without_snat_the_host_is_seen_by_its_own_address", without_snat_nothing_is_masqueraded),
    ("ours::ports::masq_all_hides_everybody", masq_all_hides_everybody),
    ("ours::ports::a_mapping_can_be_for_one_address_or_one_family", one_address_or_one_family),
    ("ours::ports::traffic_to_others_is_not_intercepted", traffic_to_others_is_not_intercepted),
    ("ours::ports::nobody_reaches_the_loopback_addresses_of_the_host", nobody_reaches_loopback),
    ("ours::ports::a_port_that_is_taken_names_its_owner", a_port_that_is_taken_names_its_owner),
    ("ours::ports::a_container_has_its_port_in_each_of_its_networks", a_container_has_its_port_in_each_of_its_networks),
    ("ours::ports::udp_reaches_who_has_the_port_now", |host| udp_reaches_who_has_the_port_now(host, 0)),
    ("ours::ports::udp_reaches_who_has_one_of_many_ports_now", |host| udp_reaches_who_has_the_port_now(host, 100)),
    ("ours::ports::udp_to_another_address_of_the_host_goes_on", udp_to_another_address_goes_on),
    ("ours::ports::check_finds_a_port_that_is_gone", check_finds_a_port_that_is_gone),
    ("ours::ports::del_needs_neither_namespace_nor_result_nor_keys", del_needs_nothing),
    ("ours::ports::two_hundred_ports_are_mapped_at_once", two_hundred_ports),
];

/// What needs SCTP.
pub(crate) const WITH_SCTP: &[Test] = &[("ours::ports::sctp_reaches_who_has_the_port", sctp_reaches_who_has_the_port)];

/// The network `net`: a bridge, and portmap with more keys.
pub(super) fn network_with(host: &Host, keys: Value) -> NetworkConfig {
    let mut portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    merge(&mut portmap, keys);
    let bridge = json!({"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipMasq": true,
        "hairpinMode": true, "ipam": ipam(host, DUAL_STACK)});
    let list = json!({"cniVersion": "1.1.0", "name": "net", "plugins": [bridge, portmap]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

pub(super) fn mapped(container: &str, mappings: &[PortMapping]) -> Attachment {
    let mut attachment = attachment(container);
    attachment.capability_args.set_port_mappings(mappings);
    attachment
}

/// The port 8080 of the host, for the port 80 of the container.
pub(super) fn web() -> PortMapping {
    PortMapping::tcp(8080, 80)
}

fn at(address: &str, mapping: PortMapping) -> PortMapping {
    mapping.host_ip(address.parse().unwrap())
}

/// `blue` serves its port 80, mapped from 8080; the world is there, and `green` on the same network.
pub(super) fn blue_serves(host: &Host, keys: Value, mappings: &[PortMapping]) -> NetworkConfig {
    let network = network_with(host, keys);
    host.make_world();
    host.ours().add(&network, &mapped("blue", mappings)).unwrap();
    host.add(&network, "green");
    serve("blue", 80);
    network
}

/// Takes both off the network, and finds nothing left of them.
#[track_caller]
pub(super) fn ends(host: &Host, network: &NetworkConfig) {
    host.del(network, "blue");
    host.del(network, "green");
    host.is_clean();
}

fn sctp_reaches_who_has_the_port(host: &Host) {
    let mapping = web().protocol(Protocol::Sctp);
    let network = blue_serves(host, json!({}), &[mapping]);
    serve_sctp("blue", 80);
    reaches_by_sctp("world", "192.0.2.1:8080", "blue", "192.0.2.9");
    does_not_reach("world", "192.0.2.1:8080");
    ends(host, &network);
}

fn a_mapped_port_answers_the_world(host: &Host) {
    let network = blue_serves(host, json!({}), &[web()]);
    reaches("world", "192.0.2.1:8080", "blue", "192.0.2.9");
    reaches("world", "[2001:db8::1]:8080", "blue", "2001:db8::9");
    host.ours().check(&network, &mapped("blue", &[web()])).unwrap();
    host.del(&network, "blue");
    does_not_reach("world", "192.0.2.1:8080");
    does_not_reach("world", "[2001:db8::1]:8080");
    ends(host, &network);
}

fn a_mapped_port_answers_the_host_itself(host: &Host) {
    let network = blue_serves(host, json!({}), &[web()]);
    reaches(HOST, "127.0.0.1:8080", "blue", "10.77.0.1");
    reaches(HOST, "127.1.2.3:8080", "blue", "10.77.0.1");
    reaches(HOST, "192.0.2.1:8080", "blue", "192.0.2.1");
    reaches(HOST, "[2001:db8::1]:8080", "blue", "2001:db8::1");
    // The kernel has no way from ::1 to a container: it is the host's own.
    serve(HOST, 8080);
    reaches(HOST, "[::1]:8080", HOST, "::1");
    ends(host, &network);
}

fn answers_containers_of_the_same_network(host: &Host) {
    let network = blue_serves(host, json!({}), &[web()]);
    for container in ["blue", "green"] {
        reaches(container, "192.0.2.1:8080", "blue", "10.77.0.1");
        reaches(container, "10.77.0.1:8080", "blue", "10.77.0.1");
        reaches(container, "[2001:db8::1]:8080", "blue", "fd00:77::1");
    }
    ends(host, &network);
}

fn without_snat_nothing_is_masqueraded(host: &Host) {
    let network = blue_serves(host, json!({"snat": false}), &[web()]);
    reaches("world", "192.0.2.1:8080", "blue", "192.0.2.9");
    reaches(HOST, "192.0.2.1:8080", "blue", "192.0.2.1");
    does_not_reach("blue", "192.0.2.1:8080");
    does_not_reach(HOST, "127.0.0.1:8080");
    assert_eq!(host.run("cat /proc/sys/net/ipv4/conf/cni0/route_localnet"), "0\n");
    ends(host, &network);
}

fn masq_all_hides_everybody(host: &Host) {
    let network = blue_serves(host, json!({"masqAll": true}), &[web()]);
    reaches("world", "192.0.2.1:8080", "blue", "10.77.0.1");
    reaches("world", "[2001:db8::1]:8080", "blue", "fd00:77::1");
    reaches("blue", "192.0.2.1:8080", "blue", "10.77.0.1");
    ends(host, &network);
}

fn one_address_or_one_family(host: &Host) {
    let everywhere = PortMapping::tcp(8081, 80);
    let mappings = [
        at("192.0.2.1", web()),
        at("0.0.0.0", everywhere.clone()),
        at("::", PortMapping::tcp(8082, 80)),
        // A single address comes first.
        at("127.0.0.1", PortMapping::tcp(8081, 81)),
    ];
    let network = blue_serves(host, json!({}), &mappings);
    serve("blue", 81);
    reaches("world", "192.0.2.1:8080", "blue", "192.0.2.9");
    does_not_reach(HOST, "10.77.0.1:8080");
    does_not_reach("world", "[2001:db8::1]:8080");
    reaches("world", "192.0.2.1:8081", "blue", "192.0.2.9");
    does_not_reach("world", "[2001:db8::1]:8081");
    does_not_reach("world", "192.0.2.1:8082");
    reaches("world", "[2001:db8::1]:8082", "blue", "2001:db8::9");
    reaches(HOST, "127.0.0.1:8081", "blue", "10.77.0.1");
    ends(host, &network);
}

fn traffic_to_others_is_not_intercepted(host: &Host) {
    let network = blue_serves(host, json!({}), &[web()]);
    serve("green", 8080);
    serve("world", 8080);
    // Through the host, from the world to a container, and from a container to the world.
    host.run("ip -n world route add 10.77.0.0/24 via 192.0.2.1");
    reaches("world", "10.77.0.3:8080", "green", "192.0.2.9");
    reaches("green", "192.0.2.9:8080", "world", "192.0.2.1");
    ends(host, &network);
}

fn nobody_reaches_loopback(host: &Host) {
    blue_serves(host, json!({}), &[web()]);
    serve(HOST, 9999);
    reaches(HOST, "127.0.0.1:9999", HOST, "127.0.0.1");
    // A neighbour can route anything to the host.
    for (name, gateway) in [("blue", "10.77.0.1"), ("world", "192.0.2.1")] {
        host.run(&format!("echo 1 | ip netns exec {name} tee /proc/sys/net/ipv4/conf/eth0/route_localnet"));
        host.run(&format!("ip -n {name} route del local 127.0.0.1 dev lo table local 2>/dev/null || true"));
        host.run(&format!("ip -n {name} route add 127.0.0.1 via {gateway} dev eth0"));
        does_not_reach(name, "127.0.0.1:9999");
    }
}

/// The code and text of the error of portmap's ADD.
#[track_caller]
pub(super) fn refused(host: &Host, keys: Value, container: &str, mappings: &[PortMapping]) -> (u64, String) {
    let network = network_with(host, keys);
    let error = host.ours().add(&network, &mapped(container, mappings)).unwrap_err();
    let Error::Plugin(source) = &error else { panic!("{error:?}") };
    assert_eq!(source.plugin, "portmap");
    let refused = (source.code().unwrap().0, Chain(&error).to_string());
    host.del(&network, container);
    refused
}

fn a_port_that_is_taken_names_its_owner(host: &Host) {
    let network = blue_serves(host, json!({}), &[web()]);
    host.run("ip netns add red");
    let mappings = [PortMapping::tcp(8081, 80), PortMapping::tcp(8080, 8000)];
    let (code, message) = refused(host, json!({}), "red", &mappings);
    assert_eq!(code, 101);
    let expected =
        "port 0.0.0.0:8080/tcp of the host is mapped for interface `eth0` of container `blue` in network `net`";
    assert!(message.contains(expected), "{message}");
    // The other port was not taken either; the same number of another protocol or address is another port.
    does_not_reach("world", "192.0.2.1:8081");
    let udp = web().protocol(Protocol::Udp);
    let red = mapped("red", &[udp, at("192.0.2.1", web())]);
    host.ours().add(&network, &red).unwrap();
    host.ours().del(&network, &red).unwrap();
    reaches("world", "192.0.2.1:8080", "blue", "192.0.2.9");
    ends(host, &network);
}

fn a_container_has_its_port_in_each_of_its_networks(host: &Host) {
    let first = network_with(host, json!({}));
    let second = first.text().replace(r#""net""#, r#""net2""#).replace("cni0", "cni1").replace("77", "78");
    let second = NetworkConfig::parse(&second).unwrap();
    let eth0 = mapped("blue", &[web()]);
    let eth1 = eth0.clone().ifname("eth1".parse().unwrap());
    serve("blue", 80);
    host.ours().add(&first, &eth0).unwrap();
    host.ours().add(&second, &eth1).unwrap();
    host.ours().check(&first, &eth0).unwrap();
    host.ours().check(&second, &eth1).unwrap();
    reaches(HOST, "127.0.0.1:8080", "blue", "10.77.0.1");
    // The one that is left takes its turn; and a new one does not take it away.
    host.ours().del(&first, &eth0).unwrap();
    reaches(HOST, "127.0.0.1:8080", "blue", "10.78.0.1");
    host.ours().add(&first, &eth0).unwrap();
    host.ours().del(&second, &eth1).unwrap();
    reaches(HOST, "127.0.0.1:8080", "blue", "10.77.0.1");
    host.ours().del(&first, &eth0).unwrap();
    host.is_clean();
}

fn udp_reaches_who_has_the_port_now(host: &Host, further: u16) {
    let network = network_with(host, json!({}));
    let further = (0..further).map(|port| PortMapping::udp(20_000 + port, 53));
    let udp: Vec<_> = [PortMapping::udp(5353, 53)].into_iter().chain(further).collect();
    host.make_world();
    host.run("ip netns add green");
    serve_udp(HOST, 5353);
    let senders = ["192.0.2.1:5353", "[2001:db8::1]:5353"].map(|to| Sender::new("world", to));
    for (container, who) in [("blue", "blue"), ("green", "green")] {
        // As long as a client keeps sending, the kernel has its packets go where the first one went.
        senders.iter().for_each(|sender| sender.is_answered_by(HOST));
        host.ours().add(&network, &mapped(container, &udp)).unwrap();
        serve_udp(who, 53);
        senders.iter().for_each(|sender| sender.is_answered_by(who));
        host.del(&network, container);
    }
    senders.iter().for_each(|sender| sender.is_answered_by(HOST));
    host.is_clean();
}

fn udp_to_another_address_goes_on(host: &Host) {
    let network = network_with(host, json!({}));
    host.make_world();
    serve_udp(HOST, 5353);
    host.run(
        "nft 'table ip others { counter begun { }; chain c { type filter hook input priority 0; \
         ip daddr 127.0.0.1 udp dport 5353 ct state new counter name begun; }; }'",
    );
    let begun = || host.run("nft list counter ip others begun").matches("packets 1 ").count();
    let [other, own] = ["127.0.0.1:5353", "192.0.2.1:5353"].map(|to| Sender::new(HOST, to));
    [&other, &own].iter().for_each(|sender| sender.is_answered_by(HOST));
    assert_eq!(begun(), 1);
    host.ours().add(&network, &mapped("blue", &[at("192.0.2.1", PortMapping::udp(5353, 53))])).unwrap();
    serve_udp("blue", 53);
    own.is_answered_by("blue");
    other.is_answered_by(HOST);
    // The kernel still knows the connection: its next packet began no other.
    assert_eq!(begun(), 1);
    host.del(&network, "blue");
    host.run("nft delete table ip others");
    host.is_clean();
}

fn check_finds_a_port_that_is_gone(host: &Host) {
    let network = network_with(host, json!({}));
    let blue = mapped("blue", &[web()]);
    for damage in [
        "nft 'delete element inet libcni_portmap ports6 { :: . tcp . 8080 . 0 }'",
        "nft flush chain inet libcni_portmap output",
        "nft flush chain inet libcni_portmap tcp-8080-0.0.0.0",
        "nft delete table inet libcni_portmap",
    ] {
        host.ours().add(&network, &blue).unwrap();
        host.ours().check(&network, &blue).unwrap();
        host.run(damage);
        let error = host.ours().check(&network, &blue).unwrap_err();
        assert!(matches!(&error, Error::Plugin(source) if source.plugin == "portmap"), "{error:?}");
        host.ours().del(&network, &blue).unwrap();
        host.is_clean();
    }
}

fn del_needs_nothing(host: &Host) {
    let network = blue_serves(host, json!({}), &[web()]);
    host.run("ip netns del blue");
    let bare = r#"{"cniVersion": "0.1.0", "name": "net", "plugins": [{"type": "portmap"}, {"type": "bridge", "ipam":
        {"type": "host-local", "dataDir": "DIR"}}]}"#;
    let bare = NetworkConfig::parse(&bare.replace("DIR", host.path("ipam").to_str().unwrap())).unwrap();
    std::fs::remove_dir_all(host.path("cache")).unwrap();
    for container in ["blue", "green", "blue"] {
        host.ours().del(&bare, &attachment(container).netns("")).unwrap();
    }
    host.is_clean();
    host.run("ip netns add blue");
    host.ours().add(&network, &mapped("blue", &[web()])).unwrap();
    ends(host, &network);
}

fn two_hundred_ports(host: &Host) {
    let network = network_with(host, json!({}));
    let mappings: Vec<_> = (0..200).map(|n| PortMapping::tcp(10_000 + n, 80)).collect();
    let blue = mapped("blue", &mappings);
    host.ours().add(&network, &blue).unwrap();
    serve("blue", 80);
    reaches(HOST, "127.0.0.1:10199", "blue", "10.77.0.1");
    host.ours().check(&network, &blue).unwrap();
    host.ours().del(&network, &blue).unwrap();
    host.is_clean();
}

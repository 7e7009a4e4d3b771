//! `flannel`: another plugin, for the node's part of the network.

use std::fs;

use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::spec::Version;
use libcni::spec::capability::PortMapping;
use libcni::{Attachment, Chain, Error};
use serde_json::{Value, json};

use super::{attachment, merge};
use crate::Test;
use crate::host::Host;
use crate::traffic::{reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::flannel::every_version_works_and_leaves_nothing", every_version_works),
    ("ours::flannel::a_container_has_an_address_of_the_nodes_subnet", an_address_of_the_nodes_subnet),
    ("ours::flannel::what_the_plugin_of_flannel_io_saved_is_used", what_flannel_io_saved),
    ("ours::flannel::without_the_file_of_flanneld_it_says_so", without_the_file),
    ("ours::flannel::two_interfaces_of_a_container_are_both_removed", two_interfaces),
    ("ours::flannel::two_networks_of_a_container_are_both_removed", two_networks),
    ("ours::flannel::gc_removes_what_nobody_knows_of", gc_removes_what_nobody_knows_of),
];

fn network(host: &Host, version: &str, keys: Value) -> NetworkConfig {
    fs::write(
        host.path("subnet.env"),
        "FLANNEL_NETWORK=10.77.0.0/16\nFLANNEL_SUBNET=10.77.3.1/24\nFLANNEL_IPV6_NETWORK=fd00:77::/48\n\
         FLANNEL_IPV6_SUBNET=fd00:77:0:3::1/64\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n",
    )
    .unwrap();
    let mut flannel = json!({"type": "flannel", "subnetFile": host.path("subnet.env"), "dataDir": host.path("flannel"),
        "delegate": {"isDefaultGateway": true, "hairpinMode": true}, "ipam": {"dataDir": host.path("ipam")}});
    merge(&mut flannel, keys);
    let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    let list = json!({"cniVersion": version, "name": "net", "plugins": [flannel, portmap]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

#[track_caller]
fn nothing_is_left(host: &Host) {
    host.is_clean();
    assert_eq!(host.run("ls flannel"), "");
}

fn every_version_works(host: &Host) {
    for version in Version::ALL {
        let network = network(host, version.as_str(), json!({}));
        let result = host.ours().add(&network, &attachment("blue")).unwrap();
        assert_eq!(*result.version(), version);
        match host.ours().check(&network, &attachment("blue")) {
            Err(Error::CheckUnsupported { .. }) => assert!(!version.has_check()),
            checked => checked.unwrap(),
        }
        host.ours().status(&network).unwrap();
        for _ in 0..2 {
            host.del(&network, "blue");
            nothing_is_left(host);
        }
    }
}

fn an_address_of_the_nodes_subnet(host: &Host) {
    let network = network(host, "1.0.0", json!({}));
    let mut blue = attachment("blue");
    blue.capability_args.set_port_mappings(&[PortMapping::tcp(8080, 80)]);
    host.ours().add(&network, &blue).unwrap();
    assert_eq!(host.addresses("blue"), ["10.77.3.2", "fd00:77:0:3::2"]);
    assert!(host.run("ip -n blue link show eth0").contains("mtu 1450"));
    assert!(host.run("ip -n blue route").contains("10.77.0.0/16 via 10.77.3.1"));
    // flanneld does not masquerade: the bridge does.
    assert!(host.run("nft list ruleset").contains("subnet-10.77.3.0/24"));
    host.make_world();
    serve("blue", 80);
    reaches("world", "192.0.2.1:8080", "blue", "192.0.2.9");
    host.run("ip -n blue addr flush dev eth0");
    host.ours().check(&network, &blue).unwrap_err();
    host.ours().del(&network, &blue).unwrap();
    host.run("ip link del world");
    nothing_is_left(host);
}

fn what_flannel_io_saved(host: &Host) {
    let network = network(host, "1.0.0", json!({}));
    host.add(&network, "blue");
    // As that plugin writes it: without the version where the list has none, and with all keys in their order.
    let file = host.path("flannel/blue");
    let saved: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    fs::write(&file, saved.to_string()).unwrap();
    host.ours().check(&network, &attachment("blue")).unwrap();
    // The node's subnet has changed since.
    fs::remove_file(host.path("subnet.env")).unwrap();
    let other = NetworkConfig::parse(&network.text().replace(r#""net""#, r#""other""#)).unwrap();
    let cni = host.ours().to_builder().cache_dir(host.path("other-cache")).build().unwrap();
    cni.del(&other, &attachment("blue")).unwrap();
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.del(&network, "blue");
    nothing_is_left(host);
}

fn without_the_file(host: &Host) {
    let network = network(host, "1.1.0", json!({}));
    fs::remove_file(host.path("subnet.env")).unwrap();
    let error = Chain(&host.ours().add(&network, &attachment("blue")).unwrap_err()).to_string();
    assert!(error.contains("subnet.env, which flanneld writes"), "{error}");
    let Error::Plugin(source) = host.ours().status(&network).unwrap_err() else { panic!("not the plugin's") };
    assert_eq!(source.code().unwrap().0, 50);
    host.del(&network, "blue");
    host.is_clean();
}

/// A second interface of the container.
fn net1() -> Attachment {
    Attachment::new("blue".parse().unwrap(), "net1".parse().unwrap()).netns("/run/netns/blue")
}

fn two_interfaces(host: &Host) {
    let network = network(host, "1.1.0", json!({}));
    let net1 = net1();
    host.add(&network, "blue");
    let mut second: Value = serde_json::from_str(network.text()).unwrap();
    second["plugins"][0]["delegate"] = json!({"hairpinMode": true});
    let second = NetworkConfig::parse(&second.to_string()).unwrap();
    host.ours().add(&second, &net1).unwrap();
    host.del(&network, "blue");
    // What is left can be checked, although its file is gone.
    host.ours().check(&second, &net1).unwrap();
    host.ours().del(&second, &net1).unwrap();
    nothing_is_left(host);
}

fn two_networks(host: &Host) {
    let first = network(host, "1.1.0", json!({}));
    let mut second: Value = serde_json::from_str(&first.text().replace(r#""net""#, r#""other""#)).unwrap();
    second["plugins"][0]["delegate"] = json!({"bridge": "cni1"});
    let second = NetworkConfig::parse(&second.to_string()).unwrap();
    let net1 = net1();
    host.add(&first, "blue");
    // Another range of the same file: flanneld has but one.
    fs::write(host.path("subnet.env"), fs::read_to_string(host.path("subnet.env")).unwrap().replace("77", "78"))
        .unwrap();
    host.ours().add(&second, &net1).unwrap();
    host.del(&first, "blue");
    assert!(!host.run("ip -n blue -o link").contains("eth0"));
    assert_eq!(host.run("ls flannel"), "blue\n");
    host.ours().del(&second, &net1).unwrap();
    nothing_is_left(host);
}

fn gc_removes_what_nobody_knows_of(host: &Host) {
    host.run("ip netns add green");
    let network = network(host, "1.1.0", json!({}));
    host.add(&network, "blue");
    host.add(&network, "green");
    fs::remove_dir_all(host.path("cache")).unwrap();
    let blue = attachment("blue");
    host.ours().gc(&network, &Keep::only([(&blue.container_id, &blue.ifname)])).unwrap();
    assert_eq!(host.reservations(), ["10.77.3.2", "fd00:77:0:3::2"]);
    assert_eq!(host.run("ls flannel"), "blue\n");
    fs::remove_file(host.path("subnet.env")).unwrap();
    host.ours().gc(&network, &Keep::Only(Vec::new())).unwrap();
    nothing_is_left(host);
}

//! Containers on a bridge, the gateway, and the world outside.

use libcni::conf::NetworkConfig;
use serde_json::json;

use super::bridge;
use crate::Test;
use crate::host::Host;
use crate::traffic::{HOST, does_not_reach, reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::bridge::containers_ping_each_other_and_the_gateway", containers_ping_each_other_and_the_gateway),
    ("ours::bridge::containers_see_each_others_own_address", containers_see_each_others_own_address),
    ("ours::bridge::the_world_sees_the_address_of_the_host", the_world_sees_the_address_of_the_host),
    ("ours::bridge::without_masquerading_the_world_does_not_answer", without_masquerading_the_world_does_not_answer),
    ("ours::bridge::two_networks_with_one_subnet_masquerade_on_their_own", two_networks_with_one_subnet),
    ("ours::bridge::a_damaged_masquerade_fails_check_and_is_repaired_by_add", damaged_masquerade_fails_check),
    ("ours::bridge::check_compares_the_hardware_address_that_rules_guard", check_compares_the_guarded_address),
];

const BLUE: [&str; 2] = ["10.77.0.2", "fd00:77::2"];
const GREEN: [&str; 2] = ["10.77.0.3", "fd00:77::3"];
const GATEWAY: [&str; 2] = ["10.77.0.1", "fd00:77::1"];
const WORLD: [&str; 2] = ["192.0.2.9", "2001:db8::9"];
const HOST_IN_WORLD: [&str; 2] = ["192.0.2.1", "2001:db8::1"];

fn port(address: &str, port: u16) -> String {
    std::net::SocketAddr::new(address.parse().unwrap(), port).to_string()
}

fn containers_ping_each_other_and_the_gateway(host: &Host) {
    let network = bridge(host, json!({}));
    host.add(&network, "blue");
    host.add(&network, "green");
    for address in GREEN.iter().chain(&GATEWAY) {
        host.run(&format!("ip netns exec blue busybox ping -c 1 -W 10 {address}"));
    }
    host.del(&network, "blue");
    host.del(&network, "green");
    host.is_clean();
}

fn containers_see_each_others_own_address(host: &Host) {
    let network = bridge(host, json!({"ipMasq": true}));
    host.add(&network, "blue");
    host.add(&network, "green");
    serve("green", 80);
    serve(HOST, 80);
    for family in 0..2 {
        reaches("blue", &port(GREEN[family], 80), "green", BLUE[family]);
        reaches("blue", &port(GATEWAY[family], 80), HOST, BLUE[family]);
        reaches(HOST, &port(GREEN[family], 80), "green", GATEWAY[family]);
    }
}

fn the_world_sees_the_address_of_the_host(host: &Host) {
    let network = bridge(host, json!({"ipMasq": true}));
    host.make_world();
    host.add(&network, "blue");
    host.add(&network, "green");
    serve("world", 80);
    for container in ["blue", "green"] {
        for family in 0..2 {
            reaches(container, &port(WORLD[family], 80), "world", HOST_IN_WORLD[family]);
        }
    }
    host.del(&network, "blue");
    does_not_reach("blue", "192.0.2.9:80");
    reaches("green", "192.0.2.9:80", "world", "192.0.2.1");
    host.del(&network, "green");
    host.is_clean();
}

fn without_masquerading_the_world_does_not_answer(host: &Host) {
    host.make_world();
    host.add(&bridge(host, json!({})), "blue");
    serve("world", 80);
    for address in WORLD {
        does_not_reach("blue", &port(address, 80));
    }
}

fn two_networks_with_one_subnet(host: &Host) {
    let first = bridge(host, json!({"ipMasq": true}));
    let second = first.text().replace(r#""net""#, r#""net2""#).replace("cni0", "cni1");
    let second = NetworkConfig::parse(&second).unwrap();
    host.make_world();
    serve("world", 80);
    host.add(&first, "blue");
    host.add(&second, "green");
    assert_eq!(host.addresses("blue"), host.addresses("green"));
    for network in [&first, &second] {
        host.ours().status(network).unwrap();
    }
    host.ours().check(&second, &super::attachment("green")).unwrap();
    host.del(&second, "green");
    host.run("ip link del cni1");
    for family in 0..2 {
        reaches("blue", &port(WORLD[family], 80), "world", HOST_IN_WORLD[family]);
    }
    host.ours().check(&first, &super::attachment("blue")).unwrap();
    // And the other way round: the second one keeps what it has.
    host.add(&second, "green");
    host.del(&first, "blue");
    host.ours().check(&second, &super::attachment("green")).unwrap();
    host.del(&second, "green");
    host.is_clean();
}

fn damaged_masquerade_fails_check(host: &Host) {
    let network = bridge(host, json!({"ipMasq": true}));
    host.make_world();
    host.add(&network, "blue");
    let check = || host.ours().check(&network, &super::attachment("blue"));
    check().unwrap();
    host.run("nft flush chain inet libcni_masquerading postrouting");
    let error = check().unwrap_err();
    let message = libcni::Chain(&error).to_string();
    assert!(message.contains("table `libcni_masquerading` does not masquerade `10.77.0.2/24`"), "{message}");
    // Everybody's rules are there again once somebody else comes.
    host.add(&network, "green");
    check().unwrap();
    serve("world", 80);
    reaches("blue", "192.0.2.9:80", "world", "192.0.2.1");
}

fn check_compares_the_guarded_address(host: &Host) {
    let network = bridge(host, json!({"macspoofchk": true}));
    host.add(&network, "blue");
    host.ours().check(&network, &super::attachment("blue")).unwrap();
    let mac = host.run("ip netns exec blue cat /sys/class/net/eth0/address").trim().to_owned();
    for rule in ["ether saddr != 02:00:00:00:00:99 drop".to_owned(), format!("ether saddr {mac} drop")] {
        host.run(&format!(
            "chain=$(nft list table bridge libcni_macspoofchk | grep -o 'port-[^ ]*' | head -1)
            nft \"flush chain bridge libcni_macspoofchk $chain
            add rule bridge libcni_macspoofchk $chain {rule}\""
        ));
        let error = host.ours().check(&network, &super::attachment("blue")).unwrap_err();
        let message = libcni::Chain(&error).to_string();
        assert!(message.contains(&format!("whose hardware address is {mac}")), "{message}");
    }
    host.del(&network, "blue");
    host.is_clean();
}

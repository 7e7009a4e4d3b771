//! Routes of containers: what the result says is in the kernel, or ADD fails.

use std::fs;
use std::net::Ipv4Addr;

use libcni::Chain;
use libcni::conf::NetworkConfig;
use serde_json::{Value, json};

use super::{DUAL_STACK, attachment, bridge, ipam, merge, plugins};
use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("ours::routes::both_next_hops_of_a_destination_are_there", both_next_hops_are_there),
    ("ours::routes::the_default_route_of_a_second_network_comes_before_the_first", second_default_route),
    ("ours::routes::a_route_that_is_listed_twice_is_there_once", route_listed_twice),
    ("ours::routes::attributes_are_those_of_the_result", attributes),
    ("ours::routes::any_number_of_routes_of_a_container_costs_check_no_memory", check_with_many_routes),
    ("ours::routes::a_route_that_can_not_be_fails_add_and_leaves_nothing", route_that_can_not_be),
];

fn with_routes(host: &Host, routes: Value) -> NetworkConfig {
    let mut ipam = ipam(host, DUAL_STACK);
    merge(&mut ipam, json!({"routes": routes}));
    bridge(host, json!({"ipam": ipam, "isDefaultGateway": false, "isGateway": true}))
}

/// The routes of `blue` to a destination, one next hop a line.
fn to(host: &Host, destination: &str) -> String {
    let families = match destination {
        "default" => &["-4", "-6"][..],
        six if six.contains(':') => &["-6"],
        _ => &["-4"],
    };
    families.iter().map(|family| host.run(&format!("ip -n blue {family} route show {destination}"))).collect()
}

fn both_next_hops_are_there(host: &Host) {
    let gateways = ["10.77.0.1", "10.77.0.254", "fd00:77::1", "fd00:77::fe"];
    let route = |gw: &str| json!({"dst": if gw.contains(':') { "fd00:100::/64" } else { "10.100.0.0/16" }, "gw": gw});
    let network = with_routes(host, gateways.map(route).into());
    host.add(&network, "blue");
    let shown = to(host, "10.100.0.0/16") + &to(host, "fd00:100::/64");
    for gateway in gateways {
        assert!(shown.contains(&format!("via {gateway} dev eth0")), "{gateway}: {shown}");
    }
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.run("ip -n blue route del 10.100.0.0/16 via 10.77.0.254");
    let error = host.ours().check(&network, &attachment("blue")).unwrap_err();
    assert!(Chain(&error).to_string().contains("the route to 10.100.0.0/16 via 10.77.0.254 is gone"), "{error:?}");
    host.run("ip -n blue route add 10.100.0.0/16 via 10.77.0.254 proto static metric 5");
    host.run("ip -n blue -6 route del fd00:100::/64 via fd00:77::1");
    let error = host.ours().check(&network, &attachment("blue")).unwrap_err();
    assert!(Chain(&error).to_string().contains("the route to fd00:100::/64 via fd00:77::1 is gone"), "{error:?}");
}

fn second_default_route(host: &Host) {
    let first = bridge(host, json!({}));
    let second = first.text().replace(r#""net""#, r#""net2""#).replace("cni0", "cni1").replace("77", "78");
    let second = NetworkConfig::parse(&second).unwrap();
    let eth1 = attachment("blue").ifname("eth1".parse().unwrap());
    host.add(&first, "blue");
    host.ours().add(&second, &eth1).unwrap();
    assert!(host.run("ip -n blue route get 192.0.2.1").contains("via 10.78.0.1 dev eth1"));
    let shown = to(host, "default");
    for (gateway, ifname) in
        [("10.77.0.1", "eth0"), ("10.78.0.1", "eth1"), ("fd00:77::1", "eth0"), ("fd00:78::1", "eth1")]
    {
        assert!(shown.contains(&format!("via {gateway} dev {ifname}")), "{gateway}: {shown}");
    }
    host.ours().check(&first, &attachment("blue")).unwrap();
    host.ours().check(&second, &eth1).unwrap();
    host.run("ip -n blue route del default via 10.78.0.1");
    host.ours().check(&first, &attachment("blue")).unwrap();
    host.ours().check(&second, &eth1).unwrap_err();
    host.ours().del(&second, &eth1).unwrap();
    host.ours().check(&first, &attachment("blue")).unwrap();
    assert!(host.run("ip -n blue route get 192.0.2.1").contains("via 10.77.0.1 dev eth0"));
}

fn route_listed_twice(host: &Host) {
    // Once as it is written, with its host bits, and with the next hop that it has anyway.
    let routes = json!([{"dst": "10.100.0.0/16"}, {"dst": "10.100.0.9/16"}, {"dst": "10.100.0.0/16", "gw": "10.77.0.1"},
            {"dst": "10.77.0.0/24"}]);
    let network = with_routes(host, routes);
    host.add(&network, "blue");
    assert_eq!(to(host, "10.100.0.0/16").trim(), "10.100.0.0/16 via 10.77.0.1 dev eth0");
    // The kernel's own route to the container's network is no reason to leave this one out.
    assert!(to(host, "10.77.0.0/24").contains("10.77.0.0/24 via 10.77.0.1 dev eth0"));
    host.ours().check(&network, &attachment("blue")).unwrap();
}

fn attributes(host: &Host) {
    let network = with_routes(
        host,
        json!([{"dst": "0.0.0.0/0", "mtu": 1400, "advmss": 1360, "priority": 50},
            {"dst": "0.0.0.0/0", "gw": "10.77.0.254", "priority": 60},
            {"dst": "198.51.100.0/24", "table": 100}, {"dst": "203.0.113.0/24", "gw": "10.77.0.9", "scope": 0},
            {"dst": "::/0", "mtu": 1280, "priority": 77}]),
    );
    host.add(&network, "blue");
    let shown = to(host, "default") + &to(host, "198.51.100.0/24 table 100");
    for expected in [
        "default via 10.77.0.1 dev eth0 metric 50 mtu 1400 advmss 1360",
        "default via 10.77.0.254 dev eth0 metric 60",
        "198.51.100.0/24 via 10.77.0.1 dev eth0",
        "default via fd00:77::1 dev eth0 metric 77 mtu 1280",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.run("ip -n blue route change default via 10.77.0.1 metric 50 mtu 1300");
    host.ours().check(&network, &attachment("blue")).unwrap_err();
}

fn route_that_can_not_be(host: &Host) {
    for (route, expected) in [
        (json!({"dst": "10.100.0.0/16", "gw": "192.0.2.1"}), "cannot add the route to 10.100.0.0/16 via 192.0.2.1"),
        (json!({"dst": "10.100.0.0/16", "priority": -1}), "`priority` of the route to 10.100.0.0/16 can't be -1"),
        (json!({"dst": "10.100.0.0/16", "scope": 256}), "`scope` of the route to 10.100.0.0/16 can't be 256"),
    ] {
        let error = host.ours().add(&with_routes(host, json!([route])), &attachment("blue")).unwrap_err();
        assert!(Chain(&error).to_string().contains(expected), "{error:?}");
        host.is_clean();
    }
}

fn check_with_many_routes(host: &Host) {
    let network = with_routes(host, json!([{"dst": "10.100.0.0/16", "gw": "10.77.0.1"}]));
    host.add(&network, "blue");
    let route = |n: u32| format!("route add {}/32 dev eth0\n", Ipv4Addr::from(0x0b00_0000 + n));
    fs::write(host.path("batch"), (0..300_000).map(route).collect::<String>()).unwrap();
    host.run("ip -n blue -batch batch");
    // With all of them in memory it would need more, by a half.
    let limited = format!("#!/bin/sh\nulimit -v 49152\nexec '{}'\n", plugins().join("bridge").display());
    fs::create_dir(host.path("limited")).unwrap();
    fs::write(host.path("limited/bridge"), limited).unwrap();
    host.run("chmod 755 limited/bridge");
    host.cni_with([host.path("limited"), plugins()]).check(&network, &attachment("blue")).unwrap();
}

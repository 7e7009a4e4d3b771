//! An interface that an ADD did not make outlives it, whatever the ADD is told to undo.

use libcni::conf::NetworkConfig;
use libcni::{Error, cache};
use serde_json::json;

use super::{attachment, ipam};
use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("ours::ownership::the_interface_of_another_network_outlives_an_add", the_interface_of_another_network_outlives),
    ("ours::ownership::an_interface_that_nobody_recorded_outlives_an_add", an_interface_that_nobody_recorded_outlives),
    ("ours::ownership::del_of_the_wrong_network_leaves_the_interface_alone", del_of_the_wrong_network_leaves_it),
];

fn network(host: &Host, name: &str, subnet: &str) -> NetworkConfig {
    let bridge = json!({"type": "bridge", "bridge": name, "isGateway": true, "ipam": ipam(host, &[subnet])});
    let list = json!({"cniVersion": "1.1.0", "name": name, "plugins": [bridge]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

fn networks(host: &Host) -> [NetworkConfig; 2] {
    [network(host, "internal", "10.77.0.0/24"), network(host, "mynet", "10.78.0.0/24")]
}

fn the_interface_of_another_network_outlives(host: &Host) {
    let [internal, mynet] = networks(host);
    host.ours().add(&internal, &attachment("blue")).unwrap();
    let before = host.run("ip -n blue -o address show dev eth0");
    // By another name, it is the same namespace.
    let mut other = attachment("blue");
    other.container_id = "other".parse().unwrap();
    for attachment in [attachment("blue"), other] {
        let error = host.ours().add_with_rollback(&mynet, &attachment).unwrap_err();
        let named = matches!(&error, Error::Occupied(occupied) if occupied.by.as_ref().unwrap().network == "internal");
        assert!(named && !error.needs_cleanup(), "{error:?}");
        assert_eq!(host.run("ip -n blue -o address show dev eth0"), before);
    }
    host.ours().check(&internal, &attachment("blue")).unwrap();
}

fn an_interface_that_nobody_recorded_outlives(host: &Host) {
    let [_, mynet] = networks(host);
    host.run("ip -n blue link add eth0 type veth peer name outer");
    for added in [
        host.ours().add(&mynet, &attachment("blue")),
        host.ours().add_with_rollback(&mynet, &attachment("blue")),
        host.ours().add_all(&[(&mynet, &attachment("blue"))]).map(|mut results| results.remove(0)),
    ] {
        let error = added.unwrap_err();
        assert!(
            matches!(&error, Error::Occupied(occupied) if occupied.by.is_none()) && !error.needs_cleanup(),
            "{error:?}"
        );
    }
    assert!(host.run("ip -n blue -d link show dev eth0").contains("eth0@outer"));
    // Nothing was begun: there is no bridge, and no record.
    assert!(!host.run("ip -o link").contains("mynet"));
    assert!(host.ours().cache().inventory().unwrap().attached.is_empty());
}

fn del_of_the_wrong_network_leaves_it(host: &Host) {
    let [internal, mynet] = networks(host);
    host.ours().add(&internal, &attachment("blue")).unwrap();
    host.ours().to_builder().on_notice(|_| {}).build().unwrap().del(&mynet, &attachment("blue")).unwrap();
    host.ours().check(&internal, &attachment("blue")).unwrap();
    host.ours().del(&internal, &attachment("blue")).unwrap();
    let left: &cache::Inventory = &host.ours().cache().inventory().unwrap();
    assert!(left.attached.is_empty(), "{left:?}");
    assert!(!host.run("ip -n blue -o link").contains("eth0"));
}

//! What is alive stays so, whatever is refused beside it.

use std::process::Command;

use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::{Attachment, Chain, Cni, Error};
use serde_json::json;

use super::{attachment, bridge, network};
use crate::Test;
use crate::host::Host;
use crate::traffic::{reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::alive::a_second_add_from_another_namespace_is_refused_and_changes_nothing", second_add_elsewhere),
    ("ours::alive::without_ipam_it_is_refused_as_well", second_add_without_ipam),
    ("ours::alive::del_of_another_network_leaves_an_interface_of_the_same_name", del_of_another_network),
    ("ours::alive::del_leaves_what_a_person_made", del_leaves_what_a_person_made),
    ("ours::alive::gc_and_update_fail_where_a_record_can_not_be_read", fail_where_a_record_can_not_be_read),
    ("ours::alive::a_namespace_that_lives_on_by_another_name_is_its_owners", lives_on_by_another_name),
];

pub(crate) const WITH_GO: &[Test] = &[
    ("ours::alive::a_second_add_leaves_what_go_added", second_add_leaves_what_go_added),
    ("ours::alive::del_of_another_network_leaves_what_go_added", del_of_another_network_leaves_what_go_added),
    ("ours::alive::del_removes_what_go_added_with_and_without_a_record", del_removes_what_go_added),
];

/// The attachment of `blue`, in a namespace that the runtime made after it forgot the first one.
fn elsewhere(host: &Host) -> Attachment {
    host.run("ip netns add green");
    attachment("blue").netns("/run/netns/green")
}

fn second_add_elsewhere(host: &Host) {
    let network = bridge(host, json!({"ipMasq": true, "macspoofchk": true}));
    host.add(&network, "blue");
    host.make_world();
    serve("world", 80);
    let error = host.ours().add(&network, &elsewhere(host)).unwrap_err();
    let expected = "interface `eth0` of this container is on this network already";
    assert!(Chain(&error).to_string().contains(expected), "{error:?}");
    assert_eq!(host.run("ip -n green -o link show type veth"), "");
    reaches("blue", "192.0.2.9:80", "world", "192.0.2.1");
    host.ours().check(&network, &attachment("blue")).unwrap();
    assert_eq!(host.reservations(), ["10.77.0.2", "fd00:77::2"]);
    host.del(&network, "blue");
    host.run("ip link del world");
    host.is_clean();
}

fn second_add_without_ipam(host: &Host) {
    let network = network(json!({"type": "bridge", "bridge": "cni0"}), "1.1.0");
    host.add(&network, "blue");
    host.ours().add(&network, &elsewhere(host)).unwrap_err();
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.del(&network, "blue");
    host.is_clean();
}

/// The path by which a container was added is that of a process, which ends before the container.
fn lives_on_by_another_name(host: &Host) {
    let network = bridge(host, json!({}));
    let mut process = host.inside_blue("sleep 1000");
    let by_process = attachment("blue").netns(format!("/proc/{}/ns/net", process.id()));
    host.ours().add(&network, &by_process).unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    let [other, _] = others(&network);
    let error = host.ours().add(&other, &attachment("blue")).unwrap_err();
    assert!(matches!(error, Error::Occupied(_)), "{error:?}");
    host.ours().del(&network, &attachment("blue")).unwrap();
    host.is_clean();
}

/// Networks that never had `blue`: on another bridge, and on the same one.
fn others(network: &NetworkConfig) -> [NetworkConfig; 2] {
    let same_bridge = network.text().replace(r#""net""#, r#""net2""#);
    [same_bridge.replace("cni0", "cni1"), same_bridge].map(|text| NetworkConfig::parse(&text).unwrap())
}

/// The library with our plugins, of a runtime that has no record of what was added.
fn forgetful(host: &Host) -> Cni {
    host.ours().to_builder().cache_dir(host.path("other-cache")).build().unwrap()
}

fn del_of_another_network(host: &Host) {
    let network = bridge(host, json!({}));
    host.add(&network, "blue");
    for other in others(&network) {
        for netns in ["/run/netns/blue", ""] {
            forgetful(host).del(&other, &attachment("blue").netns(netns)).unwrap();
            host.ours().check(&network, &attachment("blue")).unwrap();
        }
    }
    host.del(&network, "blue");
    host.is_clean();
}

fn fail_where_a_record_can_not_be_read(host: &Host) {
    let network = bridge(host, json!({}));
    host.add(&network, "blue");
    // A file that nobody may read.
    host.run("mount --bind /proc/1/mem cache/results/net-blue-eth0");
    let error = host.ours().gc(&network, &Keep::Nothing).unwrap_err();
    assert!(libcni::Chain(&error).to_string().contains("net-blue-eth0"), "{error:?}");
    std::fs::create_dir(host.path("net.d")).unwrap();
    std::fs::write(host.path("net.d/net.conflist"), network.text()).unwrap();
    let mut update = Command::new(env!("CARGO_BIN_EXE_cnitool"));
    update.args(["update", "net", "--all"]);
    for (option, dir) in [("--cache-dir", "cache"), ("--conf-dir", "net.d")] {
        update.arg(option).arg(host.path(dir));
    }
    let output = update.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && stderr.contains("net-blue-eth0"), "{stderr}");
    host.run("ip -n blue link show eth0");
    host.run("umount cache/results/net-blue-eth0");
    host.ours().gc(&network, &Keep::Nothing).unwrap();
    host.is_clean();
}

fn del_leaves_what_a_person_made(host: &Host) {
    let network = bridge(host, json!({}));
    host.run("ip link add cni0 type bridge");
    for made in [
        "ip link add mine master cni0 type veth peer name eth0 netns blue",
        "ip link add veth01234567 type veth peer name eth0 netns blue",
        "ip -n blue link add eth0 type bridge",
    ] {
        host.run(made);
        host.del(&network, "blue");
        host.run("ip -n blue link del eth0");
    }
    // Instead of the one that ADD made.
    host.add(&network, "blue");
    host.run("ip -n blue link del eth0 && ip -n blue link add eth0 type veth && ip -n blue link set eth0 up");
    host.ours().check(&network, &attachment("blue")).unwrap_err();
    host.del(&network, "blue");
    host.run("ip -n blue link del eth0");
    host.is_clean();
}

fn go(host: &Host) -> Cni {
    host.cni()
}

fn second_add_leaves_what_go_added(host: &Host) {
    let network = network(
        json!({"type": "bridge", "bridge": "cni0", "isGateway": true,
        "ipam": super::ipam(host, super::DUAL_STACK)}),
        "1.0.0",
    );
    go(host).add(&network, &attachment("blue")).unwrap();
    host.ours().add(&network, &elsewhere(host)).unwrap_err();
    assert_eq!(host.reservations(), ["10.77.0.2", "fd00:77::2"]);
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.run("ip netns exec blue busybox ping -c 1 -W 10 10.77.0.1");
    assert_eq!(host.run("ip -n green -o link show type veth"), "");
}

fn del_of_another_network_leaves_what_go_added(host: &Host) {
    let network =
        network(json!({"type": "bridge", "bridge": "cni0", "ipam": super::ipam(host, super::DUAL_STACK)}), "1.0.0");
    go(host).add(&network, &attachment("blue")).unwrap();
    let [other_bridge, _] = others(&network);
    forgetful(host).del(&other_bridge, &attachment("blue")).unwrap();
    host.ours().check(&network, &attachment("blue")).unwrap();
}

fn del_removes_what_go_added(host: &Host) {
    let network = network(
        json!({"type": "bridge", "bridge": "cni0", "isGateway": true,
        "ipam": super::ipam(host, super::DUAL_STACK)}),
        "1.0.0",
    );
    let blue = attachment("blue");
    for (forget, attachment) in [
        ("true", blue.clone()),
        ("true", blue.clone().netns("")),
        ("ip link del cni0", blue.clone()),
        ("rm -r cache", blue.clone()),
    ] {
        go(host).add(&network, &blue).unwrap();
        host.run(forget);
        host.ours().del(&network, &attachment).unwrap();
        assert_eq!(host.run("ip -n blue -o link show type veth"), "", "{forget}");
        host.is_clean();
    }
}

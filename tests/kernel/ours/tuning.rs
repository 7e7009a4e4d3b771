//! `tuning`: settings of the container's interface and sysctls of its network, changed and changed back.

use std::fs;

use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::spec::Version;
use libcni::{Chain, Error};
use serde_json::{Value, json};

use super::{attachment, ipam, merge};
use crate::Test;
use crate::host::{Host, PLUGINS};

pub(crate) const TESTS: &[Test] = &[
    ("ours::tuning::every_version_works_and_leaves_nothing", every_version_works),
    ("ours::tuning::del_makes_the_interface_as_it_was", del_makes_the_interface_as_it_was),
    ("ours::tuning::check_finds_what_is_different", check_finds_what_is_different),
    ("ours::tuning::a_failed_add_changes_nothing_and_says_what_it_was", a_failed_add),
    ("ours::tuning::only_sysctls_of_the_network_that_are_allowed_are_set", only_allowed_sysctls),
    ("ours::tuning::arguments_come_before_the_configuration", arguments_come_first),
    ("ours::tuning::what_is_saved_is_the_attachments_alone", what_is_saved_is_its_own),
    ("ours::tuning::what_is_saved_goes_with_the_container", what_is_saved_goes),
];

pub(crate) const WITH_GO: &[Test] = &[("ours::tuning::del_restores_what_go_saved", del_restores_what_go_saved)];

fn network(host: &Host, version: &str, keys: Value) -> NetworkConfig {
    let bridge = json!({"type": "bridge", "bridge": "cni0", "ipam": ipam(host, &["10.77.0.0/24"])});
    let mut tuning = json!({"type": "tuning", "dataDir": host.path("tuning"), "capabilities": {"mac": true}});
    merge(&mut tuning, keys);
    let list = json!({"cniVersion": version, "name": "net", "plugins": [bridge, tuning]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

fn everything() -> Value {
    json!({"mac": "02:00:00:00:07:07", "mtu": 1400, "promisc": true, "allmulti": true, "txQLen": 77,
        "sysctl": {"net.ipv4.conf.IFNAME.log_martians": "1", "net.ipv4.tcp_rmem": "4096 100000 200000"}})
}

/// The interface, but for its carrier, which the kernel notices in its own time.
fn shown(host: &Host) -> String {
    host.run("ip -n blue -o link show dev eth0 | sed 's/NO-CARRIER,//; s/ state [A-Z]*//'")
}

/// What is saved of interfaces.
fn saved(host: &Host) -> String {
    host.run("ls tuning 2>/dev/null || true")
}

fn every_version_works(host: &Host) {
    for version in Version::ALL {
        let network = network(host, version.as_str(), everything());
        let blue = attachment("blue");
        let result = host.ours().add(&network, &blue).unwrap();
        assert_eq!(*result.version(), version);
        let link = shown(host);
        for part in ["02:00:00:00:07:07", "mtu 1400", "PROMISC", "ALLMULTI", "qlen 77"] {
            assert!(link.contains(part), "{version}: no {part}: {link}");
        }
        assert_eq!(host.run("ip netns exec blue cat /proc/sys/net/ipv4/conf/eth0/log_martians").trim(), "1");
        let inside = result.latest().interfaces.into_iter().find(|interface| interface.name == "eth0");
        if let Some(inside) = inside {
            assert_eq!(inside.mac.as_deref(), Some("02:00:00:00:07:07"), "{version}");
            assert!(version.as_str() != "1.1.0" || inside.mtu == Some(1400), "{inside:?}");
        }
        match host.ours().check(&network, &blue) {
            Err(Error::CheckUnsupported { .. }) => assert!(!version.has_check()),
            checked => checked.unwrap(),
        }
        for _ in 0..2 {
            host.ours().del(&network, &blue).unwrap();
        }
        assert_eq!(saved(host), "");
        host.is_clean();
    }
}

/// Calls the plugin alone for the interface `eth0` that a person made.
fn call(host: &Host, command: &str, keys: Value) -> String {
    call_as(host, command, ("net", "blue", "eth0"), keys)
}

/// The same for any interface in the namespace, as that of a network and a container.
fn call_as(host: &Host, command: &str, (network, id, ifname): (&str, &str, &str), keys: Value) -> String {
    let result = json!({"cniVersion": "1.1.0", "interfaces": [{"name": ifname, "sandbox": "/run/netns/blue"}]});
    let mut config = json!({"cniVersion": "1.1.0", "name": network, "type": "tuning", "dataDir": host.path("tuning"),
        "prevResult": result});
    merge(&mut config, keys);
    let dir = super::plugins();
    let line = format!(
        "echo '{config}' | CNI_COMMAND={command} CNI_CONTAINERID={id} CNI_IFNAME={ifname} \
         CNI_NETNS=/run/netns/blue CNI_PATH=/ {}/tuning",
        dir.display()
    );
    String::from_utf8(host.shell(&line).output().unwrap().stdout).unwrap()
}

fn make_eth0(host: &Host) {
    host.run(
        "ip -n blue link add eth0 type veth peer name other0 && ip -n blue link set eth0 address 02:00:00:00:00:01 up",
    );
}

fn del_makes_the_interface_as_it_was(host: &Host) {
    make_eth0(host);
    let before = shown(host);
    call(host, "ADD", everything());
    // As it was before the first one, which was killed before its end.
    let changed = shown(host);
    assert_ne!(changed, before);
    call(host, "ADD", everything());
    assert_eq!(shown(host), changed);
    assert_eq!(call(host, "DEL", everything()), "");
    assert_eq!(shown(host), before);
    assert_eq!(call(host, "DEL", json!({})), "");
    assert_eq!(saved(host), "");
}

fn check_finds_what_is_different(host: &Host) {
    let network = network(host, "1.1.0", everything());
    host.add(&network, "blue");
    let check = || host.ours().check(&network, &attachment("blue"));
    check().unwrap();
    for (damage, repair, key) in [
        ("address 02:00:00:00:07:08", "address 02:00:00:00:07:07", "mac"),
        ("mtu 1399", "mtu 1400", "mtu"),
        ("promisc off", "promisc on", "promisc"),
        ("allmulticast off", "allmulticast on", "allmulti"),
        ("txqueuelen 78", "txqueuelen 77", "txQLen"),
    ] {
        host.run(&format!("ip -n blue link set eth0 {damage}"));
        // What bridge made has another address then, too.
        let error = call(host, "CHECK", everything());
        assert!(error.contains(&format!("CHECK: tuning: `{key}` of interface `eth0`")), "{damage}: {error}");
        host.run(&format!("ip -n blue link set eth0 {repair}"));
    }
    host.run("ip netns exec blue sh -c 'echo 0 >/proc/sys/net/ipv4/conf/eth0/log_martians'");
    assert!(Chain(&check().unwrap_err()).to_string().contains("log_martians` is 0, not 1"));
    host.del(&network, "blue");
}

fn a_failed_add(host: &Host) {
    make_eth0(host);
    let before = shown(host);
    for (keys, said) in [
        (json!({"mtu": 1400, "mac": "03:00:00:00:00:01"}), "set the hardware address"),
        (json!({"mac": "02:00"}), "invalid hardware address `02:00`"),
        (json!({"mtu": "big"}), "`mtu` must be a number, not"),
        (json!({"sysctl": {"net.nothing": "1"}}), "cannot set sysctl `net.nothing` to 1"),
        (json!({"sysctl": {"net.ipv4.conf.IFNAME.log_martians": 1}}), "log_martians` must be a string, not 1"),
    ] {
        let answer = call(host, "ADD", keys);
        assert!(answer.contains("tuning") || answer.contains("hardware address"), "{answer}");
        assert!(answer.contains(said), "{answer}");
        assert_eq!(shown(host), before);
    }
}

fn only_allowed_sysctls(host: &Host) {
    make_eth0(host);
    let sysctl = |key: &str| call(host, "ADD", json!({"sysctl": {key: "1"}}));
    for key in ["kernel.panic", "net.ipv4/../../kernel/panic", "net/../kernel/panic"] {
        assert!(sysctl(key).contains("is not one of the network"), "{key}");
    }
    host.run("mkdir -p /etc/cni && mount -t tmpfs tmpfs /etc/cni && mkdir /etc/cni/tuning");
    fs::write("/etc/cni/tuning/allowlist.conf", "^net\\.ipv4\\.conf\\.all\\.[a-z_]*$\n").unwrap();
    assert!(sysctl("net.ipv4.conf.all.log_martians").contains("interfaces"));
    assert!(sysctl("net.ipv4.conf.eth0.log_martians").contains("is not allowed"));
    let twice = json!({"cniVersion": "1.1.0", "name": "net", "type": "tuning"}).to_string();
    let twice = twice.replace('}', r#","sysctl":{"net.ipv4.ip_forward":"1","net.ipv4.ip_forward":"0"}}"#);
    let dir = super::plugins();
    let line = format!("echo '{twice}' | CNI_COMMAND=STATUS CNI_PATH=/ {}/tuning", dir.display());
    let answer = String::from_utf8(host.shell(&line).output().unwrap().stdout).unwrap();
    assert!(answer.contains("duplicated sysctl `net.ipv4.ip_forward`"), "{answer}");
}

fn arguments_come_first(host: &Host) {
    make_eth0(host);
    let answer = call(
        host,
        "ADD",
        json!({"mtu": 1400, "mac": "02:00:00:00:00:09", "ARGS": {"cni": {"MTU": 1300,
        "txQLen": 5, "sysctl": {"net.ipv4.conf.IFNAME.log_martians": "1"}}},
        "runtimeConfig": {"mac": "02:00:00:00:00:0a"}}),
    );
    assert!(answer.contains("02:00:00:00:00:0a"), "{answer}");
    let link = shown(host);
    assert!(link.contains("mtu 1300") && link.contains("qlen 5"), "{link}");
    assert_eq!(host.run("ip netns exec blue cat /proc/sys/net/ipv4/conf/eth0/log_martians").trim(), "1");
    let answer = call(
        host,
        "ADD",
        json!({"args": {"cni": {"mac": "02:00:00:00:00:0b"}},
        "runtimeConfig": {"mac": "02:00:00:00:00:0a"}}),
    );
    assert!(answer.contains("02:00:00:00:00:0b"), "{answer}");
}

fn what_is_saved_is_its_own(host: &Host) {
    make_eth0(host);
    host.run("ip -n blue link add net1_eth0 type veth peer name other1");
    let links = || host.run("ip -n blue -o link show type veth | sed 's/ state.*//'");
    let before = links();
    // Both names run together to `x_net1_eth0`.
    for (id, ifname) in [("x_net1", "eth0"), ("x", "net1_eth0")] {
        call_as(host, "ADD", ("net", id, ifname), json!({"mtu": 1400}));
    }
    let changed = links();
    assert_eq!(changed.matches("mtu 1400").count(), 2, "{changed}");
    // As after an ADD that was refused, since the container has such an interface on another network.
    for (id, ifname) in [("x_net1", "eth0"), ("x", "net1_eth0")] {
        assert_eq!(call_as(host, "DEL", ("other", id, ifname), json!({"prevResult": null})), "");
    }
    assert_eq!(links(), changed);
    // The network has another name by now.
    assert_eq!(call_as(host, "DEL", ("other", "x_net1", "eth0"), json!({})), "");
    assert_eq!(links().matches("mtu 1400").count(), 1, "{}", links());
    for (id, ifname) in [("x_net1", "eth0"), ("x", "net1_eth0")] {
        assert_eq!(call_as(host, "DEL", ("net", id, ifname), json!({})), "");
    }
    assert_eq!(links(), before);
    assert_eq!(saved(host), "");
}

fn what_is_saved_goes(host: &Host) {
    let network = network(host, "1.1.0", everything());
    host.run("ip netns add green");
    host.add(&network, "blue");
    host.add(&network, "green");
    fs::write(host.path("tuning/theirs_eth0.json"), r#"{"mtu": 1500}"#).unwrap();
    std::fs::remove_dir_all(host.path("cache")).unwrap();
    let blue = attachment("blue");
    host.ours().gc(&network, &Keep::only([(&blue.container_id, &blue.ifname)])).unwrap();
    assert_eq!(saved(host), "blue_eth0.json\ntheirs_eth0.json\n");
    // The namespace is gone.
    host.run("ip netns del blue");
    host.del(&network, "blue");
    assert_eq!(saved(host), "theirs_eth0.json\n");
}

fn del_restores_what_go_saved(host: &Host) {
    make_eth0(host);
    let before = shown(host);
    let config = json!({"cniVersion": "1.0.0", "name": "net", "type": "tuning", "dataDir": host.path("tuning"), "mtu": 1400,
        "mac": "02:00:00:00:00:09", "promisc": true, "allmulti": true,
        "prevResult": {"cniVersion": "1.0.0", "interfaces": [{"name": "eth0", "sandbox": "/run/netns/blue"}]}});
    host.run(&format!(
        "echo '{config}' | CNI_COMMAND=ADD CNI_CONTAINERID=blue CNI_IFNAME=eth0 CNI_NETNS=/run/netns/blue CNI_PATH=/ \
         {PLUGINS}/tuning"
    ));
    assert_ne!(shown(host), before);
    assert_eq!(call(host, "CHECK", json!({"mtu": 1400, "mac": "02:00:00:00:00:09", "promisc": true})), "");
    assert_eq!(call(host, "DEL", json!({})), "");
    assert_eq!(shown(host), before);
    assert_eq!(saved(host), "");
}

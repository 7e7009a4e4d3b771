//! Attachments come and go: in every version, often, in parallel, and without a trace.

use std::collections::BTreeSet;

use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::spec::Version;
use libcni::spec::capability::PortMapping;
use libcni::{Attachment, Chain, Error};
use serde_json::json;

use super::{attachment, bridge, ipam};
use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("ours::life::every_version_works_and_leaves_nothing", every_version_works_and_leaves_nothing),
    ("ours::life::old_versions_refuse_a_second_address_of_a_family", old_versions_refuse_a_second_address),
    ("ours::life::loopback_works_in_every_version", loopback_works_in_every_version),
    ("ours::life::fifty_at_once_get_fifty_addresses", fifty_at_once_get_fifty_addresses),
    ("ours::life::del_works_again_and_again_and_without_the_namespace", del_works_again_and_again),
    ("ours::life::del_without_add_is_fine", del_without_add_is_fine),
    ("ours::life::a_second_add_is_refused_and_changes_nothing", a_second_add_is_refused),
    ("ours::life::a_failed_add_leaves_nothing", a_failed_add_leaves_nothing),
    ("ours::life::gc_sweeps_up_what_nobody_knows_of", gc_sweeps_up_what_nobody_knows_of),
    ("ours::life::check_finds_what_is_different", check_finds_what_is_different),
    ("ours::life::status_tells_used_up_ranges", status_tells_used_up_ranges),
    ("ours::life::status_tells_that_there_can_be_no_rules", status_tells_that_there_can_be_no_rules),
    ("ours::life::several_interfaces_of_a_container_are_apart", several_interfaces_are_apart),
];

/// Bridge, with addresses, masquerading and guarded ports, and portmap.
fn full(host: &Host, version: &str) -> NetworkConfig {
    let bridge = json!({"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipMasq": true, "macspoofchk": true,
        "ipam": ipam(host, super::DUAL_STACK)});
    let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    let list = json!({"cniVersion": version, "name": "net", "plugins": [bridge, portmap, {"type": "noop"}]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

fn with_port(container: &str, port: u16) -> Attachment {
    let mut attachment = attachment(container);
    attachment.capability_args.set_port_mappings(&[PortMapping::tcp(port, 80)]);
    attachment
}

fn every_version_works_and_leaves_nothing(host: &Host) {
    for version in Version::ALL {
        let (network, blue) = (full(host, version.as_str()), with_port("blue", 8080));
        let result = host.ours().add(&network, &blue).unwrap();
        assert_eq!(*result.version(), version);
        let said: Vec<_> = result.latest().ips.iter().map(|ip| ip.address.addr().to_string()).collect();
        assert_eq!(said, host.addresses("blue"), "{version}");
        match host.ours().check(&network, &blue) {
            Err(Error::CheckUnsupported { .. }) => assert!(!version.has_check()),
            checked => checked.unwrap(),
        }
        host.ours().status(&network).unwrap();
        host.ours().gc(&network, &Keep::only([(&blue.container_id, &blue.ifname)])).unwrap();
        assert!(host.run("nft list ruleset").contains("net blue eth0"), "{version}");
        host.ours().del(&network, &blue).unwrap();
        host.is_clean();
    }
}

fn old_versions_refuse_a_second_address(host: &Host) {
    for version in ["0.1.0", "0.2.0"] {
        let subnets = ["10.77.0.0/24", "10.78.0.0/24"];
        let plugin = json!({"type": "bridge", "bridge": "cni0", "ipam": ipam(host, &subnets)});
        let error = host.ours().add(&super::network(plugin, version), &attachment("blue")).unwrap_err();
        assert!(Chain(&error).to_string().contains("does not support more than 1 address per family"), "{error:?}");
    }
}

fn loopback_works_in_every_version(host: &Host) {
    let is_up = || host.run("ip -n blue -o link show dev lo").contains(",UP");
    for version in Version::ALL {
        let network = super::network(json!({"type": "loopback"}), version.as_str());
        let blue = attachment("blue").ifname("lo".parse().unwrap());
        let result = host.ours().add(&network, &blue).unwrap().latest();
        let ips: Vec<_> = result.ips.iter().map(|ip| ip.address.to_string()).collect();
        assert_eq!(ips, ["127.0.0.1/8", "::1/128"]);
        assert!(is_up());
        if version.has_check() {
            host.ours().check(&network, &blue).unwrap();
        }
        host.ours().del(&network, &blue).unwrap();
        assert!(!is_up());
    }
    host.is_clean();
}

fn fifty_at_once_get_fifty_addresses(host: &Host) {
    let network = full(host, "1.1.0");
    let names: Vec<_> = (0..50).map(|n| format!("c{n}")).collect();
    host.run("for n in $(seq 0 49); do ip netns add c$n; done");
    let (cni, first_port) = (host.ours(), 9000);
    let each = |act: &(dyn Fn(&Attachment) + Sync)| {
        std::thread::scope(|scope| {
            for (name, port) in names.iter().zip(first_port..) {
                scope.spawn(move || act(&with_port(name, port)));
            }
        });
    };
    each(&|attachment| drop(cni.add(&network, attachment).unwrap()));
    each(&|attachment| cni.check(&network, attachment).unwrap());
    let addresses: BTreeSet<_> = names.iter().flat_map(|name| host.addresses(name)).collect();
    assert_eq!(addresses.len(), 100, "one of each family for each");
    assert_eq!(host.run("ip -o link show master cni0 | wc -l").trim(), "50");
    each(&|attachment| cni.del(&network, attachment).unwrap());
    host.is_clean();
}

fn del_works_again_and_again(host: &Host) {
    for netns in ["/run/netns/blue", ""] {
        let (network, blue) = (full(host, "1.1.0"), with_port("blue", 8080));
        host.ours().add(&network, &blue).unwrap();
        host.run("ip netns del blue");
        for _ in 0..3 {
            host.ours().del(&network, &blue.clone().netns(netns)).unwrap();
            host.is_clean();
        }
        host.run("ip netns add blue");
    }
}

fn del_without_add_is_fine(host: &Host) {
    host.del(&full(host, "1.1.0"), "blue");
    host.is_clean();
    assert_eq!(host.run("ip -o link show type bridge"), "");
}

fn a_second_add_is_refused(host: &Host) {
    let (network, blue) = (full(host, "1.1.0"), with_port("blue", 8080));
    host.ours().add(&network, &blue).unwrap();
    let error = host.ours().add(&network, &blue).unwrap_err();
    assert!(Chain(&error).to_string().contains("interface `eth0` is in the container already"), "{error:?}");
    host.ours().check(&network, &blue).unwrap();
    host.ours().del(&network, &blue).unwrap();
    host.is_clean();
}

fn a_failed_add_leaves_nothing(host: &Host) {
    let failing = |keys| {
        let mut plugin = json!({"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true});
        super::merge(&mut plugin, keys);
        host.ours().add(&super::network(plugin, "1.1.0"), &attachment("blue")).unwrap_err();
        host.is_clean();
    };
    // The bridge has an address in the way; IPAM fails; there is no such IPAM plugin.
    host.run("ip link add cni0 type bridge && ip addr add 10.77.0.9/16 dev cni0");
    failing(json!({"ipam": ipam(host, &["10.77.0.0/24"])}));
    failing(json!({"ipam": ipam(host, &["10.77.0.0/33"])}));
    failing(json!({"ipam": {"type": "nowhere"}}));
}

fn gc_sweeps_up_what_nobody_knows_of(host: &Host) {
    let network = full(host, "1.1.0");
    host.run("ip netns add green");
    host.ours().add(&network, &with_port("blue", 8080)).unwrap();
    host.ours().add(&network, &with_port("green", 8081)).unwrap();
    // As a runtime leaves it that lost its records.
    std::fs::remove_dir_all(host.path("cache")).unwrap();
    let blue = with_port("blue", 8080);
    host.ours().gc(&network, &Keep::only([(&blue.container_id, &blue.ifname)])).unwrap();
    assert_eq!(host.reservations(), ["10.77.0.2", "fd00:77::2"]);
    assert_eq!(host.run("ip -o link show master cni0 | wc -l").trim(), "1");
    let rules = host.run("nft list ruleset");
    assert!(rules.contains("net blue eth0") && !rules.contains("net green eth0"), "{rules}");
    assert!(rules.contains("8080") && !rules.contains("8081"), "{rules}");
    host.ours().gc(&network, &Keep::Only(Vec::new())).unwrap();
    host.is_clean();
}

fn check_finds_what_is_different(host: &Host) {
    for (damage, plugin) in [
        ("ip -n blue addr flush dev eth0", "bridge"),
        ("ip -n blue route flush default", "bridge"),
        ("ip -n blue link set eth0 down", "bridge"),
        ("ip -n blue link del eth0", "bridge"),
        ("ip -n blue link set eth0 address 02:00:00:00:00:01", "bridge"),
        ("ip link set $(ip -o link show master cni0 | grep -o 'veth[0-9a-f]*' | head -1) nomaster", "bridge"),
        (
            "ip link set $(ip -o link show master cni0 | grep -o 'veth[0-9a-f]*' | head -1) address 02:00:00:00:00:02",
            "bridge",
        ),
        ("ip link set cni0 address 02:00:00:00:00:03", "bridge"),
        ("ip addr flush dev cni0", "bridge"),
        ("ip link set cni0 down", "bridge"),
        ("nft flush chain inet libcni_masquerading subnet-10.77.0.0/24", "bridge"),
        ("rm ipam/net/10.*", "bridge"),
        ("nft flush chain inet libcni_portmap ports", "portmap"),
    ] {
        let (network, blue) = (full(host, "1.1.0"), with_port("blue", 8080));
        host.ours().add(&network, &blue).unwrap();
        host.ours().check(&network, &blue).unwrap();
        host.run(damage);
        let checked = host.ours().check(&network, &blue);
        let named = matches!(&checked, Err(Error::Plugin(source)) if source.plugin == plugin);
        assert!(named, "{damage}: {checked:?}");
        host.ours().del(&network, &blue).unwrap();
        host.is_clean();
    }
}

fn status_tells_used_up_ranges(host: &Host) {
    let network = bridge(host, json!({"ipam": ipam(host, &["10.77.0.0/30"])}));
    host.ours().status(&network).unwrap();
    host.add(&network, "blue");
    let error = host.ours().status(&network).unwrap_err();
    let Error::Plugin(source) = &error else { panic!("{error:?}") };
    assert_eq!(source.code().unwrap().0, 50);
    host.del(&network, "blue");
    host.ours().status(&network).unwrap();
}

fn status_tells_that_there_can_be_no_rules(host: &Host) {
    for plugin in ["portmap", "bridge"] {
        let config = json!({"cniVersion": "1.1.0", "name": "net", "type": plugin, "ipMasq": true});
        let line = format!(
            "echo '{config}' | CNI_COMMAND=STATUS CNI_PATH=/ setpriv --bounding-set=-net_admin {}",
            super::plugins().join(plugin).display()
        );
        let output = host.shell(&line).output().unwrap();
        let answer = String::from_utf8_lossy(&output.stdout);
        assert!(answer.contains(r#""code":50,"#), "{answer}");
    }
}

fn several_interfaces_are_apart(host: &Host) {
    let network = full(host, "1.1.0");
    let second = attachment("blue").ifname("eth1".parse().unwrap());
    host.ours().add(&network, &with_port("blue", 8080)).unwrap();
    host.ours().add(&network, &second).unwrap();
    assert_eq!(host.reservations().len(), 4);
    host.ours().check(&network, &second).unwrap();
    host.ours().del(&network, &second).unwrap();
    host.ours().check(&network, &with_port("blue", 8080)).unwrap();
    assert_eq!(host.reservations(), ["10.77.0.2", "fd00:77::2"]);
    host.del(&network, "blue");
    host.is_clean();
}

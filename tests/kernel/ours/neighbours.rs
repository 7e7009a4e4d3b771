//! In a list with plugins of others.

use std::fs;
use std::os::unix::fs::symlink;

use libcni::Cni;
use libcni::conf::NetworkConfig;
use libcni::result::AddResult;
use libcni::spec::capability::PortMapping;
use serde_json::{Value, json};

use super::{attachment, ipam, plugins};
use crate::Test;
use crate::host::{Host, PLUGINS};

pub(crate) const WITH_GO: &[Test] = &[
    (
        "ours::neighbours::check_behind_loopback_and_before_firewall_holds_when_a_neighbour_goes",
        check_holds_when_a_neighbour_goes,
    ),
    ("ours::neighbours::a_chain_has_the_same_result_and_rules_whoever_is_in_it", the_same_whoever_is_in_it),
];

/// The plugins that stand before others, behind them and below them.
const OURS: [&str; 4] = ["bridge", "host-local", "loopback", "portmap"];

/// Those of ours, and all others of Debian.
fn mixed(host: &Host) -> Cni {
    let dir = host.path("mixed");
    fs::create_dir_all(&dir).unwrap();
    for name in OURS {
        let _ = symlink(plugins().join(name), dir.join(name));
    }
    host.cni_with([dir, PLUGINS.into()])
}

fn check_holds_when_a_neighbour_goes(host: &Host) {
    let bridge = json!({"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
        "ipam": ipam(host, &["10.77.0.0/24"])});
    let firewall = json!({"type": "firewall", "backend": "iptables"});
    let list = json!({"cniVersion": "0.4.0", "name": "net", "plugins": [{"type": "loopback"}, bridge, firewall]});
    let network = NetworkConfig::parse(&list.to_string()).unwrap();
    host.run("ip netns add green");
    let cni = mixed(host);
    for container in ["blue", "green"] {
        let result = cni.add(&network, &attachment(container)).unwrap().latest();
        let names: Vec<_> = result.interfaces.iter().map(|interface| interface.name.as_str()).collect();
        assert!(names[0] == "cni0" && names[2] == "eth0" && names.len() == 3, "{names:?}");
        assert_eq!(result.ips.len(), 1);
    }
    cni.del(&network, &attachment("green")).unwrap();
    cni.check(&network, &attachment("blue")).unwrap();
    cni.del(&network, &attachment("blue")).unwrap();
    assert!(!host.run("iptables-save").contains("127.0.0.1"));
}

/// Lists with plugins of others: before ours, behind them, between them, and above them.
fn chains(host: &Host) -> Vec<Value> {
    let ipam = ipam(host, &["10.77.0.0/24"]);
    let mut routed = ipam.clone();
    routed["routes"] = json!([{"dst": "0.0.0.0/0"}]);
    let bridge = json!({"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
        "ipam": routed, "dns": {"nameservers": ["10.77.0.1"]}});
    let fixed = json!({"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipam": {"type": "static",
        "addresses": [{"address": "10.77.0.7/24", "gateway": "10.77.0.1"}], "routes": [{"dst": "192.0.2.0/24"}]}});
    let ptp = json!({"type": "ptp", "ipMasq": true, "ipam": routed});
    let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    let firewall = json!({"type": "firewall", "backend": "iptables"});
    let sysctl = json!({"type": "tuning", "sysctl": {"net.ipv4.conf.eth0.rp_filter": "2"}});
    let link = json!({"type": "tuning", "mac": "02:00:00:00:00:77", "mtu": 1400, "promisc": true});
    let bandwidth = json!({"type": "bandwidth", "ingressRate": 8_000_000, "ingressBurst": 800_000,
        "egressRate": 8_000_000, "egressBurst": 800_000});
    vec![
        json!([bridge, portmap, firewall, sysctl]),
        json!([{"type": "loopback"}, bridge, firewall, portmap]),
        json!([bridge, bandwidth]),
        json!([bridge, bandwidth, portmap, firewall]),
        json!([fixed, link]),
        json!([fixed, {"type": "sbr"}]),
        json!([ptp, portmap]),
        json!([ptp, firewall, sysctl]),
    ]
}

/// What containers and the plugins behind see of a result. Names and addresses of links are by chance, and the MTU came
/// with 1.1.0.
fn seen(result: &AddResult) -> Vec<String> {
    let body = result.latest();
    let names = body.interfaces.iter().map(|interface| {
        let name = interface.name.trim_end_matches(|c: char| c.is_ascii_hexdigit());
        format!(
            "{} {} {:?}",
            if name == "veth" { name } else { &interface.name },
            interface.mac.is_some(),
            interface.sandbox
        )
    });
    names.chain([format!("{:?} {:?} {:?}", body.ips, body.routes, body.dns)]).collect()
}

/// What CHECK says.
type Checked = Result<(), libcni::Error>;

/// The life of `blue` on a network: its result, and the rules of `firewall` as long as it is there.
fn lives(host: &Host, cni: &Cni, network: &NetworkConfig, checked: fn(Checked)) -> (Vec<String>, String) {
    let mut blue = attachment("blue");
    blue.capability_args.set_port_mappings(&[PortMapping::tcp(8080, 80)]);
    let result = cni.add(network, &blue).unwrap();
    let rules = host.run("iptables-save -t filter | grep '^-A' || true");
    checked(cni.check(network, &blue));
    cni.del(network, &blue).unwrap();
    let left = host.run(
        "iptables-save | grep -E '10.77|CNI-DN-|8080' || true; ip -o link show type veth; ip -o link show type ifb",
    );
    assert_eq!(left, "", "{network:?}");
    (seen(&result), rules)
}

fn the_same_whoever_is_in_it(host: &Host) {
    for (chain, version) in chains(host).into_iter().zip(["0.4.0", "1.0.0"].into_iter().cycle()) {
        let list = json!({"cniVersion": version, "name": "net", "plugins": chain});
        let network = NetworkConfig::parse(&list.to_string()).unwrap();
        let life = |cni: Cni, checked| {
            host.run("rm -rf ipam; ip link del cni0 2>/dev/null || true");
            // `sbr` says on stderr what it does.
            let cni = cni.to_builder().on_notice(|_| ()).build().unwrap();
            lives(host, &cni, &network, checked)
        };
        let ours = life(mixed(host), Result::unwrap);
        // CHECK of theirs does not hold behind each other: portmap 1.1.1 looks for rules of IPv4 among those of IPv6,
        // and bridge for routes that sbr has moved.
        let theirs = life(host.cni_with([PLUGINS]), drop);
        assert_eq!(ours, theirs, "{list}");
    }
}

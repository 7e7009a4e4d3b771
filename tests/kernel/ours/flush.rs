//! The way back to the reference plugins.

use std::path::Path;
use std::process::Command;

use libcni::conf::NetworkConfig;
use serde_json::json;

use super::takeover::{VERSION, go, mapped, network, rules};
use crate::Test;
use crate::host::Host;
use crate::traffic::{reaches, serve};

pub(crate) const TESTS: &[Test] = &[("ours::flush::it_removes_every_rule_of_ours", flush_removes_every_rule)];

pub(crate) const WITH_GO: &[Test] = &[
    ("ours::flush::the_way_back_is_open_after_it", the_way_back_is_open),
    ("ours::flush::the_page_removes_every_trace", the_page_removes_every_trace),
];

const PAGE: &str = include_str!("../../../src/bin/cni-plugins/README.md");

fn flush(host: &Host) {
    host.run_command(Command::new(env!("CARGO_BIN_EXE_cni-plugins")).arg("flush"));
}

fn flush_removes_every_rule(host: &Host) {
    let (network, blue) = (network(host, "1.1.0"), mapped("blue"));
    flush(host);
    host.run("nft 'table inet mine { chain c { type nat hook prerouting priority 0; }; }'");
    host.ours().add(&network, &blue).unwrap();
    for table in ["inet libcni_portmap", "bridge libcni_macspoofchk", "inet libcni_masquerading"] {
        assert!(host.run("nft list tables").contains(table), "{table}");
    }
    flush(host);
    assert_eq!(host.run("nft list tables"), "table inet mine\n");
    assert_eq!(host.run("cat /proc/sys/net/ipv4/conf/cni0/route_localnet"), "0\n");
    // Nobody is the worse for it: DEL works, and so does the next ADD.
    host.ours().del(&network, &blue).unwrap();
    host.ours().add(&network, &blue).unwrap();
    host.ours().check(&network, &blue).unwrap();
    host.ours().del(&network, &blue).unwrap();
    assert_eq!(host.run("nft list tables"), "table inet mine\n");
}

fn the_way_back_is_open(host: &Host) {
    // Their bridge complains when it finds none of its own rules against spoofing.
    let network = network(host, VERSION).text().replace(r#""macspoofchk":true"#, r#""macspoofchk":false"#);
    let network = NetworkConfig::parse(&network).unwrap();
    host.make_world();
    host.run("ip netns add green");
    host.ours().add(&network, &mapped("blue")).unwrap();
    flush(host);
    // Their DEL takes our container off the network, and their next one has its port and its address. The first one of
    // 1.1.1 misses the chain of its own masquerading; 1.9 does not.
    let _ = go(host, "nft").del(&network, &mapped("blue"));
    go(host, "nft").del(&network, &mapped("blue")).unwrap();
    assert_eq!(rules(host), "");
    assert_eq!(host.reservations(), Vec::<String>::new());
    go(host, "nft").add(&network, &mapped("green")).unwrap();
    serve("green", 80);
    reaches("world", "192.0.2.1:8080", "green", "192.0.2.9");
    go(host, "nft").del(&network, &mapped("green")).unwrap();
}

fn the_page_removes_every_trace(host: &Host) {
    host.run("mount -t tmpfs tmpfs /var/lib");
    for chain in ["INPUT ACCEPT", "FORWARD DROP", "OUTPUT ACCEPT"] {
        host.run(&format!("iptables -P {chain} && ip6tables -P {chain}"));
    }
    let shown = "ip -o link; ip -o addr; nft list ruleset; iptables-save; ip6tables-save; find /var/lib /run/cni 2>/dev/null; true";
    // Comments of iptables-save have the time.
    let state = || host.run(&format!("({shown}) | grep -vE '^#|^/var/lib(/cni(/networks)?)?$|^/run/cni$'"));
    let before = state();
    let ipam = json!({"type": "host-local", "ranges": [[{"subnet": "10.77.0.0/24"}], [{"subnet": "fd00:77::/64"}]]});
    let bridge = json!({"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipMasq": true, "ipam": ipam});
    let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    let firewall = json!({"type": "firewall", "ingressPolicy": "same-bridge"});
    let tuning = json!({"type": "tuning", "mtu": 1400});
    let bandwidth = json!({"type": "bandwidth", "ingressRate": 1_000_000, "ingressBurst": 80_000});
    let list =
        json!({"cniVersion": "1.1.0", "name": "mynet", "plugins": [bridge, portmap, firewall, tuning, bandwidth]});
    let network = NetworkConfig::parse(&list.to_string()).unwrap();
    host.ours().add(&network, &mapped("blue")).unwrap();
    host.ours().del(&network, &mapped("blue")).unwrap();
    assert_ne!(state(), before);

    let (_, section) = PAGE.split_once("\n## Removing every trace\n").unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    let (commands, _) = block.split_once("```").unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_cni-plugins")).parent().unwrap();
    host.run(&format!("set -e\nPATH={}:$PATH\n{commands}", programs.display()));
    assert_eq!(state(), before);
}

//! Plugins that come after one that makes an interface.

use serde_json::{Value, json};

use super::injected::Run;
use super::interfaces::{answer, bridge};
use super::verbs::Verbs;
use crate::host::Host;
use crate::ours::merge;

/// The configuration of a plugin for an interface of the container, with more keys.
pub(super) fn config(plugin: &str, keys: Value) -> Value {
    let mut config = json!({"cniVersion": "1.1.0", "name": "net", "type": plugin,
        "prevResult": {"cniVersion": "1.1.0", "interfaces": [{"name": "eth0", "sandbox": "/run/netns/blue"}],
            "ips": [{"address": "10.77.0.2/24", "interface": 0}, {"address": "fd00:77::2/64", "interface": 0}]}});
    merge(&mut config, keys);
    config
}

pub(super) fn portmap_survives(host: &Host) {
    let port = json!({"hostPort": 8080, "containerPort": 80, "protocol": "udp"});
    let config = config("portmap", json!({"runtimeConfig": {"portMappings": [port]}}));
    Verbs::of_plugin(&config).and_gc(&config).survive(host, &|| host.is_clean());
}

pub(super) fn firewall_survives(host: &Host) {
    let config = config("firewall", json!({}));
    let verbs = Verbs::of_plugin(&config).and_gc(&config);
    // The chains stay.
    let rules = host.run("nft list ruleset");
    verbs.survive(host, &|| assert_eq!(host.run("nft list ruleset"), rules));
}

pub(super) fn tuning_survives(host: &Host) {
    host.run("ip -n blue link add eth0 type veth peer name peer");
    let config = config(
        "tuning",
        json!({"dataDir": host.path("tuning"), "mac": "02:00:00:00:07:07", "mtu": 1400, "promisc": true,
            "allmulti": true, "txQLen": 77, "sysctl": {"net.ipv4.conf.IFNAME.log_martians": "1"}}),
    );
    let link = || host.run("ip -n blue -o link show dev eth0");
    let before = link();
    let nothing_is_saved = || assert_eq!(host.run("ls -A tuning 2>/dev/null || true"), "");
    Verbs::of_plugin(&config).survive(host, &|| {
        assert_eq!(link(), before);
        nothing_is_saved();
    });
    // GC is for containers that are gone.
    Verbs::of_plugin(&config).and_gc(&config).survive_gc(host, &nothing_is_saved);
}

pub(super) fn bandwidth_survives(host: &Host) {
    let result = answer(&Run::plugin("ADD", &bridge(host)));
    let config = json!({"cniVersion": "1.1.0", "name": "net", "type": "bandwidth", "prevResult": result,
        "ingressRate": 1_000_000, "ingressBurst": 80_000, "egressRate": 1_000_000, "egressBurst": 80_000});
    let rules = host.run("nft list ruleset");
    // GC is for containers that are gone: a limit at the host's end goes with it.
    Verbs::of_plugin(&config).survive(host, &|| {
        assert_eq!(host.run("ip -o link show type ifb; tc qdisc show | grep -E 'tbf|ingress' || true"), "");
        assert_eq!(host.run("nft list ruleset"), rules);
    });
    Verbs::of_plugin(&config).and_gc(&config).survive_gc(host, &|| {
        assert_eq!(host.run("ip -o link show type ifb"), "");
    });
}

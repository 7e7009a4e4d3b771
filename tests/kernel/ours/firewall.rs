//! `firewall`: containers get through a host that sends on nothing by default.

use libcni::Chain;
use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::spec::Version;
use libcni::{Cni, Error};
use serde_json::{Value, json};

use super::{attachment, ipam, merge};
use crate::Test;
use crate::host::{Host, PLUGINS};
use crate::traffic::{does_not_reach, reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::firewall::containers_get_through_iptables_nft", |host| get_through(host, &["nft"])),
    ("ours::firewall::containers_get_through_iptables_legacy", |host| get_through(host, &["legacy"])),
    ("ours::firewall::containers_get_through_both", |host| get_through(host, &["nft", "legacy"])),
    ("ours::firewall::ingress_policies_keep_bridges_apart", ingress_policies_keep_bridges_apart),
    ("ours::firewall::every_version_works_and_leaves_nothing", every_version_works),
    ("ours::firewall::check_finds_what_is_different", check_finds_what_is_different),
    ("ours::firewall::containers_with_one_address_are_apart", |host| containers_with_one_address(host, "nft")),
    ("ours::firewall::and_so_they_are_in_legacy", |host| containers_with_one_address(host, "legacy")),
    ("ours::firewall::gc_removes_what_nobody_knows_of", |host| gc_removes_what_nobody_knows_of(host, "nft")),
    ("ours::firewall::and_so_it_does_in_legacy", |host| gc_removes_what_nobody_knows_of(host, "legacy")),
    ("ours::firewall::fifty_at_once_all_get_rules", fifty_at_once),
];

pub(crate) const WITH_GO: &[Test] = &[
    ("ours::firewall::what_go_let_through_nft_is_accepted_and_removed", |host| takes_over(host, "nft")),
    ("ours::firewall::what_go_let_through_legacy_is_accepted_and_removed", |host| takes_over(host, "legacy")),
];

fn network(host: &Host, version: &str, keys: Value) -> NetworkConfig {
    of_bridge(host, version, "net", "cni0", keys)
}

fn of_bridge(host: &Host, version: &str, name: &str, bridge: &str, keys: Value) -> NetworkConfig {
    let subnets = if name == "net" { ["10.77.0.0/24", "fd00:77::/64"] } else { ["10.78.0.0/24", "fd00:78::/64"] };
    let bridge = json!({"type": "bridge", "bridge": bridge, "isDefaultGateway": true, "ipMasq": true, "ipam": ipam(host, &subnets)});
    let mut firewall = json!({"type": "firewall"});
    merge(&mut firewall, keys);
    let list = json!({"cniVersion": version, "name": name, "plugins": [bridge, firewall]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

/// Has a kind of iptables send on nothing, of either family.
fn drop_all(host: &Host, kind: &str) {
    host.run(&format!("iptables-{kind} -P FORWARD DROP && ip6tables-{kind} -P FORWARD DROP"));
}

fn rules(host: &Host, kind: &str) -> String {
    host.run(&format!("iptables-{kind} -S FORWARD; iptables-{kind} -S CNI-FORWARD; ip6tables-{kind} -S CNI-FORWARD"))
}

fn get_through(host: &Host, kinds: &[&str]) {
    kinds.iter().for_each(|kind| drop_all(host, kind));
    host.make_world();
    serve("world", 80);
    serve("blue", 80);
    host.run("ip -n world route add 10.77.0.0/24 via 192.0.2.1");
    host.run("ip netns add green && ip netns exec green ip link set lo up");
    let network = network(host, "1.1.0", json!({}));
    host.add(&network, "blue");
    host.add(&network, "green");
    for container in ["blue", "green"] {
        reaches(container, "192.0.2.9:80", "world", "192.0.2.1");
        reaches(container, "[2001:db8::9]:80", "world", "2001:db8::1");
    }
    // Nobody opens connections to it but the host.
    let blue = host.addresses("blue")[0].clone();
    does_not_reach("world", &format!("{blue}:80"));
    for kind in kinds {
        let rules = rules(host, kind);
        let accepted = format!("-d {blue}/32 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT");
        assert!(rules.contains(&accepted) && rules.contains("-j CNI-ADMIN"), "{rules}");
        // Administrators have the last word.
        host.run(&format!("iptables-{kind} -A CNI-ADMIN -s {blue} -j DROP"));
        does_not_reach("blue", "192.0.2.9:80");
        host.run(&format!("iptables-{kind} -F CNI-ADMIN"));
    }
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.del(&network, "blue");
    reaches("green", "192.0.2.9:80", "world", "192.0.2.1");
    host.del(&network, "green");
    for kind in kinds {
        assert!(!rules(host, kind).contains("ACCEPT"));
    }
    if kinds == ["legacy"] {
        assert_eq!(host.run("nft list ruleset"), "");
    }
}

fn ingress_policies_keep_bridges_apart(host: &Host) {
    for (policy, reaches_neighbour) in [("open", true), ("same-bridge", true), ("isolated", false)] {
        for namespace in ["blue", "green", "red"] {
            host.run(&format!("ip netns add {namespace} 2>/dev/null || true"));
        }
        host.run("modprobe -q br_netfilter; echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null || true");
        let keys = json!({"ingressPolicy": policy});
        let net = network(host, "1.1.0", keys.clone());
        let other = of_bridge(host, "1.1.0", "other", "cni1", keys);
        host.add(&net, "blue");
        host.add(&net, "green");
        host.add(&other, "red");
        serve("green", 80);
        serve("red", 80);
        let green = format!("{}:80", host.addresses("green")[0]);
        let red = format!("{}:80", host.addresses("red")[0]);
        // Packets within a bridge come by iptables where the kernel is told so.
        let is_filtered = host.run("cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null || echo 0") == "1\n";
        if reaches_neighbour {
            reaches("blue", &green, "green", &host.addresses("blue")[0]);
        } else if is_filtered {
            does_not_reach("blue", &green);
        }
        if policy == "open" {
            reaches(
                "blue",
                &red,
                "red",
                host.run("ip -4 -o addr show dev cni1 | grep -o '10[.0-9]*' | head -1").trim(),
            );
        } else {
            does_not_reach("blue", &red);
            host.ours().check(&net, &attachment("blue")).unwrap();
        }
        host.del(&net, "blue");
        host.del(&net, "green");
        host.del(&other, "red");
        host.run("ip netns del green; ip netns del red; nft flush ruleset; ip link del cni0; ip link del cni1");
    }
}

fn every_version_works(host: &Host) {
    drop_all(host, "nft");
    for version in Version::ALL {
        let network = network(host, version.as_str(), json!({"backend": "iptables", "ingressPolicy": "open"}));
        let result = host.ours().add(&network, &attachment("blue")).unwrap();
        assert_eq!(*result.version(), version);
        assert_eq!(rules(host, "nft").matches("ACCEPT").count(), 4, "{version}");
        match host.ours().check(&network, &attachment("blue")) {
            Err(Error::CheckUnsupported { .. }) => assert!(!version.has_check()),
            checked => checked.unwrap(),
        }
        for _ in 0..2 {
            host.del(&network, "blue");
            assert_eq!(rules(host, "nft").matches("ACCEPT").count(), 0, "{version}");
        }
    }
}

fn check_finds_what_is_different(host: &Host) {
    for damage in [
        "iptables-nft -F CNI-FORWARD",
        "iptables-nft -F FORWARD",
        "ip6tables-nft -D CNI-FORWARD 2",
        "iptables-nft -F CNI-ISOLATION-STAGE-1",
        "iptables-nft -D CNI-ISOLATION-STAGE-2 1",
    ] {
        let network = network(host, "1.1.0", json!({"ingressPolicy": "same-bridge"}));
        host.add(&network, "blue");
        host.ours().check(&network, &attachment("blue")).unwrap();
        host.run(damage);
        let error = Chain(&host.ours().check(&network, &attachment("blue")).unwrap_err()).to_string();
        assert!(error.contains("firewall: table `filter` of iptables-nft lacks the rule: -A "), "{damage}: {error}");
        host.del(&network, "blue");
    }
}

fn containers_with_one_address(host: &Host, kind: &str) {
    // Two networks that don't know of each other.
    host.run("ip netns add green");
    drop_all(host, kind);
    let first = network(host, "1.1.0", json!({}));
    let second = first.text().replace(r#""net""#, r#""twin""#).replace("cni0", "cni1");
    let second = NetworkConfig::parse(&second).unwrap();
    host.add(&first, "blue");
    host.ours().add(&second, &attachment("green")).unwrap();
    assert_eq!(host.addresses("blue"), host.addresses("green"));
    // Once more, as runtimes do: the rules of the other one stay.
    for _ in 0..2 {
        host.ours().del(&second, &attachment("green")).unwrap();
        assert_eq!(rules(host, kind).matches("-j ACCEPT").count(), 4);
        host.ours().check(&first, &attachment("blue")).unwrap();
    }
    host.del(&first, "blue");
    assert_eq!(rules(host, kind).matches("-j ACCEPT").count(), 0);
    assert!(!host.run(&format!("iptables-{kind}-save; ip6tables-{kind}-save")).contains(" eth0\""));
}

fn gc_removes_what_nobody_knows_of(host: &Host, kind: &str) {
    host.run("ip netns add green");
    drop_all(host, kind);
    let network = network(host, "1.1.0", json!({}));
    host.add(&network, "blue");
    host.add(&network, "green");
    host.run(&format!("iptables-{kind} -A CNI-FORWARD -s 10.99.0.1 -j ACCEPT"));
    std::fs::remove_dir_all(host.path("cache")).unwrap();
    let blue = attachment("blue");
    let addresses = host.addresses("green");
    host.ours().gc(&network, &Keep::only([(&blue.container_id, &blue.ifname)])).unwrap();
    let rules = rules(host, kind);
    assert!(!rules.contains(&addresses[0]) && !rules.contains(&addresses[1]), "{rules}");
    assert!(rules.contains(&host.addresses("blue")[0]) && rules.contains("10.99.0.1/32"), "{rules}");
    // Without a record DEL finds the rules by whose they are.
    host.ours().del(&network, &blue).unwrap();
    assert_eq!(self::rules(host, kind).matches("-j ACCEPT").count(), 1);
}

fn fifty_at_once(host: &Host) {
    host.run("for n in $(seq 0 49); do ip netns add c$n; done");
    let (network, cni) = (network(host, "1.1.0", json!({})), host.ours());
    let each = |act: &(dyn Fn(&libcni::Attachment) + Sync)| {
        std::thread::scope(|scope| {
            for n in 0..50 {
                scope.spawn(move || act(&attachment(&format!("c{n}"))));
            }
        });
    };
    each(&|attachment| drop(cni.add(&network, attachment).unwrap()));
    let shown = rules(host, "nft");
    assert_eq!(shown.matches("-j ACCEPT").count(), 200, "{shown}");
    assert_eq!(shown.matches("-j CNI-FORWARD").count(), 1, "{shown}");
    each(&|attachment| cni.del(&network, attachment).unwrap());
    assert_eq!(rules(host, "nft").matches("-j ACCEPT").count(), 0);
}

/// The library with Debian's plugins, and `iptables` of a kind.
fn go(host: &Host, kind: &str) -> Cni {
    for name in ["iptables", "ip6tables"] {
        host.run(&format!("mkdir -p sbin && ln -sf $(command -v {name}-{kind}) sbin/{name}"));
    }
    host.cni_with([PLUGINS]).to_builder().env([("PATH", host.path("sbin"))]).build().unwrap()
}

fn takes_over(host: &Host, kind: &str) {
    let network = network(host, "1.0.0", json!({"backend": "iptables"}));
    drop_all(host, kind);
    go(host, kind).add(&network, &attachment("blue")).unwrap();
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.del(&network, "blue");
    let shown = rules(host, kind);
    assert_eq!(shown.matches("-j ACCEPT").count(), 0, "{shown}");
    // And the way back.
    host.add(&network, "blue");
    assert_eq!(rules(host, kind).matches("-j CNI-FORWARD").count(), 1);
    let config = json!({"cniVersion": "1.0.0", "name": "net", "type": "firewall", "backend": "iptables",
        "prevResult": serde_json::from_str::<Value>(&host.run("cat cache/results/net-blue-eth0")).unwrap()["result"]});
    for command in ["CHECK", "DEL"] {
        host.run(&format!(
            "echo '{config}' | PATH={}:$PATH CNI_COMMAND={command} CNI_CONTAINERID=blue CNI_IFNAME=eth0 \
             CNI_NETNS=/run/netns/blue CNI_PATH=/ {PLUGINS}/firewall",
            host.path("sbin").display()
        ));
    }
    let shown = rules(host, kind);
    assert_eq!(shown.matches("-j ACCEPT").count(), 0, "{shown}");
    host.del(&network, "blue");
}

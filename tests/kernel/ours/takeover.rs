//! Containers that the reference plugins added, as far as it concerns rules: CHECK accepts what is there, and DEL and
//! GC remove it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::spec::capability::PortMapping;
use libcni::{Attachment, Chain, Cni};
use serde_json::json;

use super::{DUAL_STACK, attachment, ipam};
use crate::Test;
use crate::host::{Host, PLUGINS};
use crate::traffic::{does_not_reach, reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::takeover::what_nftables_rules_left_is_accepted_and_removed", nftables_rules),
    ("ours::takeover::a_container_of_ours_costs_no_process", a_container_of_ours_costs_no_process),
];

pub(crate) const WITH_GO: &[Test] = &[
    ("ours::takeover::del_removes_the_rules_of_iptables_nft", |host| del_removes_rules(host, "nft")),
    ("ours::takeover::del_removes_the_rules_of_iptables_legacy", |host| del_removes_rules(host, "legacy")),
    ("ours::takeover::check_accepts_rules_of_iptables_nft", |host| check_accepts_rules(host, "nft")),
    ("ours::takeover::check_accepts_rules_of_iptables_legacy", |host| check_accepts_rules(host, "legacy")),
    ("ours::takeover::gc_removes_rules_of_iptables_nft", |host| gc_removes_rules(host, "nft")),
    ("ours::takeover::gc_removes_rules_of_iptables_legacy", |host| gc_removes_rules(host, "legacy")),
    ("ours::takeover::a_port_that_iptables_nft_leads_elsewhere_is_taken", |host| port_is_taken(host, "nft")),
    ("ours::takeover::a_port_that_iptables_legacy_leads_elsewhere_is_taken", |host| port_is_taken(host, "legacy")),
];

pub(super) const VERSION: &str = "1.0.0";

/// The network `net` of a bridge that masquerades, and mapped ports.
pub(super) fn network(host: &Host, version: &str) -> NetworkConfig {
    let bridge = json!({"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipMasq": true,
        "macspoofchk": true, "ipam": ipam(host, DUAL_STACK)});
    let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    let list = json!({"cniVersion": version, "name": "net", "plugins": [bridge, portmap]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

pub(super) fn mapped(container: &str) -> Attachment {
    let mut attachment = attachment(container);
    let udp = PortMapping::udp(5353, 53);
    let here = PortMapping::tcp(8443, 443).host_ip("192.0.2.1".parse().unwrap());
    attachment.capability_args.set_port_mappings(&[PortMapping::tcp(8080, 80), udp, here]);
    attachment
}

/// The library with Debian's plugins and `iptables` of a kind.
pub(super) fn go(host: &Host, kind: &str) -> Cni {
    let sbin = host.path("sbin");
    fs::create_dir_all(&sbin).unwrap();
    for name in ["iptables", "ip6tables"] {
        let _ = symlink(format!("/usr/sbin/xtables-{kind}-multi"), sbin.join(name));
    }
    let _ = symlink("/usr/sbin/nft", sbin.join("nft"));
    host.cni_with([PLUGINS]).to_builder().env([("PATH", sbin)]).build().unwrap()
}

/// The rules of all containers, or of one: of their addresses, ports and chains.
pub(super) fn rules(host: &Host) -> String {
    let saved = host.run(
        "for program in iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy; do $program-save; done
        nft list ruleset",
    );
    let is_of_container = |line: &&str| {
        ["10.77.", "fd00:77:", "8080", "5353", "8443", "cni-br-iface"].iter().any(|of| line.contains(of))
            || line.split_whitespace().any(|word| {
                word.starts_with("CNI-DN-") || word.starts_with("CNI-") && !word.starts_with("CNI-HOSTPORT-")
            })
    };
    // Ranges of legacy tables and gateways of bridges are nobody's rules.
    saved.lines().filter(is_of_container).collect::<Vec<_>>().join("\n")
}

fn del_removes_rules(host: &Host, kind: &str) {
    let (network, blue) = (network(host, VERSION), mapped("blue"));
    host.make_world();
    // Not every runtime says again at DEL which ports it asked for. A container may live on, without a path to it.
    for same in [&blue, &attachment("blue"), &mapped("blue").netns("/run/netns/gone")] {
        go(host, kind).add(&network, &blue).unwrap();
        assert_ne!(rules(host), "");
        host.ours().del(&network, same).unwrap();
        assert_eq!(rules(host), "");
    }
    // Whoever comes next has the port.
    host.run("ip netns add green");
    host.ours().add(&network, &mapped("green")).unwrap();
    serve("green", 80);
    reaches("world", "192.0.2.1:8080", "green", "192.0.2.9");
    host.ours().del(&network, &mapped("green")).unwrap();
    host.has_no_links();
}

fn check_accepts_rules(host: &Host, kind: &str) {
    let (network, blue) = (network(host, VERSION), mapped("blue"));
    go(host, kind).add(&network, &blue).unwrap();
    host.ours().check(&network, &blue).unwrap();
    for (chain, plugin) in [("CNI-DN-", "portmap"), ("CNI-[^DH]", "bridge")] {
        host.run(&format!(
            "chain=$(iptables-{kind}-save -t nat | sed -n 's/^:\\({chain}[^ ]*\\).*/\\1/p')
            iptables-{kind} -t nat -F \"$chain\""
        ));
        let error = host.ours().check(&network, &blue).unwrap_err();
        assert!(Chain(&error).to_string().contains(plugin), "{error:?}");
        host.ours().del(&network, &blue).unwrap();
        assert_eq!(rules(host), "");
        go(host, kind).add(&network, &blue).unwrap();
    }
    host.ours().del(&network, &blue).unwrap();
}

fn gc_removes_rules(host: &Host, kind: &str) {
    let old = network(host, VERSION);
    host.run("ip netns add green");
    for container in ["blue", "green"] {
        let mut attachment = mapped(container);
        attachment.capability_args.set_port_mappings(&[PortMapping::tcp(if container == "blue" { 1 } else { 2 }, 80)]);
        go(host, kind).add(&old, &attachment).unwrap();
    }
    // Nobody knows of blue any more, so that it gets no DEL.
    host.run("rm cache/results/net-blue-eth0");
    let green = attachment("green");
    let keep = Keep::only([(&green.container_id, &green.ifname)]);
    host.ours().gc(&network(host, "1.1.0"), &keep).unwrap();
    let left = rules(host);
    assert!(!left.contains("\"blue\"") && !left.contains("10.77.0.2 ") && !left.contains("10.77.0.2/32"), "{left}");
    assert!(left.contains("10.77.0.3"), "{left}");
    host.ours().check(&old, &green).unwrap();
    host.ours().del(&old, &green).unwrap();
}

fn port_is_taken(host: &Host, kind: &str) {
    let network = network(host, VERSION);
    host.make_world();
    host.run("ip netns add green");
    go(host, kind).add(&network, &mapped("blue")).unwrap();
    serve("blue", 80);
    let with = |mapping: PortMapping| {
        let mut green = attachment("green");
        green.capability_args.set_port_mappings(&[mapping]);
        green
    };
    let at = |address: &str, mapping: PortMapping| mapping.host_ip(address.parse().unwrap());
    for number in [8080, 8443] {
        let green = with(at("192.0.2.1", PortMapping::tcp(number, 81)));
        let said = Chain(&host.ours().add(&network, &green).unwrap_err()).to_string();
        let expected = format!("port 192.0.2.1:{number}/tcp of the host is mapped for container `blue`");
        assert!(said.contains(&expected), "{said}");
        host.ours().del(&network, &green).unwrap();
    }
    reaches("world", "192.0.2.1:8080", "blue", "192.0.2.9");
    // Another protocol or number is another port, and so is that of all other addresses.
    for mapping in [PortMapping::udp(8080, 80), PortMapping::tcp(8081, 80), PortMapping::tcp(8443, 80)] {
        host.ours().add(&network, &with(mapping.clone())).unwrap();
        host.ours().del(&network, &with(mapping)).unwrap();
    }
    host.ours().del(&network, &mapped("blue")).unwrap();
    does_not_reach("world", "192.0.2.1:8080");
    host.ours().add(&network, &with(PortMapping::tcp(8080, 80))).unwrap();
    serve("green", 80);
    reaches("world", "192.0.2.1:8080", "green", "192.0.2.9");
    host.ours().del(&network, &with(PortMapping::tcp(8080, 80))).unwrap();
}

/// What the plugins 1.9 leave with `"backend": "nftables"`, of a container and a neighbour.
const NFTABLES: &str = r#"
table inet cni_plugins_masquerade {
    chain masq_checks {
        ip saddr 10.77.0.2 ip daddr != 10.77.0.0/24 masquerade comment "a4861f4ae9f7d238-HASH, net: net, if: eth0, id: blue"
        ip6 saddr fd00:77::2 ip6 daddr != fd00:77::/64 masquerade comment "a4861f4ae9f7d238-HASH, net: net, if: eth0, id: blue"
        ip saddr 10.77.0.9 ip daddr != 10.77.0.0/24 masquerade comment "a4861f4ae9f7d238-0000000000000000, net: net, if: eth0, id: green"
    }
    chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        ip daddr 224.0.0.0/4 return
        goto masq_checks
    }
}
table ip cni_hostport {
    chain hostports {
        tcp dport 8080 dnat to 10.77.0.2:80 comment "blue"
        udp dport 5353 dnat to 10.77.0.2:53 comment "blue"
        ip daddr 192.0.2.1 tcp dport 8443 dnat to 10.77.0.2:443 comment "blue"
        tcp dport 9090 dnat to 10.77.0.9:80 comment "green"
    }
    chain hostip_hostports { }
    chain hostports_all { jump hostip_hostports; jump hostports; }
    chain prerouting { type nat hook prerouting priority dstnat; fib daddr type local jump hostports_all; }
    chain output { type nat hook output priority -100; fib daddr type local jump hostports_all; }
    chain masquerading {
        type nat hook postrouting priority srcnat;
        ip saddr 10.77.0.2 ip daddr 10.77.0.2 masquerade comment "blue"
        ip saddr 127.0.0.1 ip daddr 10.77.0.2 masquerade comment "blue"
    }
}
table ip6 cni_hostport {
    chain hostports {
        tcp dport 8080 dnat to [fd00:77::2]:80 comment "blue"
        udp dport 5353 dnat to [fd00:77::2]:53 comment "blue"
    }
    chain hostip_hostports { }
    chain masquerading {
        type nat hook postrouting priority srcnat;
        ip6 saddr fd00:77::2 ip6 daddr fd00:77::2 masquerade comment "blue"
    }
}
table bridge nat {
    chain cni-br-iface-blue-eth0-mac { ether saddr 02:00:00:00:00:01 return comment "macspoofchk-blue-eth0"; drop comment "macspoofchk-blue-eth0"; }
    chain cni-br-iface-blue-eth0 { jump cni-br-iface-blue-eth0-mac comment "macspoofchk-blue-eth0"; }
    chain PREROUTING { type filter hook prerouting priority -300; iifname "veth77" jump cni-br-iface-blue-eth0 comment "macspoofchk-blue-eth0"; }
}
"#;

fn nftables_rules(host: &Host) {
    let (network, blue) = (network(host, VERSION), mapped("blue"));
    // Our links and addresses, their rules.
    host.ours().add(&network, &blue).unwrap();
    host.run("nft flush ruleset");
    let of_blue = "d8b4af2ef34b4090";
    fs::write(host.path("rules"), NFTABLES.replace("HASH", of_blue)).unwrap();
    host.run("nft -f rules");
    host.ours().check(&network, &blue).unwrap();
    let mut red = attachment("red");
    host.run("ip netns add red");
    red.capability_args.set_port_mappings(&[PortMapping::tcp(9090, 80)]);
    let said = Chain(&host.ours().add(&network, &red).unwrap_err()).to_string();
    assert!(said.contains("0.0.0.0:9090/tcp of the host is mapped for container `green`"), "{said}");
    host.ours().del(&network, &red).unwrap();
    host.run("ip link del $(ip -o link show type veth | sed 's/.*: \\(veth[^@]*\\)@.*/\\1/' | head -1)");
    host.ours().del(&network, &blue).unwrap();
    let left = host.run("nft list ruleset");
    for gone in ["blue", "10.77.0.2 ", "fd00:77::2", "veth77"] {
        assert!(!left.contains(gone), "{gone}: {left}");
    }
    assert!(left.contains("10.77.0.9 ") && left.contains("9090"), "{left}");
}

fn a_container_of_ours_costs_no_process(host: &Host) {
    let (network, blue) = (network(host, "1.1.0"), mapped("blue"));
    // The kernel has a table of iptables-legacy from now on.
    let dir = host.path("spies");
    fs::create_dir_all(&dir).unwrap();
    for name in ["iptables", "ip6tables", "iptables-save", "iptables-legacy-save", "ip6tables-legacy-save", "nft"] {
        let spy = dir.join(name);
        fs::write(&spy, format!("#!/bin/sh\necho {name} \"$@\" >>{}\n", host.path("ran").display())).unwrap();
        fs::set_permissions(&spy, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let cni = host.ours().to_builder().env([("PATH", format!("{}:/usr/bin:/bin", dir.display()))]).build().unwrap();
    cni.add(&network, &blue).unwrap();
    cni.check(&network, &blue).unwrap();
    host.run("iptables-legacy -t nat -S && ip6tables-legacy -t nat -S");
    cni.check(&network, &blue).unwrap();
    cni.del(&network, &blue).unwrap();
    // Nobody but the reference plugin would have rules there, and it leaves a trace besides.
    cni.add(&network, &blue).unwrap();
    cni.del(&network, &blue).unwrap();
    // Without ports nobody looks for them.
    cni.add(&network, &attachment("blue")).unwrap();
    cni.del(&network, &attachment("blue")).unwrap();
    assert_eq!(fs::read_to_string(host.path("ran")).unwrap_or_default(), "");
}

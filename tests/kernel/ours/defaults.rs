//! The lists that projects write by default, with our plugins alone.

use libcni::conf::NetworkConfig;
use libcni::spec::capability::PortMapping;
use serde_json::json;

use super::attachment;
use crate::Test;
use crate::host::Host;
use crate::traffic::{does_not_reach, reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::defaults::podman", |host| runs(host, PODMAN)),
    ("ours::defaults::podman_network_create", |host| runs(host, PODMAN_CREATED)),
    ("ours::defaults::nerdctl", |host| runs(host, NERDCTL)),
    ("ours::defaults::nomad", nomad),
    ("ours::defaults::kind", |host| runs(host, KIND)),
    ("ours::defaults::k3s", |host| runs(host, K3S)),
    ("ours::defaults::minikube", |host| runs(host, MINIKUBE)),
    ("ours::defaults::kubeadm_with_flannel", |host| runs(host, KUBEADM_FLANNEL)),
];

/// The file `cni/87-podman-bridge.conflist` of containers/podman 4.3.1, which Debian installs.
const PODMAN: &str = include_str!("../../support/lists/podman.conflist");

/// As `podman network create --disable-dns` of podman 4.3.1 writes it, after libnetwork/cni/cni_conversion.go of
/// containers/common.
const PODMAN_CREATED: &str = include_str!("../../support/lists/podman-created.conflist");

/// The network `bridge`, after pkg/netutil/{netutil,netutil_unix,cni_plugin_unix}.go of containerd/nerdctl 8da50408
/// (2026-08).
const NERDCTL: &str = include_str!("../../support/lists/nerdctl.conflist");

/// The network mode `bridge`, after client/allocrunner/cni/bridge.go of hashicorp/nomad 2.0.6-dev (aa026cc9), whose
/// fixtures have it, too.
const NOMAD: &str = include_str!("../../support/lists/nomad.conflist");

/// As kindnetd writes it on a node of one family, after images/kindnetd/cmd/kindnetd/cni.go of kubernetes-sigs/kind
/// 0.33.0-alpha (fed26882).
const KIND: &str = include_str!("../../support/lists/kind.conflist");

/// After pkg/agent/flannel/setup_linux.go of k3s-io/k3s (638b0c47), whose setup.go writes it.
const K3S: &str = include_str!("../../support/lists/k3s.conflist");

/// The CNI `bridge`, after pkg/minikube/cni/bridge.go of kubernetes/minikube 1.38.1 (eb25dbc7). With several nodes it
/// is kindnetd that writes the list.
const MINIKUBE: &str = include_str!("../../support/lists/minikube.conflist");

/// The manifest of flannel 0.28.9, after pkg/minikube/cni/flannel.yaml of the same.
const KUBEADM_FLANNEL: &str = include_str!("../../support/lists/kubeadm-flannel.conflist");

/// Nomad lets everybody in before it runs the plugins, by a chain that its list names.
fn nomad(host: &Host) {
    host.run(
        "iptables-nft -N NOMAD-ADMIN
        iptables-nft -A NOMAD-ADMIN -o nomad -d 172.26.64.0/20 -j ACCEPT",
    );
    runs(host, NOMAD);
    assert!(host.run("iptables-nft -S NOMAD-ADMIN").contains("-o nomad"));
}

fn runs(host: &Host, list: &str) {
    // Lists name no place for data, or one of the machine.
    host.run("mount -t tmpfs tmpfs /var/lib && mkdir -p /run/flannel");
    assert_eq!(host.run("realpath /var/run"), "/run\n", "/var/run is another place");
    let file = "FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.0.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n";
    std::fs::write("/run/flannel/subnet.env", file).unwrap();
    let network = NetworkConfig::parse(list).unwrap();
    // As Docker leaves a host, and others.
    host.run("iptables-nft -P FORWARD DROP");
    let has_firewall = list.contains(r#""firewall""#);
    if !has_firewall {
        host.run("iptables-nft -P FORWARD ACCEPT");
    }
    host.make_world();
    serve("world", 80);
    serve("blue", 80);
    let mut blue = attachment("blue");
    blue.capability_args.set_port_mappings(&[PortMapping::tcp(8080, 80)]);
    let bandwidth = json!({"ingressRate": 50_000_000, "ingressBurst": 50_000_000});
    blue.capability_args.set("bandwidth", &bandwidth).unwrap();
    host.ours().validate(&network).unwrap();
    host.ours().add(&network, &blue).unwrap();
    let address = host.addresses("blue")[0].clone();
    if list.contains(r#""ipMasq": false"#) {
        host.run(&format!("ip -n world route add {address} via 192.0.2.1"));
        reaches("blue", "192.0.2.9:80", "world", &address);
    } else {
        reaches("blue", "192.0.2.9:80", "world", "192.0.2.1");
    }
    host.run(&format!("ip -n world route replace {address} via 192.0.2.1"));
    if !has_firewall {
        reaches("world", "192.0.2.1:8080", "blue", "192.0.2.9");
    } else if list.contains("AdminChain") {
        reaches("world", &format!("{address}:80"), "blue", "192.0.2.9");
    } else {
        // Only answers come in.
        does_not_reach("world", &format!("{address}:80"));
    }
    reaches("host", "192.0.2.1:8080", "blue", "192.0.2.1");
    if network.version().unwrap().has_check() {
        host.ours().check(&network, &blue).unwrap();
    }
    host.ours().del(&network, &blue).unwrap();
    host.ours().del(&network, &blue).unwrap();
    host.run("ip link del world");
    host.has_no_links();
    assert_eq!(host.run("nft list tables | grep libcni || true"), "");
    assert!(!host.run("iptables-nft -S CNI-FORWARD 2>/dev/null || true").contains("-j ACCEPT"));
    let left = "find /var/lib/cni /run/cni-ipam-state /run/cni -type f ! -name '*lock' ! -name 'last_reserved_ip.*' 2>/dev/null || true";
    assert_eq!(host.run(left), "");
}

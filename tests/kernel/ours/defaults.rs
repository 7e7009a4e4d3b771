//! The lists that projects write by default, with our plugins alone. Only where they keep data is another place.

use libcni::conf::NetworkConfig;
use libcni::spec::capability::PortMapping;
use serde_json::{Value, json};

use super::attachment;
use crate::Test;
use crate::host::Host;
use crate::traffic::{does_not_reach, reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::defaults::podman", |host| runs(host, &podman())),
    ("ours::defaults::nerdctl", |host| runs(host, &nerdctl())),
    ("ours::defaults::nomad", |host| runs(host, &nomad())),
    ("ours::defaults::kind", |host| runs(host, &kind())),
    ("ours::defaults::k3s", |host| runs(host, &k3s())),
    ("ours::defaults::minikube", |host| runs(host, &minikube())),
    ("ours::defaults::kubeadm_with_flannel", |host| runs(host, &kubeadm())),
];

/// podman 4, `podman network create` and its default network.
fn podman() -> Value {
    json!({"cniVersion": "0.4.0", "name": "podman", "plugins": [
        {"type": "bridge", "bridge": "cni-podman0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
            "ipam": {"type": "host-local", "routes": [{"dst": "0.0.0.0/0"}],
                "ranges": [[{"subnet": "10.88.0.0/16", "gateway": "10.88.0.1"}]]}},
        {"type": "portmap", "capabilities": {"portMappings": true}},
        {"type": "firewall"},
        {"type": "tuning"}
    ]})
}

/// nerdctl's network `bridge`.
fn nerdctl() -> Value {
    json!({"cniVersion": "1.0.0", "name": "bridge", "nerdctlID": "17f29b073143d8cd97b5bbe492bdeffec1c5fee55cc1fe2112c8b9335f8b6121",
        "nerdctlLabels": {"nerdctl/default-network": "true"}, "plugins": [
        {"type": "bridge", "bridge": "nerdctl0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
            "ipam": {"type": "host-local", "routes": [{"dst": "0.0.0.0/0"}],
                "ranges": [[{"gateway": "10.4.0.1", "subnet": "10.4.0.0/24"}]]}},
        {"type": "portmap", "capabilities": {"portMappings": true}},
        {"type": "firewall", "ingressPolicy": "same-bridge"},
        {"type": "tuning"}
    ]})
}

/// Nomad's network `bridge`.
fn nomad() -> Value {
    json!({"cniVersion": "0.4.0", "name": "nomad", "plugins": [
        {"type": "loopback"},
        {"type": "bridge", "bridge": "nomad", "ipMasq": true, "isGateway": true, "forceAddress": true, "hairpinMode": false,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": "172.26.64.0/20"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
        {"type": "firewall", "backend": "iptables", "iptablesAdminChainName": "NOMAD-ADMIN"},
        {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}
    ]})
}

/// What kindnetd writes on a node of kind.
fn kind() -> Value {
    json!({"cniVersion": "0.3.1", "name": "kindnet", "plugins": [
        {"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam-state",
            "routes": [{"dst": "0.0.0.0/0"}], "ranges": [[{"subnet": "10.244.0.0/24"}]]}, "mtu": 1500},
        {"type": "portmap", "capabilities": {"portMappings": true}}
    ]})
}

/// What k3s writes: the plugin of flannel, with its file.
fn k3s() -> Value {
    json!({"name": "cbr0", "cniVersion": "1.0.0", "plugins": [
        {"type": "flannel", "delegate": {"hairpinMode": true, "forceAddress": true, "isDefaultGateway": true}},
        {"type": "portmap", "capabilities": {"portMappings": true}},
        {"type": "bandwidth", "capabilities": {"bandwidth": true}}
    ]})
}

/// What minikube writes for its CNI `bridge`.
fn minikube() -> Value {
    json!({"cniVersion": "0.4.0", "name": "bridge", "plugins": [
        {"type": "bridge", "bridge": "bridge", "addIf": "true", "isDefaultGateway": true, "forceAddress": false,
            "ipMasq": true, "hairpinMode": true, "ipam": {"type": "host-local", "subnet": "10.244.0.0/16"}},
        {"type": "portmap", "capabilities": {"portMappings": true}},
        {"type": "firewall"}
    ]})
}

/// What the manifest of flannel has for kubeadm.
fn kubeadm() -> Value {
    json!({"name": "cbr0", "cniVersion": "0.3.1", "plugins": [
        {"type": "flannel", "delegate": {"hairpinMode": true, "isDefaultGateway": true}},
        {"type": "portmap", "capabilities": {"portMappings": true}}
    ]})
}

fn runs(host: &Host, list: &Value) {
    // Lists name no place for data, or one of the machine.
    host.run("mount -t tmpfs tmpfs /var/lib && mkdir -p /run/flannel");
    let file = "FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.0.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n";
    std::fs::write("/run/flannel/subnet.env", file).unwrap();
    let network = NetworkConfig::parse(&list.to_string()).unwrap();
    // As Docker leaves a host, and others.
    host.run("iptables-nft -P FORWARD DROP");
    let has_firewall = list.to_string().contains(r#""firewall""#);
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
    if list.to_string().contains(r#""ipMasq":false"#) {
        host.run(&format!("ip -n world route add {address} via 192.0.2.1"));
        reaches("blue", "192.0.2.9:80", "world", &address);
    } else {
        reaches("blue", "192.0.2.9:80", "world", "192.0.2.1");
    }
    if has_firewall {
        // Only answers come in, and connections to mapped ports where the firewall lets them.
        host.run(&format!("ip -n world route replace {address} via 192.0.2.1"));
        does_not_reach("world", &format!("{address}:80"));
    } else {
        reaches("world", "192.0.2.1:8080", "blue", "192.0.2.9");
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
    assert!(!host.run("iptables-nft -S").contains("-j ACCEPT"));
    let left = "find /var/lib/cni /run/cni-ipam-state -type f ! -name '*lock' ! -name 'last_reserved_ip.*' 2>/dev/null || true";
    assert_eq!(host.run(left), "");
}

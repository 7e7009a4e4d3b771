//! In a list with plugins of others.

use libcni::Cni;
use libcni::conf::NetworkConfig;
use serde_json::json;

use super::{attachment, ipam, plugins};
use crate::Test;
use crate::host::{Host, PLUGINS};

pub(crate) const WITH_GO: &[Test] = &[(
    "ours::neighbours::check_behind_loopback_and_before_firewall_holds_when_a_neighbour_goes",
    check_holds_when_a_neighbour_goes,
)];

/// Our plugins, and those of Debian that we have none for.
fn mixed(host: &Host) -> Cni {
    host.cni_with([plugins(), PLUGINS.into()])
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

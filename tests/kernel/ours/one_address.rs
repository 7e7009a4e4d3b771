//! Attachments that have the same address, of one network or of two: what one of them leaves is not the other's.

use libcni::Attachment;
use libcni::conf::NetworkConfig;
use libcni::spec::capability::PortMapping;
use serde_json::{Value, json};

use super::{attachment, bridge, merge};
use crate::Test;
use crate::host::Host;
use crate::traffic::{reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::one_address::ports_of_two_networks_have_a_way_back_each", ports_of_two_networks),
    ("ours::one_address::of_one_network_each_is_masqueraded_until_its_own_del", masqueraded_until_its_own_del),
];

/// IPAM that gives everybody the same address.
fn ipam() -> Value {
    json!({"type": "static", "addresses": [{"address": "10.77.0.2/24", "gateway": "10.77.0.1"}],
        "routes": [{"dst": "0.0.0.0/0"}]})
}

fn with_ports(name: &str, keys: Value) -> NetworkConfig {
    let mut bridge = json!({"type": "bridge", "bridge": format!("cni-{name}"), "ipam": ipam()});
    merge(&mut bridge, keys);
    let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    let list = json!({"cniVersion": "1.1.0", "name": name, "plugins": [bridge, portmap]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

/// A container with port 8080 of an address of the host.
fn mapped(container: &str, address: &str) -> Attachment {
    let mut attachment = attachment(container);
    let port = PortMapping::tcp(8080, 80).host_ip(address.parse().unwrap());
    attachment.capability_args.set_port_mappings(&[port]);
    attachment
}

/// The table without what older versions did not make.
const OLDER: &str = "nft delete chain inet libcni_portmap postrouting-further &&
    nft delete map inet libcni_portmap further4 && nft delete map inet libcni_portmap further6 &&
    nft delete map inet libcni_portmap owners && nft delete chain inet libcni_portmap owned &&
    nft delete map inet libcni_masquerading owners && nft delete chain inet libcni_masquerading owned";

fn ports_of_two_networks(host: &Host) {
    host.make_world();
    host.run("ip addr add 192.0.2.2/24 dev world; ip netns add green");
    let [one, two] = [
        with_ports("one", json!({"ipMasq": true})),
        with_ports("two", json!({"isGateway": true, "ipMasq": true, "hairpinMode": true})),
    ];
    let (blue, green) = (mapped("blue", "192.0.2.1"), mapped("green", "192.0.2.2"));
    let ours = host.ours();
    for table_is_old in [false, true] {
        ours.add(&one, &blue).unwrap();
        if table_is_old {
            host.run(OLDER);
            ours.check(&one, &blue).unwrap();
        }
        ours.add(&two, &green).unwrap();
        ours.check(&one, &blue).unwrap();
        ours.check(&two, &green).unwrap();
        ours.del(&two, &green).unwrap();
        ours.check(&one, &blue).unwrap();
        ours.add(&two, &green).unwrap();
        ours.del(&one, &blue).unwrap();
        ours.check(&two, &green).unwrap();
        // It comes from the container's own network, so the answer needs the way back.
        serve("green", 80);
        reaches("green", "192.0.2.2:8080", "green", "10.77.0.1");
        ours.del(&two, &green).unwrap();
        host.is_clean();
        host.run("ip netns del green; ip netns add green");
    }
}

fn masqueraded_until_its_own_del(host: &Host) {
    let network = bridge(host, json!({"ipMasq": true, "ipam": ipam()}));
    host.make_world();
    serve("world", 80);
    host.add(&network, "blue");
    host.add(&network, "green");
    for container in ["blue", "green"] {
        host.ours().check(&network, &attachment(container)).unwrap();
    }
    host.del(&network, "green");
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.run("ip neigh flush all");
    reaches("blue", "192.0.2.9:80", "world", "192.0.2.1");
    host.del(&network, "blue");
    host.is_clean();
}

//! `static`: addresses as they are told.

use libcni::Error;
use libcni::spec::Version;
use serde_json::json;

use super::{attachment, network};
use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("ours::fixed::a_container_has_the_addresses_that_were_told", has_what_was_told),
    ("ours::fixed::addresses_that_are_asked_for_come_instead", asked_for),
];

fn has_what_was_told(host: &Host) {
    for version in Version::ALL {
        let addresses = json!([{"address": "10.77.0.5/24", "gateway": "10.77.0.1"}, {"address": "fd00:77::5/64"}]);
        let ipam = json!({"type": "static", "addresses": addresses, "routes": [{"dst": "0.0.0.0/0"}]});
        let plugin = json!({"type": "bridge", "bridge": "cni0", "isGateway": true, "ipam": ipam});
        let network = network(plugin, version.as_str());
        host.add(&network, "blue");
        assert_eq!(host.addresses("blue"), ["10.77.0.5", "fd00:77::5"], "{version}");
        assert!(host.run("ip -n blue route show default").contains("via 10.77.0.1"));
        match host.ours().check(&network, &attachment("blue")) {
            Err(Error::CheckUnsupported { .. }) => assert!(!version.has_check()),
            checked => checked.unwrap(),
        }
        for _ in 0..2 {
            host.del(&network, "blue");
        }
        host.is_clean();
    }
}

fn asked_for(host: &Host) {
    let ipam = json!({"type": "static", "addresses": [{"address": "10.77.0.5/24"}]});
    let network = network(json!({"type": "bridge", "bridge": "cni0", "ipam": ipam}), "1.1.0");
    let mut blue = attachment("blue");
    blue.capability_args.set("ips", &["10.77.0.9/24"]).unwrap();
    host.ours().add(&network, &blue).unwrap();
    assert_eq!(host.addresses("blue"), ["10.77.0.9"]);
    host.ours().check(&network, &blue).unwrap();
    host.ours().del(&network, &blue).unwrap();
    host.is_clean();
}

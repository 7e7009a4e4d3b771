//! What is alive stays so, whatever is refused beside it.

use libcni::{Attachment, Chain};
use serde_json::json;

use super::{attachment, bridge, network};
use crate::Test;
use crate::host::Host;
use crate::traffic::{reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::alive::a_second_add_from_another_namespace_is_refused_and_changes_nothing", second_add_elsewhere),
    ("ours::alive::without_ipam_it_is_refused_as_well", second_add_without_ipam),
];

/// The attachment of `blue`, in a namespace that the runtime made after it forgot the first one.
fn elsewhere(host: &Host) -> Attachment {
    host.run("ip netns add green");
    attachment("blue").netns("/run/netns/green")
}

fn second_add_elsewhere(host: &Host) {
    let network = bridge(host, json!({"ipMasq": true, "macspoofchk": true}));
    host.add(&network, "blue");
    host.make_world();
    serve("world", 80);
    let error = host.ours().add(&network, &elsewhere(host)).unwrap_err();
    let expected = "interface `eth0` of this container is on this network already";
    assert!(Chain(&error).to_string().contains(expected), "{error:?}");
    assert_eq!(host.run("ip -n green -o link show type veth"), "");
    reaches("blue", "192.0.2.9:80", "world", "192.0.2.1");
    host.ours().check(&network, &attachment("blue")).unwrap();
    assert_eq!(host.reservations(), ["10.77.0.2", "fd00:77::2"]);
    host.del(&network, "blue");
    host.run("ip link del world");
    host.is_clean();
}

fn second_add_without_ipam(host: &Host) {
    let network = network(json!({"type": "bridge", "bridge": "cni0"}), "1.1.0");
    host.add(&network, "blue");
    host.ours().add(&network, &elsewhere(host)).unwrap_err();
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.del(&network, "blue");
    host.is_clean();
}

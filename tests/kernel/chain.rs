//! A chain of plugins as runtimes use it, at every version that the plugins know.

use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use libcni::spec::Version;
use libcni::spec::capability::PortMapping;
use libcni::{Attachment, Error};
use serde_json::json;

use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("chain::at_0_2_0_an_attachment_works_and_leaves_nothing", |host| lives_and_dies(host, "0.2.0")),
    ("chain::at_0_3_1_an_attachment_works_and_leaves_nothing", |host| lives_and_dies(host, "0.3.1")),
    ("chain::at_0_4_0_an_attachment_works_and_leaves_nothing", |host| lives_and_dies(host, "0.4.0")),
    ("chain::at_1_0_0_an_attachment_works_and_leaves_nothing", |host| lives_and_dies(host, "1.0.0")),
    ("chain::check_finds_an_address_that_is_gone", check_finds_an_address_that_is_gone),
    ("chain::check_finds_an_interface_that_is_gone", check_finds_an_interface_that_is_gone),
    ("chain::del_works_when_the_namespace_is_gone", del_works_when_the_namespace_is_gone),
    ("chain::del_works_twice", del_works_twice),
    ("chain::del_works_without_the_cache", del_works_without_the_cache),
    ("chain::del_after_a_failed_add_leaves_nothing", del_after_a_failed_add_leaves_nothing),
    ("chain::an_add_that_cannot_be_cached_leaves_nothing", an_add_that_cannot_be_cached_leaves_nothing),
    ("chain::gc_deletes_what_is_not_kept", gc_deletes_what_is_not_kept),
];

/// The network `net`: bridge with host-local, portmap and tuning.
///
/// Without `ipMasq`: its rules stay behind when the namespace is gone before DEL (bridge 1.1.1).
pub(crate) fn network(host: &Host, version: &str) -> NetworkConfig {
    let ipam = json!({
        "type": "host-local",
        "dataDir": host.path("ipam"),
        "ranges": [[{"subnet": "10.77.0.0/24"}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    });
    let list = json!({"cniVersion": version, "name": "net", "plugins": [
        {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipam": ipam},
        {"type": "portmap", "capabilities": {"portMappings": true}},
        {"type": "tuning", "mtu": 1400},
    ]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

/// The attachment of `blue`, with a port of the host.
pub(crate) fn with_port(host: &Host) -> Attachment {
    let mut attachment = host.attachment();
    attachment.capability_args.set_port_mappings(&[PortMapping::tcp(8080, 80)]);
    attachment
}

fn lives_and_dies(host: &Host, version: &str) {
    let (cni, network, attachment) = (host.cni(), network(host, version), with_port(host));
    let result = cni.add(&network, &attachment).unwrap();
    assert_eq!(result.version().to_string(), version);
    let addresses: Vec<_> = result.latest().ips.iter().map(|ip| ip.address.to_string()).collect();
    assert_eq!(addresses, ["10.77.0.2/24"]);
    is_attached(host);
    let checked = cni.check(&network, &attachment);
    if *result.version() < Version::V0_4_0 {
        assert!(matches!(checked, Err(Error::CheckUnsupported { .. })), "{checked:?}")
    } else {
        checked.unwrap()
    }
    cni.del(&network, &attachment).unwrap();
    assert_eq!(host.run("ip -n blue -o addr show scope global"), "");
    host.has_no_trace();
}

/// Every plugin of the chain has done its work.
#[track_caller]
fn is_attached(host: &Host) {
    let address = host.run("ip -n blue -o addr show dev eth0");
    assert!(address.contains("10.77.0.2/24"), "{address}");
    let route = host.run("ip -n blue route show default");
    assert!(route.contains("via 10.77.0.1 dev eth0"), "{route}");
    let link = host.run("ip -n blue -o link show dev eth0");
    assert!(link.contains("mtu 1400"), "{link}");
    assert_ne!(host.run("ip -o link show master cni0"), "", "no port of the bridge");
    assert_eq!(host.reservations(), ["10.77.0.2"]);
    let rules = host.run("iptables-save -t nat");
    assert!(rules.contains("--to-destination 10.77.0.2:80"), "{rules}");
    assert!(host.path("cache/results/net-c1-eth0").exists());
}

#[track_caller]
fn check_fails_after(host: &Host, damage: &str) {
    let (cni, network) = (host.cni(), network(host, "1.0.0"));
    cni.add(&network, &host.attachment()).unwrap();
    cni.check(&network, &host.attachment()).unwrap();
    host.run(damage);
    let error = cni.check(&network, &host.attachment()).unwrap_err();
    assert!(matches!(&error, Error::Plugin(source) if source.plugin == "bridge"), "{error:?}");
    cni.del(&network, &host.attachment()).unwrap();
    host.has_no_trace();
}

fn check_finds_an_address_that_is_gone(host: &Host) {
    check_fails_after(host, "ip -n blue addr flush dev eth0");
}

fn check_finds_an_interface_that_is_gone(host: &Host) {
    check_fails_after(host, "ip -n blue link del eth0");
}

fn del_works_when_the_namespace_is_gone(host: &Host) {
    for netns in ["/run/netns/blue", ""] {
        let (cni, network, attachment) = (host.cni(), network(host, "1.0.0"), with_port(host));
        cni.add(&network, &attachment).unwrap();
        host.run("ip netns del blue");
        cni.del(&network, &attachment.netns(netns)).unwrap();
        host.has_no_trace();
        host.run("ip netns add blue");
    }
}

fn del_works_twice(host: &Host) {
    let (cni, network, attachment) = (host.cni(), network(host, "1.0.0"), with_port(host));
    cni.add(&network, &attachment).unwrap();
    cni.del(&network, &attachment).unwrap();
    cni.del(&network, &attachment).unwrap();
    host.has_no_trace();
}

fn del_works_without_the_cache(host: &Host) {
    let (cni, network, attachment) = (host.cni(), network(host, "1.0.0"), with_port(host));
    cni.add(&network, &attachment).unwrap();
    std::fs::remove_dir_all(host.path("cache")).unwrap();
    cni.del(&network, &attachment).unwrap();
    host.has_no_trace();
}

fn del_after_a_failed_add_leaves_nothing(host: &Host) {
    let (cni, network) = (host.cni(), network(host, "1.0.0"));
    let mut attachment = host.attachment();
    attachment.capability_args.set_port_mappings(&[PortMapping::tcp(8080, 0)]);
    let error = cni.add(&network, &attachment).unwrap_err();
    assert!(error.needs_cleanup(), "{error:?}");
    assert_eq!(host.reservations().len(), 1, "portmap comes after host-local");
    let attachment = host.attachment();
    cni.del(&network, &attachment).unwrap();
    host.has_no_trace();
}

fn an_add_that_cannot_be_cached_leaves_nothing(host: &Host) {
    std::fs::create_dir_all(host.path("cache/results")).unwrap();
    host.run("mount -t tmpfs -o ro tmpfs cache/results");
    let error = host.cni().add(&network(host, "1.0.0"), &with_port(host)).unwrap_err();
    assert!(matches!(error, Error::NotRecorded { undo: None, .. }), "{error:?}");
    host.has_no_trace();
}

fn gc_deletes_what_is_not_kept(host: &Host) {
    let (cni, network, attachment) = (host.cni(), network(host, "1.0.0"), with_port(host));
    cni.add(&network, &attachment).unwrap();
    cni.gc(&network, &Keep::only([(&attachment.container_id, &attachment.ifname)])).unwrap();
    is_attached(host);
    host.run("ip netns del blue");
    cni.gc(&network, &Keep::Only(Vec::new())).unwrap();
    host.has_no_trace();
}

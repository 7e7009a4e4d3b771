//! A path that leads to another namespace than at ADD.

use libcni::cache::{Cached, Key};
use libcni::conf::NetworkConfig;
use libcni::netns::Identity;
use libcni::runtime::Notice;

use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    (
        "identity::a_namespace_that_took_over_the_name_is_not_touched",
        a_namespace_that_took_over_the_name_is_not_touched,
    ),
    ("identity::a_namespace_is_known_under_all_its_paths", a_namespace_is_known_under_all_its_paths),
];

/// The network of the chain, which has a link to delete in the container.
fn network(host: &Host) -> NetworkConfig {
    crate::chain::network(host, "1.0.0")
}

fn a_namespace_that_took_over_the_name_is_not_touched(host: &Host) {
    let attachment = host.attachment();
    host.cni().add(&network(host), &attachment).unwrap();
    let recorded = recorded_identity(host);
    host.run("ip netns del blue");
    // The kernel gives the inode of the old namespace to the new one.
    host.run("ip netns add blue");
    assert!(!recorded.may_be(&Identity::of("/run/netns/blue").unwrap()));
    host.run("ip -n blue link add eth0 type bridge");
    let cni = host
        .cni()
        .to_builder()
        .on_notice(|notice| assert!(matches!(notice, Notice::ForeignNetns { .. }), "{notice:?}"))
        .build()
        .unwrap();
    cni.del(&network(host), &attachment).unwrap();
    assert_ne!(host.run("ip -n blue -o link show eth0"), "");
    host.has_no_trace();
}

fn recorded_identity(host: &Host) -> Identity {
    let attachment = host.attachment();
    let key: Key = attachment.key("net".parse().unwrap());
    let Some(Cached::Entry(entry)) = host.cni().cache().read(&key).unwrap() else { panic!("no entry") };
    entry.netns_identity.unwrap()
}

fn a_namespace_is_known_under_all_its_paths(host: &Host) {
    let named = Identity::of("/run/netns/blue").unwrap();
    host.run("mkdir -p /run/other && touch /run/other/name && mount --bind /run/netns/blue /run/other/name");
    assert_eq!(Identity::of("/run/other/name").unwrap(), named);
    let mut sleeper = host.inside_blue("sleep 100");
    let unpinned = Identity::of(format!("/proc/{}/ns/net", sleeper.id())).unwrap();
    assert!(named.may_be(&unpinned), "{named} {unpinned}");
    assert!(!Identity::of("/proc/self/ns/net").unwrap().may_be(&unpinned));
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}

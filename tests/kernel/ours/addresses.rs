//! `host-local` behind a bridge: which addresses containers get, and that Debian's Go plugin sees it the same way.

use std::path::{Path, PathBuf};

use libcni::spec::capability::CapabilityArgs;
use libcni::{Chain, Cni};
use serde_json::{Value, json};

use super::{DUAL_STACK, attachment, bridge, ipam, merge, plugins};
use crate::Test;
use crate::host::{Host, PLUGINS};

pub(crate) const TESTS: &[Test] = &[
    ("ours::addresses::ranges_give_their_addresses_in_turn", ranges_give_their_addresses_in_turn),
    ("ours::addresses::requested_addresses_are_given", requested_addresses_are_given),
    ("ours::addresses::ranges_of_the_runtime_come_first", ranges_of_the_runtime_come_first),
    ("ours::addresses::routes_and_resolver_get_into_container_and_result", routes_and_resolver),
];

pub(crate) const WITH_GO: &[Test] = &[
    ("ours::addresses::go_takes_over_from_us", |host| takes_over(host, "ours", "go")),
    ("ours::addresses::we_take_over_from_go", |host| takes_over(host, "go", "ours")),
];

fn ranges_give_their_addresses_in_turn(host: &Host) {
    let mut ipam = ipam(host, &[]);
    merge(
        &mut ipam,
        json!({"ranges": [
            [{"subnet": "10.77.0.0/24", "rangeStart": "10.77.0.20", "rangeEnd": "10.77.0.21", "gateway": "10.77.0.254"},
             {"subnet": "10.78.0.0/30"}],
            [{"subnet": "fd00:77::/64", "rangeStart": "fd00:77::a"}],
        ]}),
    );
    let network = bridge(host, json!({"ipam": ipam}));
    for (container, expected) in [
        ("blue", ["10.77.0.20", "fd00:77::a"]),
        ("green", ["10.77.0.21", "fd00:77::b"]),
        ("red", ["10.78.0.2", "fd00:77::c"]),
    ] {
        host.add(&network, container);
        assert_eq!(host.addresses(container), expected);
    }
    assert!(host.run("ip -n blue route show default").contains("via 10.77.0.254"));
    host.run("ip netns add black");
    let error = host.ours().add(&network, &attachment("black")).unwrap_err();
    assert!(Chain(&error).to_string().contains("no IP addresses available in range set 0"), "{error:?}");
    host.del(&network, "green");
    host.add(&network, "black");
    assert_eq!(host.addresses("black"), ["10.77.0.21", "fd00:77::d"]);
}

fn requested_addresses_are_given(host: &Host) {
    let mut capability = CapabilityArgs::new();
    capability.set("ips", &["10.77.0.9/24", "fd00:77::9"]).unwrap();
    let plain = bridge(host, json!({}));
    let with_args = bridge(host, json!({"args": {"cni": {"ips": ["10.77.0.7"]}}}));
    let by_variable = attachment("blue").args("IgnoreUnknown=1;K8S_POD=x;IP=10.77.0.8".parse().unwrap());
    let by_capability = attachment("blue").capability_args(capability);
    for (network, attachment, expected) in [
        (&plain, by_variable, "10.77.0.8/24"),
        (&plain, by_capability, "10.77.0.9/24 fd00:77::9/64"),
        (&with_args, attachment("blue"), "10.77.0.7/24"),
    ] {
        let result = host.ours().add(network, &attachment).unwrap().latest();
        let given: Vec<_> = result.ips.iter().map(|ip| ip.address.to_string()).collect();
        assert!(given.join(" ").starts_with(expected), "{given:?}");
        host.ours().del(network, &attachment).unwrap();
    }
    host.add(&plain, "green");
    let taken = &host.addresses("green")[0];
    let wants_taken = attachment("blue").args(format!("IgnoreUnknown=1;IP={taken}").parse().unwrap());
    let error = host.ours().add(&plain, &wants_taken).unwrap_err();
    let expected = format!("requested address {taken} is not available");
    assert!(Chain(&error).to_string().contains(&expected), "{error:?}");
}

fn ranges_of_the_runtime_come_first(host: &Host) {
    let mut args = CapabilityArgs::new();
    args.set("ipRanges", &json!([[{"subnet": "10.99.0.0/24"}]])).unwrap();
    let blue = attachment("blue").capability_args(args);
    host.ours().add(&bridge(host, json!({})), &blue).unwrap();
    assert_eq!(host.addresses("blue"), ["10.99.0.2", "10.77.0.2", "fd00:77::2"]);
}

fn routes_and_resolver(host: &Host) {
    let path = host.path("resolv.conf");
    std::fs::write(&path, "nameserver 10.77.0.53\nsearch example.org\n").unwrap();
    let mut ipam = ipam(host, DUAL_STACK);
    let routes = json!([{"dst": "192.0.2.0/24"}, {"dst": "198.51.100.0/24", "gw": "10.77.0.99"},
        {"dst": "2001:db8::/32"}, {"dst": "::ffff:203.0.113.0/120"}]);
    merge(&mut ipam, json!({"resolvConf": path, "routes": routes}));
    let network = bridge(host, json!({"ipam": ipam}));
    let result = host.ours().add(&network, &attachment("blue")).unwrap().latest();
    assert_eq!(result.dns.nameservers, ["10.77.0.53"]);
    assert_eq!(result.dns.search, ["example.org"]);
    let routes = host.run("ip -n blue route show; ip -n blue -6 route show");
    for expected in [
        "192.0.2.0/24 via 10.77.0.1 dev eth0",
        "198.51.100.0/24 via 10.77.0.99 dev eth0",
        "2001:db8::/32 via fd00:77::1 dev eth0",
        "203.0.113.0/24 via 10.77.0.1 dev eth0",
        "default via 10.77.0.1 dev eth0",
    ] {
        assert!(routes.contains(expected), "{expected}: {routes}");
    }
    host.ours().check(&network, &attachment("blue")).unwrap();
}

/// The library with our bridge, and host-local of one or the other.
fn with_host_local(host: &Host, whose: &str) -> Cni {
    let dir: PathBuf = host.path(whose);
    let source = if whose == "go" { PLUGINS.into() } else { plugins() };
    let link = |from: &Path, name: &str| {
        let _ = std::os::unix::fs::symlink(from.join(name), dir.join(name));
    };
    std::fs::create_dir_all(&dir).unwrap();
    link(&plugins(), "bridge");
    link(&source, "host-local");
    host.cni_with([dir])
}

fn takes_over(host: &Host, first: &str, second: &str) {
    let mut keys = json!({"ipam": ipam(host, DUAL_STACK)});
    let network = |keys: &Value| {
        let mut plugin = json!({"type": "bridge", "bridge": "cni0", "isGateway": true});
        merge(&mut plugin, keys.clone());
        // What Debian's plugins know.
        super::network(plugin, "1.0.0")
    };
    let [first, second] = [first, second].map(|whose| with_host_local(host, whose));
    let with_ifname = |ifname: &str| attachment("blue").ifname(ifname.parse().unwrap());
    first.add(&network(&keys), &with_ifname("eth0")).unwrap();
    second.add(&network(&keys), &with_ifname("eth1")).unwrap();
    first.add(&network(&keys), &with_ifname("eth2")).unwrap();
    let all = ["10.77.0.2", "10.77.0.3", "10.77.0.4", "fd00:77::2", "fd00:77::3", "fd00:77::4"];
    assert_eq!(host.reservations(), all);
    // Each checks and frees what the other took.
    for (cni, ifname) in [(&second, "eth0"), (&first, "eth1"), (&second, "eth2")] {
        cni.check(&network(&keys), &with_ifname(ifname)).unwrap();
        cni.del(&network(&keys), &with_ifname(ifname)).unwrap();
    }
    assert_eq!(host.reservations(), Vec::<String>::new());
    // An address that one has given is not free for the other.
    keys["args"] = json!({"cni": {"ips": ["10.77.0.9"]}});
    first.add(&network(&keys), &with_ifname("eth0")).unwrap();
    let error = second.add(&network(&keys), &with_ifname("eth1")).unwrap_err();
    assert!(Chain(&error).to_string().contains("10.77.0.9"), "{error:?}");
    second.del(&network(&keys), &with_ifname("eth0")).unwrap();
    host.is_clean();
}

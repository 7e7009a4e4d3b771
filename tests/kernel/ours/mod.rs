//! Our plugins.

mod addresses;
mod alive;
mod bandwidth;
mod bridge;
mod conditions;
mod defaults;
mod false_ends;
pub(crate) mod faults;
mod firewall;
mod firewalld;
mod fixed;
mod flannel;
mod flush;
mod halfway;
mod hostile;
mod interfaces;
mod killed;
mod life;
mod lists;
mod localnet;
mod macvlan;
mod many_ports;
mod neighbours;
mod netns;
mod one_address;
mod ownership;
mod planted;
pub(crate) mod ports;
pub(crate) mod programs;
mod ptp;
mod rivals;
mod routes;
pub(crate) mod settings;
mod spelling;
mod takeover;
mod tuning;
mod update;
pub(crate) mod vlan;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use libcni::conf::NetworkConfig;
use libcni::{Attachment, Cni};
use serde_json::{Value, json};

use crate::Test;
use crate::host::{Host, lacks_host, lacks_plugins};

pub(crate) const TESTS: &[&[Test]] = &[
    addresses::TESTS,
    alive::TESTS,
    bandwidth::TESTS,
    bridge::TESTS,
    conditions::TESTS,
    defaults::TESTS,
    false_ends::TESTS,
    firewall::TESTS,
    firewalld::TESTS,
    fixed::TESTS,
    flannel::TESTS,
    flush::TESTS,
    halfway::TESTS,
    hostile::TESTS,
    interfaces::TESTS,
    killed::TESTS,
    life::TESTS,
    lists::TESTS,
    localnet::TESTS,
    macvlan::TESTS,
    many_ports::TESTS,
    netns::TESTS,
    one_address::TESTS,
    ownership::TESTS,
    planted::TESTS,
    ports::TESTS,
    ptp::TESTS,
    rivals::TESTS,
    routes::TESTS,
    settings::TESTS,
    spelling::TESTS,
    takeover::TESTS,
    tuning::TESTS,
    update::TESTS,
];

pub(crate) const WITH_GO: &[&[Test]] = &[
    addresses::WITH_GO,
    alive::WITH_GO,
    bandwidth::WITH_GO,
    firewall::WITH_GO,
    flush::WITH_GO,
    macvlan::WITH_GO,
    neighbours::WITH_GO,
    ptp::WITH_GO,
    takeover::WITH_GO,
    tuning::WITH_GO,
];

/// What shows and tries, as a shell sees it.
const PROBE: &str = "nft list ruleset && busybox ping -c 1 localhost >/dev/null";

/// Why this machine can't run the tests, if it can't.
pub(crate) fn missing() -> Option<String> {
    // `cargo test` builds them, `cargo test --test kernel` does not.
    lacks_plugins(&examples(), EXAMPLES).or_else(|| lacks_host(&format!("ip link set lo up && {PROBE}")))
}

/// Where cargo puts programs, above the directory of this one.
fn built() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(2).unwrap().to_owned()
}

const EXAMPLES: &[&str] = &["debug", "noop", "runtime", "ttl"];

/// The plugins that are examples.
pub(crate) fn examples() -> PathBuf {
    built().join("examples")
}

/// A plugin directory with all of them, made as nodes make theirs, and the examples.
pub(crate) fn plugins() -> PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let dir = built().join("plugins");
        let installed =
            Command::new(env!("CARGO_BIN_EXE_cni-plugins")).args(["install", "--force"]).arg(&dir).status().unwrap();
        assert!(installed.success(), "cni-plugins install: {installed}");
        EXAMPLES.iter().for_each(|name| link(&examples().join(name), &dir.join(name)));
        dir
    };
    DIR.get_or_init(make).clone()
}

/// Other processes of this test do the same at the same time.
fn link(target: &Path, path: &Path) {
    let new = path.with_extension(std::process::id().to_string());
    symlink(target, &new).and_then(|()| fs::rename(&new, path)).unwrap();
}

/// The attachment of a container that is called like its namespace.
fn attachment(container: &str) -> Attachment {
    Attachment::new(container.parse().unwrap(), "eth0".parse().unwrap()).netns(format!("/run/netns/{container}"))
}

/// A configuration of host-local with one range set for each subnet.
fn ipam(host: &Host, subnets: &[&str]) -> Value {
    let ranges: Vec<_> = subnets.iter().map(|subnet| json!([{"subnet": subnet}])).collect();
    json!({"type": "host-local", "dataDir": host.path("ipam"), "ranges": ranges})
}

/// IPv4 and IPv6.
const DUAL_STACK: &[&str] = &["10.77.0.0/24", "fd00:77::/64"];

/// The network `net` of one plugin.
fn network(mut plugin: Value, version: &str) -> NetworkConfig {
    plugin["capabilities"] = json!({"portMappings": true, "mac": true, "ips": true, "ipRanges": true});
    let list = json!({"cniVersion": version, "name": "net", "plugins": [plugin]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

/// A bridge that is the default gateway of a dual-stack network, with more keys.
fn bridge(host: &Host, keys: Value) -> NetworkConfig {
    let mut plugin =
        json!({"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipam": ipam(host, DUAL_STACK)});
    merge(&mut plugin, keys);
    network(plugin, "1.1.0")
}

fn merge(object: &mut Value, keys: Value) {
    let Value::Object(keys) = keys else { panic!("keys are an object") };
    object.as_object_mut().unwrap().extend(keys);
}

impl Host {
    /// The library with our plugins.
    fn ours(&self) -> Cni {
        self.cni_with([plugins()])
    }

    /// Makes the namespace of a container and adds it to a network.
    #[track_caller]
    fn add(&self, network: &NetworkConfig, container: &str) {
        self.run(&format!("ip netns add {container} 2>/dev/null || true"));
        self.ours().add(network, &attachment(container)).unwrap();
    }

    /// Removes a container from a network.
    #[track_caller]
    fn del(&self, network: &NetworkConfig, container: &str) {
        self.ours().del(network, &attachment(container)).unwrap();
    }

    /// The world: a namespace that knows the host's outer addresses, 192.0.2.1 and 2001:db8::1, and no others.
    fn make_world(&self) {
        self.run(
            "ip netns add world
            ip link add world type veth peer name eth0 netns world
            ip addr add 192.0.2.1/24 dev world
            ip addr add 2001:db8::1/64 dev world nodad
            ip link set world up
            ip -n world addr add 192.0.2.9/24 dev eth0
            ip -n world addr add 2001:db8::9/64 dev eth0 nodad
            ip -n world link set eth0 up",
        );
    }

    /// Has new interfaces of `blue` use IPv6 addresses at once, unless a plugin wants it otherwise: detection takes a
    /// second or two.
    fn without_duplicate_detection(&self) {
        self.run("ip netns exec blue sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad'");
    }

    /// Checks that no attachment of ours is left anywhere.
    #[track_caller]
    pub(crate) fn is_clean(&self) {
        self.has_no_links();
        let left =
            self.run("find ipam cache/results -type f ! -name lock ! -name 'last_reserved_ip.*' 2>/dev/null || true");
        assert_eq!(left, "");
        assert_eq!(self.run("nft list ruleset"), "");
    }

    /// Checks that no link of a container is left; the kernel takes those of a deleted namespace down in its own time.
    #[track_caller]
    fn has_no_links(&self) {
        let links = || self.run("ip -o link show type veth | grep -v ' world@' || true");
        crate::host::eventually(|| links().is_empty());
        assert_eq!(links(), "");
    }

    /// The addresses that a namespace has on eth0.
    fn addresses(&self, container: &str) -> Vec<String> {
        let shown = self.run(&format!("ip -n {container} -o addr show dev eth0 scope global"));
        let address = |line: &str| Some(line.split_whitespace().nth(3)?.split('/').next()?.to_owned());
        shown.lines().filter_map(address).collect()
    }
}

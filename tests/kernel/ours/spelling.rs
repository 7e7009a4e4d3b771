//! Configurations and arguments as programs in Go write them: keys in any case, and `null` for what is not set.

use std::fs;
use std::path::Path;

use libcni::conf::NetworkConfig;
use libcni::spec::capability::{CapabilityArgs, PortMapping};
use serde_json::{Value, json};

use super::{attachment, ipam, merge};
use crate::Test;
use crate::host::Host;
use crate::traffic::{HOST, reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::spelling::keys_are_found_in_any_case_at_every_depth", keys_are_found_in_any_case),
    ("ours::spelling::null_counts_as_absent_for_every_key", null_counts_as_absent),
    ("ours::spelling::bytes_of_another_encoding_stop_no_plugin", bytes_of_another_encoding),
    ("ours::spelling::rules_with_such_bytes_stop_no_plugin", rules_of_another_encoding),
];

fn list(plugins: Value) -> NetworkConfig {
    NetworkConfig::parse(&json!({"cniVersion": "1.0.0", "name": "net", "plugins": plugins}).to_string()).unwrap()
}

fn keys_are_found_in_any_case(host: &Host) {
    let network = list(json!([
        {"TYPE": "bridge", "Bridge": "cni7", "IsDefaultGateway": true, "IPMasq": true, "Mtu": 1400,
         "HairpinMode": true, "Capabilities": {"ipRanges": true},
         "IPAM": {"Type": "host-local", "DataDir": host.path("ipam"), "Routes": [{"Dst": "192.0.2.0/24"}],
                  "Ranges": [[{"Subnet": "10.77.0.0/24", "RangeStart": "10.77.0.50"}]]}},
        {"Type": "portmap", "SNAT": true, "ConditionsV4": null, "capabilities": {"portMappings": true}},
    ]));
    // What containerd passes: its structs have no tags.
    let args = r#"{"portMappings": [{"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp", "HostIP": ""}],
        "ipRanges": [[{"Subnet": "fd00:77::/64", "RangeStart": "", "RangeEnd": "", "Gateway": ""}]]}"#;
    let mut blue = attachment("blue");
    blue.capability_args = CapabilityArgs::parse(args).unwrap();
    host.ours().add(&network, &blue).unwrap();
    assert_eq!(host.addresses("blue"), ["10.77.0.50", "fd00:77::2"]);
    assert!(host.run("ip -n blue link show eth0").contains("mtu 1400"));
    assert!(host.run("ip -n blue route show").contains("default via 10.77.0.1"));
    assert!(host.run("ip -n blue route show").contains("192.0.2.0/24"));
    assert!(host.run("nft list ruleset").contains("masquerade"));
    serve("blue", 80);
    reaches(HOST, "127.0.0.1:8080", "blue", "10.77.0.1");
    host.ours().check(&network, &blue).unwrap();
    host.ours().del(&network, &blue).unwrap();
    host.is_clean();
}

/// What an editor wrote whose encoding was Latin-1: Go has U+FFFD for each such byte.
fn bytes_of_another_encoding(host: &Host) {
    host.run("mkdir -p /etc/cni && mount -t tmpfs tmpfs /etc/cni && mkdir /etc/cni/tuning");
    let write = |path: &Path, text: &str| fs::write(path, text.chars().map(|c| c as u8).collect::<Vec<_>>()).unwrap();
    let [resolver, subnet] = ["resolv.conf", "subnet.env"].map(|name| host.path(name));
    write(&resolver, "# r\u{e9}seau\nnameserver 192.0.2.53\nsearch caf\u{e9}.example\n");
    write(
        &subnet,
        "# r\u{e9}seau\nFLANNEL_NETWORK=10.77.0.0/16\nFLANNEL_SUBNET=10.77.3.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n",
    );
    write(Path::new("/etc/cni/tuning/allowlist.conf"), "# r\u{e9}seau\n^net\\.ipv4\\.conf\\.IFNAME\\.[a-z_]*$\n");
    // An address that nobody can say whose it is stays taken.
    fs::create_dir_all(host.path("ipam/net")).unwrap();
    write(&host.path("ipam/net/10.77.3.2"), "caf\u{e9}\r\neth0");
    write(&host.path("ipam/net/last_reserved_ip.0"), "\u{e9}");
    let delegate = json!({"isDefaultGateway": true});
    let network = list(json!([
        {"type": "flannel", "subnetFile": subnet, "dataDir": host.path("flannel"), "delegate": delegate,
         "ipam": {"dataDir": host.path("ipam"), "resolvConf": resolver}},
        {"type": "tuning", "sysctl": {"net.ipv4.conf.IFNAME.log_martians": "1"}},
    ]));
    let result = host.ours().add(&network, &attachment("blue")).unwrap().latest();
    assert_eq!(host.addresses("blue"), ["10.77.3.3"]);
    assert_eq!(result.dns.nameservers, ["192.0.2.53"]);
    assert_eq!(result.dns.search, ["caf\u{fffd}.example"]);
    host.ours().check(&network, &attachment("blue")).unwrap();
    host.del(&network, "blue");
    assert_eq!(host.reservations(), ["10.77.3.2"]);
}

fn rules_of_another_encoding(host: &Host) {
    let network = list(json!([
        {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "ipam": ipam(host, &["10.77.0.0/24"])},
        {"type": "portmap", "capabilities": {"portMappings": true}},
        {"type": "firewall"},
    ]));
    let mut blue = attachment("blue");
    blue.capability_args.set_port_mappings(&[PortMapping::tcp(8080, 80)]);
    for kind in ["nft", "legacy"] {
        for chain in ["filter -A FORWARD", "nat -A PREROUTING", "nat -A POSTROUTING"] {
            host.run(&format!("iptables-{kind} -t {chain} -m comment --comment \"$(printf 'r\\351seau')\""));
        }
        host.ours().add(&network, &blue).unwrap();
        host.ours().check(&network, &blue).unwrap();
        host.ours().del(&network, &blue).unwrap();
        let left = host.run(&format!("iptables-{kind}-save | LC_ALL=C grep -ac r.seau"));
        assert_eq!(left, "3\n");
    }
    host.has_no_links();
}

/// An object with `null` for these keys.
fn nulls(keys: &[&str]) -> Value {
    keys.iter().map(|key| ((*key).to_owned(), Value::Null)).collect()
}

fn null_counts_as_absent(host: &Host) {
    let mut bridge = nulls(&[
        "bridge",
        "isGateway",
        "isDefaultGateway",
        "forceAddress",
        "ipMasq",
        "ipMasqBackend",
        "mtu",
        "hairpinMode",
        "promiscMode",
        "portIsolation",
        "vlan",
        "vlanTrunk",
        "preserveDefaultVlan",
        "macspoofchk",
        "enabledad",
        "disableContainerInterface",
        "dns",
        "args",
        "runtimeConfig",
        "prevResult",
        "capabilities",
    ]);
    let mut with_keys = ipam(host, &["10.77.0.0/24"]);
    merge(&mut with_keys["ranges"][0][0], nulls(&["rangeStart", "rangeEnd", "gateway"]));
    merge(&mut with_keys, nulls(&["routes", "resolvConf", "subnet", "rangeStart", "rangeEnd", "gateway"]));
    merge(&mut bridge, json!({"type": "bridge", "ipam": with_keys}));
    let mut portmap = nulls(&[
        "snat",
        "masqAll",
        "conditionsV4",
        "conditionsV6",
        "backend",
        "markMasqBit",
        "externalSetMarkChain",
        "runtimeConfig",
    ]);
    merge(&mut portmap, json!({"type": "portmap", "capabilities": {"portMappings": true}}));
    let network = list(json!([bridge, portmap, {"type": "loopback", "args": null}]));
    let mut blue = attachment("blue");
    blue.capability_args = CapabilityArgs::parse(r#"{"portMappings": null}"#).unwrap();
    host.ours().add(&network, &blue).unwrap();
    assert_eq!(host.addresses("blue"), ["10.77.0.2"]);
    assert!(host.run("ip -o link show type bridge").contains("cni0"));
    host.ours().check(&network, &blue).unwrap();
    host.ours().del(&network, &blue).unwrap();
    host.is_clean();
}

//! The path in CNI_NETNS leads to no namespace, or to one that the plugin may not enter.

use std::process::Command;
use std::time::Duration;

use libcni::Chain;
use libcni::conf::NetworkConfig;
use libcni::spec::ErrorCode;
use serde_json::json;

use super::{attachment, bridge, network, plugins};
use crate::Test;
use crate::host::Host;

pub(crate) const TESTS: &[Test] = &[
    ("ours::netns::what_is_no_namespace_is_refused_at_once", what_is_no_namespace_is_refused_at_once),
    ("ours::netns::del_is_done_where_there_is_no_namespace", del_is_done_where_there_is_no_namespace),
    ("ours::netns::whoever_may_not_enter_is_told_what_it_takes", whoever_may_not_enter_is_told_what_it_takes),
];

fn networks(host: &Host) -> [NetworkConfig; 2] {
    [bridge(host, json!({"ipMasq": true})), network(json!({"type": "loopback"}), "1.1.0")]
}

/// What may be found where a namespace was, or never was.
fn no_namespaces(host: &Host) -> [&'static str; 4] {
    host.run("mkfifo /run/fifo && touch /run/file");
    ["/run/fifo", "/run/file", "/run", "/run/nothing"]
}

fn what_is_no_namespace_is_refused_at_once(host: &Host) {
    for path in no_namespaces(host) {
        for network in networks(host) {
            // Whoever waits for the FIFO is ended then, and reports no code of its own.
            let error = host
                .ours()
                .to_builder()
                .timeout(Duration::from_secs(5))
                .build()
                .unwrap()
                .add(&network, &attachment("blue").netns(path));
            let error = error.unwrap_err();
            assert_eq!(error.code(), ErrorCode::INVALID_NETNS, "{path}: {}", Chain(&error));
            assert!(Chain(&error).to_string().contains(&format!("cannot open network namespace {path}")), "{error:?}");
        }
    }
    assert_eq!(host.run("ip -o link show type bridge"), "");
    host.is_clean();
}

fn del_is_done_where_there_is_no_namespace(host: &Host) {
    for path in no_namespaces(host) {
        for network in networks(host) {
            host.ours().del(&network, &attachment("blue").netns(path)).unwrap();
        }
    }
}

fn whoever_may_not_enter_is_told_what_it_takes(host: &Host) {
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--"]).arg(plugins().join("loopback"));
    let variables =
        [("COMMAND", "ADD"), ("CONTAINERID", "c1"), ("NETNS", "/run/netns/blue"), ("IFNAME", "lo"), ("PATH", "/")];
    command.envs(variables.map(|(name, value)| (format!("CNI_{name}"), value)));
    let config = host.path("loopback.json");
    std::fs::write(&config, r#"{"cniVersion": "1.1.0", "name": "net", "type": "loopback"}"#).unwrap();
    let output = command.stdin(std::fs::File::open(config).unwrap()).output().unwrap();
    let reply: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(reply["code"], 8, "{reply}");
    let expected = "cannot enter network namespace /run/netns/blue, which takes CAP_SYS_ADMIN, which root has,";
    assert!(reply["msg"].as_str().unwrap().starts_with(expected), "{reply}");
}

//! The lists of examples/net.d as they are, and the runtime of the examples.

use std::process::Command;

use libcni::conf::ConfDir;
use libcni::spec::capability::PortMapping;

use super::{attachment, plugins};
use crate::Test;
use crate::host::Host;
use crate::traffic::{HOST, reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::lists::every_list_runs_as_it_is", every_list_runs_as_it_is),
    ("ours::lists::the_runtime_runs_a_command_on_networks", runtime_runs_a_command_on_networks),
    ("ours::lists::the_runtime_takes_everything_back_after_a_failure", runtime_takes_everything_back),
];

const LISTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/net.d");

/// The lists keep addresses where the plugins do by default.
fn hide_data_of_this_machine(host: &Host) {
    host.run("mount -t tmpfs tmpfs /var/lib");
}

fn every_list_runs_as_it_is(host: &Host) {
    hide_data_of_this_machine(host);
    let networks = ConfDir::new(LISTS).list().unwrap().networks;
    assert_eq!(networks.len(), 4);
    serve("blue", 80);
    for network in networks {
        let cni = host.ours();
        cni.validate(&network).unwrap();
        let mut blue = attachment("blue");
        blue.capability_args.set_port_mappings(&[PortMapping::tcp(8080, 80)]);
        cni.status(&network).unwrap();
        cni.add(&network, &blue).unwrap();
        cni.check(&network, &blue).unwrap();
        if network.name() == "mynet" {
            reaches(HOST, "127.0.0.1:8080", "blue", "10.22.0.1");
        }
        cni.del(&network, &blue).unwrap();
    }
    let calls = host.run("cat /run/cni-debug.log");
    assert_eq!(calls.lines().count(), 4, "STATUS, ADD, CHECK and DEL: {calls}");
    host.is_clean();
}

fn runtime(host: &Host, networks: &str, command: &[&str]) -> Command {
    let mut runtime = Command::new(plugins().join("runtime"));
    runtime.env("NETCONFPATH", LISTS).env("CNI_PATH", plugins()).arg(networks).args(command);
    hide_data_of_this_machine(host);
    runtime
}

#[track_caller]
fn nothing_is_left(host: &Host) {
    host.is_clean();
    assert_eq!(host.run("ls /run/netns").trim(), "blue");
    assert_eq!(host.run("find /var/lib/cni -type f ! -name '*lock' ! -name 'last_reserved_ip.*'"), "");
}

fn runtime_runs_a_command_on_networks(host: &Host) {
    let mut runtime = runtime(host, "lo,mynet,internal", &["sh", "-c", "ip -o address; exit 7"]);
    let output = runtime.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    for expected in
        ["lo    inet 127.0.0.1/8", "eth1    inet 10.22.0.2/16", "inet6 fd00:10:22::2/64", "eth2    inet 10.23.0.10/24"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    nothing_is_left(host);
}

fn runtime_takes_everything_back(host: &Host) {
    // There is a link in the way, which is no bridge.
    host.run("ip link add cni1 type veth peer name other && ip link set cni1 alias world");
    let output = runtime(host, "mynet,internal", &["true"]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("link `cni1` exists but is not a bridge"), "{error}");
    host.run("ip link del cni1");
    nothing_is_left(host);
}

//! The programs of the examples that embed the library, and the plugins that are written with it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use libcni::cache::Cache;
use libcni::conf::NetworkConfig;
use libcni::runtime::Keep;
use serde_json::{Value, json};

use super::{attachment, examples, plugins};
use crate::Test;
use crate::host::{Host, lacks_plugins};
use crate::traffic::{HOST, reaches, serve};

pub(crate) const TESTS: &[Test] = &[
    ("ours::programs::fifty_pods_outlive_the_death_of_their_runtime", fifty_pods),
    ("ours::programs::a_daemon_gives_pods_what_their_annotations_say", daemon_of_networks),
    ("ours::programs::a_plugin_that_delegates_and_one_behind_it", delegating_and_chained),
    ("ours::programs::an_add_whose_second_delegate_fails_leaves_nothing", second_delegate_fails),
    ("ours::programs::gc_of_a_plugin_that_delegates_has_its_delegates_delete", delegates_are_collected),
];

/// Why this machine can't run the tests, if it can't.
pub(crate) fn missing() -> Option<String> {
    // `cargo test --all-features` builds them.
    super::missing().or_else(|| lacks_plugins(&examples(), &["hosts", "networks", "overlay", "pods"]))
}

/// Writes a network of a bridge and mapped ports.
fn configure(host: &Host, file: &str, name: &str, subnet: &str) {
    let ipam = json!({"type": "host-local", "dataDir": host.path("ipam"), "subnet": subnet});
    let bridge = json!({"type": "bridge", "bridge": name, "isDefaultGateway": true, "ipam": ipam});
    let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    let list = json!({"cniVersion": "1.1.0", "name": name, "plugins": [bridge, portmap]});
    host.run("mkdir -p net.d");
    fs::write(host.path("net.d").join(file), list.to_string()).unwrap();
}

/// A program that runs, and what it says.
struct Program {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(host: &Host, name: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(examples().join(name));
        command.arg(host.path(".")).args(arguments).env("CNI_PATH", plugins());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said }
    }

    /// The next line; fails at the end.
    #[track_caller]
    fn says(&mut self) -> String {
        self.said.next().expect("the program has ended").unwrap()
    }

    /// Asks for something in a line, and returns the answer.
    #[track_caller]
    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.child.stdin.as_mut().unwrap(), "{question}").unwrap();
        serde_json::from_str(&self.says()).unwrap()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends its stdin, and waits until it ends well.
    #[track_caller]
    fn end(mut self) {
        drop(self.child.stdin.take());
        self.said.for_each(|line| drop(line.unwrap()));
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

fn fifty_pods(host: &Host) {
    configure(host, "10-pods.conflist", "pods", "10.77.0.0/24");
    // One of another name comes first, whatever kind of file it is in.
    configure(host, "20-other.conflist", "other", "10.78.0.0/24");
    for until in [1, 20, 35] {
        let mut runtime = Program::start(host, "pods", &["50"]);
        (0..until).for_each(|_| assert!(runtime.says().starts_with("pod-")));
        runtime.kill();
    }
    let mut runtime = Program::start(host, "pods", &["50"]);
    while runtime.says() != "ready" {}

    let attached = Cache::new(host.path("cache")).inventory().unwrap().attached;
    assert!(attached.iter().all(|pod| pod.is_finished() && pod.entry.network == "pods"), "{attached:?}");
    let addresses: BTreeSet<_> =
        attached.iter().flat_map(|pod| pod.addresses()).map(|address| address.to_string()).collect();
    assert_eq!((attached.len(), addresses.len()), (50, 50), "{addresses:?}");
    let shown = host.run("for n in netns/*; do nsenter --net=$n ip -o -4 address show eth0; done");
    let shown: BTreeSet<_> = shown.lines().filter_map(|line| line.split_whitespace().nth(3)).collect();
    assert_eq!(shown, addresses.iter().map(String::as_str).collect());
    for (name, port) in [("pod-1", 20_001), ("pod-50", 20_050)] {
        host.run(&format!("ln -s $PWD/netns/{name} /run/netns/{name}"));
        serve(name, 80);
        reaches(HOST, &format!("127.0.0.1:{port}"), name, "10.77.0.1");
    }

    runtime.end();
    host.is_clean();
    assert_eq!(host.run("ls netns"), "");
}

fn daemon_of_networks(host: &Host) {
    configure(host, "10-first.conflist", "first", "10.77.0.0/24");
    configure(host, "20-storage.conflist", "storage", "10.78.0.0/24");
    let mut daemon = Program::start(host, "networks", &[]);
    let mut wants = |networks: Option<&str>| {
        let netns = networks.map(|_| "/run/netns/blue");
        daemon.ask(&json!({"sandbox": "c1", "pod": "web", "netns": netns, "networks": networks.unwrap_or_default()}))
    };
    let names = |status: &Value| {
        let entry = |one: &Value| format!("{}:{}", one["name"].as_str().unwrap(), one["interface"].as_str().unwrap());
        status.as_array().unwrap().iter().map(entry).collect::<Vec<_>>()
    };

    let status = wants(Some("storage, storage@data0"));
    assert_eq!(names(&status), ["first:eth0", "storage:net1", "storage:data0"], "{status}");
    let address = |status: &Value, at: usize| status[at]["ips"][0].as_str().unwrap().to_owned();
    let shown = host.run("ip -n blue -o -4 address show");
    (0..3).for_each(|at| assert!(shown.contains(&address(&status, at)), "{status}: {shown}"));
    assert!(status[0]["default"] == true && status[1]["default"] == false, "{status}");
    assert!(status[2]["mac"].as_str().is_some_and(|mac| host.run("ip -n blue link show data0").contains(mac)));

    // What stays keeps its address.
    let less = wants(Some("storage"));
    assert_eq!(names(&less), ["first:eth0", "storage:net1"], "{less}");
    assert_eq!((address(&less, 0), address(&less, 1)), (address(&status, 0), address(&status, 1)));
    let refused = wants(Some("storage,absent"));
    assert_eq!(refused["error"], "there is no network `absent`");

    // A network that came while the daemon ran.
    configure(host, "30-late.conflist", "late", "10.79.0.0/24");
    crate::host::eventually(|| wants(Some("storage,late")).is_array());
    assert_eq!(names(&wants(Some("storage,late")))[2], "late:net2");

    assert_eq!(wants(None), json!([]));
    daemon.end();
    host.is_clean();
}

/// The network `net` of the plugins `overlay` and `hosts`.
fn overlay(host: &Host, management: &str) -> NetworkConfig {
    host.run("printf 'SUBNET=10.77.7.0/24\nMTU=1450\n' >subnet");
    let overlay = json!({"type": "overlay", "subnetFile": host.path("subnet"), "dataDir": host.path("overlay"),
        "management": {"ifname": "mgmt0", "subnet": management}});
    let hosts = json!({"type": "hosts", "dir": host.path("hosts")});
    let list = json!({"cniVersion": "1.1.0", "name": "net", "plugins": [overlay, hosts]});
    NetworkConfig::parse(&list.to_string()).unwrap()
}

/// Nothing is left of what the delegates made, and of what the plugins keep.
#[track_caller]
fn nothing_of_overlay_is_left(host: &Host) {
    host.is_clean();
    let kept = r"find . -type f -path './[oh]*/*' ! -name '*lock' ! -name 'last_reserved_ip.*'";
    assert_eq!(host.run(kept), "");
}

fn delegating_and_chained(host: &Host) {
    let (network, blue) = (overlay(host, "10.99.0.0/24"), attachment("blue"));
    let cni = host.cni_with([plugins(), examples()]);
    cni.status(&network).unwrap();
    let result = cni.add(&network, &blue).unwrap();
    assert_eq!(result.addresses("eth0"), ["10.77.7.2/24".parse().unwrap()]);
    assert_eq!(result.addresses("mgmt0"), ["10.99.0.2/24".parse().unwrap()]);
    assert_eq!(host.addresses("blue"), ["10.77.7.2"]);
    assert!(host.run("ip -n blue link show eth0").contains("mtu 1450"));
    assert_eq!(host.run("cat hosts/net/*"), "10.77.7.2\tblue\n");
    cni.check(&network, &blue).unwrap();

    host.run("ip -n blue link delete mgmt0");
    cni.check(&network, &blue).unwrap_err();
    // The node has another part of the network by now.
    host.run("printf 'SUBNET=10.77.8.0/24\nMTU=1450\n' >subnet");
    for _ in 0..2 {
        cni.del(&network, &blue).unwrap();
        nothing_of_overlay_is_left(host);
    }
}

fn second_delegate_fails(host: &Host) {
    // A network without an address for a container.
    let (network, blue) = (overlay(host, "10.99.0.0/31"), attachment("blue"));
    let cni = host.cni_with([plugins(), examples()]);
    cni.add(&network, &blue).unwrap_err();
    assert_eq!(host.run("ip -n blue -o link show type veth"), "");
    cni.del(&network, &blue).unwrap();
    nothing_of_overlay_is_left(host);
}

fn delegates_are_collected(host: &Host) {
    let (network, blue) = (overlay(host, "10.99.0.0/24"), attachment("blue"));
    host.cni_with([plugins(), examples()]).add(&network, &blue).unwrap();
    // Another host's record: no DEL is run of it here, so that the plugins are all that is left to collect it.
    host.run("rm -r cache/results");
    host.cni_with([plugins(), examples()]).gc(&network, &Keep::Only(Vec::new())).unwrap();
    nothing_of_overlay_is_left(host);
}

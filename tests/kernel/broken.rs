//! The page for when the network is broken: each trouble is made, and the page's own commands find and repair it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Test;
use crate::host::Host;
use crate::ours::plugins;

pub(crate) const TESTS: &[Test] = &[
    ("broken::a_file_is_broken", a_file_is_broken),
    ("broken::a_plugin_is_missing", a_plugin_is_missing),
    ("broken::a_container_can_not_be_removed", a_container_can_not_be_removed),
    ("broken::an_add_was_not_finished", an_add_was_not_finished),
    ("broken::a_record_can_not_be_read", a_record_can_not_be_read),
    ("broken::a_run_was_killed", a_run_was_killed),
    ("broken::addresses_are_used_up", addresses_are_used_up),
    ("broken::an_address_has_leaked", an_address_has_leaked),
    ("broken::one_container_is_cut_off", one_container_is_cut_off),
    ("broken::rules_are_left_behind", rules_are_left_behind),
    ("broken::the_network_is_older", the_network_is_older),
];

const PAGE: &str = include_str!("../../src/bin/cnitool/BROKEN.md");
const LIST: &str = r#"{
    "cniVersion": "1.1.0",
    "name": "mynet",
    "plugins": [
        {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.22.0.0/29"}]]}},
        {"type": "portmap", "capabilities": {"portMappings": true}}
    ]
}
"#;

/// A node: `mynet` is its network, and containers of it have namespaces of their names.
struct Node<'a>(&'a Host);

impl<'a> Node<'a> {
    fn new(host: &'a Host, containers: &[&str]) -> Self {
        host.run("mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/cni && mkdir net.d bin");
        host.run(&format!("cp -P {}/* bin", plugins().display()));
        let node = Self(host);
        node.configure(LIST);
        for name in containers {
            node.run(&format!("ip netns add {name}"));
            let port = name.replace("web-", "808");
            let ports = format!(r#"[{{"hostPort": {port}, "containerPort": 80, "protocol": "tcp"}}]"#);
            node.run(&format!(
                "CAP_ARGS='{{\"portMappings\": {ports}}}' cnitool add mynet {name} --container-id {name}"
            ));
        }
        node
    }

    fn configure(&self, list: &str) {
        fs::write(self.0.path("net.d/10-mynet.conflist"), list).unwrap();
    }

    /// A command as an operator types it.
    fn shell(&self, line: &str) -> Command {
        let tool = Path::new(env!("CARGO_BIN_EXE_cnitool")).parent().unwrap();
        let mut command = self.0.shell(&format!("PATH={}:$PATH\n{line}", tool.display()));
        command.env("NETCONFPATH", self.0.path("net.d")).env("CNI_PATH", self.0.path("bin"));
        command
    }

    /// What it prints; it must succeed.
    #[track_caller]
    fn run(&self, line: &str) -> String {
        self.0.run_command(&mut self.shell(line))
    }

    /// Runs the commands of a block, and compares what they print with what the page shows.
    #[track_caller]
    fn follow(&self, block: &Block) -> String {
        let output = self.shell(&format!("exec 2>&1\n{}", block.commands)).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let printed = printed.replace(self.0.path("net.d").to_str().unwrap(), "/etc/cni/net.d");
        let printed = printed.replace(self.0.path("bin").to_str().unwrap(), "/opt/cni/bin");
        let all = masked(&printed);
        for line in masked(&block.shown).lines() {
            assert!(all.contains(line), "{line:?} is not printed by {}: {printed}", block.commands);
        }
        printed
    }
}

/// Commands of the page, and what it shows of their output.
struct Block {
    commands: String,
    shown: String,
}

/// The blocks of a section.
#[track_caller]
fn section<const N: usize>(title: &str) -> [Block; N] {
    let (_, rest) = PAGE.split_once(&format!("\n## {title}\n")).expect(title);
    let section = rest.split("\n## ").next().unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    for fenced in section.split("\n```").skip(1).step_by(2) {
        match fenced.split_once('\n') {
            Some(("sh", commands)) => blocks.push(Block { commands: commands.to_owned(), shown: String::new() }),
            Some(("text", shown)) => blocks.last_mut().unwrap().shown.push_str(shown),
            other => panic!("a block of another kind: {other:?}"),
        }
    }
    let count = blocks.len();
    blocks.try_into().unwrap_or_else(|_| panic!("{title} has {count} blocks"))
}

/// Without widths of columns and ages, which no two hosts have alike.
fn masked(text: &str) -> String {
    let is_age = |word: &str| word.strip_suffix('s').is_some_and(|number| number.parse::<u64>().is_ok());
    let line = |line: &str| {
        let words = line.split_whitespace().map(|word| if is_age(word) { "AGE" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn a_file_is_broken(host: &Host) {
    let [find, repaired] = section("A file is broken");
    let node = Node::new(host, &[]);
    node.configure(&LIST.replace(r#""ipMasq": true,"#, r#""ipMasq": true"#));
    node.follow(&find);
    node.configure(LIST);
    node.follow(&repaired);
    node.run("cnitool status mynet");
}

fn a_plugin_is_missing(host: &Host) {
    let [find, repaired] = section("A plugin is missing");
    let node = Node::new(host, &[]);
    host.run("mv bin/portmap portmap");
    node.follow(&find);
    host.run("mv portmap bin");
    node.follow(&repaired);
}

fn a_container_can_not_be_removed(host: &Host) {
    let [find, remove] = section("A container can't be removed");
    let node = Node::new(host, &["web-0", "web-1"]);
    host.run("ip netns delete web-0 && mv net.d/10-mynet.conflist away");
    assert!(!node.shell("cnitool del mynet --container-id web-0").status().unwrap().success());
    node.follow(&find);
    node.follow(&remove);
    host.run("mv away net.d/10-mynet.conflist");
    // The runtime's next try.
    node.run("cnitool del mynet --container-id web-0");
    assert_eq!(
        host.run("ls /var/lib/cni/results /var/lib/cni/networks/mynet | grep -c -e web-0 -e 10.22.0.2 || true"),
        "0\n"
    );
    node.run("cnitool check mynet web-1 --container-id web-1");
}

fn an_add_was_not_finished(host: &Host) {
    let [find, repair] = section("An ADD was not finished");
    let node = Node::new(host, &["web-0", "web-1"]);
    let add = "cnitool add mynet web-0 --container-id web-0";
    node.run("cnitool del mynet web-0 --container-id web-0");
    // The bridge succeeds, and the plugin after it fails.
    let refused = node.shell(&format!(r#"{add} --cap '{{"portMappings": [{{"hostPort": "x"}}]}}'"#)).output().unwrap();
    assert!(!refused.status.success() && host.run("ip -n web-0 link").contains("eth0"), "{refused:?}");
    node.follow(&find);
    node.follow(&repair);
    assert!(!host.run("ip -n web-0 link").contains("eth0"));
    node.run(add);
    node.run("cnitool check mynet web-0 --container-id web-0");
}

fn a_record_can_not_be_read(host: &Host) {
    let [find, repair] = section("A record can't be read");
    let node = Node::new(host, &["web-0", "web-1"]);
    host.run("printf '{' > /var/lib/cni/results/mynet-web-0-eth0");
    node.follow(&find);
    node.follow(&repair);
    assert!(!node.run("cnitool list attachments 2>&1").contains("web-0"));
    node.run("cnitool add mynet web-0 --container-id web-0");
}

fn a_run_was_killed(host: &Host) {
    let [repair] = section("A run was killed");
    let node = Node::new(host, &["web-1"]);
    assert!(!node.shell("cnitool run mynet -- sh -c 'kill -9 $PPID'").status().unwrap().success());
    assert!(host.run("ip netns list").contains("cnitool-"));
    node.follow(&repair);
    assert!(!host.run("ip netns list").contains("cnitool-"));
    assert_eq!(node.run("cnitool list attachments --plain | cut -f 2"), "web-1\n");
}

fn addresses_are_used_up(host: &Host) {
    let [find, repair] = section("Addresses are used up");
    let node = Node::new(host, &["web-0", "web-1", "web-2", "web-3", "web-4"]);
    host.run("for gone in 0 2 3; do ip netns delete web-$gone; done; ip netns add web-5");
    let refused = node.shell("cnitool add mynet web-5").output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no IP addresses available"), "{refused:?}");
    node.follow(&find);
    node.follow(&repair);
    node.run("cnitool add mynet web-5");
    node.run("cnitool check mynet web-4 --container-id web-4");
}

fn an_address_has_leaked(host: &Host) {
    let [find, repair] = section("An address has leaked");
    let node = Node::new(host, &["web-0", "web-1"]);
    host.run("printf 'web-9\\r\\neth0' > /var/lib/cni/networks/mynet/10.22.0.6");
    node.follow(&find);
    assert!(!node.follow(&repair).contains("10.22.0.6"));
    node.run("cnitool check mynet web-0 --container-id web-0");
}

fn one_container_is_cut_off(host: &Host) {
    let [find, repair] = section("One container is cut off");
    let node = Node::new(host, &["web-0", "web-1"]);
    host.run("ip -n web-0 address flush dev eth0");
    node.follow(&find);
    node.follow(&repair);
    node.run("cnitool check mynet web-0 --container-id web-0");
    node.run("cnitool check mynet web-1 --container-id web-1");
}

fn rules_are_left_behind(host: &Host) {
    let [gc, flush] = section("Rules are left behind");
    let node = Node::new(host, &["web-0", "web-1"]);
    host.run("ip netns delete web-1");
    let printed = node.follow(&gc);
    let (before, after) = printed.split_once("note: removed").unwrap();
    assert!(before.contains("table inet libcni_portmap"), "{printed}");
    assert!(after.contains("10.22.0.2") && !after.contains("10.22.0.3"), "{printed}");
    host.run("ip netns delete web-0 && rm -r /var/lib/cni/results net.d/10-mynet.conflist");
    assert!(!node.follow(&flush).contains("libcni"));
}

fn the_network_is_older(host: &Host) {
    let [find, versions, repaired] = section("The network is older than 1.1.0");
    let node = Node::new(host, &["web-0"]);
    node.configure(&LIST.replace("1.1.0", "1.0.0"));
    node.follow(&find);
    node.follow(&versions);
    for cured in [LIST, &LIST.replace(r#""1.1.0","#, r#""1.0.0", "cniVersions": ["1.0.0", "1.1.0"],"#)] {
        node.configure(cured);
        assert_eq!(node.follow(&repaired), "");
        node.run("cnitool check mynet web-0 --container-id web-0");
    }
}

//! The sockets of a verb, and what it reads from them.

use std::fs;

use serde_json::{Value, json};

use super::chained;
use super::injected::Run;
use super::interfaces::{answer, bridge};
use super::verbs::Verbs;
use crate::host::Host;

/// Closing one takes the kernel milliseconds while rules that were deleted are not freed.
pub(super) fn one_netfilter_socket(host: &Host) {
    let bridge = bridge(host);
    let ports =
        json!([{"hostPort": 8080, "containerPort": 80}, {"hostPort": 8080, "containerPort": 80, "protocol": "udp"}]);
    let portmap = chained::config("portmap", json!({"runtimeConfig": {"portMappings": ports}}));
    for config in [bridge, portmap, chained::config("firewall", json!({}))] {
        let Verbs { add, check, del, gc, .. } = Verbs::of_plugin(&config).and_gc(&config);
        assert_eq!(sockets(&add, host), 1, "{config}");
        assert!(del.plain().status.success());
        let added = answer(&add);
        assert_eq!(sockets(&check(&added.to_string()), host), 1, "{config}");
        assert_eq!(sockets(&del, host), 1, "{config}");
        assert_eq!(sockets(&del, host), 1, "{config}");
        assert_eq!(sockets(&gc.unwrap(), host), 1, "{config}");
    }
}

/// What belongs to other containers does not matter to a verb, but to GC.
pub(super) fn verbs_read_what_is_their_own(host: &Host) {
    let port = |port: u32| json!({"hostPort": port, "containerPort": port});
    let ports =
        |ports: &[u32]| json!({"runtimeConfig": {"portMappings": ports.iter().copied().map(port).collect::<Vec<_>>()}});
    let portmap = |asked: &[u32]| chained::config("portmap", ports(asked));
    let neighbour = |config: &Value| {
        let mut add = Run::plugin("ADD", config);
        add.env.iter_mut().filter(|(key, _)| *key == "CNI_CONTAINERID").for_each(|(_, id)| "c2".clone_into(id));
        add.env.iter_mut().filter(|(key, _)| *key == "CNI_NETNS").for_each(|(_, path)| path.push_str("-2"));
        answer(&add);
    };
    host.run("ip netns add blue-2");
    let bridge = fixed_bridge();
    let verbs = [Verbs::of_plugin(&bridge), Verbs::of_plugin(&portmap(&[80, 443]))];
    neighbour(&bridge);
    neighbour(&portmap(&[8080]));
    let few = verbs.each_ref().map(|verbs| read_by_each(verbs, host));
    neighbour(&portmap(&(10_000..10_400).collect::<Vec<_>>()));
    let element = |n: u32| format!("10.88.{}.{} . 0 : jump subnet-10.77.0.0/24", n / 200, n % 200);
    let masqueraded = (0..400).map(element).collect::<Vec<_>>().join(", ");
    host.run(&format!("nft add element inet libcni_masquerading sources4 '{{ {masqueraded} }}'"));
    let many = verbs.each_ref().map(|verbs| read_by_each(verbs, host));
    for (few, many) in few.into_iter().flatten().zip(many.into_iter().flatten()) {
        // A list of 400 elements has more than 20,000 bytes.
        assert!(many < few + 4096, "{few} bytes among few others, {many} among many");
    }
}

/// Everybody's addresses are the same, so that IPAM has no part in it.
fn fixed_bridge() -> Value {
    let ipam = json!({"type": "static", "addresses": [{"address": "10.77.0.2/24", "gateway": "10.77.0.1"}]});
    json!({"cniVersion": "1.1.0", "name": "net", "type": "bridge", "bridge": "cni0", "isDefaultGateway": true,
        "ipMasq": true, "macspoofchk": true, "ipam": ipam})
}

/// How many bytes ADD, CHECK and DEL read from the kernel.
fn read_by_each(Verbs { add, check, del, .. }: &Verbs, host: &Host) -> [usize; 3] {
    let (added, answer) = read(add, host);
    [added, read(&check(&answer), host).0, read(del, host).0]
}

/// The same of one run, and what it answers.
fn read(run: &Run, host: &Host) -> (usize, String) {
    let (calls, answer) = calls(run, host);
    let received = calls.lines().filter(|call| call.contains("recvfrom"));
    (received.filter_map(|call| call.rsplit_once("= ")?.1.parse::<usize>().ok()).sum(), answer)
}

fn sockets(run: &Run, host: &Host) -> usize {
    calls(run, host).0.matches("NETLINK_NETFILTER").count()
}

/// The calls of a run, and what it answers.
fn calls(run: &Run, host: &Host) -> (String, String) {
    let output = run.traced(host, None);
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{answer}");
    (fs::read_to_string(host.path("calls")).unwrap(), answer)
}

//! Updates that are killed at any call that changes something, of the tool or of a plugin: CHECK comes to its end, and
//! another update, or DEL, leaves everything as it should be.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::injected::{Fault, NONE, Run, is_whole};
use super::interfaces::{bridge, flannel, ipam};
use super::tool::tool;
use super::trial::Trial;
use super::verbs::{succeeds, survives};
use crate::Test;
use crate::host::{Host, eventually};
use crate::ours::halfway::state;
use crate::ours::merge;

/// Of the calls, how many there are for each one that is tried where not all are.
const ONE_OF: usize = 2;

pub(crate) const TESTS: &[Test] = &[
    ("ours::faults::update_of_bandwidth_survives_kills", |host| {
        let limit = |odd| json!({"type": "bandwidth", "ingressRate": odd * 1_000_000, "ingressBurst": 80_000});
        survives_kills(host, "bandwidth", &|odd| vec![bridge(host), limit(1 + odd)]);
    }),
    ("ours::faults::update_of_bridge_survives_kills", |host| {
        survives_kills(host, "bridge", &|odd| vec![with(bridge(host), json!({"mtu": 1400 + odd}))]);
    }),
    ("ours::faults::update_of_firewall_survives_kills", |host| {
        let policy = ["open", "same-bridge"];
        survives_kills(host, "firewall", &|odd| {
            vec![bridge(host), json!({"type": "firewall", "ingressPolicy": policy[odd]})]
        });
    }),
    ("ours::faults::update_of_flannel_survives_kills", |host| {
        survives_kills(host, "flannel", &|odd| vec![with(flannel(host), json!({"delegate": {"mtu": 1400 + odd}}))]);
    }),
    ("ours::faults::update_of_host_local_survives_kills", |host| {
        let one = |odd| {
            let address = format!("10.77.0.{}", 2 + odd);
            json!({"ranges": [[{"subnet": "10.77.0.0/24", "rangeStart": address, "rangeEnd": address}]]})
        };
        survives_kills(host, "host-local", &|odd| {
            vec![with(bridge(host), json!({"ipam": with(ipam(host), one(odd))}))]
        });
    }),
    ("ours::faults::update_of_loopback_survives_kills", |host| {
        survives_kills(host, "loopback", &|odd| vec![json!({"type": "loopback", "x": odd})]);
    }),
    ("ours::faults::update_of_macvlan_survives_kills", |host| {
        host.make_world();
        let macvlan = json!({"type": "macvlan", "master": "world", "ipam": ipam(host)});
        survives_kills(host, "macvlan", &|odd| vec![with(macvlan.clone(), json!({"mtu": 1400 + odd}))]);
    }),
    ("ours::faults::update_of_portmap_survives_kills", |host| {
        let portmap = |odd| json!({"type": "portmap", "capabilities": {"portMappings": true}, "snat": odd == 0});
        survives_kills(host, "portmap", &|odd| vec![bridge(host), portmap(odd)]);
    }),
    ("ours::faults::update_of_ptp_survives_kills", |host| {
        let ptp = json!({"type": "ptp", "ipMasq": true, "ipam": ipam(host)});
        survives_kills(host, "ptp", &|odd| vec![with(ptp.clone(), json!({"mtu": 1400 + odd}))]);
    }),
    ("ours::faults::update_of_static_survives_kills", |host| {
        let ipam = |odd| json!({"type": "static", "addresses": [{"address": format!("10.77.0.{}/24", 2 + odd)}]});
        survives_kills(host, "static", &|odd| vec![with(bridge(host), json!({"ipam": ipam(odd)}))]);
    }),
    ("ours::faults::update_of_tuning_survives_kills", |host| {
        let tuning = json!({"type": "tuning", "dataDir": host.path("tuning"), "mac": "02:00:00:00:07:07"});
        // A guard against other hardware addresses is in the way of one that `tuning` sets, and CHECK says so.
        let bridge = with(bridge(host), json!({"macspoofchk": false}));
        survives_kills(host, "tuning", &|odd| vec![bridge.clone(), with(tuning.clone(), json!({"mtu": 1300 + odd}))]);
    }),
];

fn with(mut plugin: Value, keys: Value) -> Value {
    merge(&mut plugin, keys);
    plugin
}

/// Kills updates from the plugins of 0 to those of 1 and back.
fn survives_kills(host: &Host, name: &str, plugins: &dyn Fn(usize) -> Vec<Value>) {
    fs::create_dir_all(host.path("net.d")).unwrap();
    let write = |odd| {
        let list = json!({"cniVersion": "1.1.0", "name": "net", "plugins": plugins(odd)});
        fs::write(host.path("net.d/net.conflist"), list.to_string()).unwrap();
    };
    let ports = r#"--cap={"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"udp"}]}"#;
    let of = |verb: &str, more: &[&str]| tool(host, &[&[verb, "net", "/run/netns/blue"], more].concat());
    let more: &[&str] = if name == "portmap" { &[ports] } else { &[] };
    let [add, check, del] = ["add", "check", "del"].map(|verb| of(verb, more));
    let update = of("update", &[&["--recreate"], more].concat());
    write(0);
    succeeds(&add, &NONE);
    write(1);
    // What all attachments share is there from now on.
    let kills = kills(&update, host);
    succeeds(&del, &NONE);
    let before = state(host);
    let is_as_before = || {
        let new = || &state(host) - &before;
        eventually(|| new().is_empty());
        assert_eq!(new(), BTreeSet::new());
    };
    succeeds(&add, &NONE);
    let turn = Cell::new(0);
    let trial = Trial { name: &format!("update of {name}"), verb: "UPDATE", clean_up: &del };
    trial.each(&kills, &|fault| {
        turn.set(turn.get() + 1);
        write((turn.get() + 1) % 2);
        survives(&update, host, fault, false);
        comes_to_its_end(&check);
        if (turn.get() / 2).is_multiple_of(2) {
            succeeds(&update, fault);
            assert_eq!(host.run("find cache -name '.*' ! -name '.lock-*'"), "", "remains of the one that was killed");
        } else {
            succeeds(&del, fault);
            is_as_before();
            succeeds(&add, fault);
        }
        succeeds(&check, fault);
    });
    succeeds(&del, &NONE);
    is_as_before();
}

/// The kills of one update. All of them, or a few and those where a file is replaced, each followed by an update and by
/// a DEL.
fn kills(update: &Run, host: &Host) -> Vec<Fault> {
    let is_followed_by_both = |kill: &Fault| is_whole() || kill.call == "rename";
    let (both, one): (Vec<_>, Vec<_>) = update.kills(host).into_iter().partition(is_followed_by_both);
    both.iter().flat_map(|kill| vec![kill.clone(); 4]).chain(one.into_iter().step_by(ONE_OF)).collect()
}

/// CHECK of what may be there in part: it says so, or finds nothing wrong.
#[track_caller]
fn comes_to_its_end(check: &Run) {
    let output = check.plain();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || output.status.code() == Some(1) && said.contains("error: "), "{said}");
}
